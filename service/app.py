"""The web service: routes, one body for every failure, one address that only this machine reaches.

State lives in the application object only, so that several services may run in one process, as
they do in tests. Until there are accounts, whoever can open the address may ask everything the
public may ask: the address is therefore a loopback one, and no other.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Literal

import uvicorn
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from service import api, failures, pages
from service.access import IN_PROCESS, Guard, Rules
from service.api_desk import Shelf
from service.contract import Shape
from service.live import Live
from service.workspace import Workspace


class Health(Shape):
    """The process lives."""

    status: Literal["ok"] = "ok"


class Ready(Shape):
    """What is being searched."""

    status: Literal["ready"] = "ready"
    records: int = Field(description="Số công nghệ trong chỉ mục.", examples=[320])
    encoder: str | None = Field(description="Bộ mã hóa; null: chỉ theo từ ngữ.")
    as_of: dt.date = Field(description="Ngày xét hiệu lực.")
    index_notices: tuple[str, ...]


def create_app(
    space: Workspace, as_of: dt.date | None = None, every: float = 1.0, rules: Rules = IN_PROCESS
) -> FastAPI:
    """Make the service of one work folder.

    Args:
        space: the work folder; it may be empty still, then the service says what to do.
        as_of: the day on which validity is judged; ``None``: always the current one.
        every: seconds between looks for a new index.
        rules: on what terms the service is reached; as it stands, by programs of this process.
    """
    live = Live(space, as_of, every)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(live.refresh)
        if every:
            live.watch()
        yield
        await run_in_threadpool(live.close)
        await run_in_threadpool(app.state.shelf.close)

    app = FastAPI(
        title="Cung Cầu",
        summary="Tìm công nghệ đáp ứng nhu cầu của sản phẩm chủ lực.",
        version=version("cungcau"),
        lifespan=lifespan,
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        responses=failures.DOCUMENTED,
        generate_unique_id_function=lambda route: route.name,
        # Nothing leaves this machine, whatever its environment says.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.live = live
    app.state.shelf = Shelf(space)
    app.state.guard = Guard(rules)
    app.include_router(api.router)
    app.add_api_route("/health", health, response_model=Health, tags=["Trạng thái"])
    app.add_api_route("/ready", ready, response_model=Ready, tags=["Trạng thái"])
    pages.add_to(app)
    failures.add_to(app)
    return app


async def health() -> Health:
    """Tiến trình còn chạy; không chờ chỉ mục, cũng không chờ những yêu cầu khác."""
    return Health()


def ready(opened: api.Public) -> Ready:
    """Đã mở chỉ mục (200), hoặc chưa (503) và cần làm gì."""
    manifest, matcher = opened.manifest, opened.matcher
    return Ready(
        records=manifest.records,
        encoder=manifest.encoder,
        as_of=matcher.as_of,
        index_notices=opened.notices,
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
    shown = f"[{address}]" if family == socket.AF_INET6 else address
    return door, f"http://{shown}:{door.getsockname()[1]}"


def run(app: FastAPI, door: socket.socket) -> None:
    """Serve until the process is told to stop; requests under way are finished first."""
    config = uvicorn.Config(app, log_level="warning", access_log=False)
    with door, suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[door])
