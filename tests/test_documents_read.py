"""Documents: blocks, tables, forms, places, and what is refused in which words."""

import papers
import pytest

from corpus import apart, archives, doc_pdf
from corpus.apart import Allowance, read_apart
from corpus.blocks import Grid, Line
from corpus.documents import read_document
from corpus.files import DEFAULT_LIMITS, Limits, UnreadableFile
from corpus.readers import read
from corpus.reading import read_content

HEAD = ["STT", "Tên công nghệ", "Chi phí", "Chi phí", "Đơn vị sở hữu"]
UNDER = ["STT", "Tên công nghệ", "từ (triệu đồng)", "đến (triệu đồng)", "Đơn vị sở hữu"]


@pytest.fixture
def written(tmp_path):
    def write(name, data):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return write


def content(path):
    return read_content(read_document(path, DEFAULT_LIMITS), path.name)


def records(path):
    """The records of a document and why other rows are none."""
    found = content(path)
    loaded = read([path], opener=lambda _: found.tables)
    told = [each.message for each in loaded.rejected]
    return [each.to_json() for each in loaded.records], told + [each[1] for each in found.refused]


def lines(document):
    return [each.text for each in document.blocks if isinstance(each, Line)]


def grids(document):
    return [[list(row) for row in each.rows] for each in document.blocks if isinstance(each, Grid)]


