"""The 63 provinces, the 34, the regions by date, and how people write them."""

import datetime as dt
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.lexicon_tables import TableError, data_folder
from corpus.places import MERGED, Places
from corpus.text import fold, normalise

PLACES = Places.load()
BEFORE = MERGED - dt.timedelta(days=1)
MERGERS = {
    "Tuyên Quang": {"Hà Giang"},
    "Lào Cai": {"Yên Bái"},
    "Thái Nguyên": {"Bắc Kạn"},
    "Phú Thọ": {"Vĩnh Phúc", "Hòa Bình"},
    "Bắc Ninh": {"Bắc Giang"},
    "Hưng Yên": {"Thái Bình"},
    "Hải Phòng": {"Hải Dương"},
    "Ninh Bình": {"Hà Nam", "Nam Định"},
    "Quảng Trị": {"Quảng Bình"},
    "Đà Nẵng": {"Quảng Nam"},
    "Quảng Ngãi": {"Kon Tum"},
    "Gia Lai": {"Bình Định"},
    "Khánh Hòa": {"Ninh Thuận"},
    "Lâm Đồng": {"Đắk Nông", "Bình Thuận"},
    "Đắk Lắk": {"Phú Yên"},
    "TP Hồ Chí Minh": {"Bình Dương", "Bà Rịa - Vũng Tàu"},
    "Đồng Nai": {"Bình Phước"},
    "Tây Ninh": {"Long An"},
    "Cần Thơ": {"Sóc Trăng", "Hậu Giang"},
    "Vĩnh Long": {"Bến Tre", "Trà Vinh"},
    "Đồng Tháp": {"Tiền Giang"},
    "Cà Mau": {"Bạc Liêu"},
    "An Giang": {"Kiên Giang"},
}
UNCHANGED = {
    "Hà Nội", "Huế", "Cao Bằng", "Lạng Sơn", "Quảng Ninh", "Điện Biên", "Lai Châu", "Sơn La",
    "Thanh Hóa", "Nghệ An", "Hà Tĩnh",
}  # fmt: skip
OLD = sorted(PLACES.new_names)


def found(text: str, as_of: dt.date | None = None) -> list[tuple[str, frozenset[str]]]:
    return [(place.name, place.extent) for place in PLACES.find(text, as_of)]


def test_sixty_three_became_thirty_four() -> None:
    assert len(PLACES.new_names) == 63
    new = {*PLACES.new_names.values()}
    assert len(new) == 34
    assert new == {*MERGERS} | UNCHANGED
    for name in new:
        assert PLACES.extent(name) == {name} | MERGERS.get(name, set())


# Extents by date


def test_an_giang_has_two_extents() -> None:
    assert PLACES.extent("An Giang", BEFORE) == {"An Giang"}
    assert PLACES.extent("An Giang", MERGED) == {"An Giang", "Kiên Giang"}
    assert PLACES.extent("An Giang") == {"An Giang", "Kiên Giang"}


def test_a_name_that_ended_covers_itself_only() -> None:
    assert PLACES.extent("Kiên Giang", BEFORE) == {"Kiên Giang"}
    assert PLACES.extent("Kiên Giang", MERGED) == {"Kiên Giang"}


def test_unknown_names_cover_nothing() -> None:
    assert PLACES.extent("Hà Tây cũ xưa") == frozenset()
    assert PLACES.extent("") == frozenset()
    assert PLACES.new_name("Atlantis") is None


@given(st.sampled_from(OLD))
def test_extents_nest(name: str) -> None:
    assert PLACES.extent(name, BEFORE) == {name}
    assert {name} <= PLACES.extent(name)
    assert PLACES.extent(name) <= PLACES.extent(PLACES.new_names[name])


@pytest.mark.parametrize(
    ("written", "province"),
    [
        ("TP.HCM", "TP Hồ Chí Minh"),
        ("Sài Gòn", "TP Hồ Chí Minh"),
        ("Thành phố Hồ Chí Minh", "TP Hồ Chí Minh"),
        ("Thừa Thiên - Huế", "Huế"),
        ("Thừa Thiên Huế", "Huế"),
        ("BR-VT", "Bà Rịa - Vũng Tàu"),
        ("tỉnh Bến Tre", "Bến Tre"),
        ("ben tre", "Bến Tre"),
        ("Đắc Lắc", "Đắk Lắk"),
        ("Khánh Hoà", "Khánh Hòa"),
        ("Tỉnh Hòa Bình", "Hòa Bình"),
    ],
)
def test_spellings(written: str, province: str) -> None:
    assert PLACES.province(written) == province


# Mentions


@pytest.mark.parametrize(
    "text",
    [
        "An Giang (Kiên Giang cũ)",
        "An Giang (tỉnh Kiên Giang cũ)",
        "tỉnh An Giang (trước đây là tỉnh Kiên Giang)",
        "An Giang (Kiên Giang)",
        "Kiên Giang (nay là An Giang)",
        "Kiên Giang, nay thuộc tỉnh An Giang",
        "Kiên Giang cũ",
        "tỉnh Kiên Giang",
    ],
)
def test_old_part_of_a_new_province(text: str) -> None:
    assert found(text) == [("Kiên Giang", frozenset({"Kiên Giang"}))]


