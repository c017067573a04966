"""Did you mean: known answers by hand, and what must never be proposed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.analyser import VIEWS, terms
from indexes.bm25 import BM25
from indexes.spelling import Speller, distance, toned

TEXTS = ["máy sấy vải", "máy sấy nhãn", "kho vải", "hồ tiêu", "trồng hồ tiêu", "hồ thu", "bể thu",
         "mây tre", "mây tre", "BX-77 khử nitrat"]  # fmt: skip


@pytest.fixture(scope="module")
def speller() -> Speller:
    read = [terms(text.lower()) for text in TEXTS]
    views = {view: BM25.build([{"text": each[view]} for each in read]) for view in VIEWS}
    return Speller(views["syllables"], views["bigrams"], views["unaccented"])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("máy sáy vải", "máy sấy vải"),  # roof forgotten; "máy", too, is one slip away
        ("hồ tiu", "hồ tiêu"),  # beside "hồ" in two records, "thu" in one
        ("Sấy vaỉ", "Sấy vải"),  # tone on the other vowel
        ("may sya vai", "may say vai"),  # neighbours swapped, typed without accents
        ("máy sấyy", "máy sấy"),
        ("khử nitrit", None),  # only one record says nitrat: nothing is proposed from it
        ("máy sấy vải", None),
        ("may say vai", None),
        ("xyzw", None),
        ("", None),
        ("77", None),
    ],
)
def test_slips(speller: Speller, typed: str, meant: str | None) -> None:
    assert speller.suggest(typed) == meant


def test_distance_by_hand() -> None:
    assert distance("tiu", "tiêu") == 1
    assert distance("qaun", "quan") == 1
    assert distance("ca", "abc") == 3  # optimal string alignment edits no pair twice
    assert toned("vải") == toned("vaỉ") == "vai\u0309"
    assert toned("sấy") == "sây\u0301"


@given(st.text(alphabet="abcđ", max_size=6), st.text(alphabet="abcđ", max_size=6))
def test_distance_is_symmetric_and_zero_only_for_equals(first: str, second: str) -> None:
    assert distance(first, second) == distance(second, first)
    assert (distance(first, second) == 0) == (first == second)
