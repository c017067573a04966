import json
import math
import unicodedata
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small import NEEDS, TECHNOLOGIES, Tiny, dense, lexical, matcher

from corpus.records import Technology
from corpus.text import has_accents
from indexes.hybrid import Index
from matcher.documents import documents
from matcher.fit import Filter
from matcher.fusion import EMPHASIS, lexical_factor
from matcher.match import Matcher
from matcher.need import MAX_SYLLABLES, Conditions
from matcher.scoring import NEAREST
from matcher.search import Engine
from service import payloads

BOTH = pytest.mark.parametrize("made", [lexical, dense], ids=["lexical", "dense"])
WORDS = [
    *("sấy", "vải", "nhãn", "dứa", "khóm", "tôm", "tươi", "giữ", "đỏ", "nước", "kho", "lạnh"),
    *("say", "vai", "nhan", "dua", "khom", "tom", "bao", "quan", "lat"),
    *("và", "cho", "của", "HTX", "3", "%", "!", "shrimp", "drying"),
]
queries = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)
filters = st.builds(
    Filter,
    kind=st.sampled_from([None, "quy trình", "thiết bị"]),
    product=st.sampled_from([None, "vải", "tôm"]),
    trl_min=st.sampled_from([None, 7, 8]),
    price_max=st.sampled_from([None, 200]),
    year_from=st.sampled_from([None, 2020]),
    valid=st.booleans(),
)
conditions = st.builds(
    Conditions,
    budget=st.sampled_from([None, 100]),
    place=st.sampled_from([None, "Bắc Giang", "An Giang"]),
    stage=st.sampled_from([None, "chế biến"]),
)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def ids(found):
    return [hit.id for hit in found]


def page(found) -> str:
    return json.dumps(payloads.answer(found), ensure_ascii=False)


# Parts, scores, order ----------------------------------------------------------------------------


@BOTH
@FEW
@given(queries, conditions)
def test_parts_add_up_to_the_score_and_hits_stand_by_score_then_id(made, text, demanded):
    ranking = made().rank(made().text(text, conditions=demanded))
    hits = list(ranking.hits())
    assert all(math.fsum(hit.parts.values()) == hit.score for hit in hits)
    assert hits == sorted(hits, key=lambda hit: (-round(hit.score, 6), hit.id))
    assert len({hit.id for hit in hits}) == len(hits) == len(ranking)


@BOTH
@FEW
@given(queries, queries, filters, st.integers(1, 9))
def test_a_filtered_answer_is_the_full_ranking_with_rows_removed(made, text, other, only, k):
    asker = made()
    query = asker.text(text)
    full = {hit.id: hit for hit in asker.rank(query).hits()}
    asker.answer(asker.text(other), 3)  # another query in between changes nothing
    found = asker.answer(query, k, only)
    admitted = [
        key
        for key in full
        if only.admits(asker.technologies[key], asker.engine.places, asker.as_of)
    ]
    expired = {"CN-3"}  # the only hard rule that a free text can break
    assert [match.technology.id for match in found.matches] == [
        key for key in admitted if key not in expired
    ][:k]
    apart = {match.technology.id for match in asker.answer(query, 9).set_apart}
    assert apart <= expired
    assert {match.technology.id for match in found.set_apart} == apart & set(admitted)
    assert found.total == len(admitted)
    for match in (*found.matches, *found.set_apart):
        assert match.hit == full[match.technology.id]  # parts, score and cosine to the last bit


@pytest.mark.parametrize("encoder", [None, Tiny()], ids=["lexical", "dense"])
def test_equal_records_tie_and_stand_by_id(encoder):
    twins = [Technology(id=key, name="Sấy vải") for key in ("T-10", "T-2", "T-1")]
    asker = matcher(twins, encoder=encoder)
    hits = list(asker.rank(asker.text("sấy vải")).hits())
    assert ids(hits) == ["T-1", "T-10", "T-2"]
    assert len({hit.score for hit in hits}) == 1


