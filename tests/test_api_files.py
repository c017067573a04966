"""Files through the API: upload, columns, preview, load, rejected rows; what leaves as a file."""

import csv
import io
import json
import threading

import openpyxl
import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter
from small import NEEDS, PRODUCTS, TECHNOLOGIES, TODAY

from corpus.records import Need, Technology
from corpus.store import Store
from service import contract_files
from service.access import Rules
from service.app import create_app
from service.exports import WATERMARK
from service.workspace import Workspace
from tests.test_api_work import match, refused

FAIR = (
    "STT;Cơ sở;Vướng mắc cần giải quyết;Tỉnh nào;Vốn (nghìn đồng);ĐT\n"
    "1;Xưởng A;Cần cách sấy dẻo quả vải giữ màu đỏ vỏ mà tốn ít điện hơn lò than đang dùng;"
    "Bắc Giang;200.000;0912 345 678\n"
    "2;Xưởng B;Cần giữ quả tươi khi đi tàu biển ba mươi ngày mà không dùng hóa chất nào;"
    "Bắc Giang;nhiều;0905 111 222\n"
)
ODD = Technology(
    id="=CN-9",
    name='+Lò "sấy", kiểu; mới\nhai dòng',
    cost_from=0.125,
    restricted=("detail",),
    detail="kín",
    illustrative=True,
    extra={"Ghi chép": "@x"},
)


@pytest.fixture(scope="module")
def client(tmp_path_factory, tables_read_once):
    folder = tmp_path_factory.mktemp("data")
    with Store.create(folder) as store:
        store.save([*PRODUCTS, *TECHNOLOGIES, ODD, *NEEDS])
    space = Workspace(folder)
    space.build(None)
    with TestClient(create_app(space, TODAY, 0.0, Rules(nda=True))) as made:
        yield made


def upload(client, data, name="phiếu.csv", **headers):
    data = data.encode() if isinstance(data, str) else data
    return client.post("/api/v1/imports", files={"file": (name, data)}, headers=headers)


def loaded(client, made):
    """Load an upload and wait for how it ends."""
    url = made.headers["location"]
    assert client.post(f"{url}/load", headers=match(made)).status_code == 202
    for _ in range(600):
        body = client.get(url).json()
        if body["state"] != "loading":
            return body
        threading.Event().wait(0.02)
    raise AssertionError("loading did not end")


def revision(client):
    return client.app.state.shelf.store().state().revision


def test_a_strangers_file_from_upload_to_rejected_rows(client):
    before = revision(client)
    made = upload(client, FAIR)
    assert made.status_code == 201
    contract_files.ImportBody.model_validate(made.json())
    url, (table,) = made.headers["location"], made.json()["tables"]
    fields = [each["field"] for each in table["columns"]]
    assert (table["kind"], table["missing"], fields[0]) == ("need", ["product"], "-")
    refused(client.get(f"{url}/preview"), 422, "unplaced")
    refused(client.post(f"{url}/load", headers=match(made)), 422, "unplaced")
    columns = ["-", "asker", "text", "province", "budget", "+"]
    plan = {"kind": "need", "columns": columns, "make_ids": True, "constants": {"product": "SP-1"}}
    sent = {"tables": [plan]}
    planned = client.put(f"{url}/plan", json=sent, headers=match(made))
    assert planned.json()["tables"][0]["missing"] == []
    refused(client.put(f"{url}/plan", json=sent, headers=match(made)), 412, "stale_etag")
    refused(client.post(f"{url}/load", headers=match(made)), 412, "stale_etag")
    seen = client.get(f"{url}/preview").json()
    contract_files.ImportPreview.model_validate(seen)
    assert (seen["new"], seen["changed"], seen["rejected"]) == (1, 0, 1)
    (fault,) = seen["faults"]
    assert (fault["row"], fault["value"]) == (3, "nhiều") and "số tiền" in fault["reason"]
    assert revision(client) == before  # nothing yet
    ended = loaded(client, planned)
    assert ended["state"] == "done"
    assert (ended["progress"]["added"], ended["progress"]["rejected"]) == (1, 1)
    assert client.post(f"{url}/load", headers=match(planned)).json()["state"] == "done"
    assert revision(client) == before + 1  # once
    refused(
        client.put(f"{url}/plan", json={"tables": [plan]}, headers=match(planned)), 409, "loaded"
    )
    store, ledger = client.app.state.shelf.store(), client.app.state.register.ledger
    (need,) = [each for each in store.all(Need) if each.asker == "Xưởng A"]
    assert (need.product, need.budget, need.extra["ĐT"]) == ("SP-1", 200, "0912 345 678")
    (line,) = ledger.entries(action="import.load")
    assert (line.actor, line.detail) == (
        "cán bộ",
        "phiếu.csv: 1 mới, 0 thay đổi, 0 không đổi, 1 dòng bị từ chối",
    )
    file = client.get(f"{url}/rejected").content
    sheet = openpyxl.load_workbook(io.BytesIO(file)).active
    assert {"Xưởng B", "nhiều", "Lỗi"} <= {cell.value for row in sheet.iter_rows() for cell in row}
    assert "Xưởng B" in client.get(f"{url}/rejected?format=csv").text
    lines = client.get("/api/v1/imports").json()
    TypeAdapter(list[contract_files.ImportLine]).validate_python(lines)
    assert lines[0]["state"] == "done"
    assert client.delete(url, headers=match(planned)).status_code == 204
    refused(client.get(url), 404, "unknown_upload")


