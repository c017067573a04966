"""The benchmarks' records are seeded and like the sample; a tiny run gives a whole report.

Nothing here looks at a clock: how fast something is depends on who else uses the machine.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import speed
from benchmarks.__main__ import arguments, main, measure, prepare
from benchmarks.drawn import Space
from benchmarks.generator import WORDS, Curve, Generator, growth_of, queries, texts
from benchmarks.likeness import Likeness, likeness
from benchmarks.peers import PEERS, SLOW, best
from benchmarks.report import render, table
from benchmarks.speed import Findings, Grown, Task, bags
from benchmarks.targets import Target
from benchmarks.timing import median, p99, ratio
from corpus.records import Technology
from indexes.bm25 import BM25, Field, Parameters


@cache
def task() -> Task:
    options = ["--encoder", "none", "--queries", "6", "--repetitions", "1"]
    return prepare(arguments(options))


@cache
def both() -> tuple[Likeness, Likeness]:
    """The sample's statistics, and those of as many generated syllables."""
    generator = Generator(task().technologies)
    sample = likeness(generator.sample)
    return sample, likeness(list(generator.records(800)), sample.syllables)


def written(seed: int, count: int = 40) -> bytes:
    records = Generator(task().technologies, seed).records(count)
    return "\n".join(record.model_dump_json() for record in records).encode()


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert written(7) == written(7)
    assert written(7) != written(8)


def test_fewer_records_are_the_first_of_more() -> None:
    assert written(7, 40).startswith(written(7, 10))


def test_generated_records_are_valid_and_have_ids_of_their_own() -> None:
    records = list(Generator(task().technologies).records(200))
    assert len({record.id for record in records}) == 200
    for record in records:
        assert Technology.model_validate(record.model_dump()) == record


def test_vocabulary_and_bigrams_grow_as_in_the_sample() -> None:
    sample, generated = both()
    assert generated.vocabulary == pytest.approx(sample.vocabulary, rel=0.10)
    assert generated.bigrams == pytest.approx(sample.bigrams, rel=0.10)
    assert generated.words == pytest.approx(sample.words, rel=0.15)
    assert generated.once == pytest.approx(sample.once, abs=0.10)
    assert generated.heaps.b == pytest.approx(sample.heaps.b, abs=0.10)
    assert generated.heaps_bigrams.b == pytest.approx(sample.heaps_bigrams.b, abs=0.05)


def test_records_are_as_long_as_said_and_vary_as_in_the_sample() -> None:
    sample, generated = both()
    assert generated.mean == pytest.approx(WORDS, rel=0.05)
    assert generated.spread == pytest.approx(sample.spread, abs=0.08)
    assert generated.tails == pytest.approx(sample.tails, abs=0.12)
    assert generated.per_record == pytest.approx(sample.per_record, abs=0.06)


def test_the_vocabulary_goes_on_growing() -> None:
    generator = Generator(task().technologies)
    for _ in generator.records(2_000):
        pass
    grown = generator.growth
    assert len(grown.seen) == pytest.approx(generator.vocabulary.at(grown.n), rel=0.05)


def test_growth_is_counted_per_syllable_and_stops_at_clauses() -> None:
    # lò, sấy, rẻ, khô; pairs: lò sấy, sấy khô (again), lò … — not "rẻ sấy", a comma is between
    assert growth_of([["lò sấy rẻ, sấy khô"], ["lò sấy"]], step=1) == [(5, 4, 3), (7, 4, 3)]


@given(st.floats(0.5, 50), st.floats(0.2, 1))
def test_a_curve_is_found_again(k: float, b: float) -> None:
    points = [(n, k * n**b) for n in range(100, 5_000, 100)]
    found = Curve.fit(points)  # type: ignore[arg-type]
    assert (found.k, found.b) == pytest.approx((k, b), rel=1e-6)


def test_queries_take_turns_between_stated_needs_and_short_ones() -> None:
    records = list(Generator(task().technologies).records(20))
    asked = queries(records, task().needs, 9)
    assert asked == queries(records, task().needs, 9)
    assert len(asked) == 9
    said = [" ".join(" ".join(texts(record)).split()) for record in records]
    assert all(any(short in text for text in said) for short in asked[1::2])
    assert all(3 <= len(short.split()) <= 8 for short in asked[1::2])


