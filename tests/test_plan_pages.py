"""The pages of the plan: drawn up from a run, read, argued with line by line, downloaded."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import AS_OF
from fastapi.testclient import TestClient
from openpyxl import Workbook

from matcher import run_folder
from matcher.planning import what_if
from matcher.planning.criteria import Criterion
from matcher.planning.rules import amount
from matcher.yearly import Run
from service import plan_files
from service.app import create_app
from service.exports import WATERMARK
from service.pages.plan import BUSY, FILES
from service.plan_drawings import Drawing, Drawings
from service.rules_file import read_rules
from service.workspace import Workspace
from service.yearly_jobs import Jobs

RUN = f"dot-{AS_OF}"
HOME = f"/ke-hoach-nam/{RUN}/danh-muc"
ASKED = {"nam": "2027", "nsnn": "24.000", "tinh": "An Giang"}


@pytest.fixture(scope="module")
def client(matched_sample: tuple[Workspace, Run], tables_read_once: None) -> Iterator[TestClient]:
    """A service over the matched sample, with the plan of An Giang drawn as ``ban-1``."""
    with (
        pytest.MonkeyPatch.context() as patch,
        TestClient(create_app(matched_sample[0], AS_OF, 0.0)) as found,
    ):
        patch.setattr(what_if, "DRAWS", 1)  # of how firm lines stand: not what is tested here
        assert "Chưa lập bản nào" in found.get(HOME).text
        assert drawn(found, HOME, **ASKED).name == "ban-1"
        yield found


def drawings(client: TestClient) -> Drawings:
    space = client.app.state.space  # type: ignore[attr-defined]
    run = Jobs(space).get(RUN)
    assert run is not None
    return Drawings(space, run)


def drawn(client: TestClient, path: str, **typed: str) -> Drawing:
    """Send a form that begins a drawing, and wait until it is made."""
    answer = client.post(path, data=typed, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    name = answer.headers["location"].rpartition("/")[2]
    for each in threading.enumerate():
        if each.name == f"plan {RUN} {name}":
            each.join(120)
    found = drawings(client).get(name)
    assert found is not None
    return found


def spoken(client: TestClient, ban: str, key: str, viec: str, **typed: str) -> Drawing:
    return drawn(client, f"{HOME}/{ban}/y-kien", dong=key, viec=viec, **typed)


def funded(drawing: Drawing) -> list[str]:
    told = drawing.read()
    return [line["id"] for line in told["scenarios"][told["order"][0]]["funded"]]


def told_plainly(page: str) -> str:
    """The words of a page, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_the_page_says_what_the_plan_says(client: TestClient) -> None:
    page = client.get(f"{HOME}/ban-1").text
    told = drawings(client).get("ban-1").read()  # type: ignore[union-attr]
    plan = told["scenarios"][told["order"][0]]
    money = sum(line["state"].get("2027", 0) for line in plan["funded"])
    words = told_plainly(page)
    assert f"{len(plan['funded'])} nhiệm vụ, NSNN năm 2027: {amount(money)}" in words
    assert "trong 24.000 triệu đồng" in words
    assert WATERMARK in page
    for line in (*plan["funded"], *plan["reserve"]):
        assert line["name"] in page
    assert all(line["would"] in words for line in plan["reserve"])
    assert "trùng với nhiệm vụ NV-001 (đã nghiệm thu)" in words
    assert "DX-007 – NV-001" in words
    assert all(name in words for name in told["order"])
    assert "Thêm, bớt tiền thì đổi gì" in words
    assert "số nhiệm vụ mỗi đơn vị chủ trì: nhiều nhất 2" in words


def test_its_files_are_downloaded_whole(client: TestClient) -> None:
    folder = drawings(client).home / "ban-1"
    assert {*FILES} == {*plan_files.WRITTEN, plan_files.REPORT, plan_files.DATA}
    for name in FILES:
        assert client.get(f"{HOME}/ban-1/tai/{name}").content == (folder / name).read_bytes()
    for path in ("ban-1/tai/.lock", "ban-99", "ban-1/dong/DX-999", "..%2Fban-1"):
        assert client.get(f"{HOME}/{path}").status_code == 404


