import datetime as dt
from dataclasses import replace
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from small import NEEDS, TECHNOLOGIES, TODAY, lexical, lexicon

from corpus.records import Technology
from corpus.text import Span, fold, normalise
from indexes.analyser import JOINT, spans
from matcher import explain
from matcher.explain import ADAPT, REFERENCE, SUITS, facts, highlights, label, passage, sentence
from matcher.model import DEFAULT
from matcher.need import from_text
from matcher.usefulness import KINDS, Curve
from service import show

FULL, BARE = TECHNOLOGIES[0], TECHNOLOGIES[6]


def query(text, product=None):
    return from_text(text, lexicon(), DEFAULT, product)


# Label -------------------------------------------------------------------------------------------


WEIGHTS = replace(DEFAULT, suits=0.6, adapts=0.2, adapts_own=0.1, adapts_near=0.05, found=0.5)
RELATIONS = st.sampled_from(["same", "broader", "near", "other", "unknown"])


@pytest.mark.parametrize(
    ("relation", "purpose", "usefulness", "expected"),
    [
        ("same", True, 0.6, SUITS),  # the threshold itself is enough
        ("same", True, 0.59, ADAPT),
        ("same", True, 0.1, ADAPT),  # less is asked where the purpose is met too
        ("same", True, 0.09, REFERENCE),
        ("same", False, 1.0, ADAPT),  # who asks for storage is not suited by a wine
        ("same", False, 0.79, ADAPT),
        ("same", False, 0.19, REFERENCE),
        ("broader", True, 0.6, SUITS),
        ("broader", True, 0.1, ADAPT),
        ("near", True, 1.0, ADAPT),  # another product never simply suits
        ("near", True, 0.05, ADAPT),
        ("near", True, 0.04, REFERENCE),
        ("near", False, 1.0, REFERENCE),
        ("other", True, 1.0, ADAPT),  # the same process for another product
        ("other", True, 0.19, REFERENCE),
        ("other", False, 1.0, REFERENCE),
        ("unknown", True, 0.6, SUITS),  # no product is named: the chance alone must do
        ("unknown", True, 0.59, ADAPT),
        ("unknown", True, 0.19, REFERENCE),
    ],
)
def test_the_label_follows_from_relation_purpose_and_chance(
    relation, purpose, usefulness, expected
):
    assert label(relation, purpose, usefulness, 0.5, WEIGHTS) == expected


@given(RELATIONS, st.booleans(), st.floats(0, 1))
def test_all_is_a_reference_where_the_collection_probably_has_no_answer(
    relation, purpose, usefulness
):
    assert label(relation, purpose, usefulness, 0.49, WEIGHTS) == REFERENCE


