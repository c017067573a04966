"""Numbers, money and time as Vietnamese papers write them: a table worked out by hand."""

import datetime as dt
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.cells import CellError, parser_for
from corpus.periods import PeriodError, periods, valid_until
from corpus.quantities import Quantity, quantities
from corpus.text import normalise

INF = math.inf
# text, unit (money: million đồng), lowest, highest that is said
NUMBERS = [
    # money
    ("1,2 tỷ", "tr", 1200, 1200),
    ("1,2 tỉ đồng", "tr", 1200, 1200),
    ("350 triệu", "tr", 350, 350),
    ("350tr", "tr", 350, 350),
    ("350 triệu VNĐ", "tr", 350, 350),
    ("350 triệu đ", "tr", 350, 350),
    ("1.200.000 đ", "tr", 1.2, 1.2),
    ("1.200.000đ", "tr", 1.2, 1.2),
    ("1.200.000 đồng", "tr", 1.2, 1.2),
    ("1,200,000 VND", "tr", 1.2, 1.2),
    ("500 nghìn đồng", "tr", 0.5, 0.5),
    ("500 ngàn đồng", "tr", 0.5, 0.5),
    ("25.000 đồng/kg", "tr/kg", 0.025, 0.025),
    ("25.000 đ/kg", "tr/kg", 0.025, 0.025),
    ("2 tỷ rưỡi", "tr", 2500, 2500),
    ("hai tỷ rưỡi đồng", "tr", 2500, 2500),
    ("nửa tỷ đồng", "tr", 500, 500),
    ("1 tỷ 200 triệu", "tr", 1200, 1200),
    ("1 tỷ 200 triệu đồng", "tr", 1200, 1200),
    ("3 triệu 500 nghìn đồng", "tr", 3.5, 3.5),
    ("hai trăm triệu đồng", "tr", 200, 200),
    ("một trăm năm mươi triệu", "tr", 150, 150),
    ("ba trăm linh năm triệu", "tr", 305, 305),
    ("mười hai tỷ", "tr", 12_000, 12_000),
    ("5.000 USD", "USD", 5000, 5000),
    # ranges
    ("từ 50 đến 80 triệu đồng/tấn", "tr/tấn", 50, 80),
    ("50-80 triệu đồng/tấn", "tr/tấn", 50, 80),
    ("2,5–3 tỷ đồng", "tr", 2500, 3000),
    ("từ 50 triệu đến 80 triệu đồng/tấn", "tr/tấn", 50, 80),
    ("từ 500 triệu đến 1,2 tỷ đồng", "tr", 500, 1200),
    ("50 nghìn – 80 nghìn đồng/kg", "tr/kg", 0.05, 0.08),
    ("18.000 - 22.000 đồng/kg", "tr/kg", 0.018, 0.022),
    ("10 tới 15 tấn/ha", "kg/ha", 10_000, 15_000),
    ("28–32 %", "%", 28, 32),
    ("0–5°C", "°C", 0, 5),
    # bounds
    ("dưới 500 triệu", "tr", -INF, 500),
    ("không quá 500 triệu đồng", "tr", -INF, 500),
    ("không vượt quá 2 tỷ", "tr", -INF, 2000),
    ("tối đa 300 triệu", "tr", -INF, 300),
    ("lên đến 2 tỷ đồng", "tr", -INF, 2000),
    ("≤ 14 %", "%", -INF, 14),
    ("chưa đến 1 tỷ", "tr", -INF, 1000),
    ("thấp hơn 5 %", "%", -INF, 5),
    ("500 triệu trở xuống", "tr", -INF, 500),
    ("trên 2 tỷ", "tr", 2000, INF),
    ("hơn 2 tỷ đồng", "tr", 2000, INF),
    ("ít nhất 100 triệu", "tr", 100, INF),
    ("không dưới 100 triệu", "tr", 100, INF),
    ("không nhỏ hơn 100 triệu", "tr", 100, INF),
    ("tối thiểu là 20 ha", "m2", 200_000, INF),
    ("từ 2 tỷ trở lên", "tr", 2000, INF),
    (">= 500 kg", "kg", 500, INF),
    ("khoảng 2 tỷ rưỡi", "tr", 2500, 2500),
    ("gần 3 tấn", "kg", 3000, 3000),
    # other measures
    ("0,48 tấn/giờ", "kg/h", 480, 480),
    ("hai tấn rưỡi mỗi giờ", "kg/h", 2500, 2500),
    ("1.430°C", "°C", 1430, 1430),
    ("12 giờ 30 phút", "h", 12.5, 12.5),
    ("2 tấn 5 tạ", "kg", 2500, 2500),
    ("1.250,5 m3/ngày", "l/ngày", 1_250_500, 1_250_500),
    ("2.000 con", "con", 2000, 2000),
    ("nửa tháng", "h", 360, 360),
    ("năm trăm hộ", "hộ", 500, 500),
    ("1,5 ha", "m2", 15_000, 15_000),
    ("2.150", "", 2150, 2150),
]


