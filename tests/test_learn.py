"""Learning on needs whose best weighting is known, on noise, and on too little."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from corpus.records import Need, Technology
from matcher import fusion, learn
from matcher.evidence import Evidence, Shown
from matcher.folds import Folds
from matcher.learn import (
    NO_CHANGE,
    NOT_BETTER,
    PROMOTED,
    TOO_LITTLE,
    spent_level,
)
from matcher.model import DEFAULT
from matcher.usefulness import shipped
from matcher.weighing import NOT_SHOWN

SHOWN = 8


class Rankings:
    """A matcher over made-up parts: what ``learn`` asks of one, and nothing else."""

    def __init__(self, parts):
        self._parts = parts  # need → part → (n,)
        self.needs = {key: Need(id=key, product="P", text=f"câu {key}") for key in parts}
        self._ids = tuple(f"T{n:02}" for n in range(SHOWN + 2))
        self.engine = SimpleNamespace(weights=DEFAULT)
        self.usefulness = shipped()
        self.technologies = {key: Technology(id=key, name=f"Tên {key}") for key in self._ids}

    def stated(self, need):
        return SimpleNamespace(need=need.id)

    def rank(self, query):
        parts = self._parts[query.need]
        order = fusion.order(sum(parts.values()))
        ordered = {name: values[order] for name, values in parts.items()}
        return SimpleNamespace(ids=self._ids, rows=order, parts=ordered)


def made(count, telling, seed=0):
    """Needs with ten records of which eight were shown; ``telling``: how meaning follows grades.

    Every fifth need is locked.
    """
    random = np.random.default_rng(seed)
    parts, shown, fold = {}, {}, {}
    for number in range(count):
        key = f"N{number:03}"
        grades = random.permutation([3, 2, 2, 1, 1, 0, 0, 0])
        meaning = random.normal(0, 0.04, SHOWN + 2)
        meaning[:SHOWN] += telling * grades / 3
        parts[key] = {"words": random.normal(0.3, 0.1, SHOWN + 2), "meaning": meaning}
        shown[key] = {f"T{n:02}": Shown(int(grade)) for n, grade in enumerate(grades)}
        fold[key] = number % 5
    return Rankings(parts), Evidence(shown, {}, 0, count * SHOWN), Folds(fold)


def test_a_better_weighting_is_found_and_promoted():
    found = learn.learn(*made(150, 0.1), attempts=0)
    assert found.outcome == PROMOTED
    assert found.multipliers["meaning"] > 1.5
    assert found.new > found.old
    assert (found.p, found.level) == (pytest.approx(0, abs=0.001), 0.05 / 2)
    assert (found.train, found.locked, found.attempt) == (120, 30, 1)
    assert sum(each.difference for each in found.changes) > 0
    assert len(found.changes) == 120


def test_noise_promotes_nothing():
    outcomes = [learn.learn(*made(75, 0.0, seed), attempts=0) for seed in range(8)]
    assert PROMOTED not in {each.outcome for each in outcomes}


def test_the_locked_needs_are_not_told_and_not_fitted_on():
    matcher, evidence, folds = made(150, 0.1)
    found = learn.learn(matcher, evidence, folds, 0)
    assert not {each.query for each in found.changes} & {
        key for key, number in folds.fold.items() if number == 0
    }
    upside_down = {
        key: {one: Shown(3 - each.grade) for one, each in records.items()}
        if folds.locked(key)
        else records
        for key, records in evidence.shown.items()
    }
    other = learn.learn(matcher, Evidence(upside_down, {}, 0, 0), folds, 0)
    assert other.multipliers == found.multipliers
    assert other.changes == found.changes
    assert other.outcome == NOT_BETTER  # and there it is worse
    assert other.new < other.old


def test_the_level_shrinks_so_that_all_attempts_together_spend_no_more_than_it():
    assert [spent_level(k) for k in (1, 2, 3)] == [0.05 / 2, 0.05 / 6, 0.05 / 12]
    assert sum(map(spent_level, range(1, 100_000))) < 0.05
    assert sum(map(spent_level, range(1, 100_000))) == pytest.approx(0.05, rel=1e-4)


def test_what_passes_at_first_does_not_pass_after_many_attempts():
    weak = made(100, 0.08, seed=4)
    first = learn.learn(*weak, attempts=0)
    assert first.outcome == PROMOTED
    later = learn.learn(*weak, attempts=1000)
    assert (later.p, later.multipliers) == (first.p, first.multipliers)
    assert later.attempt == 1001
    assert later.level < later.p < first.level
    assert later.outcome == NOT_BETTER


def test_too_little_is_told_and_nothing_is_looked_at():
    for count in (24, 45):  # 19 + 5, 36 + 9
        found = learn.learn(*made(count, 0.1), attempts=3)
        assert found.outcome == TOO_LITTLE
        assert (found.p, found.attempt, found.multipliers) == (None, None, {})
    assert learn.learn(*made(50, 0.1), attempts=3).attempt == 4  # 40 + 10


def test_needs_with_one_kind_of_record_do_not_count():
    matcher, evidence, folds = made(150, 0.1)
    alike = {
        key: {one: Shown(2 + each.grade % 2) for one, each in records.items()}
        for key, records in evidence.shown.items()
    }
    found = learn.learn(matcher, Evidence(alike, {}, 0, 0), folds, 0)
    assert (found.outcome, found.train, found.locked) == (TOO_LITTLE, 0, 0)


def test_where_the_old_weights_predict_best_the_locked_fold_is_left_alone(monkeypatch):
    monkeypatch.setattr(learn.weighing, "choose", lambda _: None)
    monkeypatch.setattr(learn, "_measure", lambda *_: pytest.fail("looked"))
    found = learn.learn(*made(150, 0.1), attempts=2)
    assert (found.outcome, found.attempt) == (NO_CHANGE, None)


def test_nothing_is_learnt_from_records_that_nobody_was_shown():
    matcher, evidence, folds = made(100, 0.1)
    found = learn.learn(matcher, evidence, folds, 0)
    for key, parts in matcher._parts.items():
        parts["meaning"][SHOWN:] = 99.0 * folds.locked(key) - 9.0  # now first, now last
    other = learn.learn(matcher, evidence, folds, 0)
    assert other.multipliers == found.multipliers


def test_new_weights_do_not_pass_by_bringing_up_what_nobody_has_seen():
    matcher, evidence, folds = made(150, 0.1)
    assert learn.learn(matcher, evidence, folds, 0).outcome == PROMOTED
    many = 30
    matcher._ids = tuple(f"T{n:02}" for n in range(SHOWN + many))
    for key, parts in matcher._parts.items():
        # Unseen records: far less of the words, a little more meaning; and only where it is tested.
        parts["words"] = np.append(parts["words"][:SHOWN], np.full(many, -0.2))
        closer = 0.45 if folds.locked(key) else -1.0
        parts["meaning"] = np.append(parts["meaning"][:SHOWN], np.full(many, closer))
    found = learn.learn(matcher, evidence, folds, 0)
    assert found.outcome == NOT_BETTER
    assert found.new < found.old


def test_shown_records_that_are_not_found_are_counted():
    matcher, evidence, folds = made(60, 0.1)
    shown = {key: {**records, "T99": Shown(3)} for key, records in evidence.shown.items()}
    assert learn.learn(matcher, Evidence(shown, {}, 0, 0), folds, 0).unfound == 60


def test_what_the_store_no_longer_holds_is_passed_over():
    matcher, evidence, folds = made(60, 0.1)
    shown = {**evidence.shown, "N999": {"T01": Shown(3)}}
    plain = learn.learn(matcher, evidence, folds, 0)
    assert learn.learn(matcher, Evidence(shown, {}, 0, 0), folds, 0) == plain


def test_the_measure_by_hand():
    matcher, _, _ = made(1, 0.0)
    words = [0.1, 0.9, 0.5, 0.4, 0, 0, 0, 0, 1, 2]  # T09, T08, T01, T02, T03, T00
    matcher._parts["N000"] = {"words": np.array(words), "meaning": np.zeros(10)}
    shown = {"N000": {"T00": Shown(3), "T02": Shown(0)}}
    cases, unfound = learn._cases(matcher, Evidence(shown, {}, 0, 0))
    assert unfound == 0
    assert learn._measure(cases, {}) == {"N000": pytest.approx(1 / math.log2(1 + 6))}


def test_deep_records_are_kept_only_where_something_is_known(monkeypatch):
    monkeypatch.setattr(learn, "DEPTH", 2)
    matcher, _, _ = made(1, 0.0)
    words = [0.1, 0.9, 0.5, 0.4, 0, 0, 0, 0, 1, 2]
    matcher._parts["N000"] = {"words": np.array(words)}
    (case,), _ = learn._cases(matcher, Evidence({"N000": {"T00": Shown(3)}}, {}, 0, 1))
    assert case.ids == ("T00", "T08", "T09")
    assert case.grades.tolist() == [3, NOT_SHOWN, NOT_SHOWN]
    assert case.parts["words"].tolist() == [0.1, 1, 2]