def test_coverage_is_the_share_of_the_query_that_a_record_says():
    asker = dense()
    query, views = asker.text("sấy vải"), asker.engine.index.views
    weights = asker.engine.weights.of_views(query.of_product)
    most = sum(
        weights[view] * views[view].ceiling(query.terms[view])
        for view in ("words", "syllables", "bigrams")
    )
    assert all(0 <= hit.coverage <= 1 for hit in asker.rank(query).hits())
    for hit in asker.engine.rank(query).hits():  # without what the first hits say
        lexical = math.fsum(hit.parts[view] for view in ("words", "syllables", "bigrams"))
        factor = lexical_factor(most, asker.engine.weights.length, asker.engine.weights.size)
        assert hit.coverage == pytest.approx(lexical / (most * factor))
        assert 0 <= hit.coverage <= 1


def test_the_meaning_is_the_exact_weighted_cosine():
    asker, weights = dense(), dense().engine.weights
    vector = _united(Tiny().queries(["bơm nhiệt"])[0].astype(np.float64))
    vector = vector.astype(np.float32).astype(np.float64)  # as a query's direction is kept
    matrix = asker.engine.index.directions(np.arange(8)).astype(np.float64)
    query = asker.text("bơm nhiệt")
    assert not query.of_product  # so that nothing is fed back
    for hit in asker.rank(query).hits():
        assert hit.cosine == pytest.approx(float(matrix[hit.row] @ vector), rel=1e-12)
        assert hit.parts["meaning"] == weights.meaning * (hit.cosine - weights.neutral_cosine)


def test_without_an_encoder_there_is_no_meaning():
    hits = list(lexical().rank(lexical().text("sấy vải")).hits())
    assert hits
    assert all(hit.cosine is None and "meaning" not in hit.parts for hit in hits)


# What is found -----------------------------------------------------------------------------------


def found_by(asker, text):
    return sorted(ids(asker.rank(asker.text(text)).hits()))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("lạnh", ["CN-7"]),
        ("lạnh và của", ["CN-7"]),  # filler finds nothing beside a content word
        ("khóm", ["CN-5"]),  # the other region's word
        ("shrimp", []),  # knows the product, but no record says the word
        ("lanh", ["CN-7"]),  # typed without accents
        ("tau bien", ["CN-2"]),
        ("tàu", ["CN-2"]),
        ("xyzzy", []),
    ],
)
def test_without_an_encoder_the_hits_share_a_content_word(text, found):
    assert found_by(lexical(), text) == found


def test_with_an_encoder_the_nearest_are_hits_too():
    assert len(TECHNOLOGIES) <= NEAREST
    assert found_by(dense(), "xyzzy lạ") == [each.id for each in TECHNOLOGIES]


def test_of_many_records_only_the_nearest_join_those_that_share_a_word(monkeypatch):
    monkeypatch.setattr("matcher.search.NEAREST", 2)
    asker = dense()
    query = asker.text("lạnh")
    cosines = asker.engine.index.cosines(Tiny().queries(["lạnh"])[0], np.arange(8))
    nearest = {TECHNOLOGIES[row].id for row in np.argsort(-cosines)[:2]}
    assert set(ids(asker.rank(query).hits())) == nearest | {"CN-7"}


def test_a_query_typed_without_accents_means_what_its_restored_text_means():
    asker, weights = dense(), dense().engine.weights
    typed, accented = asker.text("say vai"), asker.text("sấy vải")
    assert typed.restored.text == "sấy vải"
    hits = list(asker.rank(typed).hits())
    assert hits[0].id == asker.rank(accented).hit(0).id
    assert hits[0].parts["unaccented"] > 0
    assert {hit.share for hit in hits} == {weights.restored}
    vector = Tiny().queries(["sấy vải"])[0].astype(np.float64)
    matrix = asker.engine.index.directions(np.arange(8)).astype(np.float64)
    for hit in hits:
        assert hit.cosine == pytest.approx(float(matrix[hit.row] @ vector), rel=1e-6)


@pytest.mark.parametrize("text", ["bao quan vai", "tuoi nho giot", "kho lanh", "tau bien"])
def test_typed_without_accents_finds_what_accents_find_first(text):
    asker = lexical()
    query = asker.text(text)
    assert query.restored is not None
    assert not has_accents(query.text)
    assert asker.rank(query).hit(0).id == asker.rank(query.restored).hit(0).id


@pytest.mark.parametrize("text", ["sấy vải", "!"])
def test_what_was_typed_with_accents_or_says_nothing_is_not_restored(text):
    assert lexical().text(text).restored is None


# Product and feedback ----------------------------------------------------------------------------


def _united(vector):
    return vector / np.linalg.norm(vector)


