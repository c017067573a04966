"""Repair: what is mended, what is left alone, and that the original always comes back."""

import json
import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from benchmarks import damage
from corpus.bytewise import decode, encode
from corpus.choices import Choice
from corpus.edits import Draft, Edit, restore
from corpus.files import decode as load_text
from corpus.repair import mend
from corpus.syllables import inventory, is_syllable
from service.cli import app

CLEAN = (
    "Hợp tác xã bảo quản xoài bằng kho lạnh 25 tấn; giá thuê 1.200 đồng/kg, điện 3 pha.\n"
    "b) Máy sấy bơm nhiệt: 40 m3, H2SO4, p < 0,05, vitamin C và D, mô hình t-test (AI), 5×3.\n"
    "Ông Müller nói «công nghệ sạch» ở São Paulo; quán café mở cửa lúc 7 h.\n"
    "Bộ Kh&Cn; www.khuyencong.gov.vn, thu@sokhcn.vn, TP. HCM, ĐBSCL; xem Hình 2.a (trang 5).\n"
)
SPOKEN = (
    "việc chuyển giao kỹ thuật cho nông dân, hộ nuôi cá và trồng rừng ở vùng cao đã có kết quả; "
    "mỗi năm 25 hợp tác xã được hỗ trợ giống, phân bón và máy sấy. người dân tự giữ vườn quý. "
)


def test_a_syllable_is_an_onset_a_rime_and_a_tone():
    for word in ("nghiêng", "quốc", "gì", "giếng", "khuỷu", "thủy", "hòa", "quý", "Ủy", "uống"):
        assert is_syllable(word), word
    for word in ("ngi", "quô", "bảc", "tap", "nghan", "gìê", "ciếng", "hoà"):
        assert not is_syllable(word), word
    assert 15_000 < len(inventory()) < 20_000


@pytest.mark.parametrize(
    ("damaged", "mended"),
    [
        ("C«ng nghÖ b¶o qu¶n xoµi", "Công nghệ bảo quản xoài"),
        ("Coâng ngheä baûo quaûn xoaøi", "Công nghệ bảo quản xoài"),
        ("Hội nghị bàn vÒ c«ng nghÖ míi cña tØnh, kết quả tốt",
         "Hội nghị bàn về công nghệ mới của tỉnh, kết quả tốt"),
        ("Chƣơng trình của Ðảng", "Chương trình của Đảng"),
        ("хoài Sơn Lа", "xoài Sơn La"),  # two Cyrillic letters
        (unicodedata.normalize("NFD", "Thuỷ sản sạch"), "Thủy sản sạch"),
        ("Nhà nước h  trợ nh ng hộ nghèo", "Nhà nước hỗ trợ những hộ nghèo"),
        ("liên kết theo chu i giá trị", "liên kết theo chuỗi giá trị"),
        ("kế hoạch của t nh, thành phố", "kế hoạch của tỉnh, thành phố"),
    ],
)  # fmt: skip
def test_each_kind_of_damage_is_mended(damaged, mended):
    found = mend(damaged)
    assert found.text == mended
    assert found.original() == damaged


def test_clean_text_formulas_names_and_quotations_stay():
    assert mend(CLEAN, pages=False).text == CLEAN
    assert not mend(CLEAN, pages=False).changes


def test_what_is_not_sure_is_shown_and_not_made():
    found = mend("b n")  # bạn, bán, bản, bận, bốn …: nothing around to tell
    assert found.text == "b n"
    (offer,) = found.changes
    assert not offer.applied
    assert offer.confidence < 0.9
    assert is_syllable(offer.after)


def test_a_guess_within_the_name_of_a_person_is_offered_and_not_made():
    text = "Giám đốc là ông Huỳnh Th nh Đạt, còn nh ng người khác h  trợ t nh Hà T nh."
    found = mend(text, pages=False)
    assert "Huỳnh Th nh Đạt, còn những người khác hỗ trợ tỉnh Hà Tĩnh." in found.text
    assert [each.before for each in found.changes if not each.applied] == ["Th nh"]
    known = mend(f"Ông Huỳnh Thành Đạt phát biểu. {text}", pages=False)
    assert "ông Huỳnh Thành Đạt, còn" in known.text


def test_a_judge_decides_between_words_that_fit_one_place():
    asked: list[Choice] = []

    def judge(choices):
        asked.extend(choices)
        return [[20.0 * (word == each.words[1]) for word in each.words] for each in choices]

    text = "họ b n, cả nh ng người khác"
    found = mend(text, pages=False, judge=judge)
    (choice,) = asked  # "những" has no rival
    assert (choice.before, choice.after) == ("họ ", ", cả những người khác")
    assert found.text == f"họ {choice.words[1]}, cả những người khác"
    assert mend(text, pages=False).text == f"họ {choice.words[0]}, cả những người khác"


def test_a_font_that_lacks_a_letter_lost_no_other():
    whole = (
        "Luật quy định về an ninh mạng và trật tự. Hợp tác quốc tế về an ninh mạng và điện lực. "
        "Chính sách của Nhà nước về an ninh mạng và về môi trường. Báo cáo về đất đai và nhà ở. "
    ) * 2
    assert mend(damage.vanish(whole, "ề", 1.0, seed=1).text, pages=False).text == whole


def test_a_lost_first_letter_has_the_case_of_its_place():
    whole = "Nghị quyết của Đảng, Điều lệ Đảng và phạt 500.000 đồng. Đại hội toàn quốc của Đảng."
    assert mend(whole.replace("của Đảng,", "của  ảng,"), pages=False).text == whole
    assert mend(whole.replace("500.000 đ", "500.000  "), pages=False).text == whole
    assert mend(whole.replace("Đại", " ại"), pages=False).text == whole


