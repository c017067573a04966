import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpus.text import Span, _rewrite, fold, has_accents, normalise, squeeze, syllables

_PLAIN = "aăâbcdđeêghiklmnoôơpqrstuưvxyAĂÂĐEÊOÔƠQUƯY"
_MARKS = "\u0300\u0301\u0302\u0303\u0306\u0309\u031b\u0323"
_JUNK = " \t\r\n\x00\x0b\x1f\x7f\x85\u00a0\u00ad\u200b\u200d\u2009\u2028\u3000\ufeffƣƢÐðƉ.,;-_015"
# Letters come decomposed, so that any order of marks and tone placement turns up.
VIETNAMESE = st.text(st.sampled_from(_PLAIN + _MARKS * 3 + _JUNK), max_size=40)
COMPOSED = VIETNAMESE.map(lambda text: unicodedata.normalize("NFC", text))
ANY_TEXT = st.one_of(VIETNAMESE, COMPOSED, st.text(max_size=30))
CALM = settings(deadline=None)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("hoà", "hòa"),
        ("HOÀ", "HÒA"),
        ("Hoà Bình", "Hòa Bình"),
        ("thuỷ", "thủy"),
        ("khoẻ", "khỏe"),
        ("hoạ", "họa"),
        ("toạ độ", "tọa độ"),
        ("luỹ", "lũy"),
        ("uỷ ban", "ủy ban"),
        ("hoá-lý, (xoá)", "hóa-lý, (xóa)"),
    ],
)
def test_a_tone_on_the_second_vowel_moves_to_the_first(written, stored):
    assert normalise(written) == stored
    assert normalise(stored) == stored


@pytest.mark.parametrize(
    "word",
    [
        "quý",
        "quỳ",
        "Quỹ",
        "QUÝ",
        "quà",
        "quả",
        "quẻ",
        "loại",
        "hoàn",
        "thoáng",
        "khoẻn",
        "thuỵch",
        "khuyến",
        "tuyết",
        "hoặc",
        "ngoặc",
        "khoặm",
        "hoắc",
        "xoắn",
        "thuở",
        "huệ",
        "tuế",
        "nguyễn",
        "oằn",
        "toẽn",
        "giày",
        "lúa",
        "mía",
        "cửa",
        "đã",
    ],
)
def test_a_tone_with_only_one_right_place_stays_there(word):
    assert normalise(word) == word
    assert normalise(unicodedata.normalize("NFD", word)) == word


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("nƣớc", "nước"),
        ("PHƢƠNG", "PHƯƠNG"),
        ("Ðồng Nai", "Đồng Nai"),
        ("ðất", "đất"),
        ("Ɖất", "Đất"),
        ("bảo\u00adquản", "bảoquản"),
        ("bảo\u200bquản", "bảoquản"),
        ("\ufeffbảo\u200c\u200d\u2060 quản", "bảo quản"),
        ("bảo\u00a0quản", "bảo quản"),
    ],
)
def test_look_alike_letters_and_invisible_characters_are_mended(written, stored):
    assert normalise(written) == stored


@pytest.mark.parametrize("control", [chr(n) for n in [*range(9), 11, 12, *range(14, 32), 127, 133]])
def test_a_control_character_becomes_a_space(control):
    assert normalise(f"a{control}b") == "a b"


@pytest.mark.parametrize("space", "\t\u00a0\u2002\u2003\u2009\u202f\u3000\u2028")
def test_every_kind_of_space_becomes_one_plain_space(space):
    assert normalise(f"a {space} b") == "a b"


def test_line_breaks_are_kept_and_lines_are_trimmed():
    assert normalise("  một \r\n\thai  ba \n\n bốn ") == "một\nhai ba\n\nbốn"


def test_empty_and_blank_texts_become_empty():
    assert [normalise(text) for text in ("", " \t\r\n ", "\u200b\ufeff")] == ["", "", ""]


