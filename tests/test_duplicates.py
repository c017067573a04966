"""Records that tell the same thing: read, found, merged by a person, put back to the byte."""

import datetime as dt
import json
import math
import random

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from small import NEEDS, PRODUCTS, TECHNOLOGIES, TODAY
from typer.testing import CliRunner

from benchmarks.duplicates import own
from corpus.lexicon import Lexicon
from corpus.merging import MERGED_FROM, combined
from corpus.quantities import quantities
from corpus.records import Need, Technology
from corpus.store import Store
from corpus.workflow import Merge, withdrawn
from indexes.duplicates import Bags
from matcher import duplicates
from matcher.overlap import FACTS, Comparison
from matcher.tellings import Told
from service import loading
from service.app import create_app
from service.cli import app
from service.contract import ApiError
from service.desk import Desk, StaleError
from service.desk_merging import led_to
from service.person import Person
from service.workspace import Workspace

OFFICER = Person("lan", "Lan", "officer")
CLOCK = dt.datetime(2026, 11, 23, 8, tzinfo=dt.UTC)
ONE = Technology(
    id="CN-11",
    name="Máy tách sợi thân chuối TS-30",
    summary="Tách sợi từ bẹ chuối tươi, hai người đứng máy.",
    detail="Trục dao 42 lưỡi quay 960 vòng/phút, động cơ 2,2 kW; mỗi giờ 35 kg sợi ẩm.",
    products=("chuối",),
    owner="Xưởng Cơ khí Tân Phú (minh họa)",
    year=2022,
    cost_from=48,
    cost_to=60,
    acceptance_no="MH-2022-7",
    source="sàn.xlsx, dòng 4",
)
OTHER = Technology(
    id="CN-12",
    name="Thiết bị lấy sợi bẹ chuối cỡ nhỏ",
    summary="Bản tin: máy 42 dao quay 960 vòng mỗi phút lấy sợi chuối.",
    detail="Mô tơ 2.200 W, năng suất 0,035 tấn sợi một giờ.",
    products=("chuối tươi",),
    owner="Trung tâm Khuyến công Gò Me (minh họa)",
    year=2023,
    contact="0900 000 000",
    restricted=("contact",),
    source="bản tin.docx",
)


@pytest.fixture(scope="module")
def lexicon():
    return Lexicon.load()


# Quantities --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "unit", "low", "high"),
    [
        ("480 ký hạt/giờ", "kg/h", 480, 480),
        ("khoảng 0,48 tấn mỗi giờ", "kg/h", 480, 480),
        ("cứ mười lăm phút", "h", 15 / 60, 15 / 60),
        ("bốn mươi nghìn tấn một năm", "kg/năm", 40_000 * 1000, 40_000 * 1000),
        ("chịu 1.430°C", "°C", 1430, 1430),
        ("ẩm 28–32 %", "%", 28, 32),
        ("một nghìn mét khối khí một ngày", "l/ngày", 1000 * 1000, 1000 * 1000),
        ("lọc 0,45 µm", "m", 0.45e-6, 0.45e-6),
        ("cao 102 cm", "m", 1.02, 1.02),
    ],
)
def test_a_quantity_is_read_in_one_unit(text, unit, low, high):
    (found,) = quantities(text)
    assert found.unit == unit
    assert (found.low, found.high) == pytest.approx((low, high))
    assert text[found.start :].startswith(found.text)


def test_years_are_no_quantities_and_english_groups_by_commas():
    assert quantities("Nghiệm thu năm 2021, công bố 2022") == ()
    assert [each.low for each in quantities("64,000 images", english=True)] == [64_000]
    assert [each.low for each in quantities("1,500 g")] == [1.5 / 1000]


@given(st.text(max_size=200))
@settings(max_examples=60)
def test_any_text_can_be_read(text):
    for each in quantities(text):
        assert each.low <= each.high


# Candidates --------------------------------------------------------------------------------------