def test_the_first_hits_of_a_need_turn_its_meaning_by_hand():
    asker, weights = dense(), dense().engine.weights
    still = matcher(encoder=Tiny(), weights=replace(weights, feedback=0.0, taken_up=0.0))
    query = asker.stated(asker.needs["N-1"])
    matrix = asker.engine.index.directions(np.arange(8)).astype(np.float64)
    text, name = Tiny().queries([query.text, query.product]).astype(np.float64)
    stated = _united(text + weights.product_direction * name)
    before = list(still.rank(query).hits())
    for hit in before:
        assert hit.cosine == pytest.approx(float(matrix[hit.row] @ stated), abs=1e-6)
    trust = np.exp([(hit.score - before[0].score) / weights.feedback_spread for hit in before])
    trust *= weights.feedback / trust.sum()
    turned = _united(stated + trust @ matrix[[hit.row for hit in before]])
    for hit in asker.rank(query).hits():
        assert hit.cosine == pytest.approx(float(matrix[hit.row] @ stated), abs=1e-6)
        meaning = weights.need_meaning * (float(matrix[hit.row] @ turned) - weights.neutral_cosine)
        assert hit.parts["meaning"] == pytest.approx(meaning, abs=1e-4)


def test_a_score_knows_neither_k_nor_filter():
    asker = dense()
    query = asker.stated(asker.needs["N-1"])
    scores = {hit.id: hit.score for hit in asker.rank(query).hits()}
    for k, only in ((1, Filter()), (3, Filter()), (10, Filter(kind="quy trình"))):
        found = asker.answer(query, k, only)
        shown = (*found.matches, *found.set_apart)
        assert shown
        assert all(each.hit.score == scores[each.technology.id] for each in shown)
        assert found.answerable == asker.answer(query).answerable


def test_a_need_on_an_index_of_nothing_finds_nothing():
    asker = matcher(technologies=(), encoder=Tiny())
    found = asker.answer(asker.stated(NEEDS[0]))
    assert (found.matches, found.set_apart, found.answerable) == ((), (), 0.0)
    assert not found.found
    assert found.nearest is None


def test_a_hit_can_be_looked_up_by_its_id():
    ranking = lexical().rank(lexical().text("sấy vải"))
    best = ranking.hit(0)
    assert list(ranking.find(best.id)) == [best]
    assert list(ranking.find("CN-7")) == []  # there, but not found
    assert list(ranking.find("nowhere")) == []


# What a need knows beyond its words --------------------------------------------------------------


def test_the_same_product_outweighs_a_near_and_a_broader_one():
    asker, weights = lexical(), lexical().engine.weights
    parts = {hit.id: hit.parts["product"] for hit in asker.rank(asker.text("sấy vải quả")).hits()}
    stressed = parts["CN-1"] / weights.same_product  # what so short a query names counts for more
    assert 1 < stressed <= EMPHASIS
    assert parts["CN-2"] == parts["CN-1"]
    assert parts["CN-6"] == pytest.approx(weights.broader_product * stressed)
    assert parts["CN-3"] == pytest.approx(weights.near_product * stressed)
    assert parts["CN-4"] == 0.0  # another product adds nothing and excludes nothing


def _of(key, name):
    return Technology(id=key, name=name, products=("vải",))


ALIKE = (_of("A", "Sấy vải bằng hầm hồng ngoại"), _of("B", "Vải, cam"), _of("C", "Vải hồng ngoại"))


def test_a_short_need_takes_up_the_words_of_its_first_hits():
    """A answers best and says "hồng ngoại": so C comes before B, which is as long and says less."""
    asker = matcher(technologies=ALIKE)
    query = asker.text("sấy vải")
    plainly, taken = asker.engine.rank(query, asker.provinces), asker.rank(query)
    assert ids(plainly.hits())[:2] == ["A", "B"]
    assert ids(taken.hits()) == ["A", "C", "B"]
    before, after = plainly.hit(0), taken.hit(0)
    assert after.score > before.score  # it says all its own words
    plain = {hit.id: hit for hit in plainly.hits()}
    for hit in taken.hits():  # which make nobody more useful, or less
        assert hit.evidence == pytest.approx(plain[hit.id].evidence, abs=1e-12)
        assert hit.coverage == pytest.approx(plain[hit.id].coverage, abs=1e-12)
        assert hit.score == math.fsum(hit.parts.values())
    assert [hit.score for hit in taken.hits()] == sorted(h.score for h in taken.hits())[::-1]


