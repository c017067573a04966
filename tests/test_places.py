"""The 63 provinces, the 34, the regions by date, and how people write them."""

import csv
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
        assert place.extent <= PLACES.extent(place.name)
        end = place.end


@given(st.sampled_from(OLD), st.booleans())
def test_every_province_is_found(name: str, accented: bool) -> None:
    text = f"Sản xuất tại {name}."
    if not accented:
        text = fold(text).replace(fold(name), fold(name).title())
    assert [place.name for place in PLACES.find(text)] == [name]


# Districts and communes


@pytest.mark.parametrize(
    ("text", "extent", "districts", "commune"),
    [
        ("huyện Châu Phú", "An Giang", ["huyện Châu Phú"], ""),
        ("H. Châu Phú, An Giang", "An Giang", ["huyện Châu Phú"], ""),
        ("TP. Long Xuyên", "An Giang", ["thành phố Long Xuyên"], ""),
        ("TP.Long Xuyên, tỉnh An Giang", "An Giang", ["thành phố Long Xuyên"], ""),
        ("Tx. Tân Châu, An Giang", "An Giang", ["thị xã Tân Châu"], ""),
        ("thị xã Gò Công", "Tiền Giang", ["thành phố Gò Công"], ""),  # a city since
        ("Q.1", "TP Hồ Chí Minh", ["quận 1"], ""),
        ("quận 10, TP.HCM", "TP Hồ Chí Minh", ["quận 10"], ""),
        ("thành phố Vĩnh Long", "Vĩnh Long", ["thành phố Vĩnh Long"], ""),
        ("xã Tân Phú Đông, huyện Tân Phú Đông, Tiền Giang", "Tiền Giang",
         ["huyện Tân Phú Đông"], "Tân Phú Đông"),
        ("phường Mỹ Bình, TP Long Xuyên", "An Giang", ["thành phố Long Xuyên"], "Mỹ Bình"),
        ("P.5, TP. Mỹ Tho", "Tiền Giang", ["thành phố Mỹ Tho"], "5"),
        ("xã Vị Thanh 1, tỉnh Hậu Giang", "Hậu Giang", ["huyện Vị Thủy"], "Vị Thanh 1"),
        ("Lục Ngạn, Bắc Ninh", "Bắc Giang", ["huyện Lục Ngạn"], ""),
        ("An Giang (huyện Châu Phú)", "An Giang", ["huyện Châu Phú"], ""),
        ("huyen chau phu, an giang", "An Giang", ["huyện Châu Phú"], ""),
        ("TP Rạch Giá, Kiên Giang (nay là phường Rạch Giá, An Giang)", "Kiên Giang",
         ["thành phố Rạch Giá"], ""),
        ("huyện Châu Thành, An Giang (Kiên Giang cũ)", "Kiên Giang", ["huyện Châu Thành"], ""),
        ("đặc khu Phú Quốc, tỉnh An Giang", "Kiên Giang", ["thành phố Phú Quốc"], ""),
        ("đặc khu Thổ Châu, An Giang", "Kiên Giang", ["thành phố Phú Quốc"], "Thổ Châu"),
        ("huyện Quảng Ninh", "Quảng Bình", ["huyện Quảng Ninh"], ""),
    ],
)  # fmt: skip
def test_a_district_tells_the_old_province(
    text: str, extent: str, districts: list[str], commune: str
) -> None:
    (place,) = PLACES.find(text)
    assert place.extent == {extent}
    assert [f"{each.kind} {each.name}" for each in place.area.districts] == districts
    assert place.area.commune == commune


def test_what_a_name_leaves_open_stays_open() -> None:
    (alone,) = PLACES.find("huyện Châu Thành")
    assert len(alone.extent) == 10 and {"Tiền Giang", "Hậu Giang"} < alone.extent
    assert alone.name == ""
    (beside,) = PLACES.find("huyện Châu Thành, An Giang")  # both parts had one
    assert beside.extent == {"An Giang", "Kiên Giang"}
    assert PLACES.find("huyện Châu Thành, An Giang", BEFORE)[0].extent == {"An Giang"}
    assert PLACES.find("xã Mỹ Kham, An Giang")[0].extent == {"An Giang", "Kiên Giang"}  # no such
    assert found("thành phố Đà Nẵng") == [("Đà Nẵng", frozenset({"Đà Nẵng", "Quảng Nam"}))]