@given(RELATIONS, st.booleans(), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_better_chance_never_gets_a_lower_label(
    relation, purpose, usefulness, more, answerable, also
):
    rank = [REFERENCE, ADAPT, SUITS].index
    lower = label(relation, purpose, usefulness, answerable, WEIGHTS)
    higher = label(relation, purpose, max(usefulness, more), max(answerable, also), WEIGHTS)
    assert rank(higher) >= rank(lower)


# What is lacking ---------------------------------------------------------------------------------


def lacking(technology, text, relation, stages=(), processes=()):
    return explain.lacks(technology, query(text), relation, stages, processes, lexicon())


def test_a_miss_lacks_the_product_the_process_and_the_words():
    assert lacking(BARE, "Sấy vải", "other") == (
        "dành cho sản phẩm khác; không nói đến sấy; không có các từ: sấy vải"
    )
    assert lacking(BARE, "Sấy vải", "near").startswith("dành cho sản phẩm gần;")


def test_a_process_that_meets_is_not_lacking():
    assert lacking(FULL, "Sấy vải", "same", ["chế biến"], ["sấy"]) == ""


def test_a_stage_is_told_only_where_no_process_is_asked():
    asked = replace(query("vải"), stages=frozenset({"chế biến"}))
    told = [
        explain.lacks(BARE, asked, "same", stages, (), lexicon()) for stages in ((), ("chế biến",))
    ]
    assert told == ["không thuộc khâu chế biến", ""]


def test_a_word_that_the_record_never_says_is_lacking_and_at_most_four():
    asked = replace(
        query("vải"),
        terms={"words": dict.fromkeys([f"từ{JOINT}{n}" for n in "abcde"] + [f"bơm{JOINT}nhiệt"])},
    )
    told = explain.lacks(FULL, asked, "same", (), (), lexicon())
    assert told == "không có các từ: từ a, từ b, từ c, từ d"


# Sentence ----------------------------------------------------------------------------------------


def told(technology, text, relation, stages=(), processes=(), as_of=TODAY):
    products = technology.products
    return sentence(technology, products, query(text), relation, stages, processes, as_of)


def test_the_sentence_says_relation_process_use_and_age():
    assert told(FULL, "sấy vải", "same", ["chế biến"], ["sấy", "bảo quản"]) == (
        "Cùng sản phẩm (vải); cùng quá trình: sấy. "
        "Đã áp dụng tại Lục Ngạn, Bắc Giang và 1 nơi khác. "
        "Công bố năm 2021 (5 năm trước)."  # 2026 - 2021
    )


def test_what_is_missing_is_unknown_and_not_left_out():
    assert told(BARE, "sấy vải", "unknown") == ("Nơi đã áp dụng: chưa rõ. Năm công bố: chưa rõ.")


@pytest.mark.parametrize(
    ("relation", "start"),
    [
        ("broader", "Dùng chung cho nhóm sản phẩm (vải). "),
        ("near", "Sản phẩm gần (vải), cần kiểm tra lại thông số. "),
        ("other", "Sản phẩm khác (vải). "),
    ],
)
def test_the_sentence_says_how_another_product_relates(relation, start):
    assert told(FULL, "bảo quản", relation).startswith(start)


def test_the_stage_is_told_only_where_no_process_meets():
    assert told(BARE, "sấy vải", "unknown", ["chế biến"], ["tưới"]).startswith(
        "Cùng khâu chế biến."
    )
    assert "khâu" not in told(BARE, "sấy vải", "unknown", ["chế biến"], ["sấy"])


def test_acceptance_is_told_with_its_number_and_day():
    accepted = FULL.model_copy(
        update={"acceptance_no": "12/QĐ", "acceptance_date": dt.date(2022, 2, 3)}
    )
    assert "Nghiệm thu số 12/QĐ ngày 03/02/2022." in told(accepted, "sấy", "same")


@pytest.mark.parametrize(
    ("year", "age"),
    [
        (2026, "Công bố năm 2026."),
        (2025, "Công bố năm 2025 (1 năm trước)."),
        (2027, "Công bố năm 2027."),
    ],
)
def test_age_is_counted_to_the_day_asked_for_and_never_negative(year, age):
    technology = Technology(id="T", name="Lò", year=year)
    assert told(technology, "lò", "unknown").endswith(age)


# Facts -------------------------------------------------------------------------------------------


def test_facts_that_nobody_stated_are_unknown():
    assert facts(BARE) == dict.fromkeys(
        ("Chi phí", "TRL", "Đơn vị", "Tỉnh", "Hiệu lực đến"), "chưa rõ"
    )


def test_stated_facts_are_shown_the_vietnamese_way():
    assert facts(FULL) == {
        "Chi phí": "150–300 triệu đồng",
        "TRL": "8",
        "Đơn vị": "Viện Thử Nghiệm",
        "Tỉnh": "Bắc Giang",
        "Hiệu lực đến": "31/12/2027",
    }


@pytest.mark.parametrize(
    ("costs", "price"),
    [
        ({"cost_from": 1500}, "từ 1.500 triệu đồng"),
        ({"cost_to": 80}, "đến 80 triệu đồng"),
        ({"cost_from": 50, "cost_to": 50}, "50 triệu đồng"),
        ({"cost_from": 0, "cost_to": 2.5}, "0–2,5 triệu đồng"),
        ({"cost_from": 0}, "từ 0 triệu đồng"),  # free is known, not missing
        ({"cost_to": 0}, "đến 0 triệu đồng"),
    ],
)
def test_a_price_is_told_as_far_as_it_is_known(costs, price):
    assert facts(Technology(id="T", name="Lò", **costs))["Chi phí"] == price


# Highlights --------------------------------------------------------------------------------------


def found(text, asked):
    return [span.text for span in highlights(text, query(asked), lexicon())]


def test_neighbouring_words_are_one_highlight_and_filler_is_none():
    text = "Sấy vải bằng bơm nhiệt cho quả vải"
    assert found(text, "sấy vải cho bơm") == ["Sấy vải", "bơm", "vải"]


def test_words_across_punctuation_stay_apart():
    assert found("sấy, vải", "sấy vải") == ["sấy", "vải"]


def test_a_query_with_accents_highlights_only_the_same_accents():
    assert found("vải và vai", "vải") == ["vải"]


def test_a_query_without_accents_highlights_words_under_any():
    assert found("Bảo quản vải tươi ở vai", "bao quan vai") == ["Bảo quản vải", "vai"]


def test_what_was_restored_is_highlighted_as_it_was_ranked():
    asked = replace(query("bao quan vai"), restored=query("bảo quản vải"))
    marks = highlights("Bào vải cũ, bảo quản vải tươi", asked, lexicon())
    assert [span.text for span in marks] == ["vải", "bảo quản vải"]
    planed = Technology(id="T", name="Bào quả vai")
    assert explain.lacks(planed, asked, "same", (), (), lexicon()).endswith("các từ: bảo quản")


def test_the_other_regions_word_is_highlighted_too():
    assert found("Bảo quản dứa", "bảo quản khóm") == ["Bảo quản dứa"]


@given(
    st.text("sấy vải đỏ.,;-\n CHO và3%") | st.text(),
    st.sampled_from(["sấy vải", "say vai do", "đỏ 3", "và cho", "!"]),
)
def test_highlights_slice_back_to_the_text_in_order_without_overlap(raw, asked):
    text = normalise(raw)
    marks = highlights(text, query(asked), lexicon())
    assert all(text[mark.start : mark.end] == mark.text for mark in marks)
    ends = [0, *(mark.end for mark in marks)]
    assert all(mark.start >= end for mark, end in zip(marks, ends, strict=False))
    wanted = {fold(term) for term in query(asked).content}
    assert {fold(unit.text) for mark in marks for unit in spans(mark.text)} <= wanted


def test_the_passage_is_the_field_that_says_more_different_words():
    technology = Technology(
        id="T", name="Lò", summary="Sấy, sấy, sấy và sấy.", detail="Để sấy quả vải."
    )
    field, marks = passage(technology, query("sấy vải"), lexicon())
    assert field == "detail"
    assert [mark.text for mark in marks] == ["sấy", "vải"]


def test_the_summary_is_shown_where_detail_says_no_more():
    technology = Technology(id="T", name="Lò", summary="Sấy vải.", detail="Vải sấy.")
    assert passage(technology, query("sấy vải"), lexicon())[0] == "summary"
    assert passage(BARE, query("sấy vải"), lexicon()) == ("summary", ())


def test_every_match_of_the_collection_slices_back_to_its_field():
    matches = [
        match
        for need in NEEDS
        for answer in [lexical().answer(lexical().stated(need))]
        for match in (*answer.matches, *answer.set_apart)
    ]
    marked = [
        (getattr(match.technology, match.explanation.passage.field), mark)
        for match in matches
        for mark in match.explanation.passage.highlights
    ]
    assert len(marked) > 5
    assert all(text[mark.start : mark.end] == mark.text for text, mark in marked)


# Shares ------------------------------------------------------------------------------------------


def test_the_shares_of_a_score_are_its_parts_under_vietnamese_names():
    (hit, *_) = lexical().rank(lexical().stated(NEEDS[0])).hits()
    assert sorted(explain.shares(hit).values()) == sorted(hit.parts.values())
    assert set(hit.parts) <= set(explain.PARTS)


# Excerpt -----------------------------------------------------------------------------------------


def excerpt(text, word):
    marks = tuple(span for span in spans(text) if span.text == word)
    return show._excerpt(text, marks)


def marked(shown):
    return [
        shown.plain[span.start : span.end] for span in shown.spans if "underline" in str(span.style)
    ]


def test_a_short_text_is_shown_whole():
    shown = excerpt("Lò sấy vải.", "vải")
    assert (shown.plain, marked(shown)) == ("Lò sấy vải.", ["vải"])


def test_a_long_text_is_cut_around_its_first_mark_at_whole_words():
    text = "đầu " * 100 + "vải " + "sau " * 100
    shown = excerpt(text.strip(), "vải")
    assert shown.plain.startswith("… đầu ")
    assert shown.plain.endswith(" sau …")
    assert len(shown.plain) <= show.EXCERPT + len("… ") + len(" …")
    assert marked(shown) == ["vải"]


def test_a_mark_at_the_end_of_a_long_text_is_shown():
    shown = excerpt("đầu " * 100 + "vải", "vải")
    assert shown.plain.endswith("đầu vải")
    assert marked(shown) == ["vải"]


def test_a_text_without_a_mark_is_cut_from_its_beginning():
    shown = excerpt("đầu " * 100, "vải")
    assert shown.plain.startswith("đầu đầu")
    assert marked(shown) == []


@pytest.mark.parametrize("text", ["x" * 5000, "vải " + "x" * 5000, "x" * 5000 + " vải"])
def test_a_text_without_spaces_is_cut_all_the_same(text):
    assert len(excerpt(text, "vải").plain) <= 2 * show.EXCERPT


@given(st.lists(st.sampled_from(["vải", "sấy", "x" * 30, "a\nb"]), max_size=150))
def test_what_an_excerpt_marks_are_the_words_that_matched(words):
    shown = excerpt(" ".join(words), "vải")
    assert set(marked(shown)) == ({"vải"} if "vải" in words else set())
    assert "\n" not in shown.plain


# On the screen -----------------------------------------------------------------------------------


def printed(answer, **options):
    console = Console(file=StringIO(), width=200)
    show.answer(console, answer, **options)
    return console.file.getvalue()


def test_an_answer_shows_label_reason_facts_and_apart_what_breaks_a_rule():
    matcher = lexical()
    text = printed(matcher.answer(matcher.text("sấy nhãn")))
    assert "Không đạt điều kiện bắt buộc" in text
    assert "hết hiệu lực từ 30/06/2025" in text  # CN-3
    below = text.index("Không đạt điều kiện bắt buộc")
    assert text.index("CN-3") > below
    assert "Chi phí: đến 80 triệu đồng" in text


def test_nothing_found_is_told_with_the_nearest_miss_and_what_it_lacks():
    never = replace(lexical().usefulness, needs=dict.fromkeys(KINDS, Curve(-20.0, {})))
    asker = replace(lexical(), usefulness=never)
    answer = asker.answer(asker.text("tưới nhỏ giọt cho nhãn bằng tàu vũ trụ"))
    missing = answer.nearest.explanation.lacks
    text = printed(answer)
    assert "Chưa tìm thấy trong cơ sở dữ liệu." in text
    assert answer.nearest.technology.id in text
    assert missing
    assert f"Còn thiếu: {missing}." in text
    assert text.count("[tham khảo]") == 1


def test_numbers_come_on_demand_only():
    matcher = lexical()
    answer = matcher.answer(matcher.text("sấy vải"))
    assert "Điểm" not in printed(answer)
    best = answer.matches[0].hit
    assert f"Điểm {best.score:.3f} = từ ngữ {best.parts['words']:+.3f}" in printed(
        answer, parts=True
    )


def test_brackets_in_a_record_are_text_and_not_style():
    strange = Technology(id="T[/b]", name="Lò [bold]sấy[/] [/x]", summary="[red]sấy[/green]")
    span = Span("sấy", 5, 8)
    matcher = lexical()
    answer = matcher.answer(matcher.text("sấy vải"))
    told = explain.Explanation(SUITS, "[/y]", find=lambda: explain.Passage("summary", (span,)))
    match = type(answer.matches[0])(strange, answer.matches[0].hit, told)
    text = printed(type(answer)(answer.query, (match,)))
    assert "Lò [bold]sấy[/] [/x]  T[/b]" in text
    assert "[red]sấy[/green]" in text