def test_candidates_are_the_nearest_of_all_pairs():
    chance = random.Random(7)
    bags = [[f"t{chance.randrange(60)}" for _ in range(12)] for _ in range(80)]
    found = Bags.of(bags)
    dense = found.matrix.toarray()
    alike = dense @ dense.T
    np.fill_diagonal(alike, 0)
    expected = set()
    for row in range(len(bags)):
        for column in np.lexsort((np.arange(len(bags)), -alike[row]))[:3]:
            if alike[row, column] >= 0.05:
                expected.add((min(row, column), max(row, column)))
    pairs = set(map(tuple, found.pairs(3).tolist()))
    assert len(pairs ^ expected) <= 2  # ties of float32 apart
    listed = np.array(sorted(pairs))
    assert found.cosine(listed) == pytest.approx(alike[listed[:, 0], listed[:, 1]], abs=1e-5)


def test_nothing_and_one_text_have_no_pairs():
    assert Bags.of([]).pairs().tolist() == []
    assert Bags.of([["a"], []]).pairs().tolist() == []


# The model ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found(lexicon):
    """The pairs of the sample with its second tellings, of each kind."""
    return [(each, duplicates.find(each.records, lexicon)) for each in own()]


def test_second_tellings_are_found_and_hard_cases_are_not(found):
    for collection, pairs in found:
        told = {frozenset(each.ids) for each in pairs}
        right = len(told & collection.same)
        assert right / len(collection.same) >= 0.95
        assert right / len(told) >= 0.95


def test_pairs_stand_in_one_order_with_reasons(found, lexicon):
    collection, pairs = found[0]
    keys = [(-each.probability, *each.ids) for each in pairs]
    assert keys == sorted(keys)
    assert all(each.reasons for each in pairs)
    numbered = next(each for each in pairs if each.ids == ("CN-026", "CN-193"))
    assert "cùng số nghiệm thu: 12/2020/MH-GPHI" in numbered.reasons
    few = [each for each in collection.records if each.key in {"CN-026", "CN-193", "CN-004"}]
    again = duplicates.find(few[::-1], lexicon)
    assert [each.ids for each in again] == [("CN-026", "CN-193")]


def test_two_that_tell_the_same_as_a_third_tell_the_same():
    through = duplicates._through({(0, 1): 0.9, (1, 2): 0.8, (3, 4): 0.9}, 0.4)
    assert through == {(0, 2): (0.9 * 0.8, 1)}


def test_every_fact_that_speaks_for_a_pair_makes_it_more_probable():
    for curve in duplicates.shipped().values():
        assert set(curve.weights) <= set(FACTS)
        assert all(weight > 0 for weight in curve.weights.values())


def test_an_overlap_says_what_is_the_same_and_what_differs(lexicon):
    (pair,) = Comparison.of(map(duplicates.told, (ONE, OTHER)), lexicon).overlaps(
        np.array([[0, 1]])
    )
    assert ("2,2 kW", "2.200 W") in pair.numbers
    assert pair.products == ("chuối",)
    assert pair.facts["owner_other"] == -1.0
    asked = duplicates.told(OTHER)
    far = [duplicates.told(each) for each in TECHNOLOGIES]
    told, *rest = duplicates.against(duplicates.told(ONE), [*far, asked], lexicon)
    assert told.ids == ("CN-11", "CN-12")
    assert told.probability > 0.4 > max(each.probability for each in rest)
    assert any(each.startswith("số liệu trùng: ") for each in told.reasons)
    assert "năm khác: 2022 / 2023" in told.differences
    empty = Comparison.of([Told("a", "", ""), Told("b", "", "")], lexicon)
    (nothing,) = empty.overlaps(np.array([[0, 1]]))
    assert all(math.isfinite(value) for value in nothing.facts.values())


def test_what_is_under_nda_is_not_compared():
    hidden = ONE.model_copy(update={"detail": "bí mật BX-77", "restricted": ("detail",)})
    assert "BX-77" not in duplicates.told(hidden).text


# Merging -----------------------------------------------------------------------------------------


