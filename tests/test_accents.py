"""Accents put back: known answers on a corpus of four lines, and what must hold of any text."""

from hypothesis import given
from hypothesis import strategies as st

from corpus.text import fold
from indexes.accents import Restorer
from indexes.documents import Document
from indexes.hybrid import Index

LINES = ("bảo quản xoài tươi", "báo cáo quản lý", "máy bào gỗ", "bảo quản dừa")


def restorer(lines=LINES):
    index = Index.build([Document(f"{n}", text=line) for n, line in enumerate(lines)])
    return Restorer(index.views["syllables"], index.views["bigrams"])


def test_the_neighbours_decide():
    # bao: bảo (2 records), báo, bào (1 each); "bảo quản" stands twice, "báo cáo" once.
    assert restorer().restore("bao quan xoai") == "bảo quản xoài"
    assert restorer().restore("bao cao") == "báo cáo"
    assert restorer().restore("may bao go") == "máy bào gỗ"


def test_alone_the_more_frequent_form_is_taken_and_ties_go_by_the_alphabet():
    assert restorer().restore("bao") == "bảo"
    assert restorer(("báo", "bào")).restore("bao") == min("báo", "bào")


def test_what_the_corpus_does_not_know_stays_as_typed():
    assert restorer().restore("zzz, bao quan!") == "zzz, bảo quản!"
    assert restorer().restore("") == ""
    assert restorer(()).restore("bao quan") == "bao quan"


@given(
    st.lists(
        st.sampled_from(["bao", "quan", "xoai", "may", "go", "ly", "zz", ",", "."]), max_size=12
    )
)
def test_only_accents_change(words):
    typed = " ".join(words)
    assert fold(restorer().restore(typed)) == typed