def test_a_pin_displaces_a_line_and_is_taken_back(client: TestClient, tmp_path: Path) -> None:
    before = drawings(client).get("ban-1")
    assert before is not None
    waits = before.read()["scenarios"]["Cơ sở"]["reserve"][0]["id"]
    pinned = spoken(client, "ban-1", waits, "ghim", ly_do="cam kết\ncủa tỉnh")
    out = sorted({*funded(before)} - {*funded(pinned)})
    assert waits in funded(pinned)
    assert out
    words = told_plainly(client.get(f"{HOME}/{pinned.name}").text)
    assert f"So với ban-1: vào {waits} ; bị đẩy ra {' , '.join(out)} ." in words
    path = tmp_path / "luat.xlsx"
    path.write_bytes(client.get(f"{HOME}/{pinned.name}/tai/luat.xlsx").content)
    assert [each.words for each in read_rules(path).overrides] == [
        f"ghim {waits} (Cán bộ: cam kết của tỉnh)"
    ]
    assert "Đang ghim" in client.get(f"{HOME}/{pinned.name}/dong/{waits}").text
    free = spoken(client, pinned.name, waits, "rut")
    assert (funded(free), read_rules(free.rules).overrides) == (funded(before), ())
    ledger = client.app.state.register.ledger  # type: ignore[attr-defined]
    noted = [(each.actor, each.target) for each in ledger.entries(action="plan.draw")]
    assert noted[:2] == [("cán bộ", f"{RUN}/{free.name}"), ("cán bộ", f"{RUN}/{pinned.name}")]


def test_a_mark_of_people_goes_before_the_rule_s(client: TestClient) -> None:
    word = {"tieu_chi": str(Criterion.USEFULNESS), "diem": "0", "ly_do": "bến hỏng"}
    marked = spoken(client, "ban-1", "DX-016", "cham", **word)
    assert "DX-016" not in funded(marked)
    page = told_plainly(client.get(f"{HOME}/{marked.name}/dong/DX-016").text)
    assert "Đáp ứng nhu cầu 0,00 bến hỏng Cán bộ" in page
    assert f"chấm DX-016, {Criterion.USEFULNESS}: 0 (Cán bộ: bến hỏng)" in client.get(HOME).text
    page = told_plainly(client.get("/phieu/DX-016").text)
    assert "Dự phòng, thứ tự" in page
    back = spoken(client, marked.name, "DX-016", "rut-diem", tieu_chi=word["tieu_chi"])
    assert read_rules(back.rules).people == ()


def test_rules_that_clash_and_words_that_cannot_be_are_told(client: TestClient) -> None:
    clash = drawn(client, HOME, **{**ASKED, "nsnn": "5.000"})
    page = told_plainly(client.get(f"{HOME}/{clash.name}").text)
    assert "Không có danh mục nào giữ được mọi luật" in page
    assert "NSNN năm 2027: nhiều nhất 5.000 triệu đồng" in page
    assert client.get(f"{HOME}/{clash.name}/dong/DX-001").status_code == 200
    failed = spoken(client, "ban-1", "DX-034", "ghim", ly_do="cần gấp")  # its cost is not known
    assert failed.state == "stopped"
    page = client.get(f"{HOME}/{failed.name}").text
    assert "Không lập được: ghim DX-034 (Cán bộ: cần gấp): không có dòng nào mã này" in page
    assert client.get(f"{HOME}/{failed.name}/tai/plan.json").status_code == 404


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"nam": "27"}, "“27” không phải một năm"),
        ({"nsnn": "nhiều"}, "NSNN: “nhiều” không đọc được"),
        ({"nsnn": "-1"}, "“-1” phải không âm"),
        ({"tinh": "Atlantis"}, "không có tỉnh “Atlantis”"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_told_on_the_form(
    client: TestClient, typed: dict[str, str], told: str
) -> None:
    answer = client.post(HOME, data={**ASKED, **typed})
    assert answer.status_code == 422
    assert told in answer.text
    assert f'value="{ {**ASKED, **typed}["tinh"] }"' in answer.text  # what was typed stays


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"luat", "luat.xlsx không phải bảng tính XLSX"),
        (b"PK\x03\x04 broken", "Tệp luật: luat.xlsx"),
        (None, "trang “Cá heo” không có trong mẫu"),
    ],
)
def test_rules_that_cannot_be_read_are_told_on_the_form(
    client: TestClient, content: bytes | None, told: str, tmp_path: Path
) -> None:
    if content is None:
        content = book(tmp_path / "x.xlsx", "Cá heo")
    answer = client.post(HOME, data=ASKED, files={"luat": ("luat.xlsx", content)})
    assert answer.status_code == 422
    assert told in answer.text