def test_the_merged_record_says_what_both_say():
    whole = combined(ONE, OTHER)
    assert whole.id == "CN-11"
    assert whole.name == ONE.name
    assert whole.contact == "0900 000 000"
    assert whole.restricted == ("contact",)  # what was hidden stays hidden
    assert whole.products == ("chuối", "chuối tươi")
    assert whole.extra["Đơn vị sở hữu (theo CN-12)"] == OTHER.owner
    assert whole.extra["Mô tả chi tiết (theo CN-12)"] == OTHER.detail
    assert whole.extra[MERGED_FROM] == "CN-12 (nguồn: bản tin.docx)"
    assert whole.source == "sàn.xlsx, dòng 4; bản tin.docx"
    hidden = OTHER.model_copy(update={"restricted": ("contact", "detail")})
    assert OTHER.detail not in combined(ONE, hidden).to_json()["extra"].values()


@pytest.fixture
def desk(tmp_path):
    with Store.create(tmp_path) as store:
        store.save([*PRODUCTS, *TECHNOLOGIES, *NEEDS, ONE, OTHER])
        yield Desk(store, OFFICER, lambda: CLOCK)


def bodies(store, kind, *keys):
    return [json.dumps(store.get(kind, key).to_json(), ensure_ascii=False) for key in keys]


@pytest.mark.parametrize(("kind", "kept", "gone"), [(Technology, "CN-11", "CN-12"),
                                                    (Need, "N-1", "N-2")])  # fmt: skip
def test_a_merge_is_undone_to_the_byte(desk, kind, kept, gone):
    store, before = desk.store, bodies(desk.store, kind, kept, gone)
    mine, theirs = store.get(kind, kept), store.get(kind, gone)
    done = desk.merge(kind.kind_name, kept, gone, mine.content_hash(), theirs.content_hash())
    assert led_to(store, kind.kind_name, gone) == kept
    left = store.get(kind, gone)
    assert left is None if kind is Technology else withdrawn(left)
    assert [each.id for each in desk.merges()] == [done.id]
    desk.undo_merge(done.id)
    assert bodies(store, kind, kept, gone) == before
    assert led_to(store, kind.kind_name, gone) is None
    assert desk.merges() == ()


def test_a_merge_is_refused_where_something_changed(desk):
    store = desk.store
    tags = [store.get(Technology, key).content_hash() for key in ("CN-11", "CN-12")]
    with pytest.raises(StaleError):
        desk.merge("technology", "CN-11", "CN-12", "0" * 64, tags[1])
    with pytest.raises(StaleError):
        desk.merge("technology", "CN-11", "CN-12", tags[0], "0" * 64)
    assert store.get(Technology, "CN-11") == ONE  # nothing half-written
    for wrong, code in ((("technology", "CN-11", "CN-11"), "invalid"),
                        (("technology", "CN-11", "CN-99"), "unknown_id"),
                        (("product", "SP-1", "SP-2"), "invalid")):  # fmt: skip
        with pytest.raises(ApiError) as refused:
            desk.merge(*wrong, *tags)
        assert refused.value.code == code
    done = desk.merge("technology", "CN-11", "CN-12", *tags)
    store.save([store.get(Technology, "CN-11").model_copy(update={"trl": 9})])
    with pytest.raises(ApiError) as refused:
        desk.undo_merge(done.id)
    assert refused.value.code == "changed"
    with pytest.raises(ApiError):
        Desk(store, Person("b", "B", "broker")).keep_apart("technology", "CN-1", "CN-2")


def test_loading_a_merged_file_again_changes_nothing(tmp_path, lexicon):
    table = tmp_path / "technologies.csv"
    table.write_text(
        "Mã,Tên công nghệ,Tóm tắt\nA-1,Máy gặt lúa,Máy gặt 3 hàng\nA-2,Máy gặt lúa,Gặt ba hàng\n",
        encoding="utf-8",
    )
    loading.load([table], tmp_path, lexicon)
    with Store.open(tmp_path) as store:
        tags = [store.get(Technology, key).content_hash() for key in ("A-1", "A-2")]
        Desk(store, OFFICER).merge("technology", "A-1", "A-2", *tags)
        state = store.state()
    report = loading.load([table], tmp_path, lexicon)
    assert (report.saved.added, report.saved.changed) == (0, 0)
    with Store.open(tmp_path) as store:
        assert store.state() == state
        assert len(store.all(Merge)) == 1