def test_former_extent_of_a_name_that_stayed() -> None:
    assert found("An Giang (cũ)") == [("An Giang", frozenset({"An Giang"}))]
    assert found("An Giang", BEFORE) == [("An Giang", frozenset({"An Giang"}))]


def test_two_provinces_of_one_are_two_where_nothing_joins_them() -> None:
    assert [name for name, _ in found("An Giang, Kiên Giang và Cà Mau")] == [
        "An Giang",
        "Kiên Giang",
        "Cà Mau",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "vì hòa bình",
        "cao bằng nhau",
        "Thái Bình Dương",
        "xã Long An",
        "huyện Phú Yên",
        "Học viện Chính trị quốc gia Hồ Chí Minh",
        "vùng Đồng Tháp Mười",
        "hoa hue trang",
        "",
    ],
)
def test_what_is_no_province(text: str) -> None:
    assert PLACES.find(text) == ()


def test_mentions_without_accents() -> None:
    assert [name for name, _ in found("dua ben tre va xoai an giang")] == ["Bến Tre", "An Giang"]


@given(st.lists(st.sampled_from([*OLD, "(cũ)", "nay là", "(", ")", ",", "xã", "Huê\u0301"])))
def test_spans_are_in_order_and_quote_the_text(parts: list[str]) -> None:
    text = " ".join(parts)
    end = 0
    for place in PLACES.find(text):
        assert end <= place.start < place.end
        assert normalise(text)[place.start : place.end] == place.found
        assert place.extent <= PLACES.extent(place.name) or place.extent == {place.name}
        end = place.end


@given(st.sampled_from(OLD), st.booleans())
def test_every_province_is_found(name: str, accented: bool) -> None:
    text = f"Sản xuất tại {name}."
    if not accented:
        text = fold(text).replace(fold(name), fold(name).title())
    assert [place.name for place in PLACES.find(text)] == [name]


# Nearness and regions


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Bắc Giang", "Bắc Giang", "same"),
        ("TP.HCM", "Sài Gòn", "same"),
        ("Bắc Giang", "Bắc Ninh", "merged"),
        ("Bến Tre", "Trà Vinh", "merged"),
        ("An Giang", "Cà Mau", "region"),
        ("Hà Nội", "Cà Mau", "other"),
        ("Bến Tre", "ĐBSCL", "region"),
        ("ĐBSCL", "vùng Đồng bằng sông Cửu Long", "same"),
        ("Hà Nội", "ĐBSCL", "other"),
        ("Hà Nội", "Paris", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_same_place_known_answers(one: str, other: str, expected: str) -> None:
    assert PLACES.same_place(one, other) == expected
    assert PLACES.same_place(other, one) == expected


def test_regions_depend_on_the_scheme() -> None:
    assert PLACES.regions("Bình Thuận", "khuyến công 2013-2023") == ("Đông Nam Bộ",)
    assert PLACES.regions("Bình Thuận", "trước 2025") == ("Bắc Trung Bộ và duyên hải miền Trung",)
    assert PLACES.regions("Bình Thuận") == ("Duyên hải Nam Trung Bộ và Tây Nguyên",)
    assert PLACES.regions("Long An") == ("Đông Nam Bộ",)
    assert PLACES.regions("Gia Lai", "trước 2025") == (
        "Bắc Trung Bộ và duyên hải miền Trung",
        "Tây Nguyên",
    )
    with pytest.raises(ValueError, match="trước 2025"):
        PLACES.regions("Gia Lai", "1986")


def test_region_extent_depends_on_the_date() -> None:
    before, after = dt.date(2024, 1, 1), dt.date(2026, 1, 1)
    assert "Long An" in PLACES.extent("ĐBSCL", before)
    assert "Long An" not in PLACES.extent("ĐBSCL", after)
    assert len(PLACES.extent("Đồng bằng sông Cửu Long", before)) == 13


@pytest.mark.parametrize("scheme", ["trước 2025", "khuyến công 2013-2023", "từ 2025"])
def test_each_scheme_divides_the_country(scheme: str) -> None:
    extents = [region.extent for region in PLACES.all_regions if region.scheme == scheme]
    assert len(extents) == 6
    assert sum(len(extent) for extent in extents) == 63
    assert frozenset().union(*extents) == set(OLD)


# Tables


@pytest.mark.parametrize(
    ("table", "line", "message"),
    [
        ("provinces.csv", "99,Hà Tây,Hà Đông,,,", 'cột "new"'),
        ("provinces.csv", "99,Hà Nội,Hà Nội,,,", '"Hà Nội" đã có'),
        ("regions.csv", "lạ,2025-13-01,Vùng,Hà Nội,", 'cột "from"'),
        ("regions.csv", "lạ,2025-12-01,Vùng,Hà Lội,", 'không có tỉnh "Hà Lội"'),
    ],
)
def test_bad_line_is_located(tmp_path: Path, table: str, line: str, message: str) -> None:
    folder = Path(shutil.copytree(Path(str(data_folder())), tmp_path / "data"))
    path = folder / table
    count = len(path.read_text(encoding="utf-8").splitlines())
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(TableError) as caught:
        Places.load(folder)
    assert f"{table} dòng {count + 1}" in str(caught.value)
    assert message in str(caught.value)
