"""Coverage and gaps of a run: counts that add up, topics that invent nothing, changes explained."""

import datetime as dt
import json
from collections import Counter
from dataclasses import replace

import pytest
from openpyxl import load_workbook
from small import places

from corpus.lexicon import Lexicon
from corpus.records import Judgment, Need, Product, Technology
from corpus.store import Store
from indexes.hybrid import Index
from matcher import run_folder
from matcher.batch import Batch
from matcher.coverage import area, new_province, old_province, place
from matcher.coverage import commune as commune_of
from matcher.documents import documents
from matcher.match import Matcher
from matcher.run_basis import Made
from matcher.search import Engine
from matcher.yearly import Run
from service import cli, coverage_sheets

AS_OF = dt.date(2026, 11, 23)
MADE = Made({"revision": 1, "digest": "d"}, {"name": "s", "corpus": "c"}, "t", {})
COCONUT = ("dừa",)
PEST = ("phòng trừ dịch bệnh",)
SUPPLY = (
    Technology(
        id="CN-1",
        name="Nhân nuôi ong ký sinh trừ bọ cánh cứng hại lá dừa",
        summary="Thả ong ký sinh ấu trùng và nhộng bọ dừa, giảm hại lá non.",
        products=COCONUT,
        stages=PEST,
    ),
    Technology(
        id="CN-2",
        name="Bọ đuôi kìm ăn trứng bọ cánh cứng hại dừa",
        products=COCONUT,
        stages=PEST,
        illustrative=True,
    ),
    Technology(
        id="CN-3",
        name="Sấy cơm dừa bằng bơm nhiệt",
        summary="Sấy cơm dừa trắng, không vàng.",
        products=COCONUT,
        stages=("chế biến",),
        cost_from=900,
        valid_until=dt.date(2027, 3, 1),
    ),
    Technology(id="CN-4", name="Bảo quản bưởi da xanh", products=("bưởi",), stages=("bảo quản",)),
)
PRODUCTS = (
    Product(id="SP-1", name="Dừa Bến Tre", aliases=("dừa",), sector="Cây công nghiệp"),
    Product(id="SP-2", name="Bưởi da xanh", aliases=("bưởi",)),
)
CATERPILLAR = "sâu đầu đen"
NEEDS = (
    Need(
        id="N-1",
        product="SP-1",
        text="Sâu đầu đen ăn trụi lá già, trái non rụng, cần thiên địch nhân nuôi tại chỗ",
        stage=PEST[0],
        commune="xã Mỏ Cày",
        province="Bến Tre",
        asker_kind="hộ",
        current="phun thuốc",
        trl_min=7,
        extra={"Loại địa bàn": "xã khó khăn"},
    ),
    Need(
        id="N-2",
        product="SP-1",
        text="Trị sâu đầu đen hại dừa không phun thuốc, khỏi leo cây",
        stage=PEST[0],
        province="Vĩnh Long (Bến Tre cũ)",
        asker_kind="HTX",
        collector="UBND xã",
        budget=150,
    ),
    Need(id="N-3", product="SP-1", text="Sấy cơm dừa không bị vàng", stage="chế biến",
         province="Trà Vinh", asker_kind="HTX"),
    Need(id="N-4", product="SP-1", text="Sấy cơm dừa không bị vàng, vốn ít", stage="chế biến",
         province="Tiền Giang", budget=100),
    Need(id="N-5", product="SP-1", text="Máy sấy cơm dừa trắng", stage="chế biến",
         province="Đồng Tháp", date=dt.date(2026, 1, 1)),
)  # fmt: skip
# What an officer judged: parasitoids of the leaf beetle do not touch the caterpillar.
GRADES = {("N-1", "CN-1"): 1, ("N-1", "CN-2"): 1, ("N-2", "CN-1"): 1, ("N-2", "CN-2"): 0,
          ("N-3", "CN-3"): 3, ("N-5", "CN-3"): 2, ("N-4", "CN-3"): 3}  # fmt: skip


