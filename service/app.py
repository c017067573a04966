"""The web service: its routes, who may ask them, one body for every failure.

State lives in the application object only, so that several services may run in one process, as
they do in tests. Where it listens and for whom is decided by :mod:`service.serving`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Literal

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from service import api, failures, metrics, pages
from service.access import IN_PROCESS, Guard, Rules, needs
from service.contract import Shape
from service.duplicates import Found
from service.indexing import Indexing
from service.live import Live
from service.pages import account
from service.register import Register
from service.roles import READ
from service.security import Service
from service.shelf import Shelf
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
        app.state.register.close()
        await run_in_threadpool(app.state.shelf.close)

    app = Service(
        rules,
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
    app.state.space = space
    app.state.as_of = as_of
    app.state.shelf = Shelf(space)
    app.state.register = Register(space.folder)
    app.state.guard = Guard(rules, app.state.register)
    app.state.duplicates = Found(space)
    app.state.indexing = Indexing(space, app.state.register.ledger)
    app.include_router(api.router, dependencies=[needs(READ)])
    app.add_api_route("/health", health, response_model=Health, tags=["Trạng thái"])
    app.add_api_route("/ready", ready, response_model=Ready, tags=["Trạng thái"])
    app.add_api_route("/metrics", metrics.metrics, include_in_schema=False)
    pages.add_to(app)
    account.add_to(app)
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
