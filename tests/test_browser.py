"""The pages in Debian's Chromium: main paths, axe's findings, a phone's width, without JavaScript.

``CUNGCAU_SHOTS=folder`` keeps pictures of every page, wide and narrow; those of README are some of
the wide ones (``docs/screens``).
"""

import csv
import datetime as dt
import io
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import argon2
import openpyxl
import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from conftest import AS_OF
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from small import TODAY

from corpus.store import Store
from corpus.tasks import Proposal
from corpus.workflow import Suggestion
from service.access import Rules
from service.app import create_app
from service.desk_base import VIETNAM
from service.serving import listen
from service.workspace import Workspace

PATIENCE = 300_000  # ms: a guard against hanging, on busy machines too
QUICK = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "một câu dài dễ nhớ"
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="không có chromium trên máy này")
PAGES = {
    "tim-kiem": "/",
    "ket-qua": "/?q=bao+quan+khom+cat+lat",
    "dieu-kien": "/?q=sấy+vải+thiều&budget=100&trl=7",
    "khong-thay": "/?q=lò+phản+ứng+hạt+nhân+nổi",
    "san-pham": "/san-pham",
    "mot-san-pham": "/san-pham/SP-030",
    "cong-nghe": "/cong-nghe",
    "mot-cong-nghe": "/cong-nghe/CN-001",
    "nhu-cau": "/nhu-cau/N-002",
    "tong-quan": "/tong-quan",
    "da-luu": "/tim-kiem-da-luu",
    "trung-lap": "/trung-lap",
    "thu-thap": "/thu-thap",
    "danh-muc-uu-tien": "/danh-muc-uu-tien",
    "phieu": "/phieu/DX-001",
    "loi": "/khong-co-trang-nay",
}


@contextmanager
def served(space: Workspace, day: dt.date, rules: Rules | None = None) -> Iterator[str]:
    """The service on a free port, in a thread."""
    door, url = listen("127.0.0.1", 0)
    app = create_app(space, day, 0.0, *filter(None, [rules]))
    if rules:
        app.state.register.accounts._hasher = QUICK
        app.state.register.accounts.add("sep", "Nguyễn Văn Sếp", "administrator", PASSWORD)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    try:
        yield url
    finally:
        server.should_exit = True
        thread.join()
        door.close()