@CALM
@given(ANY_TEXT)
@example("hoặc")
@example("\r\u200b\n")
def test_normalise_is_idempotent_and_its_result_is_nfc(text):
    once = normalise(text)
    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert all(char == "\n" or unicodedata.category(char) != "Cc" for char in once)


# Nearly every text is left alone by a look at it; the long way is the truth it must agree with.
@settings(deadline=None, max_examples=500)
@given(ANY_TEXT)
@example("một \n hai")
@example(" hai \n\nba\n")
@example("a\rb")
@example("a\x85b")
@example("\u212b")  # NFC of it is another letter
@example("oà\u20d0 oàn quý uý")
def test_a_look_finds_whatever_the_long_way_would_change(text):
    assert normalise(text) == _rewrite(text)


@pytest.mark.parametrize("frame", ["{}", "a{}b", "o{}", "oà{}", "a {}", "a\n{}", "q{}ý"])
def test_every_character_is_treated_alike_by_both_ways(frame):
    texts = (frame.format(chr(point)) for point in range(0x3100))
    assert [ascii(text) for text in texts if normalise(text) != _rewrite(text)] == []


@CALM
@given(VIETNAMESE)
def test_composed_and_decomposed_text_normalise_alike(text):
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert normalise(decomposed) == normalise(composed) == normalise(text)


@CALM
@given(st.text(st.sampled_from(_PLAIN + _MARKS + " "), max_size=40))
def test_normalise_moves_marks_but_changes_no_letter(text):
    assert fold(normalise(text)).split() == fold(text).split()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Đồng Kỵ", "dong ky"),
        ("đường", "duong"),
        ("NƯỚC MẮM", "nuoc mam"),
        (unicodedata.normalize("NFD", "Thủy sản ướp đá"), "thuy san uop da"),
        ("lúa 1,5 ha", "lua 1,5 ha"),
    ],
)
def test_fold_drops_case_accents_and_the_bar_of_d(text, folded):
    assert fold(text) == folded


@CALM
@given(VIETNAMESE)
def test_fold_is_idempotent_and_leaves_no_accent(text):
    folded = fold(text)
    assert fold(folded) == folded
    assert not has_accents(folded)


def test_has_accents_counts_the_bar_of_d_but_not_capitals():
    assert [has_accents(text) for text in ("lúa", "da", "đa", "Lua", "1,5", "")] == [
        True,
        False,
        True,
        False,
        False,
        False,
    ]


def test_syllables_are_found_with_their_case_and_offsets():
    assert list(syllables("Ổi, 1-MCP (rau_màu)")) == [
        Span("Ổi", 0, 2),
        Span("1", 4, 5),
        Span("MCP", 6, 9),
        Span("rau", 11, 14),
        Span("màu", 15, 18),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,5 ha", ["1,5", "ha"]),
        ("0.3%", ["0.3"]),
        ("1.000.000 đồng", ["1.000.000", "đồng"]),
        ("trồng lúa,3 vụ", ["trồng", "lúa", "3", "vụ"]),
        ("năm 2025, 2026.", ["năm", "2025", "2026"]),
        ("hết.5 loại", ["hết", "5", "loại"]),
    ],
)
def test_a_decimal_mark_binds_digits_only(text, found):
    assert [span.text for span in syllables(text)] == found


@CALM
@given(ANY_TEXT)
def test_syllable_offsets_slice_back_to_the_text_in_order(text):
    position = 0
    for span in syllables(text):
        assert text[span.start : span.end] == span.text != ""
        assert span.start >= position
        position = span.end
    assert not any(char.isalnum() for char in text[position:])


def test_squeeze_gives_one_key_for_one_label():
    labels = ["Lĩnh vực", "LĨNH  VỰC", "linh vuc", " Lĩnh\u00a0vực: ", "lĩnh_vực"]
    assert {squeeze(label) for label in labels} == {"linh vuc"}