def test_what_was_told_before_is_said_at_load_and_by_the_command(tmp_path, lexicon):
    with Store.create(tmp_path) as store:
        store.save([*PRODUCTS, *TECHNOLOGIES, ONE])
    facts = {k: v for k, v in OTHER.to_json().items() if k not in {"restricted", "source"}}
    facts |= {"acceptance_no": ONE.acceptance_no, "type": "technology"}
    lines = tmp_path / "mới.jsonl"
    lines.write_text(json.dumps(facts, ensure_ascii=False) + "\n", encoding="utf-8")
    asked = CliRunner().invoke(app, ["load", str(lines), "--data", str(tmp_path), "--json"])
    assert json.loads(asked.stdout)["alike"] == {"technology": 1, "need": 0}
    command = ["duplicates", "--data", str(tmp_path)]
    (pair,) = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert (pair["one"], pair["other"]) == ("CN-11", "CN-12")
    assert pair["probability"] >= 0.4
    assert "cùng số nghiệm thu: MH-2022-7" in pair["reasons"]
    assert "1 cặp có thể trùng trong 10 bản ghi." in CliRunner().invoke(app, command).stdout
    assert CliRunner().invoke(app, [*command, "--kind", "product"]).exit_code == 2


# Pages and API -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    same = OTHER.model_copy(update={"acceptance_no": ONE.acceptance_no})
    with Store.create(folder) as store:
        store.save([*PRODUCTS, *TECHNOLOGIES, *NEEDS, ONE, same])
    space = Workspace(folder)
    space.build(None)
    with TestClient(create_app(space, TODAY, 0.0), headers={"accept": "text/html"}) as client:
        yield client


def asked(client):
    return client.get("/api/v1/duplicates").json()["pairs"]


def test_an_officer_merges_and_undoes_on_the_page(client):
    page = client.get("/trung-lap").text
    assert "CN-11 và CN-12" in page
    assert "cùng số nghiệm thu: MH-2022-7" in page
    assert "0900 000 000" not in page  # under NDA
    store = client.app.state.shelf.store()
    tags = [store.get(Technology, key).content_hash() for key in ("CN-11", "CN-12")]
    form = {"viec": "gop", "loai": "technology", "giu": "CN-11", "bo": "CN-12"}
    form |= {"dau_giu": tags[0], "dau_bo": tags[1]}
    assert "Đã gộp CN-12 vào CN-11." in client.post("/trung-lap", data=form).text
    assert asked(client) == []
    led = client.get("/cong-nghe/CN-12", follow_redirects=False)
    assert led.headers["location"] == "/cong-nghe/CN-11"
    assert "CN-12 đã gộp vào bản ghi này." in client.get("/cong-nghe/CN-12").text
    for rest in ("", "/takers?k=3", "/similar"):  # programs are led on, and told to where
        led = client.get(f"/api/v1/technologies/CN-12{rest}", follow_redirects=False)
        assert (led.status_code, led.json()["error"]["code"]) == (307, "merged")
        assert led.headers["location"] == f"/api/v1/technologies/CN-11{rest}"
    assert client.get("/api/v1/technologies/CN-12").json()["id"] == "CN-11"
    search = client.get("/api/v1/search?q=sợi bẹ chuối").json()
    assert "CN-12" not in [each["id"] for each in search["matches"]]
    (merge,) = client.get("/api/v1/duplicates/merges").json()
    assert client.post(f"/api/v1/duplicates/{merge['id']}/undo").json() == merge
    assert len(asked(client)) == 1
    wrong = client.post("/trung-lap", data={"viec": "xóa"})
    assert wrong.status_code == 422


def test_a_pair_that_was_kept_apart_is_not_shown_again(client):
    (pair,) = asked(client)
    body = {"kind": "technology", "one": pair["one"], "other": pair["other"]}
    first = client.post("/api/v1/duplicates/apart", json=body)
    assert first.json() == client.post("/api/v1/duplicates/apart", json=body).json()
    assert asked(client) == []
    assert "Không có cặp nào chờ quyết định." in client.get("/trung-lap").text
