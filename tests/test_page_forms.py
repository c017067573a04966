"""Whatever is typed into any field of any form of the pages comes back as a page that says so.

Pages are found by following their own links, forms and fields by reading them, so that a new form
is tested by being there. A field gets what does not belong in it while the others stay as they are.
"""

import re
import shutil
import threading
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient
from small import TODAY

from service.app import create_app
from service.pages.render import PLACES
from service.workspace import Workspace

WRONG = (
    "\x00\x01\x1b[31m<script>alert(1)</script>{{7*7}}'; DROP TABLE record; --=cmd|' /C calc'!A0",
    "ă" * 60_000,
    "9" * 400,
    "../../../../etc/passwd\u202e",
)
TELLING = re.compile(r"Traceback|<script>alert|site-packages|sqlite3\.|\b49'; DROP")
FILES = re.compile(r"/tai/|/tu-choi\.|\.(?:xlsx|csv|json|docx)\b")
LAST = re.compile(r"xoa|bo-dong|dung$|dang-xuat|ban-giao")  # forms that take things away
PAGES = 90


class Forms(HTMLParser):
    """The links of a page, and its forms: method, action, and name → value as they stand."""

    def __init__(self, text):
        super().__init__()
        self.links, self.forms = [], []
        self._form, self._select, self._by_id = None, None, {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "a":
            self.links.append((given.get("href") or "").partition("#")[0])
        elif tag == "form":
            self._form = {}
            method = given.get("method", "get").lower()
            self.forms.append((method, given.get("action"), self._form))
            self._by_id[given.get("id")] = self._form
        elif tag == "option" and self._select and "selected" in given:
            self._select[0][self._select[1]] = given.get("value", "")
        elif tag in {"select", "input", "textarea"} and given.get("name"):
            self._field(tag, given, self._by_id.get(given.get("form"), self._form))

    def _field(self, tag, given, form):
        name, kind = given["name"], given.get("type")
        if form is None or kind == "file":
            return
        form.setdefault(name, "")
        if tag == "select":
            self._select = (form, name)
        elif kind not in {"checkbox", "radio"} or "checked" in given:
            form[name] = given.get("value") or ""

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None


@pytest.fixture(scope="module")
def client(small_folder, tmp_path_factory):
    space = Workspace(shutil.copytree(small_folder, tmp_path_factory.mktemp("forms") / "data"))
    app = create_app(space, TODAY, 60.0)
    headers = {"accept": "text/html"}
    with TestClient(
        app, base_url="http://localhost", headers=headers, raise_server_exceptions=False
    ) as made:
        made.post("/danh-sach", data={"nguon": "nhu-cau", "ma": "N-1", "ten": "x"})
        made.post("/tim-kiem-da-luu", data={"cau": "q=sấy"})
        made.post("/nhap-du-lieu", files={"tep": ("a.csv", "Mã,Tên công nghệ\nT1,Máy\n")})
        made.post(
            "/thu-thap",
            data={"ten": "Đợt một", "nam": "2026", "han": "2026-12-31", "don_vi": "Xã A"},
        )
        made.post("/danh-muc-uu-tien", data={"ten": "Danh mục"})
        made.post("/ke-hoach-nam", data={})
        for each in threading.enumerate():
            if each.name.startswith("yearly "):
                each.join(120)
        made.post(f"/ke-hoach-nam/dot-{TODAY}/danh-muc", data={"nam": "2027", "nsnn": "1000"})
        yield made


def shape(address):
    """An address without what only says which record: pages of one shape have the same forms."""
    path, asked, _ = address.partition("?")
    return re.sub(r"[0-9a-f]{32}|[A-Z]{1,4}-[\w-]+|\d+", "*", path), bool(asked)


def walked(client):
    """Every page that the pages lead to, one of each shape."""
    waiting = [each.path for each in PLACES]
    seen = set()
    while waiting and len(seen) < PAGES:
        address = waiting.pop(0)
        if not address.startswith("/") or FILES.search(address) or shape(address) in seen:
            continue
        seen.add(shape(address))
        answer = client.get(address)
        assert answer.status_code < 500, (address, answer.text[:300])
        if answer.headers["content-type"].startswith("text/html"):
            page = Forms(answer.text)
            waiting += page.links
            yield address, page


def forms(client):
    """Every form once: method, address, fields."""
    found = {}
    for address, page in walked(client):
        for method, action, fields in page.forms:
            sent_to = action or address
            names = tuple(sorted(fields)) if method == "post" else ()  # filters are kept in some
            found.setdefault((method, shape(sent_to)[0], names), (sent_to, fields))
    for (method, _, _), (sent_to, fields) in found.items():
        yield method, sent_to, fields


def send(client, method, address, fields):
    if method == "get":  # an address holds less than a body
        short = {name: value[:5_000] for name, value in fields.items()}
        return client.get(address.partition("?")[0], params=short)
    return client.post(address, data=fields, follow_redirects=False)


def test_every_field_of_every_form(client):
    known = sorted(forms(client), key=lambda each: bool(LAST.search(each[1])))
    assert len(known) > 20
    tried = 0
    for method, address, fields in known:
        for name in fields:
            for value in WRONG:
                answer = send(client, method, address, {**fields, name: value})
                where = (method, address, name, value[:20])
                assert answer.status_code < 500, (where, answer.text[:500])
                assert not TELLING.search(answer.text), where
                tried += 1
    assert tried > 300
