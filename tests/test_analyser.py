import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.text import Span, fold, normalise
from indexes.analyser import VIEWS, analyse, bigrams, segment, spans, terms

CALM = settings(deadline=None, max_examples=60)
_WORDS = (
    "bảo quản vải thiều làm giá thể hoặc hoà khoẻ thuỷ quý sấy lạnh Đồng Kỵ xơ dừa nấm rơm "
    "CNC 1-MCP rau_màu pH TP.HCM 1,5 0.3% 2025 45°C H2O, . ; ( ) “ ” – / \n - … @ a_b __ a@b.vn"
)
_SYLLABLES = _WORDS.split(" ")
SENTENCES = st.lists(st.sampled_from(_SYLLABLES), max_size=14).map(" ".join).map(normalise)
ANY_TEXT = st.one_of(SENTENCES, st.text(max_size=30).map(normalise))
PLAIN_WORDS = st.lists(
    st.sampled_from([each for each in _SYLLABLES if "°" not in each]), max_size=14
).map(" ".join)


def texts(found):
    return [span.text for span in found]


# By hand -----------------------------------------------------------------------------------------


def test_the_four_views_of_one_sentence():
    text = "Sấy vải thiều, giữ màu Đỏ."
    units = [
        Span("sấy", 0, 3),
        Span("vải", 4, 7),
        Span("thiều", 8, 13),
        Span("giữ", 15, 18),
        Span("màu", 19, 22),
        Span("đỏ", 23, 25),
    ]
    assert analyse(text) == {
        "words": [units[0], Span("vải_thiều", 4, 13), *units[3:]],
        "syllables": units,
        "bigrams": [
            Span("sấy_vải", 0, 7),
            Span("vải_thiều", 4, 13),
            Span("giữ_màu", 15, 22),
            Span("màu_đỏ", 19, 25),
        ],
        "unaccented": [
            Span("say", 0, 3),
            Span("vai", 4, 7),
            Span("thieu", 8, 13),
            Span("giu", 15, 18),
            Span("mau", 19, 22),
            Span("do", 23, 25),
            Span("say_vai", 0, 7),
            Span("vai_thieu", 4, 13),
            Span("giu_mau", 15, 22),
            Span("mau_do", 19, 25),
        ],
    }


def test_bigrams_find_the_word_that_the_segmenter_cuts_wrongly():
    found = terms("Công nghệ làm giá thể")
    assert found["words"] == ["công_nghệ", "làm_giá", "thể"]  # pyvi's mistake: it is "giá thể"
    assert "giá_thể" in found["bigrams"]
    assert "gia_the" in found["unaccented"]
    assert {"làm", "giá", "thể"} < set(found["syllables"])


def test_underscores_in_a_text_separate_syllables_and_never_stand_alone():
    assert analyse("rau_màu __ x_") == {
        "words": [Span("rau_màu", 0, 7), Span("x", 11, 12)],
        "syllables": [Span("rau", 0, 3), Span("màu", 4, 7), Span("x", 11, 12)],
        "bigrams": [Span("rau_màu", 0, 7), Span("màu_x", 4, 12)],
        "unaccented": [
            Span("rau", 0, 3),
            Span("mau", 4, 7),
            Span("x", 11, 12),
            Span("rau_mau", 0, 7),
            Span("mau_x", 4, 12),
        ],
    }


def test_numbers_keep_their_decimal_mark_and_names_lose_their_hyphen():
    found = terms("1-MCP 0.3% trong 1,5 tháng")
    assert found["syllables"] == ["1", "mcp", "0.3", "trong", "1,5", "tháng"]
    assert found["bigrams"] == ["1_mcp", "mcp_0.3", "0.3_trong", "trong_1,5", "1,5_tháng"]
    assert {"0.3", "1,5", "tháng"} < set(found["words"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Đạt OCOP.", ["đạt", "ocop"]),
        ("Theo VietGAP, GAP.", ["theo", "vietgap", "gap"]),
        ("A¡", ["a"]),
        ("viết: a.b@x.vn", ["viết", "a.b@x.vn"]),
    ],
)
def test_words_lose_the_punctuation_around_them(text, words):
    assert terms(text)["words"] == words


@pytest.mark.parametrize("text", ["", "\n", "... ?!", "( – / )", "___"])
def test_a_text_without_words_has_no_terms(text):
    assert terms(text) == {view: [] for view in VIEWS}


@pytest.mark.parametrize("mark", '.,;:!?()[]{}"“”\n–|/')
def test_bigrams_do_not_cross_the_end_of_a_clause(mark):
    text = f"sấy vải {mark} nhãn tươi"
    assert texts(bigrams(text, spans(text))) == ["sấy_vải", "nhãn_tươi"]
    assert not {"vải_nhãn", "vai_nhan"} & {term for view in terms(text).values() for term in view}


# Properties --------------------------------------------------------------------------------------


@CALM
@given(ANY_TEXT)
def test_offsets_slice_back_to_the_term(text):
    found = analyse(text)
    assert tuple(found) == VIEWS
    for span in found["syllables"]:
        assert text[span.start : span.end].lower() == span.text
    for span in found["words"]:
        piece = re.sub(r"[\s_]+", "_", text[span.start : span.end]).lower()
        assert piece == span.text or not piece.replace("_", "").isalnum()
        assert piece.startswith(span.text.split("_")[0])
        assert piece.endswith(span.text.split("_")[-1])
    for span in found["bigrams"]:
        left, right = span.text.split("_")
        piece = text[span.start : span.end].lower()
        assert piece.startswith(left)
        assert piece.endswith(right)
    for span in found["unaccented"]:
        piece = fold(text[span.start : span.end])
        assert piece.startswith(span.text.split("_")[0])
        assert piece.endswith(span.text.split("_")[-1])


@CALM
@given(SENTENCES)
def test_words_are_in_order_apart_and_cover_every_syllable(text):
    words = segment(text)
    assert all(one.end <= other.start for one, other in pairwise(words))
    covered = {place for word in words for place in range(word.start, word.end)}
    assert all(covered.issuperset(range(unit.start, unit.end)) for unit in spans(text))


@CALM
@given(PLAIN_WORDS)
def test_the_unaccented_view_is_that_of_the_text_typed_without_accents(text):
    text = normalise(text)
    assert analyse(text)["unaccented"] == analyse(fold(text))["unaccented"]


def test_a_query_typed_without_accents_meets_the_record():
    record = terms("Bảo quản vải thiều Đồng Kỵ")["unaccented"]
    query = terms("bao quan vai thieu dong ky")
    assert query["unaccented"] == record
    assert query["syllables"] == record[:6]


@CALM
@given(SENTENCES)
def test_decomposed_text_gives_the_same_terms_once_normalised(text):
    assert terms(normalise(unicodedata.normalize("NFD", text))) == terms(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [("nước hoà tan", "nước hòa tan"), ("thuỷ sản khoẻ", "thủy sản khỏe"), ("nƣớc", "nước")],
)
def test_other_spellings_of_a_word_give_the_same_terms_once_normalised(one, other):
    assert terms(normalise(one)) == terms(normalise(other))


@CALM
@given(SENTENCES)
def test_analysing_twice_gives_the_same(text):
    assert analyse(text) == analyse(text)