@pytest.mark.parametrize(
    ("text", "as_of", "parcels"),
    [
        ("xã Mỹ Khánh, An Giang", None, {"thành phố Long Xuyên: xã Mỹ Khánh → phường Bình Đức"}),
        ("xa My Khanh, An Giang", None, {"thành phố Long Xuyên: xã Mỹ Khánh → phường Bình Đức"}),
        ("xã Bình An, An Giang", None, {  # today's, and the other one of before
            "huyện Châu Thành: xã Bình An → xã Bình An",
            "huyện Châu Thành: xã Vĩnh Hòa Hiệp → xã Bình An",
            "huyện Châu Thành: xã Vĩnh Hòa Phú → xã Bình An",
            "huyện Kiên Lương: xã Bình An → xã Kiên Lương",
        }),
        ("xã Bình An, An Giang", BEFORE, set()),  # An Giang of then had none
        ("xã Bình An, huyện Kiên Lương", None, {"huyện Kiên Lương: xã Bình An → xã Kiên Lương"}),
        ("xã Tân Thành, huyện Gò Công Đông", None, {  # "thành" alone ends no name
            "huyện Gò Công Đông: xã Tân Thành → xã Gò Công Đông",
        }),
        ("xã Tân Thành", None, None),  # dozens: without a province it is not even looked up
    ],
)  # fmt: skip
def test_the_register_says_where_a_commune_lies(
    text: str, as_of: dt.date | None, parcels: set[str] | None
) -> None:
    places = PLACES.find(text, as_of)
    told = [
        {f"{p.district.kind} {p.district.name}: {p.old} → {p.new}" for p in each.area.parcels}
        for each in places
    ]
    assert told == ([] if parcels is None else [parcels])


def test_every_commune_of_before_is_in_one_province_of_today() -> None:
    before = {parcel for parcels in PLACES.communes.old.values() for parcel in parcels}
    since = {parcel for parcels in PLACES.communes.new.values() for parcel in parcels}
    assert before == since
    communes = {(each.district, each.old) for each in before}
    made = {(PLACES.new_names[each.district.province], each.new) for each in before}
    assert (len(communes), len(made)) == (10_035, 3_316)  # with five islands that had none
    provinces: dict[tuple[str, str], set[str]] = {}
    for each in before:
        known = provinces.setdefault((each.new, PLACES.new_names[each.district.province]), set())
        known.add(each.district.province)
    assert all(len(each) == 1 for each in provinces.values())  # none reaches into a second old one


def test_an_old_commune_lies_in_what_it_became() -> None:
    (old,) = PLACES.find("xã Mỹ Khánh, TP Long Xuyên, An Giang", BEFORE)
    (new,) = PLACES.find("phường Bình Đức, An Giang")
    assert old.area.lies(new.area) == "inside" and new.area.lies(old.area) == "perhaps"
    (other,) = PLACES.find("phường Long Xuyên, An Giang")
    assert old.area.lies(other.area) == "outside"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("huyện Phú Tân, Châu Phú, tỉnh An Giang", ["huyện Phú Tân", "Châu Phú, tỉnh An Giang"]),
        ("An Giang: các huyện Châu Phú, Tri Tôn", ["An Giang: các huyện Châu Phú", "Tri Tôn"]),
        ("huyện Châu Phú và Kiên Giang", ["huyện Châu Phú", "Kiên Giang"]),
        ("Thủ Dầu Một và TP.HCM", ["TP.HCM"]),  # alone it is no district
        ("chạy 24 h Long Xuyên", []),
        ("đường Châu Phú, sông Vàm Cỏ", []),
    ],
)
def test_neighbours_are_put_together_only_as_one_address(text: str, expected: list[str]) -> None:
    assert [place.found for place in PLACES.find(text)] == expected
    assert all(place.extent <= {"An Giang", "Kiên Giang", *PLACES.extent("TP.HCM")}
               for place in PLACES.find(text))  # fmt: skip


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
    # the review of 2013-2023 put Bình Thuận there, beside the division that was in force
    assert "Bình Thuận" not in PLACES.extent("Đông Nam Bộ", before)


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
        ("districts.csv", "Hà Tây,huyện,Mỹ Đức,,", 'không có tỉnh "Hà Tây"'),
        ("districts.csv", "Hà Nội,xã,Mỹ Đức,,", 'cột "kind"'),
        ("districts.csv", "Hà Nội,huyện,Mỹ Đức,,", '"huyện Mỹ Đức" đã có'),
        ("communes.csv", 'An Giang,xã Ô,"An Giang, huyện Ô: xã A"', 'không có huyện "An Giang, h'),
        ("communes.csv", 'Huế,xã Ô,"Huế, quận Thuận Hóa: A"', '"A" cần bắt đầu bằng xã'),
        ("regions.csv", "lạ,2025-13-01,Vùng,Hà Nội,,,", 'cột "from"'),
        ("regions.csv", "lạ,2025-12-01,Vùng,Hà Lội,,,", 'không có tỉnh "Hà Lội"'),
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


def test_tables_that_officers_took_out_before_there_were_districts_still_load(
    tmp_path: Path,
) -> None:
    folder = Path(shutil.copytree(Path(str(data_folder())), tmp_path / "data"))
    for name in ("districts.csv", "communes.csv"):
        (folder / name).unlink()
    path = folder / "regions.csv"
    rows = [*csv.reader(path.read_text(encoding="utf-8").splitlines())]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(row[:5] for row in rows)  # without source and named
    older = Places.load(folder)
    assert older.find("huyện Châu Phú")[0].extent == {"An Giang"}
    assert older.find("xã Mỹ Khánh, An Giang")[0].extent == {"An Giang"}
    assert older.regions("Bình Thuận", "khuyến công 2013-2023") == ("Đông Nam Bộ",)
