"""Run files: what was written is read back, and what is wrong is told with file and line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.evaluate import trec
from matcher.runs import RunError, read_run
from matcher.testsets import TestSetError

IDS = (
    st.text("aN1- ọ", min_size=1, max_size=6).map(lambda text: " ".join(text.split())).filter(bool)
)
GOOD = "q1 Q0 a 1 0.5 x\n"


def put(tmp_path, text):
    path = tmp_path / "run.trec"
    path.write_text(text, encoding="utf-8")
    return path


def test_records_are_ordered_by_rank_not_by_line_or_score(tmp_path):
    lines = "q2 Q0 b 2 0.9 x\nq1\tQ0\ta\t1\t0.5\tx\n\nq2 Q0 c 10 0.9 x\nq2 0 a 1 0.1 x\n"
    assert read_run(put(tmp_path, lines)) == {"q1": ["a"], "q2": ["a", "b", "c"]}


@given(st.dictionaries(IDS, st.lists(IDS, min_size=1, max_size=4, unique=True), min_size=1))
def test_what_evaluate_writes_is_read_back(tmp_path_factory, run):
    scored = {key: [(record, 0.5) for record in found] for key, found in run.items()}
    path = put(tmp_path_factory.mktemp("run"), "\n".join(trec(scored)) + "\n")
    assert read_run(path) == run


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("q1 Q0 a 1", "cần 6 cột: truy vấn, Q0, bản ghi, thứ hạng, điểm, tên"),
        ("q1,Q0,a,1,0.5,x", "cần 6 cột"),
        ("q1 Q0 a một 0.5 x", 'thứ hạng "một" không phải số nguyên'),
        ("q1 Q0 b -1 0.5 x", 'thứ hạng "-1"'),
        ("q1 Q0 b 2 nan x", 'điểm "nan" không phải số'),
        ("q1 Q0 b 2 cao x", 'điểm "cao" không phải số'),
        ("q1 Q0 b 1 0.4 x", "thứ hạng 1 của q1 đã dùng cho a"),
        ("q1 Q0 a 2 0.4 x", "q1 – a đã có ở dòng 1"),
        ("q1 Q0 " + "b " * 3000 + "2 0.4 x", "cần 6 cột"),
    ],
)
def test_a_bad_line_is_told_by_file_and_line(tmp_path, line, told):
    path = put(tmp_path, GOOD + "\n" + line + "\n")
    with pytest.raises(RunError) as caught:
        read_run(path)
    assert str(caught.value).startswith(f"{path} dòng 3: ")
    assert told in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 200


def test_a_file_without_lines_or_without_text_is_told(tmp_path):
    with pytest.raises(RunError, match="không có dòng nào"):
        read_run(put(tmp_path, "\n\n"))
    with pytest.raises(TestSetError, match="thiếu tệp"):
        read_run(tmp_path / "none.trec")
    (tmp_path / "run.trec").write_bytes(GOOD.encode() + b"\xff\n")
    with pytest.raises(TestSetError, match="dòng 2: không phải chữ UTF-8"):
        read_run(tmp_path / "run.trec")