@pytest.fixture(scope="module")
def site(sample_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service over a copy of the sample records."""
    copy = tmp_path_factory.mktemp("site") / "data"
    shutil.copytree(sample_workspace.folder, copy, symlinks=True)
    with served(Workspace(copy), AS_OF) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    with browser.new_context(base_url=site, viewport={"width": 1280, "height": 900}) as context:
        context.set_default_timeout(PATIENCE)
        yield context.new_page()


def shot(page: Page, name: str) -> None:
    """Keep what the window shows, in few colours, and the whole page beside it."""
    folder = os.environ.get("CUNGCAU_SHOTS")
    if folder:
        seen = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        small = seen.quantize(128, dither=Image.Dither.NONE)
        small.save(Path(folder) / f"{name}.png", optimize=True)
        page.screenshot(path=Path(folder) / f"{name}-ca-trang.png", full_page=True)


def sound(page: Page, name: str) -> None:
    """No serious fault of accessibility; on a phone nothing is wider than it."""
    found = Axe().run(page).response["violations"]
    grave = [each for each in found if each["impact"] in {"serious", "critical"}]
    assert not grave, [(each["id"], [node["html"] for node in each["nodes"][:3]]) for each in grave]
    shot(page, name)
    for width in (1280, 1024):  # the menu is one line, whoever is logged in
        page.set_viewport_size({"width": width, "height": 900})
        assert page.locator("header.top").bounding_box()["height"] <= 64
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.set_viewport_size({"width": 390, "height": 844})
    shot(page, f"{name}-dien-thoai")
    page.set_viewport_size({"width": 1280, "height": 900})


def visit(page: Page, name: str) -> None:
    page.goto(PAGES[name])
    if name == "tong-quan":  # looks again by itself until the needs are answered
        page.wait_for_selector("text=Sản phẩm × khâu")


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious_and_nothing_is_wider_than_a_phone(page: Page, name: str) -> None:
    errors: list[str] = []
    page.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
    visit(page, name)
    sound(page, name)
    assert [each for each in errors if "404" not in each] == []


def test_login_account_administration_and_the_plan_are_sound(
    browser: Browser, small_folder: Path, tmp_path: Path
) -> None:
    space = Workspace(Path(shutil.copytree(small_folder, tmp_path / "data")))
    asked = [
        Proposal(id=f"DX-{number}", name="Sấy vải", lead=f"HTX {number}", state_yearly={2027: 600})
        for number in (1, 2)
    ]
    waiting = Suggestion(
        id="VB-0001", target="technology", name="Sấy nhãn", passage="Viện đã chuyển giao …",
        confidence=0.8, source="báo cáo.docx, trang 2",
    )  # fmt: skip
    with Store.open(space.folder) as store:
        store.save([*asked, waiting])
    with (
        served(space, TODAY, Rules(local=False)) as url,
        browser.new_context(base_url=url, viewport={"width": 1280, "height": 900}) as context,
    ):
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto("/quan-tri")
        page.get_by_label("Tên đăng nhập").fill("sep")
        page.get_by_label("Mật khẩu").fill("sai rồi")
        page.get_by_role("button", name="Đăng nhập").click()
        page.get_by_role("alert").wait_for()
        sound(page, "dang-nhap")
        page.get_by_label("Mật khẩu").fill(PASSWORD)
        page.get_by_role("button", name="Đăng nhập").click()
        page.get_by_role("heading", name="Nhật ký").wait_for()  # led on to where she wanted to go
        page.get_by_label("Tên đăng nhập").fill("lan")
        page.get_by_label("Họ tên").fill("Trần Thị Lan")
        page.get_by_role("button", name="Thêm người dùng").click()
        page.get_by_text("Trần Thị Lan").first.wait_for()
        sound(page, "quan-tri")
        page.goto("/tai-khoan")
        page.get_by_label("Dùng cho").fill("cổng thông tin")
        page.get_by_role("button", name="Tạo mã truy cập").click()
        page.get_by_text("chỉ hiện một lần này").wait_for()
        sound(page, "tai-khoan")
        page.goto("/de-xuat-doc")
        page.get_by_text("Viện đã chuyển giao").wait_for()
        sound(page, "de-xuat-doc")
        page.goto("/cong-nghe/CN-1")
        page.get_by_text("thêm bản ghi").first.wait_for()
        sound(page, "lich-su")
        page.goto("/danh-muc-uu-tien")
        page.get_by_role("button", name="Lập dự thảo").click()
        page.get_by_label("Ký hiệu").fill("(i)")
        page.get_by_label("Tên nhóm").fill("Bảo quản sau thu hoạch")
        page.get_by_label("bảo quản", exact=True).check()
        page.get_by_label("Căn cứ").fill("nhiều nhu cầu chưa có lời đáp")
        page.get_by_role("button", name="Thêm nhóm").click()
        page.get_by_text("Đã thêm nhóm (i).").wait_for()
        page.get_by_text("Sửa", exact=False).first.click()
        sound(page, "du-thao-uu-tien")
        page.goto("/thu-thap")
        page.get_by_label("Tên đợt").fill("Nhu cầu 2027")
        page.get_by_label("Hạn trả lời").fill("2026-12-31")
        page.get_by_label("Đơn vị được hỏi").fill("UBND xã An Bình\nSở Công Thương")
        page.get_by_role("button", name="Mở đợt").click()
        page.get_by_text("Đã mở đợt").wait_for()
        sound(page, "dot-thu-thap")
        page.goto("/?q=sấy+vải")
        page.get_by_role("button", name="Lưu tìm kiếm này").click()
        page.get_by_text("Đã lưu tìm kiếm").wait_for()
        page.goto("/tim-kiem-da-luu")
        page.get_by_text("sấy vải").first.wait_for()
        sound(page, "co-da-luu")
        page.goto("/ke-hoach-nam")
        page.get_by_role("button", name="Bắt đầu đợt mới").click()
        page.get_by_role("link", name="Lập danh mục").wait_for()
        sound(page, "dot-da-xong")
        page.get_by_role("link", name="Lập danh mục").click()
        page.get_by_label("NSNN").fill("1.000")
        page.get_by_role("button", name="Lập danh mục").click()
        page.get_by_role("heading", name="Danh mục dự phòng").wait_for()
        sound(page, "danh-muc")
        page.get_by_role("link", name="DX-2").first.click()
        page.get_by_label("Lý do").first.fill("cam kết của tỉnh")
        sound(page, "danh-muc-dong")
        page.get_by_role("button", name="Ghim vào danh mục").click()
        page.get_by_text("So với ban-1").wait_for()


def test_an_officer_finds_a_technology_by_words_without_accents(page: Page) -> None:
    page.goto("/")
    page.get_by_role("searchbox").fill("bao quan khom cat lat")
    page.keyboard.press("Enter")
    first = page.locator("article.match").first
    assert "dứa" in first.inner_text().lower() or "khóm" in first.inner_text().lower()
    assert "q=bao+quan+khom+cat+lat" in page.url
    assert "phù hợp" in first.inner_text()
    assert not first.locator("svg.bar").first.is_visible()  # numbers only on demand
    first.get_by_text("Vì sao đứng ở vị trí này").click()
    assert first.locator("svg.bar").first.is_visible()
    first.get_by_role("link").first.click()
    page.locator("#ben-can").get_by_role("table").wait_for()  # comes after the page


def test_a_facet_narrows_and_is_taken_away_again(page: Page) -> None:
    page.goto("/?q=bảo+quản+dứa")
    total = page.locator(".total").inner_text()
    link = page.locator(".facets a").first
    count = link.locator(".count").inner_text()
    link.click()
    assert page.locator(".total strong").inner_text() == count
    page.locator(".facets a.chosen").click()
    assert page.locator(".total").inner_text() == total


def test_a_slip_is_mended_by_one_click(page: Page) -> None:
    page.goto("/?q=máy+sáy+vải+thiều")
    page.locator(".suggestion a").click()
    assert page.get_by_role("searchbox").input_value() == "máy sấy vải thiều"


def test_pages_work_without_scripts(browser: Browser, site: str) -> None:
    with browser.new_context(base_url=site, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/")
        page.get_by_role("searchbox").fill("sấy vải")
        page.get_by_role("button", name="Tìm").click()
        assert page.locator("article.match").count() >= 10  # and what breaks a rule, below them
        page.get_by_role("link", name="Trang sau →").click()
        assert page.locator("article.match").first.inner_text().startswith("11.")
        page.set_default_timeout(PATIENCE)
        page.goto("/cong-nghe/CN-083?ai-can=1")  # where the link of a technology's page leads
        assert page.locator("#ben-can").get_by_role("table").is_visible()


def test_keys_reach_the_content_and_the_box(page: Page) -> None:
    page.goto("/san-pham")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.goto("/?q=dừa")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    assert focused(page, 2) == ["Tìm", "Điều kiện của nhu cầu"]
    page.goto("/danh-sach")
    page.get_by_role("radio").first.focus()
    assert focused(page, 3) == ["ma", "ten", "Lập danh sách"]


def focused(page: Page, times: int) -> list[str]:
    """Where the next presses of the tab key lead to."""
    told = []
    for _ in range(times):
        page.keyboard.press("Tab")
        told.append(page.evaluate("document.activeElement.id || document.activeElement.innerText"))
    return told


# The story of Đồng Kỵ -----------------------------------------------------------------------------

STORY = (
    ("Mã", "Sản phẩm", "Nhu cầu", "Đơn vị", "Xã/phường", "Tỉnh", "Liên hệ", "Minh họa"),
    (
        "DK-1",
        "Đồ gỗ mỹ nghệ Đồng Kỵ",
        "Cần máy đục gỗ CNC nhiều đầu chạm phá thô hoa văn bàn ghế gỗ hương",
        "Xưởng mộc Bình An (minh họa)",
        "phường Đồng Nguyên",
        "Bắc Ninh",
        "0900 000 111",
        "có",
    ),
    (
        "NN-1",
        "Đá mỹ nghệ Non Nước",
        "Cần máy chạm khắc CNC bốn trục đục phá thô tượng, phù điêu bằng đá",
        "Cơ sở điêu khắc đá Nguyễn Sáng (minh họa)",
        "phường Ngũ Hành Sơn",
        "Đà Nẵng",
        "0900 000 222",
        "có",
    ),
    (
        "CC-1",
        "SP-007",
        "Trang trại CNC (công nghệ cao) cần hệ thống tưới, cảm biến cho nhà màng",
        "Trang trại Cao Nguyên (minh họa)",
        "",
        "Lâm Đồng",
        "0900 000 333",
        "có",
    ),
)


def test_the_broker_of_dong_ky_hands_over_takers_of_a_carving_machine(page: Page) -> None:
    """From an offer to an Excel list with contacts, as the broker clicks it."""
    # She loads what three places told her on the phone …
    text = "\n".join(",".join(f'"{cell}"' for cell in line) for line in STORY)
    page.goto("/nhap-du-lieu")
    phoned = {"name": "goi-dien.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.get_by_label("Tệp dữ liệu").set_input_files(phoned)
    page.get_by_role("button", name="Tải lên và xem").click()
    page.get_by_role("button", name="Xem trước sẽ nạp gì").click()
    page.get_by_role("button", name="Nạp 3 bản ghi").click()
    page.get_by_text("Đã nạp xong").wait_for()
    # … and asks who takes the machine.
    page.goto("/cong-nghe/CN-077")
    page.locator("#ben-can").get_by_role("table").wait_for()
    page.evaluate("document.getElementById('ai-can').scrollIntoView()")
    shot(page, "ben-tiep-nhan")
    page.get_by_role("button", name="Lập danh sách bên tiếp nhận").click()
    page.wait_for_url("**/danh-sach/DS-*")
    lines = page.locator("ol > li.line")
    shop = lines.filter(has_text="Xưởng mộc Bình An")
    known = lines.filter(has_text="Vũ Đắc")
    assert shop.locator(".label.suits").count() == known.locator(".label.suits").count() == 1
    assert lines.filter(has_text="Nguyễn Sáng").locator(".label.adapt").count() == 1
    assert lines.filter(has_text="công nghệ cao").count() == 0
    # One workshop refuses, one wants to see the machine.
    known.get_by_text("Ghi kết quả liên hệ").click()
    known.get_by_label("Kết quả", exact=True).select_option("từ chối")
    known.get_by_label("Nhóm lý do").select_option("chi phí")
    known.get_by_label("Lý do, nội dung trao đổi").fill("quá vốn của hộ")
    known.get_by_role("button", name="Ghi kết quả", exact=True).click()
    page.get_by_text("Đã ghi kết quả").wait_for()
    shop.get_by_text("Ghi kết quả liên hệ").click()
    shop.get_by_label("Bước tiếp theo").fill("Xem máy chạy ở La Xá")
    shop.get_by_role("button", name="Ghi kết quả", exact=True).click()
    page.get_by_text("Bước tiếp theo", exact=True).first.wait_for()
    shot(page, "danh-sach")
    with page.expect_download() as download:
        page.get_by_role("link", name="Excel có liên hệ").click()
    sheet = openpyxl.load_workbook(io.BytesIO(download.value.path().read_bytes()))["Danh sách"]
    told = "\n".join(str(cell.value) for row in sheet.iter_rows() for cell in row)
    for said in ("0900 000 111", "0900 000 222", "quá vốn của hộ", "Xem máy chạy", "MINH HỌA"):
        assert said in told
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    rows = csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig")))
    assert len(list(rows)) == 1 + lines.count()
    # A new list of the same machine knows who was contacted, when and why not.
    page.goto("/cong-nghe/CN-077")
    page.get_by_role("button", name="Lập danh sách bên tiếp nhận").click()
    page.wait_for_url("**/danh-sach/DS-*")
    today = dt.datetime.now(VIETNAM).date()
    assert f"từ chối ngày {today:%d/%m/%Y}; chi phí: quá vốn của hộ" in known.inner_text()
