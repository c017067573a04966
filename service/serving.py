"""Where the service listens and on what terms: alone on this machine, or for others with accounts.

On loopback and without accounts whoever reaches the service is its one officer. That is safe only
while nobody else can reach it: the name by which a browser calls it is checked, since a foreign
page may have its own name lead here (DNS rebinding). On any other address, or under another name,
an administrator must exist before the first request does.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import json
import logging
import os
import socket
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from corpus.store import StoreError
from service.access import Rules
from service.app import create_app
from service.console import fail, out
from service.register import Register
from service.security import LOOPBACK_NAMES
from service.settings import Exit
from service.workspace import Workspace

SETTINGS = "CUNGCAU_SERVE"  # what workers of one service are told by the process that starts them
GRACE = 5  # seconds that requests under way have when the service is told to stop


@dataclass(frozen=True)
class Wanted:
    """What the command was asked for."""

    folder: Path
    host: str
    port: int
    names: tuple[str, ...] = ()
    plain_http: bool = False
    cert: Path | None = None
    key: Path | None = None
    workers: int = 1
    log: bool = False
    nda: bool = False
    as_of: dt.date | None = None


def serve(wanted: Wanted) -> None:
    """Serve until told to stop; end with a sentence where that cannot be done."""
    near = loopback(wanted.host)
    others = near is None or bool(wanted.names)
    if others:
        _ask_for_an_administrator(wanted, near is None)
    address = near or wanted.host
    try:
        door, url = listen(address, wanted.port)
    except (OSError, UnicodeError) as error:
        told = getattr(error, "strerror", None) or "không phải địa chỉ của máy này"
        fail(f"không mở được cổng {wanted.port} ở {address}: {told}", Exit.USAGE)
    if wanted.cert is not None:
        url = url.replace("http://", "https://", 1)
    out.print(f"API: {url}/api/v1 (mô tả: {url}/openapi.json)", soft_wrap=True)
    out.print(f"Trang web: {url}/", soft_wrap=True)
    if wanted.log:
        logging.basicConfig(format="%(asctime)s %(name)s %(message)s")
        logging.getLogger("service.requests").setLevel(logging.INFO)
    run(wanted, terms(wanted, others), door)


def terms(wanted: Wanted, others: bool) -> Rules:
    """Return on what terms the service is reached."""
    names = {each.lower() for each in wanted.names}
    if not others:
        return Rules(True, wanted.nda, LOOPBACK_NAMES)
    known = frozenset(LOOPBACK_NAMES | names | {_named(wanted.host)}) if names else frozenset()
    return Rules(False, False, known, secure=not wanted.plain_http)


def _named(host: str) -> str:
    return f"[{host.lower()}]" if ":" in host else host.lower()


def _ask_for_an_administrator(wanted: Wanted, far: bool) -> None:
    register = Register(wanted.folder)
    try:
        there = register.accounts.has_administrator()
    except StoreError:
        there = False  # no database: no account
    finally:
        register.close()
    if not there:
        what = (
            f"{wanted.host!r} không phải địa chỉ của riêng máy này"
            if far
            else "--name cho người khác gọi tới máy chủ này"
        )
        fail(
            f"{what}: tạo tài khoản quản trị trước bằng "
            "`cungcau user add TÊN --role administrator`, hoặc chỉ phục vụ ở 127.0.0.1, ::1 "
            "hoặc localhost",
            Exit.USAGE,
        )


def loopback(host: str) -> str | None:
    """Return the address behind ``host`` if only this machine can reach it, else ``None``."""
    try:
        found = [str(each[4][0]) for each in socket.getaddrinfo(host, None)]
    except (OSError, ValueError):
        return None
    return found[0] if all(ipaddress.ip_address(each).is_loopback for each in found) else None


def listen(address: str, port: int) -> tuple[socket.socket, str]:
    """Open the port; return it and its URL. Port 0 takes any that is free."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    door = socket.create_server((address, port), family=family)
    # Inherited by every connection: asyncio sets it only where a socket's protocol is given, and
    # without it an answer in two pieces waits 40 ms until the first is acknowledged.
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    shown = f"[{address}]" if family == socket.AF_INET6 else address
    return door, f"http://{shown}:{door.getsockname()[1]}"


def run(wanted: Wanted, rules: Rules, door: socket.socket) -> None:
    """Serve until the process is told to stop; requests under way have a moment to be finished.

    Without an end to that moment somebody whose upload stands still would keep it for ever.
    """
    told = {
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": GRACE,
        "ssl_certfile": str(wanted.cert) if wanted.cert else None,
        "ssl_keyfile": str(wanted.key) if wanted.key else None,
    }
    with door, suppress(KeyboardInterrupt):
        if wanted.workers == 1:
            logging.getLogger("uvicorn.error").addFilter(_worth_telling)
            app = create_app(Workspace(wanted.folder), wanted.as_of, rules=rules)
            uvicorn.Server(uvicorn.Config(app, **told)).run(sockets=[door])  # type: ignore[arg-type]
            return
        with tempfile.TemporaryDirectory(prefix="cungcau-") as counts:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts  # before the workers begin
            os.environ["CUNGCAU_WORKERS"] = str(wanted.workers)
            os.environ[SETTINGS] = written(wanted, rules)
            config = uvicorn.Config(
                "service.serving:worker",
                factory=True,
                workers=wanted.workers,
                **told,  # type: ignore[arg-type]
            )
            Multiprocess(config, sockets=[door]).run()


def written(wanted: Wanted, rules: Rules) -> str:
    """Write down what a worker needs to know."""
    facts = {**asdict(rules), "hosts": sorted(rules.hosts)}
    day = wanted.as_of.isoformat() if wanted.as_of else None
    return json.dumps(
        {"folder": str(wanted.folder), "as_of": day, "log": wanted.log, "rules": facts}
    )


def worker() -> FastAPI:
    """Make the service of one worker, from what :func:`written` wrote."""
    told = json.loads(os.environ[SETTINGS])
    logging.getLogger("uvicorn.error").addFilter(_worth_telling)
    if told["log"]:
        logging.basicConfig(format="%(asctime)s %(name)s %(message)s")
        logging.getLogger("service.requests").setLevel(logging.INFO)
    rules = Rules(**{**told["rules"], "hosts": frozenset(told["rules"]["hosts"])})
    as_of = dt.date.fromisoformat(told["as_of"]) if told["as_of"] else None
    return create_app(Workspace(Path(told["folder"])), as_of, rules=rules)


def _worth_telling(record: logging.LogRecord) -> bool:
    """Whether a line is no trace of a request that was cut off; another line counts those."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))