@pytest.fixture(scope="module")
def words():
    return Lexicon.load()


@pytest.fixture(scope="module")
def made(tmp_path_factory, words):
    """Make a run of some records; equal ones are made once."""
    home, done = tmp_path_factory.mktemp("runs"), {}

    def make(supply=SUPPLY, needs=NEEDS, as_of=AS_OF, facts=MADE, grades=GRADES):
        folder = home / str(len(done))
        engine = Engine(
            Index.build(documents(supply, words)["public"], None), None, words, places()
        )
        work = Batch(folder, Matcher.of(engine, supply, PRODUCTS, needs, as_of), facts)
        with run_folder.holding(folder):
            done[folder] = work.run()
        return Run.open(folder, grades)

    return make


@pytest.fixture(scope="module")
def run(made):
    return made()


@pytest.fixture(scope="module")
def found(run, words):
    return coverage_sheets.find(run, places(), words)


def test_every_grouping_counts_every_need_once(found):
    assert found.coverage.whole.levels == (1, 1, 3, 0)
    assert found.coverage.whole.blocked == 1
    for each in found.coverage.dimensions:
        summed = [sum(column) for column in zip(*(g.levels for g in each.groups), strict=True)]
        assert tuple(summed) == found.coverage.whole.levels, each.name
        assert len({group.name for group in each.groups}) == len(each.groups)
    cells = [group for _, _, cells in found.coverage.heat for group in cells]
    assert sum(each.total for each in cells) == 5


def test_places_are_counted_by_new_and_by_old_names(found):
    groups = {
        each.name: {g.name: g.total for g in each.groups} for each in found.coverage.dimensions
    }
    assert groups["province"] == {"Vĩnh Long": 3, "Đồng Tháp": 2}
    assert groups["old_province"] == {
        "Bến Tre": 2, "Trà Vinh": 1, "Tiền Giang": 1, "Đồng Tháp (chưa rõ tỉnh cũ)": 1,
    }  # fmt: skip
    assert groups["commune"] == {"xã Mỏ Cày, Vĩnh Long (Bến Tre cũ)": 1, "chưa rõ": 4}
    assert groups["area"] == {"xã khó khăn": 1, "chưa rõ": 4}
    assert list(groups["receiver"].items()) == [("HTX", 2), ("hộ", 1), ("chưa rõ", 2)]


@pytest.mark.parametrize(
    ("province", "date", "expected"),
    [
        ("Bến Tre", None, ("Vĩnh Long", "Bến Tre", "Vĩnh Long (Bến Tre cũ)")),
        ("An Giang", None, ("An Giang", "An Giang (chưa rõ tỉnh cũ)", "An Giang")),
        ("An Giang", dt.date(2024, 5, 1), ("An Giang", "An Giang", "An Giang")),
        ("Hà Nội", None, ("Hà Nội", "Hà Nội", "Hà Nội")),
        ("vùng cao", None, ("vùng cao", "vùng cao", "vùng cao")),
        (None, None, ("chưa rõ", "chưa rõ", "chưa rõ")),
    ],
)
def test_a_province_is_told_as_far_as_it_is_known(province, date, expected):
    need = Need(id="N", product="SP-1", text="x", province=province, date=date)
    assert tuple(f(need, places()) for f in (new_province, old_province, place)) == expected


@pytest.mark.parametrize(
    ("commune", "province", "told"),
    [
        ("xã Mỹ Khánh", "An Giang", "phường Bình Đức, An Giang"),  # what it became
        ("xã Giồng Trôm", "Vĩnh Long", "xã Giồng Trôm, Vĩnh Long (Bến Tre cũ)"),
        ("xã Không Có", "Vĩnh Long", "xã Không Có, Vĩnh Long"),
    ],
)
def test_needs_of_one_commune_stand_together_by_its_name_of_today(commune, province, told):
    old = dt.date(2024, 5, 1)
    need = Need(id="N", product="SP-1", text="x", commune=commune, province=province, date=old)
    assert commune_of(need, places()) == told


