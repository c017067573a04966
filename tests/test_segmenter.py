"""The fast segmenter against pyvi itself, and the fast terms against the slow ones."""

import logging
import re
import threading
import unicodedata
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.readers import read
from corpus.records import Need, Technology
from corpus.text import normalise
from indexes import analyser, segmenter
from indexes.segmenter import Phrases, parse
from service.loading import sample_files

CALM = settings(deadline=None, max_examples=200)


@cache
def sample() -> list[str]:
    """Every text of the sample's technologies and needs, whole records one after another."""
    found = []
    for each in read(sample_files()).records:
        if isinstance(each, Technology):
            parts = (each.name, each.summary, each.detail, each.effect, *each.keywords)
            found.append("\n".join(filter(None, parts)))
        elif isinstance(each, Need):
            found.append(each.text)
    return [normalise(text) for text in found]


@cache
def vocabulary() -> list[str]:
    """Words as they stand in the sample, capitals and punctuation included, and hard ones."""
    words = dict.fromkeys(word for text in sample() for word in text.split())
    hard = (
        "\n TP.HCM Tp. ThS. Mr. a@b.vn x_y@b.com.vn http://a.vn/x_y?z=1 ==> -> >> ... …"
        " 1,5 0.3% 1_000 __ _ a_b Đ. ĐBSCL. CNC 1-MCP ( ) “ ” !? '# ΟΔΟΣ İ ǅ 日本 ½ ²"
        " ٣ \u0301 e\u0323\u0302 😀 \x00a"
    )
    return [*words, *hard.split(" ")]


def vietnamese() -> st.SearchStrategy[str]:
    """Words of the sample in any order: known phrases arise by chance and by neighbourhood."""
    words = sample_words = vocabulary()
    runs = st.builds(
        lambda start, size: " ".join(sample_words[start : start + size]),
        st.integers(0, len(words) - 1),
        st.integers(1, 6),
    )
    return st.lists(st.one_of(st.sampled_from(words), runs), max_size=12).map(" ".join)


TEXTS = st.one_of(vietnamese(), st.text(st.characters(codec="utf-8"), max_size=30))


def by_pyvi(text: str) -> list[str]:
    """pyvi's answer as a list; a word ends at a line break, though pyvi may join the two."""
    return re.sub("_?\n_?", "\n", segmenter.pyvi()(text)).split()


def by_us(text: str) -> list[str]:
    return analyser._segmented(text).split()


def slowly(text: str) -> dict[str, list[str]]:
    """The terms as they come from offsets, without pieces kept from other texts."""
    return {view: [span.text for span in found] for view, found in analyser.analyse(text).items()}


def test_the_installed_files_are_those_compared():
    assert segmenter.open_segmenter() is not None


def test_every_text_of_the_sample_is_segmented_as_by_pyvi():
    assert len(sample()) > 500
    for text in sample():
        assert by_us(text) == by_pyvi(text)


@CALM
@given(TEXTS)
def test_any_text_is_segmented_as_by_pyvi(text):
    assert by_us(text) == by_pyvi(text)


def test_a_text_of_nothing_gives_nothing():
    assert by_us("") == by_us(" \t ") == []


def test_terms_of_the_sample_are_those_with_offsets():
    for text in sample():
        assert analyser.terms(text) == slowly(text)


@CALM
@given(st.one_of(TEXTS, TEXTS.map(lambda text: unicodedata.normalize("NFD", text))))
def test_terms_of_any_text_are_those_with_offsets(text):
    assert analyser.terms(text) == slowly(text)


def test_what_is_kept_is_forgotten_in_time_and_changes_nothing(monkeypatch):
    before = [analyser.terms(text) for text in sample()[:40]]
    monkeypatch.setattr(analyser, "_MOST", 50)
    assert [analyser.terms(text) for text in sample()[:40]] == before
    memory = analyser.memory()
    assert memory is not None
    assert len(memory) <= 50


def test_threads_share_what_is_kept():
    fresh = segmenter.open_segmenter().fresh()
    found: dict[int, list[list[bool]]] = {}

    def work(number: int) -> None:
        tokens = [segmenter.tokens(text) for text in sample()[:60]]
        found[number] = [fresh.joined([fresh.row(each) for each in text]) for text in tokens]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1] == found[2] == found[3]


def test_other_files_than_those_compared_mean_pyvi_itself_and_it_is_said(monkeypatch, caplog):
    text = "Sấy vải thiều ở TP.HCM, giữ màu Đỏ."
    expected = analyser.terms(text), analyser.segment(text)
    monkeypatch.setitem(segmenter.COMPARED, "models/words.txt", "0" * 64)
    other = segmenter.open_segmenter.__wrapped__
    with caplog.at_level(logging.WARNING):
        assert other() is None
    assert "models/words.txt of pyvi is not the file" in caplog.text
    monkeypatch.setattr(analyser, "open_segmenter", lambda: None)
    assert (analyser.terms(text), analyser.segment(text)) == expected


def test_a_missing_pyvi_is_named(monkeypatch):
    monkeypatch.setattr(segmenter, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pyvi"):
        segmenter.installed()


def test_the_model_is_read_from_its_bytes():
    pickled = (segmenter.installed() / "models" / "pyvi3.pkl").read_bytes()
    model = parse(segmenter.model_bytes(pickled))
    assert len(model.attributes) == 6335
    assert model.transitions.shape == (2, 2)
    assert {name.partition(":")[0] for name in model.attributes} >= {"bias", "word.isupper()", "+1"}
    with pytest.raises(ValueError, match="not a first-order"):
        parse(b"lCRF" + bytes(60))


def test_the_models_weights_are_those_of_crfsuite(tmp_path):
    """CRFsuite's own probability of a labelling follows from weights that were read here."""
    import pycrfsuite  # noqa: PLC0415 - what pyvi calls

    pickled = (segmenter.installed() / "models" / "pyvi3.pkl").read_bytes()
    data = segmenter.model_bytes(pickled)
    (tmp_path / "model").write_bytes(data)
    tagger = pycrfsuite.Tagger()
    tagger.open(str(tmp_path / "model"))
    model = parse(data)
    names = sorted(model.attributes)[:: len(model.attributes) // 40]
    for name in names:
        tagger.set([[name], ["bias"]])
        first, second = model.attributes[name], model.attributes["bias"]
        scores = first[:, None] + model.transitions + second[None, :]
        expected = np.exp(scores - scores.max())
        expected /= expected.sum()
        for i, one in enumerate(segmenter.LABELS):
            for j, two in enumerate(segmenter.LABELS):
                assert tagger.probability([one, two]) == pytest.approx(expected[i, j], abs=1e-12)


def test_phrases_are_numbered_by_their_words():
    phrases = Phrases.of(["a b", "b c", "a b c", "d", "a b c d"])
    a, b, c = (phrases.words[word] for word in "abc")
    assert set(phrases.words) == {"a", "b", "c"}
    assert phrases.pairs.tolist() == sorted([3 * a + b, 3 * b + c])
    assert phrases.triples.tolist() == [9 * a + 3 * b + c]


def test_the_module_does_not_import_pyvi():
    source = Path(segmenter.__file__).read_text(encoding="utf-8")
    assert "import pyvi" not in source.replace("from pyvi import ViTokenizer  # noqa", "")
