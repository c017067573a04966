"""The web service: routes, one body for every failure, one address that only this machine reaches.

State lives in the application object only, so that several services may run in one process, as
they do in tests. Until there are accounts, whoever can open the address may ask everything the
public may ask: the address is therefore a loopback one, and no other.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import Field
from starlette.exceptions import HTTPException

from service import api, pages
from service.access import IN_PROCESS, Guard, Rules
from service.contract import ApiError, ErrorBody, Shape
from service.live import Live
from service.pages import render
from service.workspace import Workspace

FAILURES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorBody, "description": "Yêu cầu không đúng."},
    "5XX": {
        "model": ErrorBody,
        "description": "Lúc này không trả lời được; lời báo nói cần làm gì.",
    },
}
REFUSALS = {  # what the framework itself refuses
    404: ("unknown_route", "không có địa chỉ này; các địa chỉ có trong /openapi.json"),
    405: ("method_not_allowed", "địa chỉ này không nhận phương thức {method}"),
}
TOLD = {  # pydantic's kinds of error, for those whose parameters people write by hand
    "missing": "thiếu",
    "extra_forbidden": "không có tham số này",
    "string_too_short": "không được để trống",
    "int_parsing": "phải là số nguyên",
    "float_parsing": "phải là số",
    "bool_parsing": "phải là true hoặc false",
    "finite_number": "phải là số hữu hạn",
    "greater_than_equal": "không được nhỏ hơn {ge}",
    "less_than_equal": "không được lớn hơn {le}",
    "value_error": "{error}",
}


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
        yield
        live.close()

    app = FastAPI(
        title="Cung Cầu",
        summary="Tìm công nghệ đáp ứng nhu cầu của sản phẩm chủ lực.",
        version=version("cungcau"),
        lifespan=lifespan,
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        responses=FAILURES,
        generate_unique_id_function=lambda route: route.name,
        # Nothing leaves this machine, whatever its environment says.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.live = live
    app.state.guard = Guard(rules)
    app.include_router(api.router)
    app.add_api_route("/health", health, response_model=Health, tags=["Trạng thái"])
    app.add_api_route("/ready", ready, response_model=Ready, tags=["Trạng thái"])
    pages.add_to(app)
    _answer_failures(app)
    return app


async def health() -> Health:
    """Tiến trình còn chạy; không chờ chỉ mục, cũng không chờ những yêu cầu khác."""
    return Health()


def ready(opened: api.Current) -> Ready:
    """Đã mở chỉ mục (200), hoặc chưa (503) và cần làm gì."""
    manifest, matcher = opened.manifest, opened.matcher
    return Ready(
        records=manifest.records,
        encoder=manifest.encoder,
        as_of=matcher.as_of,
        index_notices=opened.notices,
    )


def _answer_failures(app: FastAPI) -> None:
    """Give every failure the one body; what went wrong inside is logged, not told."""

    @app.exception_handler(ApiError)
    async def _refused(request: Request, error: ApiError) -> Response:
        return _failure(request, error.status, error.code, error.message)

    @app.exception_handler(HTTPException)
    async def _framework(request: Request, error: HTTPException) -> Response:
        code, message = REFUSALS.get(error.status_code, ("refused", "yêu cầu bị từ chối"))
        message = message.format(method=request.method)
        return _failure(request, error.status_code, code, message, error.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        return _failure(request, 422, "invalid", "; ".join(map(_told, error.errors())))

    @app.exception_handler(Exception)
    async def _broken(request: Request, _: Exception) -> Response:
        told = "lỗi của chương trình, đã ghi vào nhật ký máy chủ"
        return _failure(request, 500, "internal", told)


def _failure(
    request: Request,
    status: int,
    code: str,
    message: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with the one body, or with a page where a person's browser asks for one."""
    if render.wants_page(request):
        return render.failure(request, status, message, headers)
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


def _told(error: Mapping[str, Any]) -> str:
    """Say which parameter is wrong, what it should be, and what it was."""
    where = ".".join(map(str, error["loc"][1:]))
    what = TOLD.get(error["type"], "không hợp lệ").format(**error.get("ctx", {}))
    given = error.get("input")
    shown = f" (nhận {given[:40]!r})" if isinstance(given, str) and given else ""
    return f"{where}: {what}{shown}" if where else what


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
