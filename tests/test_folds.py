"""Needs that are alike stay together, the locked fold is nobody's choice and never given back."""

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st
from small import lexicon

from corpus.records import Need, Product, Technology
from matcher.evidence import Shown
from matcher.folds import FOLDS, LOCKED, assign, twins

NAMES = ("Vải sớm", "Vải thiều Lục Ngạn", "Nhãn lồng", "Tôm sú", "Gốm Bát Tràng")
PRODUCTS = {f"P{n}": Product(id=f"P{n}", name=name) for n, name in enumerate(NAMES)}
MANY = {f"X{n}": Product(id=f"X{n}", name=f"Hàng {n}") for n in range(200)}


def need(key, product):
    return Need(id=key, product=product, text="Sấy")


def locks(name):
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 5 == 0


def fold(needs, shown=None, products=PRODUCTS, duplicates=()):
    return assign(needs, products, shown or {}, lexicon(), duplicates).fold


def useful(*keys, grade=2):
    return {key: Shown(grade) for key in keys}


def test_the_locked_fold_follows_from_the_product_alone():
    needs = [need(f"N{key}", key) for key in MANY]
    found = fold(needs, products=MANY)
    for key in MANY:
        assert (found[f"N{key}"] == LOCKED) == locks(key)
    sizes = [list(found.values()).count(number) for number in range(FOLDS)]
    assert min(sizes) > 20


def test_one_node_of_the_product_tree_is_one_product():
    needs = [need("N1", "P0"), need("N2", "P1"), need("N3", "P2")]
    found = fold(needs)
    assert found["N1"] == found["N2"]
    assert (found["N1"] == LOCKED) == locks("vải")
    assert (found["N3"] == LOCKED) == locks("nhãn")


def others():
    """Two products in different folds, neither of them locked."""
    found = fold([need(key, key) for key in MANY], products=MANY)
    free = [key for key in MANY if found[key] != LOCKED]
    return free[0], next(key for key in free if found[key] != found[free[0]])


def test_needs_that_one_record_or_its_duplicate_answers_stay_together():
    one, other = others()
    needs = [need("N1", one), need("N2", other)]

    def together(first, second, duplicates=()):
        found = fold(needs, {"N1": first, "N2": second}, MANY, duplicates)
        return found["N1"] == found["N2"]

    assert not together({}, {})
    assert together(useful("T1"), useful("T1"))
    assert not together(useful("T1"), useful("T1", grade=1))  # both were shown it, one can use it
    assert not together(useful("T1"), useful("T2"))
    assert together(useful("T1"), useful("T2"), [("T2", "T1")])
    assert together(useful("T1"), useful("T3"), [("T1", "T2"), ("T2", "T3")])


def test_the_order_of_records_does_not_matter():
    needs = [need(f"N{n:03}", f"X{n % 40}") for n in range(120)]
    shown = {each.id: useful(f"T{n % 50}") for n, each in enumerate(needs)}
    assert fold(needs, shown, MANY) == fold(needs[::-1], dict(reversed(shown.items())), MANY)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 19), st.integers(0, 12)), max_size=25),
    st.lists(st.tuples(st.integers(0, 19), st.integers(0, 12)), max_size=10),
)
def test_what_is_locked_stays_locked_as_more_becomes_known(first, later):
    needs = [need(f"N{n}", f"X{n}") for n in range(20)]

    def locked(links):
        shown = {}
        for number, key in links:
            shown.setdefault(f"N{number}", {})[f"T{key}"] = Shown(3)
        found = fold(needs, shown, MANY)
        return {each for each, number in found.items() if number == LOCKED}

    assert locked(first) <= locked(first + later)


def test_a_product_nobody_knows_is_its_own():
    found = fold([need("N1", "P9")])
    assert (found["N1"] == LOCKED) == locks("P9")


def test_twins_have_one_name_and_summary():
    names = {"T3": "Sấy vải", "T1": "SẤY VẢI.", "T2": "Sấy nhãn", "T4": "sấy  vải"}
    technologies = [Technology(id=key, name=name) for key, name in names.items()]
    technologies.append(Technology(id="T5", name="Sấy vải", summary="Cho hộ nhỏ"))
    assert twins(technologies) == [("T1", "T3"), ("T1", "T4")]