@pytest.mark.parametrize(("text", "unit", "low", "high"), NUMBERS)
def test_a_number_is_read_with_unit_and_bounds(text, unit, low, high):
    (found,) = quantities(f"Cần {text}, đã rõ.")
    assert found.unit == unit
    assert found.limits == (pytest.approx(low), pytest.approx(high))
    assert text.endswith(found.text) or found.text in text


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("100 triệu, 2 tỷ", [100, 2000]),
        ("giống 200 triệu, máy 1 tỷ", [200, 1000]),  # units that rise are two sums
        ("năm 2024 chi 2 tỷ", [2000]),
        ("ngày 5 tháng 3 năm 2024 chi 5 triệu", [5]),
        ("quý III/2024: 5 triệu", [5]),
        ("hiệu lực đến 31/12/2027", []),
        ("giai đoạn 2021-2025", []),
        ("2021–2023", []),
        ("tháng 3/2024", []),
        ("từ 1/3/2024 đến hết năm 2026 cấp 3 tỷ", [3000]),
        ("giảm từ 41 xuống 6 triệu", [41, 6]),
        ("80 triệu hoặc 50 triệu", [80, 50]),
        ("năm nay được mùa", []),
        ("một nhà máy", []),
    ],
)
def test_dates_are_no_numbers_and_neighbours_stay_apart(text, values):
    assert [each.low for each in quantities(text)] == pytest.approx(values)


def test_a_bound_changes_nothing_that_is_compared():
    (plain,), (bounded,) = quantities("500 triệu"), quantities("dưới 500 triệu")
    assert plain.agrees(bounded) and plain.bound == "" and bounded.bound == "at most"
    assert plain == Quantity("tr", 500, 500, "500 triệu")


PIECES = st.sampled_from([
    "từ", "đến", "-", "1,2", "50", "2.000", "hai trăm", "nửa", "tỷ", "triệu", "đồng", "rưỡi", "/kg",
    "năm", "2024", "tháng 3/2024", "31/12/2027", "dưới", "trở lên", "5 tạ", ",", "quý I",
])  # fmt: skip


@given(st.lists(PIECES, max_size=12).map(" ".join))
@settings(max_examples=150)
def test_what_is_read_stands_in_the_text_in_order(text):
    text, end = normalise(text), 0
    for each in quantities(text):
        assert each.low <= each.high and each.limits[0] <= each.limits[1]
        assert text[each.start : each.end] == each.text
        assert each.start >= end or each.low == each.high
        end = each.start
    end = 0
    for each in periods(text):
        assert end <= each.start and text[each.start : each.end] == each.text
        assert each.first <= each.last
        end = each.end