@pytest.mark.parametrize(
    ("commune", "province", "old", "kind"),
    [
        ("xã Mỹ Đức, huyện Châu Phú", "An Giang", "An Giang", "chưa rõ"),
        ("xã Thạnh Lộc, H. Giồng Riềng (khu vực III)", "An Giang", "Kiên Giang", "khu vực III"),
        ("xã Mỹ Đức (xã ĐBKK, biên giới)", "An Giang", "An Giang (chưa rõ tỉnh cũ)",
         "đặc biệt khó khăn, biên giới"),
        ("xã Châu Thành", "An Giang", "Kiên Giang", "chưa rõ"),  # made there in 2025
    ],
)  # fmt: skip
def test_a_district_named_with_the_commune_tells_the_old_province(commune, province, old, kind):
    need = Need(id="N", product="SP-1", text="x", commune=commune, province=province)
    assert (old_province(need, places()), area(need)) == (old, kind)


def test_the_coconut_of_ben_tre_becomes_a_draft_order(found):
    """Story 2: no supply against the black-headed caterpillar, only against the leaf beetle."""
    topic = found.topics[0]
    assert topic.needs == ("N-1", "N-2")
    assert CATERPILLAR in topic.name and "Dừa Bến Tre" in topic.name
    assert CATERPILLAR in topic.goal.lower() and "CN-1" in topic.goal
    assert "TRL 7" in topic.product and "phun thuốc" in topic.product
    assert topic.places == ("xã Mỏ Cày, Vĩnh Long (Bến Tre cũ)", "Vĩnh Long (Bến Tre cũ)")
    assert (topic.way, topic.time, topic.money) == ("chưa rõ",) * 3
    assert topic.payable == "150 triệu đồng mỗi nơi (1 nhu cầu nêu)"


def test_what_is_too_dear_is_no_topic(found):
    assert [each.need.id for each in found.blocked] == ["N-4"]
    assert "vượt 100 triệu" in found.blocked[0].reasons[0]
    assert not any("N-4" in each.needs for each in found.topics)


def test_supply_is_told_by_whom_it_serves(found):
    assert [each.technology.id for each in found.coverage.spread] == ["CN-3"]
    spread = found.coverage.spread[0]
    assert spread.needs == ("N-3", "N-5")
    assert spread.places == ("Vĩnh Long (Trà Vinh cũ)", "Đồng Tháp")
    assert [each.id for each in found.coverage.unneeded] == ["CN-1", "CN-2", "CN-4"]


def test_the_engine_alone_tells_one_pest_from_another(run, words):
    """Story 2 without anybody's judgment: the gap is there, and why."""
    machine = Run.open(run.folder)
    assert [machine.needs[key].level for key in ("N-1", "N-2")] == ["tham khảo"] * 2
    for pair in (*machine.pairs["N-1"], *machine.pairs["N-2"]):
        assert pair.technology not in {"CN-1", "CN-2"} or (
            "xử lý bọ dừa, không phải sâu đầu đen" in pair.reason
            and pair.lacks.startswith("xử lý bọ dừa, không phải sâu đầu đen")
        )
    topic = coverage_sheets.find(machine, places(), words).topics[0]
    assert topic.needs == ("N-1", "N-2") and "xử lý bọ dừa, không phải" in topic.goal


def test_what_somebody_judged_is_the_label(run):
    judged = Run.open(run.folder, {("N-1", "CN-1"): 2})
    assert judged.needs["N-1"].level == "cần điều chỉnh"
    assert run.needs["N-1"].level == "tham khảo" and run.pairs["N-1"][0].grade == 1


PARASITOID = Technology(
    id="CN-9",
    name="Nhân nuôi ong Goniozus nephantidis trừ sâu đầu đen hại dừa",
    summary="Thả ong ký sinh sâu đầu đen, khỏi phun thuốc.",
    products=COCONUT,
    stages=PEST,
)
JUDGED = {**GRADES, ("N-1", "CN-9"): 3, ("N-2", "CN-9"): 3}


