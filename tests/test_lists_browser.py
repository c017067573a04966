"""Both main paths in a real browser: by mouse and keyboard, at two widths, checked by axe."""

import os
import shutil
import threading
from pathlib import Path

import pytest
import uvicorn
from small import NEEDS, PRODUCTS, TECHNOLOGIES, TODAY, write_tables

from corpus.store import Store
from corpus.workflow import MatchList
from service.app import create_app
from service.serving import listen
from service.workspace import Workspace

sync_api = pytest.importorskip("playwright.sync_api")
axe_api = pytest.importorskip("axe_playwright_python.sync_playwright")
CHROMIUM = shutil.which("chromium")
SHOTS = os.environ.get("CUNGCAU_SHOTS")  # a folder that pictures of the pages go to, if wanted
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    made = Workspace(tmp_path_factory.mktemp("browser") / "data")
    made.folder.mkdir()
    made.copy_tables()
    write_tables(made.tables)
    supply = [each.model_copy(update={"illustrative": True}) for each in TECHNOLOGIES]
    with Store.create(made.folder) as store:
        store.save([*PRODUCTS, *supply, *NEEDS])
    made.build(None)
    return made


@pytest.fixture(scope="module")
def address(space):
    door, url = listen("127.0.0.1", 0)
    config = uvicorn.Config(create_app(space, TODAY, every=0.0), log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    yield url
    server.should_exit = True
    thread.join()
    door.close()


@pytest.fixture(scope="module")
def chromium():
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture(params=[1280, 390])
def page(request, chromium):
    context = chromium.new_context(viewport={"width": request.param, "height": 900})
    made = context.new_page()
    faults = []
    made.on("pageerror", lambda error: faults.append(str(error)))
    yield made
    context.close()
    assert faults == []


def look(page, name):
    """No serious fault of accessibility, nothing beyond the edge; a picture where one is wanted."""
    found = axe_api.Axe().run(page).response["violations"]
    serious = [each for each in found if each["impact"] in {"serious", "critical"}]
    told = [(each["id"], [node["html"][:150] for node in each["nodes"][:3]]) for each in serious]
    assert told == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    if SHOTS:
        width = page.viewport_size["width"]
        page.screenshot(path=Path(SHOTS) / f"{name}-{width}.png", full_page=True)


def test_a_list_from_a_need_to_the_file_that_is_handed_over(page, address, space):
    page.goto(f"{address}/danh-sach")
    look(page, "lists")
    page.get_by_label("Mã hoặc tên").fill("SP-1")
    page.get_by_label("một sản phẩm").check()
    page.get_by_role("button", name="Lập danh sách", exact=True).click()
    page.wait_for_url("**/danh-sach/DS-*")
    key = page.url.rsplit("/", 1)[1]
    look(page, "list")
    first = page.locator("[data-order] > li").first
    heading = first.get_by_role("heading").inner_text()
    page.locator("button.handle").first.press("ArrowDown")
    page.get_by_role("button", name="Lưu thứ tự mới").click()
    page.get_by_text("Đã lưu thứ tự.").wait_for()
    assert page.locator("[data-order] > li").nth(1).get_by_role("heading").inner_text() == heading
    handle = page.locator("button.handle").nth(1)
    if page.viewport_size["width"] > 600:  # with a mouse; on a phone by the arrows
        top = page.locator("[data-order] > li").first
        handle.drag_to(top, target_position={"x": 5, "y": 5})
    else:
        handle.press("ArrowUp")
    page.get_by_role("button", name="Lưu thứ tự mới").click()
    page.get_by_text("Đã lưu thứ tự.").wait_for()
    assert page.locator("[data-order] > li").first.get_by_role("heading").inner_text() == heading
    first = page.locator("[data-order] > li").first
    first.get_by_text("Ghi kết quả liên hệ").click()
    look(page, "list-decide")
    first.get_by_label("Lý do, nội dung trao đổi").fill("quan tâm, xin báo giá")
    first.get_by_label("Bước tiếp theo").fill("Gửi báo giá")
    first.get_by_role("button", name="Ghi kết quả", exact=True).click()
    page.get_by_text("Đã ghi kết quả").wait_for()
    assert "quan tâm, xin báo giá" in first.inner_text()
    for tick in page.get_by_label("so sánh", exact=True).all()[:2]:
        tick.check()
    page.get_by_role("button", name="So sánh các dòng").click()
    page.wait_for_url("**/so-sanh?*")
    look(page, "compare")
    page.goto(f"{address}/danh-sach/{key}/in")
    look(page, "list-print")
    page.goto(f"{address}/danh-sach/{key}")
    page.get_by_role("button", name="Đánh dấu đã bàn giao").click()
    page.get_by_text("Đã bàn giao.").wait_for()
    look(page, "list-handed")
    with page.expect_download() as download:
        page.get_by_role("link", name="Excel có liên hệ").click()
    assert download.value.suggested_filename.endswith("danh-sach.xlsx")
    with Store.open(space.folder) as store:
        assert store.get(MatchList, key).handed_over is not None


def test_two_brokers_ordering_one_list_see_both_orders(page, address):
    page.goto(f"{address}/danh-sach")
    page.get_by_label("Mã hoặc tên").fill("SP-1")
    page.get_by_label("một sản phẩm").check()
    page.get_by_role("button", name="Lập danh sách", exact=True).click()
    page.wait_for_url("**/danh-sach/DS-*")
    other = page.context.new_page()
    other.goto(page.url)
    other.locator("button.handle").first.press("ArrowDown")
    other.get_by_role("button", name="Lưu thứ tự mới").click()
    other.get_by_text("Đã lưu thứ tự.").wait_for()
    other.close()
    page.locator("button.handle").first.press("ArrowDown")
    page.get_by_role("button", name="Lưu thứ tự mới").click()
    page.get_by_role("heading", name="vừa được người khác sửa").wait_for()
    look(page, "conflict")
    page.get_by_role("button", name="Lưu điều của tôi").click()
    page.get_by_text("Đã lưu thứ tự.").wait_for()


def test_a_file_from_upload_to_report(page, address, tmp_path):
    width = page.viewport_size["width"]
    file = tmp_path / "phieu.csv"
    file.write_text(
        "STT;Cơ sở;Vướng mắc cần giải quyết;Tỉnh nào;Vốn (nghìn đồng)\n"
        f"1;Xưởng {width};Cần cách sấy dẻo quả vải giữ màu đỏ vỏ mà tốn ít điện hơn lò than;"
        "Bắc Giang;200.000\n2;Xưởng B;Cần giữ quả tươi khi đi tàu biển ba mươi ngày không hóa chất;"
        "Bắc Giang;rất nhiều\n",
        encoding="utf-8",
    )
    page.goto(f"{address}/nhap-du-lieu")
    look(page, "imports")
    page.get_by_label("Tệp dữ liệu").set_input_files(file)
    page.get_by_role("button", name="Tải lên và xem").click()
    page.get_by_role("heading", name="Các cột của").wait_for()
    look(page, "import-map")
    page.get_by_label("Cơ sở").select_option(label="Đơn vị có nhu cầu")
    page.get_by_label("Vốn (nghìn đồng)").select_option(label="Kinh phí tối đa (triệu đồng)")
    page.get_by_label("Mã sản phẩm").fill("SP-1")
    page.get_by_role("button", name="Xem trước sẽ nạp gì").click()
    page.get_by_role("heading", name="Xem trước").wait_for()
    look(page, "import-preview")
    page.get_by_role("button", name="Nạp 1 bản ghi").click()
    page.get_by_text("Đã nạp xong").wait_for()
    look(page, "import-report")
    with page.expect_download() as download:
        page.get_by_role("link", name="Excel").click()
    assert download.value.suggested_filename == "dong-bi-tu-choi.xlsx"