def test_pages_lose_their_numbers_headings_marks_and_line_breaks():
    crops = ("xoài", "chuối", "nhãn", "bưởi")
    page = (
        "Báo cáo năm 2024\nCác hợp tác xã trồng {} đã đầu tư kho và nâng cao chất{}\n"
        "lượng {} tươi.\n\n{}\f"
    )
    text = "".join(page.format(crop, at, crop, at) for at, crop in enumerate(crops, 1))
    found = mend(text)
    for crop in crops:
        assert f"trồng {crop} đã đầu tư kho và nâng cao chất lượng {crop} tươi." in found.text
    assert "Báo cáo" not in found.text
    assert not any(letter.isdigit() for letter in found.text)
    assert found.original() == text
    first = found.changes[0]
    assert (first.line, first.column, first.before) == (1, 1, "Báo cáo năm 2024\n")


def test_a_change_upon_a_change_is_one_change_with_both_reasons():
    draft = Draft("một ƣu thế")
    draft.apply([Edit(4, 6, "ưu", "a"), Edit(7, 10, "thê", "b", 0.2)], 0.9)
    draft.apply([Edit(3, 7, "_", "c", 0.95)], 0.9)
    assert draft.text == "một_thế"
    made, offered = draft.changes()
    assert (made.start, made.end, made.after, made.reason, made.confidence) == (
        3,
        7,
        "_",
        "a + c",
        0.95,
    )
    assert (offered.start, offered.end, offered.applied) == (7, 10, False)
    assert restore(draft.text, draft.changes()) == "một ƣu thế"


PIECES = [
    *(
        "h  trợ",
        "C«ng nghÖ",
        "Coâng",
        "ƣu",
        "\n",
        "\n1\n",
        "nghệ1",
        "thuỷ",
        "a\u0300",
        " ",
        ".",
        "-\n",
    ),
    *("х", "đ c th ", "12", "\f", "\u200b", "tỉnh", "ế", "V ng", "a\u0300", "\ud800", "\r\n"),
]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=14).map("".join))
def test_the_original_comes_back(text):
    found = mend(text)
    assert found.original() == text
    applied = [change for change in found.changes if change.applied]
    assert all(a.end <= b.start for a, b in pairwise(applied))
    assert all(text[each.start : each.end] == each.before for each in found.changes)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=60) | st.text(max_size=20).map(lambda t: t.encode("utf-16", "surrogatepass"))
)
def test_the_bytes_come_back(data):
    text, name = decode(data)
    if text:
        assert encode(text, name) == data


@pytest.mark.parametrize("new", ["Hợp tác xã bảo quản xoài.", "Số liệu năm 2024", ""])
def test_lines_of_two_encodings_in_one_file_are_read_each_in_its_own(new):
    old = "Sở Khoa học và Công nghệ hỗ trợ máy sấy."
    table = damage.encoder("TCVN3")
    shown = "".join(table.get(letter, letter) for letter in old).encode("cp1252")
    data = b"\n".join([new.encode(), shown, new.encode(), shown]) + b"\r\n"
    text, name = decode(data)
    assert mend(text, pages=False).text == f"{new}\n{old}\n{new}\n{old}\r\n"
    assert encode(text, name) == data


def test_two_encodings_in_one_line_are_told_apart_and_a_broken_byte_is_neither():
    data = "Bảo quản xoài ở Sơn La bằng ".encode() + "c«ng nghÖ míi".encode("cp1252")
    text, name = decode(data)
    assert mend(text, pages=False).text == "Bảo quản xoài ở Sơn La bằng công nghệ mới"
    assert encode(text, name) == data
    assert decode("Bảo quản xo".encode() + b"\xc3i") == ("Bảo quản xo\udcc3i", "utf-8")


@pytest.mark.parametrize("encoding", ["TCVN3", "VNI", "VISCII"])
def test_old_encodings_come_back_out_of_a_mixed_file(encoding):
    text = SPOKEN * 8
    mixed = damage.legacy(text, encoding, seed=1)
    assert mixed != text
    mended = mend(mixed, pages=False).text
    wrong = sum(a != b for a, b in zip(mended, text, strict=True))
    assert wrong <= len(text) / 1000


def test_a_table_in_an_old_encoding_is_loaded_in_unicode(tmp_path: Path):
    path = tmp_path / "cu.csv"
    path.write_bytes("M·,Tªn c«ng nghÖ\nA1,SÊy l¹nh v¶i thiÒu\n".encode("cp1252"))
    text = load_text(path, path.read_bytes())
    assert text == "Mã,Tên công nghệ\nA1,Sấy lạnh vải thiều\n"


def test_the_command_writes_the_text_or_every_change(tmp_path: Path):
    path = tmp_path / "cu.txt"
    path.write_bytes("C«ng nghÖ míi".encode("latin-1"))
    run = CliRunner().invoke(app, ["repair", str(path)])
    assert run.exit_code == 0
    assert run.stdout == "Công nghệ mới"
    told = json.loads(CliRunner().invoke(app, ["repair", "-", "--json"], input="h  trợ xã").stdout)
    assert told["text"] == "hỗ trợ xã"
    assert told["changes"][0]["before"] == "h "
    refused = CliRunner().invoke(app, ["repair", str(tmp_path)])
    assert refused.exit_code != 0
