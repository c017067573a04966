"""Nhập dữ liệu in the browser: upload, columns, preview, load, report, rejected rows."""

import io
import re
import threading
from dataclasses import asdict

import openpyxl
import papers
import pytest
from fastapi.testclient import TestClient
from small import NEEDS, PRODUCTS, TECHNOLOGIES, TODAY

from corpus.records import Need, Technology
from corpus.store import Store
from corpus.workflow import Suggestion
from service import importing
from service.app import create_app
from service.importing import Progress
from service.imports import LOCK
from service.uploads import Uploads
from service.workspace import Workspace

pytestmark = pytest.mark.usefixtures("tables_read_once")
FAIR = (
    "STT;Cơ sở;Vướng mắc cần giải quyết;Tỉnh nào;Vốn (nghìn đồng);ĐT\n"
    "1;Xưởng A;Cần cách sấy dẻo quả vải giữ màu đỏ vỏ mà tốn ít điện hơn lò than đang dùng;"
    "Bắc Giang;200.000;0912 345 678\n"
    "2;Xưởng B;Cần giữ quả tươi khi đi tàu biển ba mươi ngày mà không dùng hóa chất nào;"
    "Bắc Giang;nhiều;0905 111 222\n"
)


@pytest.fixture
def space(tmp_path):
    made = Workspace(tmp_path / "data")
    with Store.create(made.folder) as store:
        store.save([*PRODUCTS, *TECHNOLOGIES, *NEEDS])
    return made


@pytest.fixture
def client(space):
    app = create_app(space, TODAY, every=0.0)
    headers = {"accept": "text/html"}
    with TestClient(app, base_url="http://localhost", headers=headers) as made:
        yield made


def upload(client, data=FAIR, name="phiếu hội chợ.csv"):
    data = data.encode() if isinstance(data, str) else data
    return client.post("/nhap-du-lieu", files={"tep": (name, data)})


def token_of(answer):
    assert answer.status_code == 200, answer.text
    return re.search(r"/nhap-du-lieu/([0-9a-f]{32})", str(answer.url))[1]


def chosen(page):
    """What the mapping page would send as it stands."""
    form = {}
    for name, body in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.S):
        found = re.search(r'<option value="([^"]*)" selected', body)
        form[name] = found[1] if found else ""
    for name in re.findall(r'<input type="checkbox" name="([^"]+)" value="1" checked', page):
        form[name] = "1"
    return form


def state(space):
    with Store.open(space.folder) as store:
        return store.state()


def finish(client, token):
    for _ in range(200):
        page = client.get(f"/nhap-du-lieu/{token}/ket-qua").text
        if "data-look-again" not in page:
            return page
        threading.Event().wait(0.05)
    raise AssertionError("loading did not end")


def test_an_unknown_product_is_answered_with_the_nearest_of_the_store(client):
    sent = upload(client, "Sản phẩm;Nội dung nhu cầu\nVải thiều Lục Ngạn sớm;Cần cách sấy dẻo\n")
    page = client.post(f"/nhap-du-lieu/{token_of(sent)}", data=chosen(sent.text)).text
    assert "có phải là &#34;SP-1&#34; (Vải thiều Lục Ngạn)?" in page