def test_an_upload_sent_twice_is_kept_once(client):
    before = len(client.get("/api/v1/imports").json())
    key = {"Idempotency-Key": "phieu-1"}
    first, again = upload(client, FAIR, **key), upload(client, FAIR, **key)
    assert again.content == first.content and again.headers["etag"] == first.headers["etag"]
    refused(upload(client, FAIR + "3;x\n", **key), 422, "key_reused")
    assert len(client.get("/api/v1/imports").json()) == before + 1
    client.delete(first.headers["location"], headers=match(first))


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.exe", "x", "chỉ nhận tệp"),
        ("../../a.csv", b"%PDF-1.7 x", "PDF"),
        ("a.csv", b"", "rỗng"),
        ("a.xlsx", b"PK\x03\x04broken", "hỏng"),
    ],
)
def test_a_file_that_cannot_be_loaded_leaves_nothing(client, name, data, said):
    before = client.get("/api/v1/imports").json()
    answer = upload(client, data, name)
    refused(answer, 422, "unreadable")
    assert said in answer.json()["error"]["message"]
    assert client.get("/api/v1/imports").json() == before


PLANS = [
    ([], "ít nhất 1"),
    ([{"kind": "need"}, {"kind": "need"}], "có 1 bảng, nhận 2"),
    ([{"kind": "need", "columns": ["id"]}], "có 3 cột, nhận 1"),
    ([{"kind": "need", "columns": ["id", "id", "text"]}], "chọn cho hai cột"),
    ([{"kind": "need", "columns": ["id", "giá", "text"]}], "không có trường giá"),
    ([{"kind": "khác"}], "kind"),
]


@pytest.mark.parametrize(("tables", "said"), PLANS)
def test_a_plan_that_does_not_fit_says_why(client, tables, said):
    made = upload(client, "Mã,Mã sản phẩm,Nhu cầu\nX-1,SP-1,việc\n")
    url = f"{made.headers['location']}/plan"
    answer = client.put(url, json={"tables": tables}, headers=match(made))
    assert answer.status_code == 422 and said in answer.json()["error"]["message"]


def test_technologies_are_found_after_a_refresh_of_the_index(client, monkeypatch):
    monkeypatch.setattr("service.workspace.Workspace.encoder", lambda *_: (None, ""))
    body = loaded(client, upload(client, "Mã,Tên công nghệ\nCN-90,Lò sấy vải hồng ngoại\n"))
    assert body["progress"]["technologies"] == 1
    begun = client.post("/api/v1/index")
    assert begun.status_code == 202
    contract_files.IndexBody.model_validate(begun.json())
    client.app.state.indexing.join(60)
    assert client.get("/api/v1/index").json()["state"] == "done"
    found = client.get("/api/v1/search", params={"q": "lò sấy vải hồng ngoại"}).json()
    assert "CN-90" in {each["id"] for each in found["matches"]}


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
@pytest.mark.parametrize("kind", ["technologies", "products", "needs"])
def test_what_was_exported_loads_again_as_it_was(client, kind, form):
    file = client.get(f"/api/v1/exports/{kind}?format={form}")
    assert file.status_code == 200
    made = upload(client, file.content, f"a.{form}")
    seen = client.get(f"{made.headers['location']}/preview").json()
    assert (seen["new"], seen["changed"], seen["rejected"]) == (0, 0, 0), seen
    assert seen["unchanged"] >= 3
    assert file.content == client.get(f"/api/v1/exports/{kind}?format={form}").content


def test_filters_hold_for_exports(client):
    def ids(url):
        lines = client.get(f"/api/v1/exports/{url}&format=jsonl").text.splitlines()
        return [json.loads(each)["id"] for each in lines]

    assert ids("technologies?kind=quy trình") == ["CN-1", "CN-3"]
    assert ids("needs?product=SP-2&product=SP-3") == ["N-3", "N-4"]
    assert ids("products?province=Kiên Giang") == ["SP-2"]
    refused(client.get("/api/v1/exports/needs?format=doc"), 422, "invalid")


def test_sample_records_are_marked_and_formulas_stay_text(client):
    file = client.get("/api/v1/exports/technologies?format=xlsx").content
    sheet = openpyxl.load_workbook(io.BytesIO(file)).active
    assert sheet["A1"].value == WATERMARK
    (odd,) = [cell for cell in sheet["A"] if cell.value == "=CN-9"]
    assert (odd.data_type, odd.quotePrefix) == ("s", True)
    text = client.get("/api/v1/exports/technologies").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert "'=CN-9" in {row[0] for row in rows} and "'@x" in {row[-1] for row in rows}


def test_a_list_leaves_in_every_form(client):
    sent = {"name": "Đợt 1", "items": [{"technology": "CN-1", "need": "N-1"}]}
    made = client.post("/api/v1/lists", json=sent)
    url = f"{made.headers['location']}/export"
    for form in contract_files.ListFile:
        answer = client.get(url, params={"format": form, "number": "II"})
        assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    document = client.get(url, params={"format": "json"}).json()
    assert [each["technology"]["id"] for each in document["items"]] == ["CN-1"]
    refused(client.get("/api/v1/lists/DS-9999/export"), 404, "unknown_id")
