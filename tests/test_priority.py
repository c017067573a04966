"""The priority technology list: what belongs to it, what was in force when, what changed."""

import datetime as dt
import json
import shutil

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError
from small import TECHNOLOGIES, TODAY, lexicon, matcher

from corpus.priority import (
    Membership,
    PriorityGroup,
    PriorityList,
    Standing,
    differences,
    in_force,
)
from corpus.records import Technology
from corpus.store import Store
from matcher import fit
from matcher.coverage import Coverage, Dimension, Group
from matcher.priorities import draft
from service import cli, payloads
from service.app import create_app
from service.workspace import Workspace

DRYING = PriorityGroup(key="(i)", name="Chế biến", products=("cây ăn quả",), words=("sấy",))
WATER = PriorityGroup(key="(ii)", name="Nước", words=("tiết kiệm nước", "tuần hoàn"))
NOTHING = PriorityGroup(key="(iii)", name="Chưa rõ")
OLD = PriorityList(
    id="DM-1", name="Danh mục 2026", date=dt.date(2026, 1, 5), groups=(DRYING, WATER, NOTHING),
    standing=Standing.ISSUED, decision="12/QĐ-SKHCN",
)  # fmt: skip


def test_a_group_takes_in_what_meets_every_kind_of_condition():
    members = Membership(OLD, lexicon())
    held = {each.id: [group.key for group in members.groups(each)] for each in TECHNOLOGIES}
    assert held == {
        "CN-1": ["(i)"],  # lychee lies under fruit
        "CN-2": [], "CN-3": ["(i)"],
        "CN-4": [],  # dried, but shrimp
        "CN-5": [],
        "CN-6": ["(ii)"], "CN-7": [], "CN-8": ["(ii)"],
    }  # fmt: skip
    stated = Technology(id="x", name="x", stages=("chế biến",))
    of_stage = OLD.model_copy(update={"groups": (PriorityGroup(key="a", name="a",
                              stages=("chế biến", "bảo quản")),)})  # fmt: skip
    members = Membership(of_stage, lexicon())
    assert members.groups(stated) and not members.groups(TECHNOLOGIES[0])


def test_the_last_issued_until_a_day_is_in_force():
    new = OLD.model_copy(update={"id": "DM-2", "date": dt.date(2027, 1, 4)})
    planned = OLD.model_copy(update={"id": "DM-3", "standing": Standing.DRAFT, "decision": None})
    versions = (new, planned, OLD)
    days = (dt.date(2025, 1, 1), dt.date(2026, 12, 31), dt.date(2027, 1, 4))
    found = [in_force(versions, day) for day in days]
    assert [each.id if each else None for each in found] == [None, "DM-1", "DM-2"]


def test_differences_are_told_group_by_group():
    changed = DRYING.model_copy(update={"name": "Chế biến sâu", "products": ("cây ăn quả", "dừa"),
                                        "words": ()})  # fmt: skip
    energy = PriorityGroup(key="(iv)", name="Năng lượng", stages=("năng lượng",))
    new = OLD.model_copy(update={"id": "DM-2", "groups": (changed, WATER, energy)})
    assert [(each.key, each.told) for each in differences(OLD, new)] == [
        ("(i)", "đổi tên “Chế biến” thành “Chế biến sâu”; thêm sản phẩm: dừa; bỏ từ ngữ: sấy"),
        ("(iii)", "bỏ nhóm “Chưa rõ”"),
        ("(iv)", "thêm nhóm “Năng lượng”"),
    ]
    assert differences(OLD, OLD) == ()


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"standing": "đã ban hành"}, "cần số quyết định"),
        ({"groups": [{"key": "a", "name": "x"}, {"key": "a", "name": "y"}]}, "trùng nhau: a"),
        ({"groups": [{"key": "a", "name": "x", "stages": "nấu"}]}, "khâu chưa biết: nấu"),
        ({"before": "DM-9"}, "chính nó"),
    ],
)
def test_what_cannot_be_a_list_is_refused(facts, told):
    with pytest.raises(ValidationError, match=told):
        PriorityList.model_validate({"id": "DM-9", "name": "x", "date": "2026-01-01", **facts})