def test_a_strangers_file_is_mapped_seen_loaded_and_its_faults_come_back(space, client):
    before = state(space)
    answer = upload(client)
    token, form = token_of(answer), chosen(answer.text)
    assert form["loai-0"] == "need"
    assert (form["cot-0-0"], form["cot-0-2"], form["cot-0-3"]) == ("-", "text", "province")
    assert form["ma-0"] == "1"
    assert "đoán theo nội dung" in answer.text and "chắc chắn" in answer.text
    form |= {"cot-0-1": "asker", "cot-0-4": "budget"}
    refused = client.post(f"/nhap-du-lieu/{token}", data=form)
    assert refused.status_code == 422 and "Mã sản phẩm" in refused.text
    seen = client.post(
        f"/nhap-du-lieu/{token}", data={**form, "chung-0-product": "Vải thiều Lục Ngạn"}
    )
    assert str(seen.url).endswith("/xem-truoc")
    assert "<strong>1</strong> bản ghi mới" in seen.text
    assert "Bị từ chối: 1 dòng" in seen.text and "cần số tiền" in seen.text
    assert "<td>Vốn (nghìn đồng) <span" in seen.text  # the heading that people know
    assert state(space) == before  # nothing yet
    client.post(f"/nhap-du-lieu/{token}/nap")
    page = finish(client, token)
    assert "<strong>1</strong> bản ghi mới" in page and "<strong>1</strong> dòng bị từ chối" in page
    with Store.open(space.folder) as store:
        (need,) = [each for each in store.all(Need) if each.asker == "Xưởng A"]
        assert (need.product, need.budget, need.extra["ĐT"]) == ("SP-1", 200, "0912 345 678")
        assert f'<a href="/nhu-cau/{need.id}">Cần cách sấy dẻo quả vải' in page
        (change,) = store.history(Need, need.id)
        assert change.actor == "cán bộ" and change.at
    file = client.get(f"/nhap-du-lieu/{token}/tu-choi.xlsx").content
    sheet = openpyxl.load_workbook(io.BytesIO(file)).active
    told = [cell.value for row in sheet.iter_rows() for cell in row]
    assert "Xưởng B" in told and "nhiều" in told and "Lỗi" in told
    assert client.get(f"/nhap-du-lieu/{token}/tu-choi.csv").status_code == 200


def test_pressing_twice_loads_once(space, client):
    token = token_of(upload(client, "Mã,Mã sản phẩm,Nhu cầu\nX-1,SP-1,Sấy dẻo\n"))
    for _ in range(3):
        client.post(f"/nhap-du-lieu/{token}/nap")
    finish(client, token)
    client.post(f"/nhap-du-lieu/{token}/nap")
    with Store.open(space.folder) as store:
        assert len(store.history(Need, "X-1")) == 1


def test_another_kind_is_guessed_anew(client):
    answer = upload(client)
    token, form = token_of(answer), chosen(answer.text)
    again = client.post(f"/nhap-du-lieu/{token}", data={**form, "loai-0": "technology"})
    assert chosen(again.text)["loai-0"] == "technology"
    assert "Tên công nghệ" in again.text


def test_every_sheet_has_its_own_mapping(space, client):
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.title = "San pham"
    book.active.append(["Mã", "Tên sản phẩm"])
    book.active.append(["SP-9", "Na Chi Lăng"])
    sheet = book.create_sheet("Ghi chép")
    sheet.append(["Mã", "Mã sản phẩm", "Nhu cầu"])
    sheet.append(["N-9", "SP-9", "Giữ na tươi"])
    book.save(out)
    token = token_of(upload(client, out.getvalue(), "hai trang.xlsx"))
    form = chosen(client.get(f"/nhap-du-lieu/{token}").text)
    assert (form["loai-0"], form["loai-1"]) == ("product", "need")
    client.post(f"/nhap-du-lieu/{token}", data={**form, "loai-1": ""})  # leave one out
    client.post(f"/nhap-du-lieu/{token}/nap")
    assert "<strong>1</strong> bản ghi mới" in finish(client, token)
    with Store.open(space.folder) as store:
        assert store.get(Need, "N-9") is None


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.exe", "x", "chỉ nhận tệp"),
        ("a.csv", b"%PDF-1.7 x", "PDF"),
        ("a.csv", b"", "rỗng"),
        ("a.xlsx", b"PK\x03\x04broken", "hỏng"),
        ("a.csv", ",".join(f"c{n}" for n in range(500)) + "\n1\n", "500 cột"),
    ],
)
def test_a_file_that_cannot_be_loaded_says_why_and_leaves_nothing(space, client, name, data, said):
    answer = upload(client, data, name)
    assert answer.status_code == 422
    assert said in answer.text
    assert Uploads(space.folder).of("cán bộ") == []


def test_no_file_says_so(client):
    answer = client.post("/nhap-du-lieu", data={"x": "1"})
    assert answer.status_code == 422 and "Chưa chọn tệp" in answer.text


def test_hostile_cells_are_text(client):
    answer = upload(client, "Mã,Tên công nghệ\n1,<script>alert(1)</script>\n")
    assert "<script>alert" not in answer.text
    seen = client.get(f"/nhap-du-lieu/{token_of(answer)}/xem-truoc").text
    assert "<script>alert" not in seen and "&lt;script&gt;" in seen


