"""Technologies like another: known answers, reasons, and nothing of what is under NDA."""

import math
from dataclasses import replace

from small import NEEDS, PRODUCTS, TECHNOLOGIES, dense, lexical, matcher

from corpus.records import Technology
from matcher.fit import Filter
from matcher.similar import similar


def told(found):
    return [(each.technology.id, each.reason) for each in found]


def test_the_same_product_and_the_same_work_come_first():
    mine = lexical().technologies["CN-1"]
    found = similar(lexical(), mine)
    assert told(found)[:2] == [
        ("CN-2", "Cùng sản phẩm (vải)"),
        ("CN-3", "Sản phẩm gần (nhãn); cùng quá trình: sấy"),
    ]


def test_a_record_is_not_like_itself_and_scores_add_up():
    for asker in (lexical(), dense()):
        for mine in asker.technologies.values():
            found = similar(asker, mine)
            assert mine.id not in {each.technology.id for each in found}
            assert all(math.fsum(each.hit.parts.values()) == each.hit.score for each in found)
            assert all(each.reason for each in found)


def test_nothing_is_encoded():
    class Silent:
        name, dim = dense().engine.encoder.name, 16

    engine = dense().engine
    silent = replace(dense())
    encoder, engine.encoder = engine.encoder, Silent()
    try:
        found = similar(silent, silent.technologies["CN-1"])
    finally:
        engine.encoder = encoder
    assert "meaning" in found[0].hit.parts
    assert found[0].hit.cosine < 1.0


def test_a_filter_only_removes():
    mine = dense().technologies["CN-1"]
    everything = told(similar(dense(), mine))
    some = told(similar(dense(), mine, only=Filter(trl_min=7)))
    assert some == [each for each in everything if each[0] in dict(some)]
    assert 0 < len(some) < len(everything)
    assert told(similar(dense(), mine, 1)) == everything[:1]


def test_what_may_be_the_same_is_said():
    twin = Technology(id="CN-9", name="SẤY VẢI bằng bơm nhiệt!", owner="Viện Thử Nghiệm")
    asker = matcher(technologies=(*TECHNOLOGIES, twin))
    found = similar(asker, asker.technologies["CN-1"])
    assert found[0].technology.id == "CN-9"
    assert found[0].duplicate
    assert found[0].reason.startswith("Có thể là cùng một công nghệ; cùng sản phẩm (vải)")
    assert found[0].reason.endswith("cùng đơn vị sở hữu")
    assert not any(each.duplicate for each in found[1:])


def test_a_record_that_is_not_indexed_is_like_nothing():
    assert similar(lexical(), Technology(id="CN-99", name="Sấy vải")) == ()


def test_what_has_nothing_in_common_is_not_listed():
    mine = lexical().technologies["CN-7"]  # a cold store, for no product
    assert "CN-4" not in dict(told(similar(lexical(), mine)))


def test_text_under_nda_changes_nothing():
    *others, pond = TECHNOLOGIES
    changed = pond.model_copy(update={"detail": "Sấy tôm sú nguyên con bằng lò."})
    other = matcher(technologies=[*others, changed], products=PRODUCTS, needs=NEEDS)
    for mine in lexical().technologies.values():
        assert told(similar(other, mine)) == told(similar(lexical(), mine))
