"""Documents of technologies: the fast readings against plain ones, one process against two."""

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

import matcher.documents as module
from corpus.lexicon import Lexicon
from corpus.phrases import _BREAK, NUMBER, read
from corpus.readers import read as read_files
from corpus.records import Technology
from corpus.text import bounds, fold, normalise, syllables
from indexes.snapshot import ALL, PUBLIC
from matcher.documents import document, documents
from service.loading import sample_files

CALM = settings(deadline=None, max_examples=150)
_PIECES = "vải, thiều (bơ) sữa. 50kg 1,5 a_b\n\t … “Đỏ” cà-phê TP.HCM x|y ; \u0301 ΟΔΟΣ"
TEXTS = st.one_of(st.lists(st.sampled_from(_PIECES.split(" "))).map(" ".join), st.text(max_size=30))


@CALM
@given(TEXTS, st.booleans())
def test_a_reading_by_pieces_is_that_of_the_whole_text(text, accented):
    reading, whole = read(text, accented), normalise(text)
    found = list(syllables(whole))
    assert reading.text == whole
    assert reading.tokens == tuple(s.text.lower() if accented else fold(s.text) for s in found)
    assert reading.signs == tuple(NUMBER if t[0].isdigit() else t for t in reading.tokens)
    assert reading.bounds == bounds(whole) == [(s.start, s.end) for s in found]
    edges = [0, *(edge for span in found for edge in (span.start, span.end)), len(whole)]
    gaps = zip(edges[::2], edges[1::2], strict=True)
    assert reading.breaks == tuple(bool(_BREAK.search(whole, *gap)) for gap in gaps)


@CALM
@given(st.text(max_size=40))
def test_folding_by_character_is_folding_of_the_whole(text):
    decomposed = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    assert fold(text) == unicodedata.normalize("NFC", plain)


def technologies():
    return [each for each in read_files(sample_files()).records if isinstance(each, Technology)]


def test_two_processes_make_the_documents_of_one():
    lexicon, records = Lexicon.load(), technologies()
    one = documents(records, lexicon, processes=1)
    assert documents(records, lexicon, processes=2) == one
    assert [each.id for each in one[PUBLIC]] == sorted(each.id for each in records)
    assert one[PUBLIC] == [document(each.public(), lexicon) for each in sorted(records, key=_id)]
    assert one[ALL] == [document(each, lexicon) for each in sorted(records, key=_id)]


def _id(record):
    return record.id


def test_processes_that_cannot_start_leave_the_work_to_one(monkeypatch):
    def broken(*_):
        raise module.BrokenProcessPool("no more processes")

    monkeypatch.setattr(module, "_in_processes", broken)
    lexicon, records = Lexicon.load(), technologies()[:5]
    assert documents(records, lexicon, processes=2) == documents(records, lexicon, processes=1)