def test_an_upload_of_nobody_is_not_there(client):
    assert client.get(f"/nhap-du-lieu/{'0' * 32}").status_code == 404
    assert client.get("/nhap-du-lieu/..%2F..%2Fetc").status_code == 404


def test_an_upload_can_be_thrown_away(space, client):
    token = token_of(upload(client))
    page = client.post(f"/nhap-du-lieu/{token}/xoa").text
    assert "Đã bỏ tệp" in page
    assert Uploads(space.folder).of("cán bộ") == []


def test_a_load_that_was_killed_says_that_nothing_was_loaded_and_goes_again(space, client):
    token = token_of(upload(client, "Mã,Mã sản phẩm,Nhu cầu\nX-1,SP-1,việc\n"))
    kept = Uploads(space.folder).find("cán bộ", token)
    (kept.folder / LOCK).touch()
    kept.note("progress", asdict(Progress("loading", 5, 2, 2)))
    page = client.get(f"/nhap-du-lieu/{token}/ket-qua").text
    assert "dừng giữa chừng" in page and "Chưa bản ghi nào của tệp này được nạp" in page
    client.post(f"/nhap-du-lieu/{token}/nap")
    assert "<strong>1</strong> bản ghi mới" in finish(client, token)


def test_a_fault_of_the_store_is_told_and_the_program_lives(client, monkeypatch):
    def broken(*_):
        raise RuntimeError("inside")
        yield

    token = token_of(upload(client, "Mã,Mã sản phẩm,Nhu cầu\nX-1,SP-1,Sấy dẻo\n"))
    monkeypatch.setattr(importing, "write", broken)
    client.post(f"/nhap-du-lieu/{token}/nap")
    page = finish(client, token)
    assert "Nạp không xong" in page and "inside" not in page


def test_technologies_that_were_loaded_ask_for_a_refresh_of_the_index(space, client, monkeypatch):
    monkeypatch.setattr(Workspace, "encoder", lambda _: (None, ""))
    token = token_of(upload(client, "Mã,Tên công nghệ\nCN-90,Lò sấy vải hồng ngoại\n"))
    client.post(f"/nhap-du-lieu/{token}/nap")
    page = finish(client, token)
    assert "chỉ tìm thấy được sau khi cập nhật chỉ mục" in page
    client.post(f"/nhap-du-lieu/chi-muc?ve={token}")
    for _ in range(400):
        refresh = client.app.state.indexing.last()
        if not refresh.running:
            break
        threading.Event().wait(0.05)
    assert refresh.state == "done", refresh.message
    found = client.get("/api/v1/search", params={"q": "lò sấy vải hồng ngoại"}).json()
    assert "CN-90" in {each["id"] for each in found["matches"]}
    with Store.open(space.folder) as store:
        assert store.get(Technology, "CN-90") is not None


# Documents ----------------------------------------------------------------------------------------

SEEN_IN = [
    ["Mã", "Tên công nghệ", "Chi phí", "Chi phí"],
    ["Mã", "Tên công nghệ", "từ (triệu đồng)", "đến"],
]
LAMPS = ["CN-70", "Lò sấy hồng ngoại", "10", "20"]
SAYING = (
    "Người trồng vải thiều còn thiếu công nghệ bảo quản sau thu hoạch.",
    "Viện đã chuyển giao quy trình sấy nhãn bằng bơm nhiệt cho hợp tác xã.",
)


def bundle():
    """An archive of what an office sends: a report with a table, a form, a table, two bad files."""
    form = "PHIẾU NHU CẦU\r1. Sản phẩm: Dứa Tắc Cậu\r2. Nội dung: Giữ tươi dứa cắt lát\r"
    return papers.zipped({
        "bao-cao.docx": papers.docx(*SAYING, [*SEEN_IN, LAMPS]),
        "phieu.doc": papers.doc(form),
        "bang.csv": "Mã,Tên công nghệ,TRL\nCN-71,Máy tách hạt na,9\nCN-72,Máy rửa,chín\n",
        "hong.pdf": papers.pdf([(50, 800, "x")])[:99],
        "trong.zip": papers.zipped({"a": "b"}),
    })  # fmt: skip