@pytest.mark.parametrize(
    ("now", "grades", "need", "kind", "why"),
    [
        ({"supply": (*SUPPLY, PARASITOID)}, JUDGED, "N-1", "tốt lên", "CN-9 mới có"),
        ({"supply": (*SUPPLY[:2], SUPPLY[3])}, GRADES, "N-3", "kém đi", "CN-3 không còn"),
        ({"as_of": dt.date(2027, 4, 1)}, GRADES, "N-3", "kém đi", "hết hiệu lực từ 01/03/2027"),
        ({"needs": NEEDS[1:]}, GRADES, "N-1", "nhu cầu không còn", "đã rút"),
        ({"needs": (*NEEDS, NEEDS[2].model_copy(update={"id": "N-7"}))}, GRADES, "N-7",
         "nhu cầu mới", "chưa có trong đợt trước"),
        ({"needs": (*NEEDS[:3], NEEDS[3].model_copy(update={"budget": 950.0}), NEEDS[4])}, GRADES,
         "N-4", "tốt lên", "điều kiện của nhu cầu đã sửa"),
        ({"facts": replace(MADE, tables="u")}, {**GRADES, ("N-5", "CN-3"): 3}, "N-5", "tốt lên",
         "bảng từ vựng thay đổi"),
    ],
    ids=["new", "gone", "expired", "need gone", "need new", "need changed", "tables"],
)  # fmt: skip
def test_what_changed_is_told_with_its_reason(run, made, words, now, grades, need, kind, why):
    after = made(**now, grades=grades)
    changed = coverage_sheets.find(after, places(), words, run).changes
    told = next(each for each in changed if each.need == need)
    assert told.kind == kind
    assert why in "; ".join(told.reasons)


def test_nothing_changed_between_equal_runs(run, made, words):
    assert coverage_sheets.find(made(), places(), words, run).changes == ()


def test_the_workbook_and_the_data_say_the_same(found, tmp_path):
    path = coverage_sheets.write(found, tmp_path / "out")
    first = path.read_bytes()
    assert coverage_sheets.write(found, tmp_path / "out").read_bytes() == first
    book = load_workbook(path)
    assert {"Theo tỉnh", "Theo tỉnh cũ", "Sản phẩm × khâu", "Danh mục đặt hàng"} < {
        *book.sheetnames
    }
    for sheet in book.worksheets:
        assert "MINH HỌA" in sheet["A2"].value and "MINH HỌA" in sheet.oddFooter.center.text
    rows = book["Theo tỉnh"].iter_rows(4, values_only=True)
    told = json.loads(json.dumps(coverage_sheets.to_json(found), allow_nan=False))
    groups = told["by"]["province"]["groups"]
    assert [row[0] for row in rows] == [each["name"] for each in groups]
    assert Counter(told["whole"]["levels"])["tham khảo"] == 3
    assert told["changes"] is None and told["watermark"]


def test_the_command_takes_judgments_of_the_work_folder(run, tmp_path, capsys):
    with Store.create(tmp_path) as store:
        store.save([*PRODUCTS, *SUPPLY, *NEEDS])
        grades = [Judgment(need=n, technology=t, grade=g) for (n, t), g in GRADES.items()]
        store.save(grades)
    words = ["coverage", "--run", str(run.folder), "--data", str(tmp_path)]
    cli.app([*words, "--out", str(tmp_path / "xlsx"), "--json"], standalone_mode=False)
    told = json.loads(capsys.readouterr().out)
    assert told["topics"][0]["needs"] == ["N-1", "N-2"]
    assert (tmp_path / "xlsx" / "do-phu.xlsx").is_file()
    cli.app([*words, "--since", str(run.folder)], standalone_mode=False)
    told = capsys.readouterr().out
    assert "không có gì thay đổi" in told and "1 đề tài dự thảo" in told
    with pytest.raises(SystemExit) as ended, cli.told_failures():
        cli.app(["coverage", "--run", str(tmp_path)], standalone_mode=True)
    assert ended.value.code == 3