def test_a_draft_puts_the_stages_with_gaps_first():
    stages = (Group("chế biến", (3, 1, 0, 0)), Group("bảo quản", (0, 1, 1, 1)),
              Group("chưa rõ", (0, 0, 5, 0)))  # fmt: skip
    none = Group("bảo quản", (0, 0, 0, 0))
    heat = (("SP-1", "Vải", (stages[0], none)), ("SP-2", "Dứa", (stages[1],)))
    found = Coverage(
        Group("", (3, 2, 6, 1)), (Dimension("stage", "Khâu", stages),), (), heat, (), ()
    )
    kept = PriorityGroup(key="(v)", name="Sau thu hoạch", stages=("bảo quản",), words=("lạnh",))
    before = OLD.model_copy(update={"groups": (kept,)})
    made = draft(found, "DM-2", "Danh mục", dt.date(2026, 11, 23), before)
    assert [(each.key, each.name, each.products, each.words) for each in made.groups] == [
        ("(i)", "Sau thu hoạch", ("Dứa",), ("lạnh",)),
        ("(ii)", "Công nghệ khâu chế biến", ("Vải",), ()),
    ]
    assert made.groups[0].because == "3 nhu cầu: 0 phù hợp, 1 cần điều chỉnh, 2 chưa có lời đáp"
    assert made.before == "DM-1" and made.standing is Standing.DRAFT