def test_evidence_of_a_need_typed_without_accents_keeps_its_size_too():
    asker = matcher(technologies=ALIKE, encoder=Tiny())
    query = asker.text("say vai")
    before, after = asker.engine.rank(query, asker.provinces).hit(0), asker.rank(query).hit(0)
    assert 0 < before.share < 1
    assert before.id == after.id
    assert after.evidence == pytest.approx(before.evidence, abs=1e-5)


def test_what_a_reader_may_not_see_is_not_taken_up():
    hidden = [each.model_copy(update={"name": "Sấy vải"}) for each in ALIKE[:1]]
    asker = matcher(technologies=ALIKE)
    known = {**asker.technologies, "A": hidden[0]}
    blind = replace(asker, technologies=known)
    assert ids(blind.rank(blind.text("sấy vải")).hits()) == ["A", "B", "C"]


def test_a_query_that_is_not_short_or_of_no_product_takes_up_nothing():
    asker = matcher(technologies=ALIKE)
    for query in (replace(asker.text("sấy vải"), stressed=False), asker.text("sấy hồng")):
        plainly, taken = asker.engine.rank(query, asker.provinces), asker.rank(query)
        assert list(plainly.hits()) == list(taken.hits()) != []


def test_the_place_ranks_and_excludes_nothing():
    asker, weights = lexical(), lexical().engine.weights
    here = asker.rank(asker.text("sấy vải", conditions=Conditions(place="Bắc Giang")))
    anywhere = asker.rank(asker.text("sấy vải"))
    parts = {hit.id: hit.parts["place"] for hit in here.hits()}
    assert sorted(ids(here.hits())) == sorted(ids(anywhere.hits()))
    assert parts["CN-1"] == weights.place  # Bắc Giang
    assert parts["CN-4"] == 0.0  # unknown: not near, not out


# Empty, filler, too long -------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("text", ["", "   ", "\n", "?!…", "---", "“”", "\u200b"])
def test_a_query_without_a_word_finds_nothing_and_says_so(made, text):
    found = made().answer(made().text(text))
    assert (found.matches, found.set_apart, found.total, found.found) == ((), (), 0, False)
    assert found.notices == ("Câu hỏi chưa có từ nào để tìm.",)


@BOTH
def test_a_query_of_filler_is_taken_at_its_word_and_says_so(made):
    found = made().answer(made().text("và cho của"))
    assert {"CN-1", "CN-6"} <= {match.technology.id for match in found.matches}
    assert not found.found
    (notice,) = found.notices
    assert "chỉ có từ chung" in notice


@BOTH
@pytest.mark.parametrize("joint", [" ", ",", "/", "\n"])
def test_a_query_of_ten_thousand_words_is_cut_and_says_so(made, joint):
    asker = made()
    words = ["sấy", "vải"] * 5000
    found = asker.answer(asker.text(joint.join(words)))
    assert found.matches[0].technology.id == "CN-1"
    assert found.notices == (f"Câu hỏi quá dài: chỉ dùng {MAX_SYLLABLES} tiếng đầu.",)
    cut = asker.answer(asker.text(joint.join(words[:MAX_SYLLABLES])))
    assert cut.notices == ()
    assert [match.hit for match in cut.matches] == [match.hit for match in found.matches]


def test_one_endless_word_is_answered():
    found = lexical().answer(lexical().text("x" * 200_000))
    assert found.matches == ()


def test_an_index_of_nothing_answers():
    for encoder in (None, Tiny()):
        asker = matcher([], encoder=encoder)
        for text in ("sấy vải", "say vai", "và", ""):
            assert asker.answer(asker.text(text)).total == 0


# One text, several encodings ---------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sấy vải bằng khí hòa", "Sấy vải bằng khí hoà"),
        ("thủy sản tôm", "thuỷ sản tôm"),
        ("giữ tươi", "giƣ̃ tươi"),
        ("sấy  vải\t", "sấy vải"),
        ("sấy vải", "sấy\u00a0vải"),
    ],
)
def test_other_spellings_of_the_same_text_get_the_same_bytes(made, one, other):
    pages = {
        page(made().answer(made().text(unicodedata.normalize(form, text))))
        for text in (one, other)
        for form in ("NFC", "NFD")
    }
    assert len(pages) == 1