# Time --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("31/12/2027", ["2027-12-31 2027-12-31"]),
        ("2026-05-01", ["2026-05-01 2026-05-01"]),
        ("ngày 5 tháng 3 năm 2024", ["2024-03-05 2024-03-05"]),
        ("tháng 2/2024", ["2024-02-01 2024-02-29"]),
        ("tháng 12 năm 2025", ["2025-12-01 2025-12-31"]),
        ("quý III/2024", ["2024-07-01 2024-09-30"]),
        ("quý 4 năm 2025", ["2025-10-01 2025-12-31"]),
        ("6 tháng đầu năm 2024", ["2024-01-01 2024-06-30"]),
        ("sáu tháng cuối năm 2024", ["2024-07-01 2024-12-31"]),
        ("năm 2024", ["2024-01-01 2024-12-31"]),
        ("năm 2021–2023", ["2021-01-01 2023-12-31"]),
        ("giai đoạn 2021-2025", ["2021-01-01 2025-12-31"]),
        ("từ năm 2021 đến năm 2023", ["2021-01-01 2023-12-31"]),
        ("2021 - 2025", ["2021-01-01 2025-12-31"]),
        ("từ 1/3/2024 đến hết năm 2026", ["2024-03-01 2026-12-31"]),
        ("quý I/2024 - quý II/2025", ["2024-01-01 2025-06-30"]),
        ("năm 2021 và năm 2023", ["2021-01-01 2021-12-31", "2023-01-01 2023-12-31"]),
        ("31/02/2024, tháng 13/2024, năm 2025-2021", []),
        ("NĂM 2024", ["2024-01-01 2024-12-31"]),
        ("số 12/2024/QĐ-UBND", []),
        ("5 năm", []),
    ],
)
def test_a_stretch_of_time_has_a_first_and_a_last_day(text, expected):
    assert [f"{each.first} {each.last}" for each in periods(text)] == expected


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("hiệu lực đến 31/12/2027", "2027-12-31"),
        ("Có hiệu lực từ ngày 01/01/2024 đến ngày 31/12/2027", "2027-12-31"),
        ("đến hết năm 2027", "2027-12-31"),
        ("đến hết quý II/2026", "2026-06-30"),
        ("5 năm kể từ ngày 15/03/2022", "2027-03-15"),
        ("10 năm kể từ ngày nộp đơn 20/05/2018", "2028-05-20"),
        ("24 tháng từ ngày 29/02/2024", "2026-02-28"),
    ],
)
def test_a_validity_ends_on_one_day(text, day):
    assert valid_until(text) == dt.date.fromisoformat(day)


def test_a_term_without_its_first_day_is_not_guessed():
    with pytest.raises(PeriodError, match="chưa biết ngày cấp là ngày nào"):
        valid_until("5 năm kể từ ngày cấp")
    assert valid_until("5 năm kể từ ngày cấp", dt.date(2022, 3, 15)) == dt.date(2027, 3, 15)
    for text in ("có hiệu lực từ ngày 1/1/2024", "còn lâu", "năm 2021 và năm 2023"):
        with pytest.raises(PeriodError, match="cần đúng một ngày"):
            valid_until(text)


@pytest.mark.parametrize(
    ("field", "text", "value", "note"),
    [
        ("valid_until", "31/12/2027", dt.date(2027, 12, 31), ""),
        ("valid_until", "Hiệu lực đến 31/12/2027", dt.date(2027, 12, 31), "31/12/2027"),
        ("valid_until", "5 năm kể từ ngày 15/03/2022", dt.date(2027, 3, 15), "15/03/2027"),
        ("year", "2024", 2024, ""),
        ("year", "quý III/2024", 2024, "2024"),
        ("year", "2021–2023", 2023, "năm cuối"),
        ("budget", "dưới 500 triệu", 500, "không quá"),
        ("budget", "từ 50 đến 80 triệu đồng", 80, "số cuối"),
        ("cost_from", "từ 50 đến 80 triệu đồng", 50, "số đầu"),
        ("cost_from", "khoảng 2 tỷ rưỡi", 2500, "khoảng"),
        ("cost_to", "2,5–3 tỷ đồng", 3000, "số cuối"),
    ],
)
def test_a_cell_is_read_and_says_how(field, text, value, note):
    kind = "need" if field == "budget" else "technology"
    found = parser_for(kind, field)(text)
    assert found.value == value
    assert note in (found.note or "") and bool(note) is bool(found.note)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("cost_from", "dưới 500 triệu"),  # says nothing of the least
        ("budget", "trên 500 triệu"),
        ("budget", "350 triệu/ha"),
        ("budget", "100 triệu, 2 tỷ"),
        ("budget", "50 USD"),
        ("valid_until", "5 năm kể từ ngày cấp"),
        ("year", "năm 2021 và năm 2023"),
    ],
)
def test_a_cell_that_does_not_say_it_is_refused(field, text):
    with pytest.raises(CellError):
        parser_for("need" if field == "budget" else "technology", field)(text)
