"""Filters by place, from outside: what lies there, what does not, and what nobody can tell."""

from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from small import TODAY, places
from test_cli import run

from corpus import places_asked
from corpus.records import Technology
from corpus.store import Store
from matcher.fit import Filter
from service.app import create_app
from service.workspace import Workspace

PLACES = places()
OLD = sorted(PLACES.new_names)
# What each record states of places, its year, and what is known: old part or doubt.
RECORDS = {
    "huyen-cu": ("An Giang", 2026, ("huyện Châu Phú, tỉnh An Giang",)),  # the seat is in doubt
    "cu-2019": ("An Giang", 2019, ()),
    "khong-ngay": ("An Giang", None, ()),
    "kien-giang": ("Kiên Giang", 2018, ()),
    "ten-moi": ("An Giang (Kiên Giang cũ)", 2026, ()),
    "xa-moi": ("An Giang", 2021, ("xã Thạnh Lộc, tỉnh An Giang",)),  # written since districts ended
    "phu-quoc": (None, 2026, ("đặc khu Phú Quốc, An Giang",)),
    "chau-thanh": (None, 2026, ("huyện Châu Thành",)),  # in ten provinces
    "ha-noi": ("Hà Nội", 2026, ()),
}
TECHNOLOGIES = [
    Technology(id=key, name="Sấy tôm", province=province, year=year, places_used=used)
    for key, (province, year, used) in RECORDS.items()
]
KNOWN = {  # filter → surely there, perhaps there
    "An Giang (từ 1/7/2025)": (
        {"huyen-cu", "cu-2019", "khong-ngay", "kien-giang", "ten-moi", "xa-moi", "phu-quoc"},
        {"chau-thanh"},
    ),
    "An Giang (trước 1/7/2025)": (
        {"huyen-cu", "cu-2019"},
        {"khong-ngay", "xa-moi", "chau-thanh"},
    ),
    "Kiên Giang": (
        {"kien-giang", "ten-moi", "phu-quoc", "xa-moi"},  # today's xã was made there
        {"huyen-cu", "khong-ngay", "chau-thanh"},
    ),
    "huyện Châu Phú, An Giang": (
        {"huyen-cu"},
        {"cu-2019", "khong-ngay", "xa-moi"},
    ),
    "Bến Tre": (set(), {"chau-thanh"}),
    "Hà Nội": ({"ha-noi"}, set()),
}


