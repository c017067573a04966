"""Edits upon edits: the original comes back to the character, whatever was done where."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from corpus.edits import Draft, Edit, restore

TEXT = "một hai ba bốn năm sáu bảy"


@st.composite
def steps(draw):
    """For each step cut points as shares of the text, and what comes there."""
    one = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["", "", "x", "xyz"])), max_size=6)
    return draw(st.lists(one, min_size=1, max_size=4))


@given(steps())
def test_the_original_comes_back(given_steps):
    draft = Draft(TEXT)
    for step in given_steps:
        cuts = sorted({min(at, len(draft.text)) for at, _ in step})
        words = [word for _, word in step]
        pairs = zip(cuts[::2], cuts[1::2], words, strict=False)
        draft.apply([Edit(start, end, word, "thử") for start, end, word in pairs], 0.5)
    changes = draft.changes()
    assert restore(draft.text, changes) == TEXT
    assert all(a.end <= b.start for a, b in pairwise(changes))


def test_an_edit_that_ends_where_two_were_taken_out():
    draft = Draft("abcdef")
    draft.apply([Edit(2, 3, "", "một"), Edit(3, 4, "", "hai")], 0.5)
    draft.apply([Edit(1, 2, "X", "ba")], 0.5)
    assert draft.text == "aXef"
    assert restore(draft.text, draft.changes()) == "abcdef"


def test_an_edit_of_a_word_behind_which_something_was_taken_out():
    draft = Draft("một hai")
    draft.apply([Edit(0, 1, "yz", "một")], 0.5)
    draft.apply([Edit(2, 3, "", "hai")], 0.5)
    draft.apply([Edit(0, 1, "", "ba")], 0.5)
    assert draft.text == "zt hai"
    assert restore(draft.text, draft.changes()) == "một hai"


def test_an_edit_of_a_word_before_which_something_was_taken_out():
    draft = Draft("một hai")
    draft.apply([Edit(1, 2, "xyz", "một")], 0.5)
    draft.apply([Edit(0, 1, "", "hai")], 0.5)
    draft.apply([Edit(1, 2, "", "ba")], 0.5)
    assert draft.text == "xzt hai"
    assert restore(draft.text, draft.changes()) == "một hai"


def test_two_edits_of_what_one_edit_wrote():
    draft = Draft("một hai ba")
    draft.apply([Edit(8, 9, "xyz", "một")], 0.5)
    draft.apply([Edit(0, 9, "", "hai"), Edit(10, 11, "", "ba")], 0.5)
    assert draft.text == "ya"
    (change,) = draft.changes()
    assert (change.before, change.after) == ("một hai b", "y")
    assert restore(draft.text, draft.changes()) == "một hai ba"