def test_medians_percentiles_and_ratios_by_hand() -> None:
    ours = np.array([[2.0, 4.0, 6.0], [4.0, 8.0, 12.0], [3.0, 6.0, 9.0]])
    theirs = np.array([[1.0, 2.0], [2.0, 4.0], [6.0, 6.0]])  # answered two queries only
    assert median(ours) == 6.0
    assert p99(ours) == pytest.approx(6 + 0.98 * 3)
    found = ratio(ours, theirs)  # medians over those two: 3 : 1.5, 6 : 3, 4.5 : 6
    assert (found.median, found.low, found.high) == (2.0, 0.75, 2.0)


def test_bags_hold_every_word_as_often_as_it_stands_in_all_fields() -> None:
    records = [{"title": ["lò", "sấy"], "text": ["lò"]}, {"text": ["sấy", "khô"]}]
    index = BM25.build(records, Parameters(fields=(Field("title"), Field("text"))))
    assert bags(index) == [["lò", "lò", "sấy"], ["khô", "sấy"]]


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_finds_the_one_record_that_holds_a_rare_word(name: str) -> None:
    held = [["lò", "sấy", f"số_{number}"] for number in range(60)]
    try:
        peer = PEERS[name](held)
    except ImportError as error:
        pytest.skip(f"not installed: {error.name}")
    assert peer.search(["số_41"])[0] == 41
    assert len(peer.search(["lò", "số_7"])) == 50
    assert list(peer.search(["không_có"]))[:50] is not None


def test_best_is_sorted_and_never_more_than_there_is() -> None:
    assert best(np.array([1.0, 3.0, 2.0]), 2).tolist() == [1, 2]
    assert best(np.array([1.0, 3.0]), 50).tolist() == [1, 0]
    assert best(np.zeros(0), 50).tolist() == []


def test_a_table_is_markdown() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | ---: |\n| 1 | 2 |"


def test_a_tiny_run_renders_a_whole_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: object) -> object:
        raise ModuleNotFoundError("No module named 'absent'", name="absent")

    monkeypatch.setitem(PEERS, "an absent peer", missing)
    monkeypatch.setattr("benchmarks.speed._BATCH_SECONDS", 0.1)
    report = render(measure(task(), [50]))
    for said in (
        "## 50 records",
        "all views, from text",
        "Found of the true 50",
        "What was asked for",
        "0 answers of a mixed state",
        *PEERS,
    ):
        assert said in report
    assert "| an absent peer | not installed (absent) |" in report
    assert "none: no hybrid query was measured" in report
    assert "commit" in report
    assert "nan" not in report.lower().split()


def test_a_target_says_ok_missed_or_not_measured() -> None:
    fast = Target("a", "ms", 5, 10, lambda found: found.batch)
    some = Findings(100_000, {}, Grown(1, 1, 1, 1, 1), batch=6.0)
    assert fast.row(some) == ("a", "≤ 5 ms", "6 ms", "**missed**")
    assert fast.row(replace(some, records=1_000_000)) == ("a", "≤ 10 ms", "6 ms", "ok")
    share = Target("b", "", 1.0, 0.98, lambda found: 0.99, more=True)
    assert share.row(some)[1:] == ("≥ 1", "0.99", "**missed**")
    assert share.row(replace(some, records=1_000_000))[3] == "ok"
    nothing = Target("c", "s", 1, 1, lambda found: None)
    assert nothing.row(some)[2:] == ("not measured", "–")


def test_drawn_vectors_are_seeded_units_with_topics() -> None:
    space = Space.of(5)
    records, queries_ = space.records(600, 5), space.queries(50, 5)
    assert records.tobytes() == Space.of(5).records(600, 5).tobytes()
    assert np.linalg.norm(records, axis=1) == pytest.approx(1.0, abs=1e-5)
    near = np.sort(queries_ @ records.T, axis=1)
    # as E5 on the sample: all are alike, and the nearest stands out from the middle
    assert 0.80 < float(np.median(near)) < 0.92
    assert float((near[:, -1] - np.median(near, axis=1)).mean()) > 0.03


def test_slow_peers_are_left_out_of_large_runs_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "PEERS_SLOW_FROM", 2)
    found = Findings(3, {}, Grown(1, 1, 1, 1, 1))
    made = speed._made(found, [["lò"], ["sấy"], ["khô"]], task())
    assert SLOW.isdisjoint(made)
    assert {found.missing[name] for name in SLOW} == {"left out above 2 records"}


def test_the_command_knows_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert arguments(["--records", "5,000", "--records", "70"]).records == [5000, 70]
    with pytest.raises(SystemExit):
        main(["--records", "0"])
    assert "above 0" in capsys.readouterr().err
