"""Rows by their labels: each row's group is the set of its own labels of that kind."""

from hypothesis import given
from hypothesis import strategies as st

from indexes.segments import Labels
from matcher.softfit import labelled

NAMES = [f"{kind}{name}" for kind in ("product:", "stage:", "product also:") for name in "abc"]


@given(st.lists(st.lists(st.sampled_from(NAMES), unique=True).map(tuple)))
def test_a_row_is_grouped_by_its_labels_of_one_kind(rows):
    labels = Labels.of(rows)
    for prefix in ("product:", "stage:"):
        group = labelled(labels, prefix)
        told = [
            frozenset(each.removeprefix(prefix) for each in row if each.startswith(prefix))
            for row in rows
        ]
        assert [group[row] for row in range(len(rows))] == told
        assert len(set(group.values)) == len(group.values) == len(set(told))
