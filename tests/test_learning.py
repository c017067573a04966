"""Learning in a work folder: from records to the weights that searches use, and back."""

import datetime as dt
import json
import shutil

import pytest

from corpus.outcomes import Outcome, ReasonKind
from corpus.records import Decision, Judgment, Need, Product, Technology
from corpus.store import Store
from matcher import learn as learning_rules
from matcher.model import DEFAULT, VERSION
from matcher.models import ModelError
from matcher.testsets import TestSetError
from service import learning
from service.doctor import examine
from service.live import Live
from service.workspace import Workspace

TODAY = dt.date(2026, 11, 23)
ASKED = dt.date(2026, 5, 1)


# Told at length, so that nothing of its first hits is taken up: the question is place or words.
STORY = ". Chú Tư kể: " + " ".join(f"chuyện{n}" for n in range(12))


def records(count):
    """Needs from Sơn La; what was signed is from there, and says less of what was asked."""
    for n in range(count):
        name, key = f"mẫu{n:02}", f"{n:02}"
        longer = " ở nhiệt độ thấp" * 12 * (n % 4 > 0)
        near, far = f"B{key}", f"A{key}"
        yield Product(id=f"SP{key}", name=f"Hàng {name}")
        yield Need(id=f"N{key}", product=f"SP{key}", text=f"Sấy {name}{STORY}", province="Sơn La")
        text = f"Sấy {name} trong tám giờ"
        yield Technology(id=far, name="Thiết bị", summary=text, province="An Giang")
        yield Technology(
            id=near,
            name="Thiết bị",
            summary=text + longer,
            province="Sơn La",
            detail=f"Bí mật {name}",
            restricted=("detail",),
        )
        yield Judgment(need=f"N{key}", technology=far, grade=1)
        yield Decision(need=f"N{key}", technology=near, outcome=Outcome.SIGNED, date=ASKED, rank=2)


def workspace(folder, made):
    space = Workspace(folder)
    with Store.create(folder) as store:
        store.save(list(made))
    space.build(None)
    return space


@pytest.fixture(scope="session")
def told(tmp_path_factory):
    return workspace(tmp_path_factory.mktemp("told"), records(60))


@pytest.fixture
def space(told, tmp_path):
    return Workspace(shutil.copytree(told.folder, tmp_path / "data"))


def ranking(space, need="N01"):
    with space.open(TODAY) as opened:
        found = opened.matcher.answer(opened.matcher.stated(opened.matcher.needs[need]))
        return [match.technology.id for match in found.matches[:2]], found.model


