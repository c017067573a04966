"""corpus.pests: what is fought is read from a text, and another pest is another job."""

import pytest

from corpus.lexicon_tables import TableError, data_folder
from corpus.pests import FILE, Pests
from matcher import fought

HEADING = "name,parent,wide,words,related,avoid\n"


@pytest.fixture(scope="module")
def pests():
    return Pests.load(data_folder())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Trị sâu đầu đen hại dừa", ("sâu đầu đen",)),
        ("tri sau dau den hai dua", ("sâu đầu đen",)),
        ("Lúa bị rầy nâu, đạo ôn cổ bông", ("rầy nâu", "đạo ôn")),
        ("heo bị tả châu Phi, ASF", ("dịch tả lợn châu Phi",)),
        ("Coffee berry borer traps", ("mọt đục quả cà phê",)),
        ("Bọ xít bắt mồi thay thuốc trừ sâu", ()),  # the enemy of a pest, and what is replaced
        ("máy sấy bơm nhiệt", ()),
    ],
)
def test_pests_are_named_as_people_write_them(pests, text, named):
    assert pests.named(text) == named


def test_a_general_word_asks_against_anything_and_a_narrow_one_decides(pests):
    assert pests.asked("vườn nhiều sâu bệnh") == frozenset()
    assert pests.asked("sâu bệnh, nhất là rầy nâu và các loại rầy") == {"rầy nâu"}


def test_a_record_fights_what_it_names_and_everything_only_by_its_title(pests):
    passing = "Giảm sâu bệnh, trừ rầy nâu."
    assert pests.told("Bẫy đèn thông minh", passing) == {"rầy nâu"}
    assert pests.told("Quản lý sâu bệnh hại lúa", passing) == {"dịch hại", "rầy nâu"}


@pytest.mark.parametrize(
    ("asked", "told", "relation"),
    [
        ("sâu đầu đen", "bọ dừa", "other"),  # caterpillar, beetle: both only "sâu hại"
        ("rầy nâu", "rầy lưng trắng", "near"),
        ("thán thư", "nấm bệnh", "same"),  # a remedy for fungi answers for it
        ("greening", "rầy chổng cánh", "same"),  # by way of its vector
        ("greening", "rầy", "same"),
        ("greening", "rầy nâu", "other"),
        ("rầy nâu", "dịch hại", "same"),
        ("EHP", "đốm trắng tôm", "other"),
    ],
)
def test_relations_are_those_of_the_tree(pests, asked, told, relation):
    assert pests.relation([asked], [told]) == relation


def test_the_best_of_several_counts_and_silence_says_nothing(pests):
    assert pests.relation(["đạo ôn", "rầy nâu"], ["bạc lá", "rầy nâu"]) == "same"
    assert pests.relation([], ["rầy nâu"]) == pests.relation(["rầy nâu"], []) == "unknown"


def test_another_pest_caps_the_label_and_says_so(pests):
    assert fought.capped("phù hợp", "other") == "tham khảo"
    assert fought.capped("phù hợp", "near") == "cần điều chỉnh"
    assert fought.capped("phù hợp", "unknown") == fought.capped("phù hợp", "same") == "phù hợp"
    told = fought.reason(["sâu đầu đen"], ["bọ dừa"], pests)
    assert told == "xử lý bọ dừa, không phải sâu đầu đen"
    assert fought.reason(["sâu đầu đen"], ["sâu đầu đen", "bọ dừa"], pests) == ""


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("rầy nâu,rầy,,,,\n", 'dòng 2, cột "parent": không có "rầy"'),
        ("a,,,rệp,,\nb,,,rệp,,\n", 'dòng 3, cột "words": "rệp" đã thuộc về "a"'),
        ("a,,,,c,\n", 'dòng 2, cột "related": không có "c"'),
    ],
)
def test_a_bad_cell_is_told_with_its_place(tmp_path, rows, problem):
    (tmp_path / FILE).write_text(HEADING + rows, encoding="utf-8")
    with pytest.raises(TableError) as told:
        Pests.load(tmp_path)
    assert problem in str(told.value)


def test_tables_copied_before_there_were_pests_still_load(pests, tmp_path):
    assert Pests.load(tmp_path).known == pests.known
