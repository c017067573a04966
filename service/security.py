"""What holds for every request, whatever route it goes to: the outermost layer of the service.

It names the request, refuses what no route should see (a foreign host name, a path that is no
text, a body beyond the limit of its path), sets the headers that keep a browser from doing more
than these pages ask of it (OWASP's list of secure headers; no script or style but our own files),
and counts and logs what was answered. The log holds method, route, status and time: never a query,
a form, a cookie, a token or an address bar.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
import unicodedata
from typing import Any
from urllib.parse import unquote_to_bytes

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import document
from service.access import Rules
from service.metrics import Metrics

log = logging.getLogger("service.requests")
MIB = 1 << 20
BODY = MIB  # bytes of a body, but:
UPLOADS = {"/nhap-du-lieu": 50 * MIB, "/api/v1/imports": 50 * MIB}
UNKNOWN_BODY = 64 << 10  # bytes of a body of somebody who shows neither cookie nor token
POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": forms would then name their origin "null", which is how others do.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HSTS = "max-age=31536000"
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Service(FastAPI):
    """A FastAPI application inside :class:`Security`, failures that nobody foresaw included."""

    def __init__(self, rules: Rules, **options: Any) -> None:
        self.rules, self.metrics = rules, Metrics()
        super().__init__(**options)

    def openapi(self) -> dict[str, Any]:
        """Return the document of the API, completed once."""
        if not self.openapi_schema:
            document.complete(super().openapi())
        return super().openapi()

    def build_middleware_stack(self) -> ASGIApp:
        """Put the layer around the framework's own, which answers what breaks."""
        return Security(super().build_middleware_stack(), self.rules, self.metrics)


class _TooLarge(HTTPException):
    def __init__(self) -> None:
        super().__init__(413)


class Security:
    """The layer around the application ``app``."""

    def __init__(self, app: ASGIApp, rules: Rules, metrics: Metrics) -> None:
        self._app, self._rules, self._metrics = app, rules, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        name = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = name

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._dress(message, scope, name)
            await send(message)

        try:
            await self._guarded(scope, receive, answer)
        finally:
            took = time.perf_counter() - began
            route = template(scope)
            self._metrics.answered(scope["method"], route, status, took)
            log.info("%s %s %s %d %.1f ms", name, scope["method"], route, status, took * 1e3)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refused = self._refusal(scope, headers)
        if refused is not None:
            await _refuse(send, *refused)
            return
        limit, read = self._limit(scope["path"], headers), 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > limit:
                    raise _TooLarge
            return message

        await self._app(scope, counted, send)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str, str] | None:
        """Say why no route may see this request, if none may."""
        if not _is_text(scope.get("raw_path") or scope["path"].encode()):
            return 400, "bad_path", "địa chỉ không phải chữ UTF-8 hoặc có ký tự điều khiển"
        hosts = self._rules.hosts
        if hosts and host_name(headers.get("host", "")) not in hosts:
            return 421, "wrong_host", "máy chủ này không phục vụ tên máy ấy"
        stated = headers.get("content-length", "0")
        if not (stated.isascii() and stated.isdigit()):
            return 400, "bad_length", "Content-Length không phải là số"
        if len(stated) > 15 or int(stated) > self._limit(scope["path"], headers):
            return 413, "too_large", "nội dung gửi lên quá lớn"
        return None

    def _limit(self, path: str, headers: Headers) -> int:
        shown = self._rules.local or "cookie" in headers or "authorization" in headers
        most = next((size for start, size in UPLOADS.items() if path.startswith(start)), BODY)
        return most if shown else UNKNOWN_BODY

    def _dress(self, message: Message, scope: Scope, name: str) -> None:
        headers = MutableHeaders(scope=message)
        for key, value in HEADERS.items():
            headers[key] = value
        headers["X-Request-ID"] = name
        if scope.get("scheme") == "https":
            headers["Strict-Transport-Security"] = HSTS
        if not scope["path"].startswith("/static/"):
            headers.setdefault("Cache-Control", "no-store")


def template(scope: Scope) -> str:
    """Return the template of the route that answered: ids would name records in the log."""
    path = getattr(scope.get("route"), "path", None)
    return str(path) if path else "(không có)"


def host_name(host: str) -> str:
    """Return a Host header without its port, in lower case."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()


def _is_text(raw: bytes) -> bool:
    try:
        path = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        return False
    shown = path.replace("\t", "")  # joins the parts of some ids
    return not any(unicodedata.category(each) in {"Cc", "Cs", "Zl", "Zp"} for each in shown)


async def _refuse(send: Send, status: int, code: str, message: str) -> None:
    body = json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False).encode()
    head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if status == 413:
        head.append((b"connection", b"close"))  # what is still on its way is not read
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