def test_versions_are_saved_issued_compared_and_never_rewritten(tmp_path, capsys):
    with Store.create(tmp_path / "data"):
        pass
    file = tmp_path / "a.json"
    planned = OLD.model_copy(update={"standing": Standing.DRAFT, "decision": None})

    def told(*words):
        cli.app(
            ["priority", *words, "--data", str(tmp_path / "data"), "--json"], standalone_mode=False
        )
        return json.loads(capsys.readouterr().out)

    file.write_text(json.dumps(planned.to_json()), encoding="utf-8")
    told("save", str(file))
    assert (
        told("issue", "DM-1", "--decision", "12/QĐ", "--as-of", "2026-02-01")["decision"] == "12/QĐ"
    )
    assert told("list", "--as-of", "2026-01-31")["in_force"] is None
    assert told("list", "--as-of", "2026-02-01")["in_force"] == "DM-1"
    with pytest.raises(SystemExit) as ended:
        told("save", str(file))
    assert ended.value.code == 2 and "đã ban hành nên không sửa" in capsys.readouterr().err
    new = planned.model_copy(update={"id": "DM-2", "before": "DM-1", "groups": (DRYING,)})
    file.write_text(json.dumps(new.to_json()), encoding="utf-8")
    told("save", str(file))
    assert [each["group"] for each in told("diff", "DM-1", "DM-2")] == ["(ii)", "(iii)"]
    file.write_text('{"id": "DM-3", "name": "x", "date": "2026-13-01"}', encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        told("save", str(file))
    assert ended.value.code == 4 and "date" in capsys.readouterr().err


def test_a_version_is_in_use_as_soon_as_it_is_issued(small_folder, tmp_path):
    space = Workspace(shutil.copytree(small_folder, tmp_path / "data"))
    planned = OLD.model_copy(update={"standing": Standing.DRAFT, "decision": None})
    wet = OLD.model_copy(update={"id": "DM-2", "date": TODAY, "groups": (WATER,), "before": "DM-1"})

    def shown(client):
        page = client.get("/?q=sấy vải", headers={"accept": "text/html"}).text
        found = client.get("/api/v1/search", params={"q": "sấy vải", "k": 9}).json()
        one = client.get("/api/v1/technologies/CN-1").json()["priorities"]
        own = client.get("/cong-nghe/CN-1", headers={"accept": "text/html"}).text
        facet = [each for each in found["facets"] if each["name"] == "priority"]
        (match,) = (each for each in found["matches"] if each["id"] == "CN-1")
        assert match["priorities"] == one
        scores = [(each["id"], each["score"]) for each in found["matches"]]
        return page, own, [each["key"] for each in one], facet, scores

    with TestClient(create_app(space, TODAY, every=0.0), base_url="http://localhost") as client:
        with Store.open(space.folder) as store:
            store.save([planned])
        page, own, groups, facet, scores = shown(client)
        assert "Ưu tiên" not in page + own and (groups, facet) == ([], [])
        with Store.open(space.folder) as store:
            store.save([OLD])
        page, own, groups, (facet,), after = shown(client)
        source = "Danh mục 2026 (Quyết định 12/QĐ-SKHCN, 05/01/2026)"
        for each in (page, own):
            assert f'title="{source}"><span class="name">Ưu tiên (i):</span> Chế biến<' in each
        first = facet["buckets"][0]
        assert groups == ["(i)"] and first["value"] == "(i) Chế biến"
        assert f"Nhóm ưu tiên theo {source}." in own and "bản ghi ngoài danh mục" in page
        assert after == scores  # it is shown and filtered by, never ranked by
        only = client.get("/api/v1/search", params={"q": "sấy vải", "priority": "(i)"}).json()
        assert only["total"] == first["count"] == 2
        with Store.open(space.folder) as store:
            store.save([wet])
        page, own, groups, _, after = shown(client)
        assert groups == [] and "Ưu tiên (i)" not in page + own and after == scores


def test_columns_are_kept_while_the_list_in_force_is_the_same():
    found = matcher(priorities=[OLD])
    _ = found.columns
    planned = OLD.model_copy(update={"id": "DM-3", "standing": Standing.DRAFT, "decision": None})
    same = {"DM-1": OLD, "DM-3": planned}

    def renewed(priorities, day=TODAY):
        records = found.technologies, found.products, found.needs
        return found.renewed(*records, priorities, day)

    assert renewed(same).columns is found.columns
    for other in (renewed({}), renewed(same, OLD.date - dt.timedelta(1))):
        assert other.columns is not found.columns
        assert not other.admitted(fit.Filter(priority="(i)")).any()
    (match,) = (each for each in found.answer(found.text("sấy vải")).matches
                if each.technology.id == "CN-1")  # fmt: skip
    assert payloads.match(match)["priorities"][0]["key"] == "(i)"


@pytest.fixture
def planner(small_folder, tmp_path):
    space = Workspace(shutil.copytree(small_folder, tmp_path / "data"))
    with Store.open(space.folder) as store:
        store.save([OLD])
    app = create_app(space, TODAY, every=0.0)
    headers = {"accept": "text/html"}
    with TestClient(app, base_url="http://localhost", headers=headers) as client:
        yield client


def draft_of(client):
    return client.app.state.shelf.store().get(PriorityList, "DM-0002")


def send(client, verb, etag=None, **fields):
    etag = draft_of(client).content_hash() if etag is None else etag
    data = {"viec": verb, "etag": etag, **fields}
    return client.post("/danh-muc-uu-tien/DM-0002", data=data)


def test_a_draft_is_edited_on_the_page_with_reasons_and_issued(planner):
    assert "đang hiệu lực" in planner.get("/danh-muc-uu-tien").text
    assert "ghi-nhom" not in planner.get("/danh-muc-uu-tien/DM-1").text  # issued: to be read only
    planner.app.state.shelf.store().save([OLD.model_copy(update={"id": "DM-0001"})])
    made = planner.post("/danh-muc-uu-tien", data={"ten": "Danh mục 2027", "tu": "DM-1"})
    assert "Đã lập dự thảo DM-0002." in made.text and draft_of(planner).groups == OLD.groups
    typed = {"ky_hieu": "(i)", "ten": "Chế biến sâu", "khau": ["chế biến", "bảo quản"],
             "san_pham": "cây ăn quả; dừa ;", "tu_ngu": "sấy"}  # fmt: skip
    refused = send(planner, "ghi-nhom", nhom="(i)", **typed)
    assert refused.status_code == 422 and "vì sao thêm hoặc sửa" in refused.text
    assert 'value="cây ăn quả; dừa"' in refused.text  # what was typed is not lost
    first = draft_of(planner).content_hash()
    assert "Đã sửa nhóm (i)." in send(planner, "ghi-nhom", nhom="(i)", can_cu="QĐ 9", **typed).text
    assert send(planner, "ghi-nhom", first, nhom="(i)", can_cu="x", **typed).status_code == 412
    twice = send(planner, "ghi-nhom", ky_hieu="(i)", ten="Hai lần", can_cu="x")
    assert twice.status_code == 422 and "Ký hiệu nhóm trùng nhau: (i)" in twice.text
    assert "Khâu chưa biết: nấu" in send(planner, "ghi-nhom", ky_hieu="a", ten="a", khau="nấu").text
    new = {"ky_hieu": "(iv)", "ten": "Lạnh", "tu_ngu": "kho lạnh", "can_cu": "3 nhu cầu"}
    assert "Đã thêm nhóm (iv)." in send(planner, "ghi-nhom", **new).text
    assert "vì sao bỏ nhóm này" in send(planner, "bo-nhom", nhom="(iii)").text
    gone = send(planner, "bo-nhom", nhom="(iii)", ly_do="không nêu gì").text
    assert "Lý do bỏ <strong>(iii) Chưa rõ</strong>: không nêu gì" in gone
    assert "đổi tên “Chế biến” thành “Chế biến sâu”" in gone
    assert "cần số quyết định" in send(planner, "ban-hanh").text
    assert "có hiệu lực từ 23/11/2026" in send(planner, "ban-hanh", so_quyet_dinh="7/QĐ").text
    issued = draft_of(planner)
    assert [each.key for each in issued.groups] == ["(i)", "(ii)", "(iv)"]
    assert issued.groups[0].stages == ("chế biến", "bảo quản")
    assert issued.groups[0].products == ("cây ăn quả", "dừa")
    assert (issued.before, issued.decision, issued.date) == ("DM-1", "7/QĐ", TODAY)
    refused = send(planner, "bo-nhom", nhom="(i)", ly_do="x")
    assert refused.status_code == 409 and draft_of(planner) == issued
    assert "Ưu tiên (iv):" in planner.get("/?q=kho lạnh").text


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "\x00\x07", "a" * 1_000_000, "\u200b"]
)
def test_bad_input_to_a_draft_is_refused_or_told_as_it_is(planner, text):
    planner.post("/danh-muc-uu-tien", data={"ten": "x"})
    planner.post("/danh-muc-uu-tien", data={"ten": "x"})
    fields = ("ky_hieu", "ten", "san_pham", "tu_ngu", "can_cu")
    for name in fields:
        good = {"ky_hieu": "(i)", "ten": "a", "can_cu": "b"}
        answer = send(planner, "ghi-nhom", nhom="", **{**good, name: text})
        assert answer.status_code in {200, 422}, (name, answer.status_code)
        assert "<script>alert" not in answer.text and "không hợp lệ" not in answer.text
        if answer.status_code == 200:
            send(planner, "bo-nhom", nhom=draft_of(planner).groups[0].key, ly_do="thử")
    raw = b"viec=ghi-nhom&ky_hieu=%FF%FE&ten=%C3%28&can_cu=x&etag=x"
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert planner.post("/danh-muc-uu-tien/DM-0002", content=raw, headers=kind).status_code < 500
