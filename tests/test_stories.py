"""The stories the engine must tell, on the sample records, as a user would live them."""

from __future__ import annotations

import pytest

from corpus.text import fold
from matcher import explain
from matcher.answers import Answer, Match
from matcher.fit import Filter
from matcher.match import Matcher
from matcher.need import Conditions

PEEL = "giữ vỏ quả đỏ tươi khi đi tàu biển dài ngày, không xông lưu huỳnh SO2"


def _all(answer: Answer) -> list[Match]:
    return [*answer.matches, *answer.set_apart]


def _everything(answer: Answer) -> list[str]:
    return [match.technology.id for match in _all(answer)]


def _named(answer: Answer, word: str) -> list[str]:
    """Ids of matches, in order, whose title or products hold ``word``."""
    found = []
    for match in (*answer.matches, *answer.set_apart):
        told = f" {match.technology.name} {' '.join(match.technology.products)} ".lower()
        if f" {word} " in told.replace(",", " ").replace(";", " "):
            found.append(match.technology.id)
    return found


def _about(answer: Answer, product: str, matcher: Matcher) -> list[str]:
    """Labels of matches whose products, as the tree reads them, are ``product``."""
    labels = []
    for match in (*answer.matches, *answer.set_apart):
        nodes = matcher.engine.fitting.products_of(match.hit.row)
        if product in nodes and "vải" not in nodes:
            labels.append(match.label)
    return labels


@pytest.fixture(scope="module")
def pineapple(sample_matcher: Matcher) -> Answer:
    product = sample_matcher.products["SP-029"]
    conditions = Conditions(budget=200, place=product.province)
    text = "bao quan khom tac cau cat lat"
    return sample_matcher.answer(sample_matcher.text(text, product, conditions), 10)


def test_khom_typed_without_accents_finds_records_that_say_dua(pineapple: Answer) -> None:
    first = pineapple.matches[:2]
    for match in first:
        assert "dứa" in match.technology.name.lower()
        assert "khóm" not in match.technology.name.lower()
        # Seven unaccented syllables say too little for an even chance of use.
        assert match.label in {explain.SUITS, explain.ADAPT}


def test_a_named_process_orders_a_short_query(sample_matcher: Matcher) -> None:
    """Asked to keep pineapple, wine whose title says the product's whole name is not the answer."""
    product = sample_matcher.products["SP-029"]
    answer = sample_matcher.answer(sample_matcher.text("bao quan khom tac cau", product), 10)
    first = answer.matches[0]
    assert first.technology.name.startswith("Quy trình giữ tươi dứa cắt miếng")
    assert first.label == explain.SUITS
    wine = [match for match in answer.matches if "Rượu vang" in match.technology.name]
    assert all(match.label != explain.SUITS for match in wine)


def test_fragrant_rice_and_pandan_never_come_up_for_pineapple(pineapple: Answer) -> None:
    assert not _named(pineapple, "gạo thơm")
    assert not _named(pineapple, "lá dứa")


def test_what_is_only_against_the_leaf_beetle_is_no_answer_to_the_caterpillar(
    sample_matcher: Matcher,
) -> None:
    answer = sample_matcher.answer(sample_matcher.stated(sample_matcher.needs["N-001"]), 20)
    beetle = [m for m in _all(answer) if "bọ cánh cứng" in m.technology.name.lower()]
    assert beetle and not answer.found
    assert all("không phải sâu đầu đen" in match.explanation.sentence for match in beetle)


def test_what_is_over_budget_stands_below_with_the_reason(pineapple: Answer) -> None:
    below = {match.technology.id: match for match in pineapple.set_apart}
    listed = [match.technology for match in pineapple.matches]
    assert all((each.lowest_cost or 0) <= 200 for each in listed)
    cut = [m for m in below.values() if "CẮT LÁT" in m.technology.name]
    assert cut, "the fresh-cut line at 350 million belongs here"
    assert "vượt 200 triệu" in cut[0].explanation.breaches[0].reason


def test_a_missing_price_is_unknown_and_never_a_failure(pineapple: Answer) -> None:
    unpriced = [m for m in pineapple.matches if m.technology.lowest_cost is None]
    assert unpriced
    assert explain.facts(unpriced[0].technology)["Chi phí"] == "chưa rõ"


@pytest.mark.parametrize("province", ["Bắc Giang", "Bắc Ninh"])
def test_lychee_comes_first_and_its_family_needs_adapting(
    sample_matcher: Matcher, province: str
) -> None:
    product = sample_matcher.products["SP-030"]
    query = sample_matcher.text(PEEL, product, Conditions(place=province, stage="bảo quản"))
    answer = sample_matcher.answer(query, 15)
    for match in answer.matches[:2]:
        assert "vải" in match.technology.name.lower()
        assert match.label == explain.SUITS
    assert set(_about(answer, "nhãn", sample_matcher)) == {explain.ADAPT}
    rambutan = _about(answer, "chôm chôm", sample_matcher)
    assert rambutan[0] == explain.ADAPT  # keeps the peel red; pruning against mould does not
    assert explain.SUITS not in rambutan


def test_a_cloth_filter_is_absent_for_lychee(sample_matcher: Matcher) -> None:
    query = sample_matcher.text(PEEL, sample_matcher.products["SP-030"])
    cloth = {
        each.id
        for each in sample_matcher.technologies.values()
        if "túi lọc vải" in each.name.lower()
    }
    assert cloth, "the sample holds a cloth filter"
    assert cloth.isdisjoint(_everything(sample_matcher.answer(query, 20)))


def test_an_old_province_and_the_new_one_admit_what_they_cover(sample_matcher: Matcher) -> None:
    query = sample_matcher.text("bảo quản vải thiều")
    old = sample_matcher.answer(query, 50, Filter(place="Bắc Giang"))
    new = sample_matcher.answer(query, 50, Filter(place="Bắc Ninh"))
    assert old.matches
    assert set(_everything(old)) < set(_everything(new))


def test_an_english_record_is_found_by_vietnamese_words(sample_matcher: Matcher) -> None:
    answer = sample_matcher.answer(
        sample_matcher.text("xử lý hơi nước nóng xoài xuất khẩu Nhật Bản, Hàn Quốc"), 5
    )
    assert any(match.technology.language == "en" for match in answer.matches)


def test_typed_accents_count(sample_matcher: Matcher) -> None:
    cattle = sample_matcher.answer(sample_matcher.text("bò"), 3).matches
    assert all("bò" in f" {m.technology.name} {m.technology.products}" for m in cattle)
    avocado = sample_matcher.answer(sample_matcher.text("quả bơ"), 1).matches
    assert "bơ" in avocado[0].technology.name.lower().split()


def test_a_gap_is_said_plainly(sample_matcher: Matcher) -> None:
    """Nothing in the sample is about salt, pearls or bird's nests."""
    for need in sample_matcher.needs.values():
        if need.product in {"SP-043", "SP-045"}:
            answer = sample_matcher.answer(sample_matcher.stated(need))
            assert all(match.label != explain.SUITS for match in answer.matches), need.id


def test_wood_workshops_take_a_carving_machine(sample_matcher: Matcher) -> None:
    machine = next(
        each for each in sample_matcher.technologies.values() if "ĐỤC GỖ CNC" in each.name
    )
    takers = sample_matcher.takers(machine, 5)
    assert takers[0].product is not None
    assert "Đồng Kỵ" in takers[0].product.name
    assert takers[0].match.label == explain.SUITS
    farms = [each for each in takers if "công nghệ cao" in fold(each.need.text)]
    assert not farms
