"""Files and folders into the store, every file and row accounted for."""

import pytest
from small import NEEDS, PRODUCTS, TECHNOLOGIES, lexicon

from corpus.records import Technology
from corpus.store import Store
from service.loading import READABLE, expand, load, sample_files

UNKNOWN = "ghi chú\nkhông có bản ghi nào\n"


def write(path, records):
    lines = (f"{each.model_dump_json(exclude_none=True)}\n" for each in records)
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path):
    """Three record files, a table of something else, and what gathers in folders."""
    made = tmp_path / "du lieu"
    (made / "cu").mkdir(parents=True)
    write(made / "2-cong-nghe.jsonl", TECHNOLOGIES)
    write(made / "1-san-pham.JSONL", PRODUCTS)
    write(made / "3-nhu-cau.jsonl", NEEDS)
    write(made / "cu" / "cong-nghe.jsonl", TECHNOLOGIES)
    (made / "ghi-chu.csv").write_text(UNKNOWN, encoding="utf-8")
    for name in (
        "doc-toi.txt",
        "so-lieu.xls",
        "anh.png",
        "readme.md",
        "~$2-cong-nghe.xlsx",
        ".DS_Store",
    ):
        (made / name).write_bytes(b"x")
    return made


def test_a_folder_is_the_record_files_in_it_by_name(folder):
    found, notices = expand([folder])
    assert [path.name for path in found] == [
        "1-san-pham.JSONL",
        "2-cong-nghe.jsonl",
        "3-nhu-cau.jsonl",
        "doc-toi.txt",
        "ghi-chu.csv",
        "so-lieu.xls",
    ]
    assert {each.file: each.text for each in notices} == {
        "cu": "đã bỏ qua: thư mục con",
        "anh.png": f"đã bỏ qua: không phải tệp {', '.join(READABLE)}",
        "readme.md": f"đã bỏ qua: không phải tệp {', '.join(READABLE)}",
    }


def test_files_stay_as_they_are_in_the_order_given(folder):
    paths = [folder / "so-lieu.xls", folder / "2-cong-nghe.jsonl", folder / "nowhere.csv"]
    assert expand(paths) == (paths, [])


def test_a_folder_loads_as_its_files_do(folder, tmp_path):
    files = [folder / f"{name}.jsonl" for name in ("2-cong-nghe", "3-nhu-cau")]
    one = load([folder / "1-san-pham.JSONL", *files], tmp_path / "one", lexicon())
    two = load([folder], tmp_path / "two", lexicon())
    assert two.saved == one.saved
    assert two.saved.added == len(PRODUCTS) + len(TECHNOLOGIES) + len(NEEDS)
    assert [each for each in two.counts if each.kind] == list(one.counts)
    with Store.open(tmp_path / "two") as store:
        assert {each.id for each in store.all(Technology)} == {each.id for each in TECHNOLOGIES}


def test_what_is_no_record_file_is_told(folder, tmp_path):
    report = load([folder], tmp_path / "data", lexicon())
    assert {(each.file, each.row) for each in report.rejected} == {
        ("ghi-chu.csv", 0),
        ("so-lieu.xls", 0),
    }
    assert [each.file for each in report.notices[:3]] == ["anh.png", "cu", "readme.md"]


def test_a_folder_without_record_files_is_rejected_by_name(tmp_path):
    (tmp_path / "trong").mkdir()
    (tmp_path / "trong" / "anh.png").write_bytes(b"x")
    report = load([tmp_path / "trong"], tmp_path / "data", lexicon())
    (rejected,) = report.rejected
    assert (rejected.file, rejected.row) == ("trong", 0)
    assert "thư mục" in rejected.message
    assert report.saved.added == 0


def test_the_sample_folder_loads_as_the_sample(tmp_path):
    folder = sample_files()[0].parent
    files, notices = expand([folder])
    assert {*sample_files()} < {*files}
    assert "README.md" in {each.file for each in notices}
    assert {each.name for each in files} - {each.name for each in sample_files()} == {
        "duplicates.tsv"
    }