@pytest.fixture(scope="module")
def house(small_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A work folder with these records only."""
    made = Workspace(tmp_path_factory.mktemp("noi"))
    with Store.create(made.folder) as store:
        store.save(TECHNOLOGIES)
    (made.folder / "lexicon").symlink_to(small_folder / "lexicon")
    made.build(None)
    return made


@pytest.fixture(scope="module")
def client(house):
    with TestClient(create_app(house, TODAY, 0.0), base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize(("place", "known"), KNOWN.items())
def test_the_api_and_the_command_tell_what_is_there_and_what_may_be(house, client, place, known):
    sure, perhaps = known
    told = client.get("/api/v1/search", params={"q": "sấy tôm", "place": place, "k": 50}).json()
    assert {each["id"] for each in told["matches"]} == sure
    assert {each["id"] for each in told["undecided"]["matches"]} == perhaps
    assert (told["total"], told["undecided"]["total"]) == (len(sure), len(perhaps))
    browsed = client.get("/api/v1/technologies", params={"place": place}).json()
    assert (browsed["total"], browsed["undecided"]) == (len(sure), len(perhaps))
    words = ("search", "sấy tôm", "--province", place, "-k", 50, "--data", house.folder)
    found = run(*words, "--json").json
    assert {each["id"] for each in found["matches"]} == sure
    assert {each["id"] for each in found["undecided"]["matches"]} == perhaps
    assert found["notices"] == told["notices"] == []  # a filter that states itself needs no word


def test_what_is_in_doubt_is_counted_and_shown_apart(house, client):
    words = ("search", "sấy tôm", "--data", house.folder, "--province")
    told = run(*words, "An Giang cũ", "-k", "2").out
    sure, perhaps = told.split(
        "Chưa xác định được thuộc An Giang cũ hay không (3 bản ghi, để riêng)"
    )
    assert "cu-2019" in sure and "khong-ngay" not in sure and "1 bản ghi nữa" in perhaps
    page = client.get(f"/?q=sấy tôm&place={quote('Kiên Giang')}").text
    assert "3 bản ghi chưa xác định được thuộc Kiên Giang cũ hay không" in page
    sure, perhaps = page.split('<h2 id="chua-ro-noi">')
    assert "/cong-nghe/ten-moi" in sure and "/cong-nghe/cu-2019" not in page
    assert "/cong-nghe/khong-ngay" in perhaps and "/cong-nghe/khong-ngay" not in sure
    only_doubt = client.get("/?q=sấy tôm&place=Bến Tre").text
    assert "1 bản ghi chưa xác định được thuộc Bến Tre cũ hay không" in only_doubt
    assert "1 bản ghi chưa xác định" in client.get("/cong-nghe?place=Bến Tre").text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "An Giang",
            "“An Giang” được hiểu là An Giang (từ 1/7/2025), gồm các tỉnh cũ An Giang, Kiê",
        ),
        ("ĐNB", "“ĐNB” được hiểu là Đông Nam Bộ (từ 2025), theo Nghị quyết 306/NQ-CP"),
        ("huyện Châu Thành", "“huyện Châu Thành” có ở nhiều tỉnh cũ (An Giang, Bến Tre,"),
        ("Atlantis", "Không nhận ra nơi “Atlantis”"),
        ("xã Thạnh Lộc", "Không nhận ra nơi “xã Thạnh Lộc”"),
    ],
)
def test_a_filter_that_may_mean_more_says_how_it_was_read(house, typed, said):
    found = run("search", "sấy", "--province", typed, "--data", house.folder, "--json").json
    assert [each[: len(said)] for each in found["notices"]] == [said]


def test_links_of_the_page_name_the_extent_and_take_it_away_again(client):
    found = client.get("/api/v1/search", params={"q": "sấy tôm", "place": "An Giang"}).json()
    (facet,) = (each for each in found["facets"] if each["name"] == "place")
    chosen = [each for each in facet["buckets"] if each["chosen"]]
    assert [(each["value"], each["choose"]) for each in chosen] == [
        ("An Giang (từ 1/7/2025)", {"place": "An Giang"})  # as typed: the link must take that away
    ]
    parts = {each["value"]: each["count"] for each in chosen[0]["parts"]}
    assert parts == {"An Giang (trước 1/7/2025)": 2, "Kiên Giang": 4}


def test_records_keep_what_was_written(client):
    for key, (province, _, used) in RECORDS.items():
        told = client.get(f"/api/v1/technologies/{key}").json()
        assert (told.get("province"), tuple(told.get("places_used", ()))) == (province, used)


# Properties --------------------------------------------------------------------------------------

DISTRICTS = [
    f"{each.kind} {each.name}" for each in PLACES.units.districts if not each.name.isdigit()
]
STATED = st.builds(
    lambda district, province, tail: ", ".join(filter(None, (district, province))) + tail,
    st.sampled_from(["", *DISTRICTS]),
    st.sampled_from(["", *OLD]),
    st.sampled_from(["", " (cũ)", " (từ 1/7/2025)"]),
)
RECORD = st.builds(
    lambda seat, used, year: Technology(
        id="A", name="a", province=seat or None, places_used=used, year=year
    ),
    STATED,
    st.lists(STATED.filter(str.strip), max_size=2).map(tuple),
    st.sampled_from([None, 2019, 2025, 2026]),
)


@given(RECORD, st.sampled_from(OLD))
@settings(max_examples=150, deadline=None)
def test_a_new_province_finds_all_that_its_parts_find_and_decides_what_they_cannot(record, old):
    new = PLACES.new_names[old]
    whole = places_asked.label(new, PLACES.extent(new), PLACES)
    part = places_asked.label(old, frozenset({old}), PLACES)
    told = Filter(place=part).lies(record, PLACES)
    of_whole = Filter(place=whole).lies(record, PLACES)
    if told == "inside":
        assert of_whole == "inside"
    if told == "perhaps":
        assert of_whole in {"inside", "perhaps"}
    if of_whole == "outside":
        assert told == "outside"


@given(STATED, st.sampled_from([None, 2019, 2026]))
@settings(max_examples=150, deadline=None)
def test_one_place_is_never_in_two_old_provinces_for_sure(text, year):
    found = PLACES.find(text)
    if len(found) != 1:
        return
    record = Technology(id="A", name="a", province=text, year=year)
    labels = (places_asked.label(old, frozenset({old}), PLACES) for old in found[0].extent)
    told = [Filter(place=each).lies(record, PLACES) for each in labels]
    assert told.count("inside") <= 1
    assert "outside" not in told or "inside" in told  # nothing is lost between the parts