def log(space):
    text = (space.folder / "model" / "attempts.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_what_people_decided_changes_the_order_and_can_be_undone(space):
    assert ranking(space) == (["A01", "B01"], VERSION)
    found = learning.attempt(space, TODAY)
    assert found.lesson.outcome == learning_rules.PROMOTED
    assert found.lesson.multipliers["place"] > 1.5
    assert ranking(space) == (["B01", "A01"], found.after)
    (line,) = log(space)
    assert (line["date"], line["counted"], line["attempt"]) == ("2026-11-23", True, 1)
    assert line["to"].startswith(f"model-{found.after.removeprefix(VERSION + '+')}")
    assert line["p"] <= line["level"] == 0.025
    with space.open(TODAY) as opened:
        weights = opened.matcher.engine.weights
    assert weights.place == DEFAULT.place * found.lesson.multipliers["place"]
    assert learning.back(space, TODAY) == (found.after, VERSION)
    assert ranking(space) == (["A01", "B01"], VERSION)
    assert [each["action"] for each in log(space)] == ["learn", "back"]
    assert len(list((space.folder / "model").glob("model-*.json"))) == 1  # kept
    with pytest.raises(ModelError, match="không có mô hình nào để quay lại"):
        learning.back(space, TODAY)


def test_every_try_is_held_to_a_smaller_level(space):
    levels = []
    for _ in range(2):
        found = learning.attempt(space, TODAY)
        levels.append(found.lesson.level)
        learning.back(space, TODAY)
    assert levels == [0.05 / 2, 0.05 / 6]
    for _ in range(50):
        space.models.log({"counted": True})
    found = learning.attempt(space, TODAY)
    assert found.lesson.outcome == learning_rules.NOT_BETTER
    assert found.lesson.p > found.lesson.level
    assert (found.after, ranking(space)[1]) == (VERSION, VERSION)


def test_the_same_records_give_the_same_model(told, tmp_path):
    names = []
    for name in "ab":
        space = Workspace(shutil.copytree(told.folder, tmp_path / name))
        learning.attempt(space, TODAY)
        names.append(space.models.current())
    assert names[0] == names[1]


def test_text_under_nda_moves_no_weight(told, tmp_path):
    changed = [
        each.model_copy(update={"detail": f"Sấy {each.id}, thứ khác hẳn"})
        if isinstance(each, Technology) and each.restricted
        else each
        for each in records(60)
    ]
    assert sum(1 for each in changed if isinstance(each, Technology) and each.restricted) == 60
    space = workspace(tmp_path / "changed", changed)
    found = learning.attempt(space, TODAY)
    mine = Workspace(shutil.copytree(told.folder, tmp_path / "same"))
    assert found.after != VERSION
    assert learning.attempt(mine, TODAY).after == found.after


def test_decisions_that_say_nothing_teach_nothing(tmp_path):
    silent = (Outcome.NO_LONGER_NEEDED, Outcome.COULD_NOT_REACH, Outcome.REJECTED)
    made = [
        each.model_copy(
            update={"outcome": silent[n % 3], "reason_kind": ReasonKind.PRICE if n % 2 else None}
        )
        if isinstance(each, Decision)
        else each
        for n, each in enumerate(records(60))
    ]
    space = workspace(tmp_path, made)
    found = learning.attempt(space, TODAY)
    assert found.lesson.outcome == learning_rules.TOO_LITTLE
    assert (found.evidence.decided, sum(found.evidence.silent.values())) == (0, 60)
    assert found.after == VERSION
    assert not (space.folder / "model" / "CURRENT").exists()
    assert log(space)[0]["counted"] is False


@pytest.mark.parametrize("step", ["keep", "log", "use"])
def test_a_kill_at_any_step_leaves_the_old_weights_and_no_free_try(space, monkeypatch, step):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(space.models), step, killed)
        with pytest.raises(KeyboardInterrupt):
            learning.attempt(space, TODAY)
    assert ranking(space) == (["A01", "B01"], VERSION)
    assert space.models.attempts() == (1 if step == "use" else 0)
    assert learning.attempt(space, TODAY).lesson.outcome == learning_rules.PROMOTED


def test_duplicates_told_in_the_work_folder_keep_needs_together(space, monkeypatch):
    seen = {}
    assign = learning.folds.assign

    def watched(*args):
        seen["pairs"] = args[-1]
        return assign(*args)

    monkeypatch.setattr(learning.folds, "assign", watched)
    (space.folder / "duplicates.tsv").write_text("A01\tB07\n", encoding="utf-8")
    learning.attempt(space, TODAY)
    assert ("A01", "B07") in seen["pairs"]
    (space.folder / "duplicates.tsv").write_text("A01\n", encoding="utf-8")
    with pytest.raises(TestSetError, match=r"duplicates\.tsv dòng 1: cần 2 mã"):
        learning.attempt(space, TODAY)


def test_a_damaged_model_is_told_searched_without_and_left_behind(space):
    found = learning.attempt(space, TODAY)
    name = space.models.current()
    (space.folder / "model" / name).write_text("{}", encoding="utf-8")
    with space.open(TODAY) as opened:
        assert opened.matcher.model == VERSION
        assert [each for each in opened.notices if "Dùng trọng số mặc định" in each]
    finding = next(each for each in examine(space) if each.name == "mô hình")
    assert (finding.ok, name in finding.text) == (False, True)
    assert learning.back(space, TODAY) == (name, VERSION)
    assert found.after != VERSION


def test_the_doctor_names_the_model(space):
    def told():
        return next(each for each in examine(space) if each.name == "mô hình")

    assert told().text == f"{VERSION}, trọng số của chương trình"
    found = learning.attempt(space, TODAY)
    assert (told().ok, told().text) == (True, f"{found.after}, học ngày 2026-11-23")


def test_a_service_that_runs_takes_up_a_promoted_model(space):
    live = Live(space, TODAY, every=0.0)
    with live.lease() as opened:
        assert opened.matcher.model == VERSION
    found = learning.attempt(space, TODAY)
    with live.lease() as opened:
        assert opened.matcher.model == found.after
    live.close()
