"""A document on its way in a real browser: uploaded, looked at, loaded, its suggestions decided."""

import papers
import pytest
from small import PRODUCTS, TODAY
from test_browser import CHROMIUM, browser, served, sound  # noqa: F401 - browser is a fixture

from corpus.records import Need, Product, Technology
from corpus.store import Store
from corpus.workflow import Suggestion
from service.workspace import Workspace

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="không có chromium trên máy này"),
    pytest.mark.usefixtures("tables_read_once"),
]
SAYING = (
    "Sản phẩm chủ lực của huyện gồm na, nhãn và bưởi.",
    "Người trồng vải thiều còn thiếu công nghệ bảo quản sau thu hoạch.",
    "Viện đã chuyển giao quy trình sấy nhãn bằng bơm nhiệt cho hợp tác xã.",
)
ROWS = [
    ["Mã", "Tên công nghệ", "TRL"],
    ["CN-70", "Lò sấy hồng ngoại", "8"],
    ["CN-71", "Máy", "chín"],
]


def test_a_report_becomes_records_and_what_people_accept(browser, tmp_path):  # noqa: F811
    space = Workspace(tmp_path / "data")
    with Store.create(space.folder) as store:
        store.save(PRODUCTS)
    data = papers.zipped({"bao-cao.docx": papers.docx(*SAYING, ROWS), "hong.pdf": b"%PDF-1.4 x"})
    with (
        served(space, TODAY) as url,
        browser.new_context(base_url=url, viewport={"width": 1280, "height": 900}) as context,
    ):
        page = context.new_page()
        page.goto("/nhap-du-lieu")
        sound(page, "nhap-du-lieu")
        sent = {"name": "bao cao.zip", "mimeType": "application/zip", "buffer": data}
        page.get_by_label("Tệp dữ liệu").set_input_files(sent)
        page.get_by_role("button", name="Tải lên và xem").click()
        page.get_by_role("heading", name="Bị từ chối: 2 dòng").wait_for()
        sound(page, "xem-truoc-van-ban")
        page.get_by_role("button", name="Nạp 1 bản ghi").click()
        page.get_by_role("link", name="đọc, sửa, nhận hoặc bỏ").click()
        page.get_by_role("heading", name="Đề xuất từ văn bản").wait_for()
        sound(page, "de-xuat")
        # accepted as it is …
        lamp = page.locator("section").filter(has=page.get_by_role("heading", name="Công nghệ: "))
        lamp.get_by_role("button", name="Nhận").click()
        page.get_by_text("Đã nhận công nghệ").wait_for()
        # … changed and accepted …
        want = page.locator("section").filter(has_text=SAYING[1])
        want.get_by_label("Nhu cầu").fill("Giữ vải tươi ba mươi ngày")
        want.get_by_label("Sản phẩm").select_option("SP-3")
        want.get_by_role("button", name="Nhận").click()
        page.get_by_text("Đã nhận nhu cầu").wait_for()
        # … and dropped.
        fruit = page.locator("section").filter(
            has=page.get_by_role("heading", name="Sản phẩm: bưởi")
        )
        fruit.get_by_role("button", name="Bỏ").click()
        page.get_by_text("Đã bỏ đề xuất").wait_for()
    with Store.open(space.folder) as store:
        made = {each.name for each in store.all(Technology)}
        assert made == {"Lò sấy hồng ngoại", "Quy trình sấy nhãn bằng bơm nhiệt"}
        (need,) = store.all(Need)
        assert (need.product, need.text) == ("SP-3", "Giữ vải tươi ba mươi ngày")
        assert need.source == "bao cao.zip/bao-cao.docx đoạn 2"
        assert not [each for each in store.all(Product) if "bưởi" in each.name.lower()]
        states = sorted(each.state for each in store.all(Suggestion))
        assert states.count("đã nhận") == 2 and states.count("đã bỏ") == 1