def book(path: Path, sheet: str) -> bytes:
    made = Workbook()
    made.worksheets[0].title = sheet
    made.worksheets[0].append(["A"])
    made.worksheets[0].append(["b"])
    made.save(path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"viec": "ghim", "ly_do": " "}, "Cần ghi lý do"),
        ({"viec": "xoa", "ly_do": "x"}, "Chọn một việc"),
        ({"viec": "rut"}, "không có ghim hay loại nào để rút"),
        ({"viec": "cham", "ly_do": "x", "tieu_chi": "màu", "diem": "1"}, "Chọn một tiêu chí"),
        ({"viec": "cham", "ly_do": "x", "tieu_chi": "mức sẵn sàng", "diem": "7"}, "từ 0 đến 1"),
    ],
)
def test_a_word_that_cannot_be_meant_is_told_on_the_line(
    client: TestClient, typed: dict[str, str], told: str
) -> None:
    before = len(drawings(client).all())
    answer = client.post(f"{HOME}/ban-1/y-kien", data={"dong": "DX-001", **typed})
    assert answer.status_code == 422
    assert told in answer.text
    assert len(drawings(client).all()) == before


def test_the_rules_by_default_are_the_ones_that_hold(client: TestClient, tmp_path: Path) -> None:
    answer = client.get(f"{HOME}/luat-mac-dinh.xlsx")
    again = client.post(
        HOME, data=ASKED, files={"luat": ("luat.xlsx", answer.content)}, follow_redirects=False
    )
    name = again.headers["location"].rpartition("/")[2]
    beside = client.post(HOME, data=ASKED)  # while the first is being drawn
    for each in threading.enumerate():
        if each.name == f"plan {RUN} {name}":
            each.join(120)
    found = drawings(client)
    assert BUSY in beside.text
    assert funded(found.get(name)) == funded(found.get("ban-1"))  # type: ignore[arg-type]
    # killed half-way: no plan.json, nobody at work; the others stand
    (found.home / name / plan_files.DATA).unlink()
    assert "dừng giữa chừng" in client.get(f"{HOME}/{name}").text
    assert not run_folder.held(found.home / name)


def test_proposals_and_tasks_are_pages(client: TestClient) -> None:
    page = told_plainly(client.get("/phieu/DX-007").text)
    assert "Lĩnh vực chưa rõ" in page
    assert "Kinh phí NSNN (triệu đồng) 900" in page  # what the years add up to
    assert "Không đưa vào : trùng với nhiệm vụ NV-001" in page
    task = client.get("/nhiem-vu/NV-001").text
    assert "An Giang (Kiên Giang cũ)" in task
    assert "Dữ liệu minh họa" in task
    for path in ("/phieu/KHONG", "/nhiem-vu/KHONG"):
        assert client.get(path).status_code == 404
