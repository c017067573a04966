"""Learnt models on disk: whole or absent, never changed, and every attempt accounted for."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from small import Tiny, matcher

from matcher import models as module
from matcher.hits import FEEDBACK
from matcher.model import DEFAULT, VERSION
from matcher.models import NONE, PLAIN, Model, ModelError, Models, base_digest, field_names, scaled

MODEL = Model(
    {"meaning": 1.5, "stage": 0.25}, base=base_digest(DEFAULT), facts={"date": "2026-11-23"}
)


@pytest.fixture
def models(tmp_path):
    found = Models(tmp_path / "model")
    with found.locked():
        pass
    return found


# Multipliers --------------------------------------------------------------------------------------


def test_a_part_is_scaled_by_the_fields_that_make_it():
    found = scaled(DEFAULT, {"product": 2.0, "meaning": 0.5, "place": 0.0})
    expected = dataclasses.replace(
        DEFAULT,
        same_product=2 * DEFAULT.same_product,
        broader_product=2 * DEFAULT.broader_product,
        near_product=2 * DEFAULT.near_product,
        meaning=0.5 * DEFAULT.meaning,
        need_meaning=0.5 * DEFAULT.need_meaning,
        place=0.0,
    )
    assert found == expected
    assert scaled(DEFAULT, {}) == DEFAULT


def test_what_no_weight_scales_is_left():
    for part in ("words", "syllables", "bigrams", "unaccented", "weather"):
        assert field_names(part) == ()
    assert scaled(DEFAULT, {"words": 9.0}) == DEFAULT


def test_scaled_weights_scale_the_parts_of_real_scores():
    # else other first hits turn the meaning and are taken up
    still = dataclasses.replace(DEFAULT, feedback=0.0, taken_up=0.0)
    plain = matcher(encoder=Tiny(), weights=still)
    multipliers = {"product": 3.0, "stage": 0.5, "process": 0.0, "place": 2.0, "meaning": 0.25}
    other = matcher(encoder=Tiny(), weights=scaled(still, multipliers))
    seen = set()
    for need in plain.needs.values():
        one, two = plain.rank(plain.stated(need)), other.rank(other.stated(need))
        sorted_one, sorted_two = np.argsort(one.rows), np.argsort(two.rows)
        assert set(one.parts) == set(two.parts)
        for name, values in one.parts.items():
            expected = values[sorted_one] * multipliers.get(name, 1.0)
            assert two.parts[name][sorted_two] == pytest.approx(expected, abs=1e-12)
            seen.add(name) if values.any() else None
    assert {"product", "process", "meaning"} <= seen


def test_words_taken_up_are_scaled_by_their_own_weight():
    once, twice = (
        matcher(encoder=Tiny(), weights=scaled(DEFAULT, {FEEDBACK: factor}))
        for factor in (1.0, 2.0)
    )
    assert twice.engine.weights.feedback == DEFAULT.feedback  # which turns the meaning
    query = dataclasses.replace(once.stated(once.needs["N-1"]), text="sấy vải")
    one, two = (by_row(each.rank(query)) for each in (once, twice))
    assert any(one[FEEDBACK])
    for name, values in one.items():
        factor = 2.0 if name == FEEDBACK else 1.0
        assert two[name] == pytest.approx(values * factor, abs=1e-9), name


def by_row(ranking):
    return {name: values[np.argsort(ranking.rows)] for name, values in ranking.parts.items()}


# Files --------------------------------------------------------------------------------------------


def test_without_a_model_the_plain_weights_are_in_use(tmp_path):
    used = Models(tmp_path / "absent").in_use()
    assert (used.weights, used.version, used.notice) == (DEFAULT, VERSION, "")
    assert Models(tmp_path / "absent").attempts() == 0


def test_a_kept_model_is_used_only_when_named(models):
    models.keep(MODEL)
    assert models.in_use().weights == DEFAULT
    models.use(MODEL.name)
    used = models.in_use()
    assert used.weights == scaled(DEFAULT, MODEL.multipliers)
    assert used.version == f"{VERSION}+{MODEL.name[6:14]}"
    assert models.read(MODEL.name) == MODEL
    models.use(NONE)
    assert models.in_use().version == VERSION
    assert models.read(MODEL.name) == MODEL  # still there


def test_a_model_carries_the_scales_of_the_scores_too(models):
    model = dataclasses.replace(MODEL, scales={"evidence_scale": 0.3, "words_evidence_scale": 1.2})
    models.keep(model)
    models.use(model.name)
    expected = dataclasses.replace(
        scaled(DEFAULT, MODEL.multipliers), evidence_scale=0.3, words_evidence_scale=1.2
    )
    assert models.in_use().weights == expected


def test_only_what_is_there_can_be_used(models):
    with pytest.raises(ModelError, match="không đọc được mô hình"):
        models.use("model-0.json")
    assert models.current() == NONE


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:40],
        lambda text: text.replace("1.5", "1.6"),
        lambda text: text.replace('"schema": 1', '"schema": 2'),
        lambda text: text.replace("1.5", "NaN"),
        lambda _: "[]",
        lambda _: "{}",
        lambda _: "",
    ],
)
def test_a_changed_or_damaged_model_is_left_out_with_a_notice(models, change):
    models.keep(MODEL)
    models.use(MODEL.name)
    path = models.folder / MODEL.name
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    used = models.in_use()
    assert (used.weights, used.version) == (DEFAULT, VERSION)
    assert used.notice.startswith("Dùng trọng số mặc định: ")
    assert MODEL.name in used.notice


def test_a_pointer_to_nowhere_is_noticed(models):
    (models.folder / "CURRENT").write_text("../../etc/passwd\n", encoding="utf-8")
    assert "không đọc được" in models.in_use().notice


def test_a_model_of_other_weights_is_left_out_with_a_notice(models):
    models.keep(MODEL)
    models.use(MODEL.name)
    other = dataclasses.replace(DEFAULT, meaning=9.0)
    used = models.in_use(other)
    assert used.weights == other
    assert "chạy lại `cungcau learn`" in used.notice


def test_nothing_half_written_is_left_when_writing_breaks_off(models, monkeypatch):
    models.keep(MODEL)
    models.use(MODEL.name)
    before = sorted(path.name for path in models.folder.iterdir())
    newer = dataclasses.replace(MODEL, multipliers={"meaning": 2.0}, previous=MODEL.name)

    def killed(*_):
        raise KeyboardInterrupt

    for step in ((module.os, "fsync"), (Path, "replace")):
        with monkeypatch.context() as patch:
            patch.setattr(*step, killed)
            for write in (lambda: models.keep(newer), lambda: models.use(NONE)):
                with pytest.raises(KeyboardInterrupt):
                    write()
        assert sorted(path.name for path in models.folder.iterdir()) == before
        assert models.in_use().model == MODEL


def test_everything_is_synced_before_the_pointer_moves(models, monkeypatch):
    steps = []
    sync, move = module.os.fsync, Path.replace
    monkeypatch.setattr(module.os, "fsync", lambda h: (steps.append("sync"), sync(h)))
    monkeypatch.setattr(Path, "replace", lambda p, t: (steps.append("move"), move(p, t))[1])
    models.use(NONE)
    assert steps == ["sync", "move", "sync"]


def test_attempts_are_counted_and_what_does_not_count_is_kept(models):
    models.log({"counted": True, "p": 0.5})
    models.log({"counted": False, "action": "back"})
    models.log({"counted": True})
    assert models.attempts() == 2
    lines = (models.folder / "attempts.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["counted"] for line in lines] == [True, False, True]


def test_a_line_that_was_cut_short_counts_and_harms_no_other(models):
    models.log({"counted": False})
    log = models.folder / "attempts.jsonl"
    log.write_bytes(log.read_bytes() + b'{"counted": fal')
    models.log({"counted": True})
    assert models.attempts() == 2
    assert len(log.read_bytes().splitlines()) == 3


def test_one_learns_at_a_time(models):
    with models.locked(), pytest.raises(ModelError, match="đang học"), models.locked():
        pass
    with models.locked():
        pass


def test_the_name_follows_from_the_content():
    assert MODEL.name == Model(**{**dataclasses.asdict(MODEL)}).name
    assert MODEL.name != dataclasses.replace(MODEL, previous="x").name
    assert PLAIN.version == VERSION