TABLE = [["Mã", "Tên"], ["CN-1", "Sấy"]]
SAME = {
    "a.docx": papers.docx("Đầu", TABLE, "Cuối"),
    "a.html": "<p>Đầu</p><table><tr><th>Mã<th>Tên<tr><td>CN-1<td>Sấy</table>Cuối",
    "a.rtf": papers.rtf("Đầu\n")[:-1]
    + rb"\trowd\intbl M\'e3\cell T\'ean\cell\row\intbl CN-1\cell S\u7845?y\cell\row"
    + rb"\pard Cu\u7889?i\par}",
    "a.doc": papers.doc("Đầu\rMã\x07Tên\x07\x07CN-1\x07Sấy\x07\x07Cuối\r"),
    "a.pdf": papers.pdf(
        [(50, 800, "Đầu"), *papers.ruled(50, 780, [60, 90], TABLE), (50, 600, "Cuối")]
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_every_format_says_the_same(name, written):
    document = read_document(written(name, SAME[name]), DEFAULT_LIMITS)
    assert lines(document) == ["Đầu", "Cuối"]
    assert grids(document) == [TABLE]
    assert [type(each) for each in document.blocks] == [Line, Grid, Line]


def test_places_are_told_as_people_count(written):
    page = [(50, 800 - 20 * n, f"dòng {n}") for n in range(1, 4)]
    document = read_document(written("to-trinh.pdf", papers.pdf(page, page)), DEFAULT_LIMITS)
    assert document.place(document.blocks[5]) == "trang 2 dòng 3"
    document = read_document(written("a.docx", papers.docx("một", "\fhai")), DEFAULT_LIMITS)
    assert [document.place(each) for each in document.blocks] == ["đoạn 1", "trang 2 đoạn 2"]
    document = read_document(written("a.txt", "một\n\nhai\fba"), DEFAULT_LIMITS)
    assert [document.place(each) for each in document.blocks] == [
        "trang 1 dòng 1",
        "trang 1 dòng 3",
        "trang 2 dòng 1",
    ]


def test_merged_cells_say_the_same_wherever_they_go(written):
    drawn = [[("a", 2, None), ("b", 1, "restart")], ["1", "2", ("", 1, "continue")]]
    expected = [["a", "a", "b"], ["1", "2", "b"]]
    document = read_document(written("a.docx", papers.docx(drawn)), DEFAULT_LIMITS)
    assert grids(document) == [expected]
    page = "<table><tr><td colspan=2>a<td rowspan=2>b<tr><td>1<td>2</table>"
    assert grids(read_document(written("a.html", page), DEFAULT_LIMITS)) == [expected]
    ruled = papers.ruled(50, 700, [50, 50], [["a", None], ["1", "2"]])
    document = read_document(written("a.pdf", papers.pdf(ruled)), DEFAULT_LIMITS)
    assert grids(document) == [[["a", "a"], ["1", "2"]]]


def test_headings_stand_below_titles_on_two_rows_with_sections_and_numbers(written):
    rows = [
        ["DANH SÁCH CÔNG NGHỆ"] * 5,
        HEAD,
        UNDER,
        ["(1)", "(2)", "(3)", "(4)", "(5)"],
        ["I. Trồng trọt"] * 5,
        ["1", "Sấy vải", "10", "20", "Viện A"],
        ["2", "Sấy nhãn", "nhiều", "", "Viện B"],
    ]
    (record,), (told,) = records(written("ds.docx", papers.docx(rows)))
    assert record["name"] == "Sấy vải"
    assert (record["cost_from"], record["cost_to"], record["owner"]) == (10, 20, "Viện A")
    assert record["extra"] == {"Mục": "I. Trồng trọt"}
    assert record["source"] == "ds.docx bảng 1 dòng 6"
    assert told.startswith('ds.docx bảng 1 dòng 7, cột "Chi phí từ (triệu đồng)"')


def test_a_table_goes_on_over_pages_and_its_headings_come_again(written):
    head = ["Mã", "Tên công nghệ", "Tỉnh"]
    pages = [
        [*papers.ruled(50, 700, [60, 120, 80], [head, [f"CN-{n}", f"Sấy {n}", "Hưng Yên"]]),
         (280, 30, str(n))]
        for n in (1, 2, 3)
    ]  # fmt: skip
    found, told = records(written("a.pdf", papers.pdf(*pages)))
    assert [each["id"] for each in found] == ["CN-1", "CN-2", "CN-3"]
    assert {each["source"] for each in found} == {
        "a.pdf trang 1 bảng 1 dòng 2",
        "a.pdf trang 1 bảng 1 dòng 4",
        "a.pdf trang 1 bảng 1 dòng 6",
    }
    assert told == []


def test_a_table_of_something_else_is_text(written):
    rows = [["Nội dung thực hiện", "Cơ quan chủ trì"], ["Vùng trồng vải còn thiếu nước", "Sở A"]]
    found = content(written("a.docx", papers.docx(rows)))
    assert found.tables == ()
    assert "Vùng trồng vải còn thiếu nước; Sở A" in found.running.text


PROPOSAL = """PHIẾU ĐỀ XUẤT NHIỆM VỤ
1. Tên nhiệm vụ (ghi rõ): Sấy vải bằng bơm nhiệt
2. Đơn vị đề xuất: HTX Lục Ngạn
3. Tính cấp thiết: Vải chín rộ,
bán không kịp.
4. Kinh phí NSNN (triệu đồng): 350
5. Người theo dõi: bà Thử
6. Xuất xứ: ………
Lục Ngạn, ngày 3 tháng 5 năm 2026
""".splitlines()


def test_one_record_for_each_form(written):
    need = [["1", "Tên công nghệ", "Máy tách vỏ"], ["2", "Đơn vị sở hữu", "Viện A"]]
    path = written("p.docx", papers.docx(*PROPOSAL, *PROPOSAL[:3], "HỒ SƠ CÔNG NGHỆ", need))
    found, told = records(path)
    assert told == [] or all("trùng mã" in each for each in told)
    proposals = [each for each in found if each["id"].startswith("DX")]
    assert proposals[0]["name"] == "Sấy vải bằng bơm nhiệt"
    assert proposals[0]["urgency"] == "Vải chín rộ, bán không kịp."
    assert proposals[0]["state_total"] == 350
    assert proposals[0]["extra"] == {"Người theo dõi": "bà Thử"}
    assert "origin" not in proposals[0]
    (technology,) = [each for each in found if each["id"].startswith("CN")]
    assert (technology["name"], technology["owner"]) == ("Máy tách vỏ", "Viện A")
    assert proposals[0]["source"] == "p.docx phiếu 1 dòng 1"


def test_a_form_without_title_is_known_by_its_labels(written):
    path = written("p.docx", papers.docx(*PROPOSAL[1:]))
    (record,), told = records(path)
    assert (record["proposer"], told) == ("HTX Lục Ngạn", [])


def test_a_form_that_names_nothing_is_told(written):
    text = ["Mục tiêu: tăng sản lượng", "Nội dung: sấy", "Đơn vị đề xuất: HTX", "Bắt đầu: 2026"]
    found, (told,) = records(written("p.docx", papers.docx(*text)))
    assert found == []
    assert 'thiếu cột "Tên nhiệm vụ"' in told


def test_old_letters_in_forms_and_cells_are_mended(written):
    rows = [["M·", "Tªn c«ng nghÖ", "TØnh"], ["CN-1", "C«ng nghÖ sÊy v¶i thiÒu", "x"]]
    (record,), _ = records(written("a.docx", papers.docx(rows)))
    assert record["name"] == "Công nghệ sấy vải thiều"
    assert record["province"] == "x"  # a mark is no syllable that lost letters


REFUSED = {
    "khoa.pdf": (papers.pdf([(50, 800, "x")], encrypted=True), "có mật khẩu"),
    "quet.pdf": (papers.pdf([], image=True), "bản quét"),
    "trang.pdf": (papers.pdf([]), "không có chữ nào"),
    "khong.pdf": (papers.pdf(), "không có trang nào"),
    "cut.pdf": (papers.pdf([(50, 800, "x")])[:150], "bị hỏng"),
    "hong.docx": (papers.zipped({"word/document.xml": "<w"}), "bị hỏng"),
    "bom.docx": (papers.docx("x", more={"a": b"\0" * 2**25}), "bất thường"),
    "rong.docx": (papers.docx(), "không có chữ nào"),
    "khoa.doc": (papers.doc("x", locked=True), "có mật khẩu"),
    "khoa.docx": (papers.ole({"EncryptedPackage": b"x", "EncryptionInfo": b"x"}), "có mật khẩu"),
    "rong.txt": (b"\n \n", "rỗng"),
    "nhi-phan.txt": (bytes(range(1, 32)) * 9, "nhị phân"),
}


def test_the_first_pages_of_a_very_long_pdf_are_read_and_the_rest_is_told(written, monkeypatch):
    monkeypatch.setattr(doc_pdf, "MAX_PAGES", 3)
    pages = [[(50, 800, f"Trang {number}")] for number in range(1, 6)]
    document = read_document(written("day.pdf", papers.pdf(*pages)), DEFAULT_LIMITS)
    assert [each.text for each in document.blocks] == ["Trang 1", "Trang 2", "Trang 3"]
    assert document.notices == (
        "tệp có 5 trang; chỉ đọc 3 trang đầu, hãy tách từ trang 4 thành tệp khác để đọc tiếp",
    )


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_told(name, written):
    data, words = REFUSED[name]
    with pytest.raises(UnreadableFile, match=words):
        read_document(written(name, data), DEFAULT_LIMITS)


def test_what_is_left_alone_is_told(written):
    link = (
        '<Relationship Type="http://x/attachedTemplate" TargetMode="External" Target="http://x"/>'
    )
    images = {f"word/media/{n}.png": b"" for n in range(150)}
    more = {"word/vbaProject.bin": b"x", "word/_rels/a.rels": link, **images}
    document = read_document(written("a.pdf", papers.docx("Xin chào", more=more)), DEFAULT_LIMITS)
    assert [each.split(";")[0] for each in document.notices] == [
        'tên tệp ghi ".pdf" nhưng nội dung là DOCX',
        "tệp có macro",
        "tệp có 1 liên kết nạp nội dung từ bên ngoài",
        "tệp có 150 hình",
    ]


def test_another_process_reads_the_same(written):
    path = written("a.docx", SAME["a.docx"])
    assert read_apart(path) == content(path)
    with pytest.raises(UnreadableFile, match="có mật khẩu"):
        read_apart(written("a.doc", REFUSED["khoa.doc"][0]))


def test_time_and_memory_are_limited(written, monkeypatch):
    path = written("a.txt", "Xin chào " * 4_000_000)
    with pytest.raises(UnreadableFile, match="bộ nhớ"):
        read_apart(path, allowed=Allowance(memory=150 * 2**20))

    def slow(*_args, timeout, **_):
        raise apart.subprocess.TimeoutExpired("x", timeout)

    monkeypatch.setattr(apart.subprocess, "run", slow)
    with pytest.raises(UnreadableFile, match="quá 7 giây"):
        read_apart(path, allowed=Allowance(seconds=7))


def test_archives_are_unpacked_or_refused(written, tmp_path):
    inside = {"a/một.txt": "x", "b.zip": papers.zipped({"c": "x"}), "__MACOSX/d.txt": "x"}
    found = archives.unpack(
        written("a.zip", papers.zipped(inside)), tmp_path / "ra", DEFAULT_LIMITS
    )
    assert [name for name, _ in found.files] == ["a/một.txt"]
    assert [name for name, _ in found.refused] == ["b.zip"]
    for name in ("../a.txt", "/a.txt", "C:\\a.txt", "a\\..\\..\\b"):
        with pytest.raises(UnreadableFile, match="ra ngoài"):
            path = written("a.zip", papers.zipped({"b.txt": "x", name: "x"}))
            archives.unpack(path, tmp_path / "khong", DEFAULT_LIMITS)
    assert not (tmp_path / "khong").exists()
    bomb = written("a.zip", papers.zipped({"a": b"\0" * 2**22}))
    with pytest.raises(UnreadableFile, match="bất thường"):
        archives.unpack(bomb, tmp_path / "khong", Limits(unpacked_bytes=2**21))


def printed(top, *rows, step=30):
    """Rows of (x, text) as lines of print without rules; a text of several lines goes on below."""
    return [
        (x, top - step * at - 12 * line, said)
        for at, row in enumerate(rows)
        for x, text in row
        for line, said in enumerate(text.split("\n"))
    ]


def test_columns_without_rules_are_a_table_also_over_pages(written):
    head = [
        (50, "Mã"),
        (110, "Tên công nghệ"),
        (330, "Chi phí từ"),
        (330, "\n(triệu đồng)"),
        (450, "Tỉnh"),
    ]
    first = [
        (50, "CN-\n001"),
        (110, "Quy trình sấy vải thiều\nbằng bơm nhiệt"),
        (330, "350"),
        (450, "Hưng Yên"),
    ]
    second = [(50, "CN-2"), (110, "Máy tách hạt"), (330, "80"), (450, "Bắc")]
    torn, third = (
        [(450, "Giang")],
        [(50, "CN-3"), (110, "Bẫy dẫn dụ"), (330, "7"), (450, "An Giang")],
    )
    running = [
        (50, 800 - 14 * n, "Sở tổng hợp các công nghệ chào bán trong năm như bảng dưới đây")
        for n in range(3)
    ]
    pages = [
        [*running, *printed(700, head, first, second)],
        [*printed(800, head, torn, third), *[(x, y - 200, text) for x, y, text in running]],
    ]
    path = written("a.pdf", papers.pdf(*pages))
    found, told = records(path)
    assert told == []
    assert [(each["id"], each["name"], each["cost_from"], each["province"]) for each in found] == [
        ("CN-001", "Quy trình sấy vải thiều bằng bơm nhiệt", 350, "Hưng Yên"),
        ("CN-2", "Máy tách hạt", 80, "Bắc Giang"),
        ("CN-3", "Bẫy dẫn dụ", 7, "An Giang"),
    ]
    assert found[0]["certainty"]["name"] == round(0.92 * 0.92, 3)  # the heading's and the cell's
    assert found[2]["source"] == "a.pdf trang 1 bảng 1 dòng 5"
    assert len(content(path).running.lines) == 6


def test_a_heading_over_two_columns_without_rules_names_both(written):
    rows = printed(
        700, [(367, "Chi phí")],
        [(50, "Mã"), (110, "Tên công nghệ"), (330, "từ (triệu đồng)"), (390, "đến (triệu đồng)")],
        [(50, "CN-1"), (110, "Sấy vải"), (330, "10"), (390, "20")],
        [(50, "CN-2"), (110, "Sấy nhãn"), (330, "30"), (390, "40")],
    )  # fmt: skip
    (table,) = content(written("a.pdf", papers.pdf(rows))).tables
    assert table.headings[2:] == ("Chi phí từ (triệu đồng)", "Chi phí đến (triệu đồng)")


def test_text_that_stands_in_columns_is_no_table(written):
    rows = [
        [(50, "UBND TỈNH"), (250, "CỘNG HÒA"), (450, "Mã")],
        [(50, "SỞ KHOA HỌC"), (250, "Độc lập"), (450, "Tên")],
        [(50, "Số: 12/BC"), (250, "An Giang, ngày 2"), (450, "x")],
    ]
    found = content(written("a.pdf", papers.pdf(printed(700, *rows))))
    assert (found.tables, "SỞ KHOA HỌC Độc lập" in found.running.text) == ((), True)


def test_every_field_says_how_surely_it_was_read(written):
    rows = [HEAD, UNDER, ["1", "Sấy vải bằng h  thống bơm nhiệt", "10", "20", "Viện A"]]
    (record,), _ = records(written("ds.docx", papers.docx(rows)))
    sure = record["certainty"]
    assert record["name"] == "Sấy vải bằng hệ thống bơm nhiệt"
    assert 0.8 < sure["name"] < 1  # a letter was put back
    assert (sure["owner"], sure["cost_from"]) == (1, 0.95)  # of a heading on two rows
    form = ["PHIẾU ĐỀ XUẤT NHIỆM VỤ", "1. Tên nhiệm vụ (ghi rõ): Sấy vải", "2. Đơn vị đề xuất: HTX"]
    (record,), _ = records(written("p.docx", papers.docx(*form)))
    assert {name: record["certainty"][name] for name in ("name", "proposer")} == {
        "name": 0.95,
        "proposer": 1,
    }


def test_how_surely_a_record_was_read_is_not_what_it_says(written):
    (record,) = read([written("a.csv", "Mã,Tên công nghệ\nCN-1,Sấy vải\n")]).records
    doubted = record.model_copy(update={"certainty": {"name": 0.5, "id": 0.95}})
    assert record.certainty == {} and doubted.doubtful == {"name": 0.5}
    assert doubted.content_hash() == record.content_hash()


MIXED = (
    "Cần máy sấy vải thiều.\n".encode()
    + "C«ng nghÖ sÊy v¶i thiÒu, qu¶ t\xad¬i\n".encode("cp1252")
    + "Giống lúa chịu mặn".encode()
)


def test_lines_of_two_encodings_and_hidden_marks_are_read(written):
    said = content(written("a.txt", MIXED)).running.text.split()
    expected = "Cần máy sấy vải thiều. Công nghệ sấy vải thiều, quả tươi Giống lúa chịu mặn"
    assert said == expected.split()
    rows = MIXED.replace(b"\n", b",Vi\xe1\xbb\x87n A\n")
    table = "Tên công nghệ,Đơn vị sở hữu\n".encode() + rows + b",x\n"
    (found,) = read([written("a.csv", b"M\xc3\xa3," + table.replace(b"\n", b"\n1,"))]).counts
    assert found.rows == 4


HIDDEN = "Cần \u202e\u200fm\u0430y s\u0430\u0301y v\u1ea3i cho b\u0430\u0300 \u0441on"  # Cyrillic


def test_marks_of_direction_and_letters_of_another_script_are_mended(written):
    path = written("a.docx", papers.docx(HIDDEN, [["Mã", "Tên công nghệ"], ["CN-1", HIDDEN]]))
    found = content(path)
    assert found.running.text == "Cần may sáy vải cho bà con"
    assert found.tables[0].rows[0].values[1] == "Cần may sáy vải cho bà con"


def test_a_document_of_ten_thousand_pictures_is_refused(written):
    pictures = {f"word/media/{n}.png": b"" for n in range(10_000)}
    path = written("a.docx", papers.docx("Xin chào", more=pictures))
    with pytest.raises(UnreadableFile, match="10002 phần"):
        read_document(path, DEFAULT_LIMITS)


def test_a_damaged_text_is_mended_within_the_limits(written):
    path = written("a.txt", "c u i h  tr  t nh v ng đ c th  " * 3000)
    with pytest.raises(UnreadableFile, match="quá 2 giây"):
        read_apart(path, allowed=Allowance(seconds=2))