def test_an_archive_of_documents_is_seen_and_loaded_whatever_is_bad_in_it(space, client):
    before = state(space)
    answer = upload(client, bundle(), "ho so.zip")
    token = token_of(answer)
    assert str(answer.url).endswith("/xem-truoc") and state(space) == before
    said = answer.text
    assert "<strong>3</strong> bản ghi mới" in said and "<strong>2</strong> đề xuất" in said
    assert "Bị từ chối: 3 dòng" in said
    for told in (
        "ho so.zip/hong.pdf",
        "bị hỏng",
        "ho so.zip/trong.zip",
        "tệp nén nằm trong tệp nén",
    ):
        assert told in said
    assert "Đọc chưa chắc" not in said and "quy trình sấy nhãn bằng bơm nhiệt" in said.lower()
    client.post(f"/nhap-du-lieu/{token}/nap")
    page = finish(client, token)
    assert "<strong>3</strong> bản ghi mới" in page and "2 đề xuất từ văn bản đang chờ" in page
    with Store.open(space.folder) as store:
        made = store.get(Technology, "CN-70")
        assert (made.source, made.certainty["cost_from"]) == (
            "ho so.zip/bao-cao.docx bảng 1 dòng 3",
            0.95,
        )
        (need,) = [each for each in store.all(Need) if each.text == "Giữ tươi dứa cắt lát"]
        assert need.source == "ho so.zip/phieu.doc phiếu 1 dòng 1"
        assert [each.state for each in store.all(Suggestion)] == ["chờ duyệt"] * 2
    again = upload(client, bundle(), "ho so.zip")
    assert "Không có bản ghi nào mới" in again.text and "đề xuất</button>" not in again.text


def test_what_was_not_read_surely_is_said_in_words_before_and_after(client):
    rows = [("Mã", "Tên công nghệ", "Tỉnh"), ("CN-70", "Lò sấy hồng ngoại", "Hưng Yên")]
    rows.append(("CN-73", "Máy tách hạt na", "Lạng Sơn"))
    drawn = [
        (x, 700 - 25 * line, said)
        for line, row in enumerate(rows)
        for x, said in zip((50, 150, 400), row, strict=True)
    ]
    answer = upload(client, papers.pdf(drawn), "danh sach.pdf")  # a table without rules
    assert "Đọc chưa chắc: 2 bản ghi" in answer.text
    assert "Lò sấy hồng ngoại <span" in answer.text and "(chưa chắc, độ tin 0,85)" in answer.text
    token = token_of(answer)
    client.post(f"/nhap-du-lieu/{token}/nap")
    finish(client, token)
    page = client.get("/de-xuat-doc").text
    assert (
        "Đọc chưa chắc: 2 bản ghi đã nạp" in page and "danh sach.pdf trang 1 bảng 1 dòng 2" in page
    )


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("quet.pdf", papers.pdf([], image=True), "bản quét"),
        ("khoa.doc", papers.doc("x", locked=True), "có mật khẩu"),
        ("thu.docx", papers.docx("Kính gửi bà Lan."), "không thấy bảng, phiếu hay đoạn văn nào"),
        ("ra.zip", papers.zipped({"../a.csv": "x"}), "ra ngoài"),
    ],
)
def test_a_document_that_gives_nothing_says_why(space, client, name, data, said):
    answer = upload(client, data, name)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert Uploads(space.folder).of("cán bộ") == []


def test_the_api_takes_documents_too(client):
    sent = {"file": ("ho so.zip", bundle())}
    made = client.post("/api/v1/imports", files=sent)
    assert [each["kind"] for each in made.json()["tables"]] == ["technology", "technology", "need"]
    url = made.headers["location"]
    seen = client.get(f"{url}/preview").json()
    assert (seen["new"], seen["rejected"], seen["doubtful"]) == (3, 3, 0)
    assert sorted(each["target"] for each in seen["suggested"]) == ["need", "technology"]
    assert [each["certainty"]["id"] for each in seen["first"] if each["id"] == "CN-70"] == [1]
    client.post(f"{url}/load", headers={"If-Match": made.headers["etag"]})
    for _ in range(200):
        if (ended := client.get(url).json())["state"] != "loading":
            break
        threading.Event().wait(0.05)
    assert (ended["state"], ended["progress"]["suggested"]) == ("done", 2)