@BOTH
@FEW
@given(queries)
def test_decomposed_text_gets_the_same_bytes(made, text):
    asker = made()
    decomposed = unicodedata.normalize("NFD", text)
    assert page(asker.answer(asker.text(decomposed))) == page(asker.answer(asker.text(text)))


@BOTH
@FEW
@given(queries)
def test_every_page_is_json_without_nan(made, text):
    json.dumps(payloads.answer(made().answer(made().text(text))), allow_nan=False)


# Text under NDA ----------------------------------------------------------------------------------

RESTRICTED = {
    "detail": "Công thức xúc tác zeolit ZX-9 cho vải và tôm, sấy bảo quản tưới.",
    "effect": "Tiết kiệm 45 % điện.",
    "contact": "Bà Trần Thị Kín",
    "cost_from": 1.0,
}


def other_secret():
    """The same collection, but what is under NDA in CN-8 says something else."""
    return [
        each.model_copy(update=RESTRICTED) if each.id == "CN-8" else each for each in TECHNOLOGIES
    ]


def without_secret():
    return [each.public() for each in TECHNOLOGIES]


def public_pages(technologies, encoder):
    """Every public answer that there is: searches, matches, lists, takers."""
    asker = matcher(technologies, encoder=encoder)
    texts = ("ao tôm", "vi khuẩn BX-77", "zeolit ZX-9", "sấy vải", "45 % điện", "Nguyễn Văn Thử")
    pages = [page(asker.answer(asker.text(text), 8)) for text in texts]
    pages += [page(asker.answer(asker.text("tôm"), 8, Filter(price_max=1000)))]
    pages += [page(asker.answer(asker.stated(need), 8)) for need in NEEDS]
    lists = [payloads.product_list(asker.for_product(each)) for each in asker.products.values()]
    takers = [
        payloads.taker(one) for each in asker.technologies.values() for one in asker.takers(each)
    ]
    return json.dumps([pages, lists, takers], ensure_ascii=False)


@pytest.mark.parametrize("encoder", [None, Tiny()], ids=["lexical", "dense"])
@pytest.mark.parametrize("changed", [other_secret, without_secret])
def test_text_under_nda_changes_no_byte_of_a_public_answer(encoder, changed):
    assert public_pages(changed(), encoder) == public_pages(TECHNOLOGIES, encoder)


def test_the_public_page_does_not_hold_what_is_under_nda():
    pages = public_pages(TECHNOLOGIES, None)
    assert "CN-8" in pages
    assert all(word not in pages for word in ("BX-77 khử", "92 %", "Ông Nguyễn", "900 triệu"))


@pytest.mark.parametrize("text", ["khử nitrit", "tỷ lệ sống"])
def test_who_may_read_it_finds_what_is_under_nda(text):
    reader = matcher(audience="all")
    found = reader.answer(reader.text(text))
    assert found.matches[0].technology.id == "CN-8"
    assert found.matches[0].technology.detail is not None
    assert lexical().answer(lexical().text(text)).total == 0


def test_a_public_record_shows_as_unknown_what_is_under_nda():
    (match,) = [
        each
        for each in lexical().answer(lexical().text("ao tôm")).matches
        if each.technology.id == "CN-8"
    ]
    assert payloads.match(match)["facts"]["Chi phí"] == "chưa rõ"


# Records and index -------------------------------------------------------------------------------


def test_a_record_that_the_store_no_longer_has_is_left_out():
    asker = lexical()
    fewer = replace(asker, technologies={"CN-2": asker.technologies["CN-2"]})
    assert [each.technology.id for each in fewer.answer(fewer.text("vải")).matches] == ["CN-2"]


def test_a_record_that_the_index_does_not_know_yet_is_no_hit():
    late = Technology(id="CN-9", name="Sấy vải bằng năng lượng mặt trời")
    rows = documents(TECHNOLOGIES, lexical().engine.lexicon)["public"]
    engine = Engine(Index.build(rows), None, lexical().engine.lexicon, lexical().engine.places)
    asker = Matcher.of(engine, [*TECHNOLOGIES, late], (), NEEDS, lexical().as_of)
    found = asker.answer(asker.text("sấy vải"))
    assert "CN-9" not in [each.technology.id for each in found.matches]
    assert asker.takers(late) == ()
