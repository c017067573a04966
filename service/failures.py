"""One body for every failure, whoever refuses: a route, the framework, the store, a bug.

People's browsers get a page that says the same. What went wrong inside is logged, not told.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from corpus.store import StoreError
from service.contract import NO_TAG, ApiError, ErrorBody
from service.discretion import for_eyes_of
from service.pages import render

log = logging.getLogger(__name__)
EXAMPLES = {
    "4XX": {"code": "unknown_id", "message": "không có công nghệ mã 'CN-999'"},
    "5XX": {"code": "no_index", "message": "chưa có chỉ mục: chạy `cungcau index`"},
}
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    status: {
        "model": ErrorBody,
        "description": told,
        "content": {"application/json": {"example": {"error": EXAMPLES[status]}}},
    }
    for status, told in (
        ("4XX", "Yêu cầu không đúng, hoặc không được phép."),
        ("5XX", "Lúc này không trả lời được; lời báo nói cần làm gì."),
    )
}
REFUSALS = {  # what the framework itself refuses
    400: ("unreadable", "không đọc được nội dung gửi lên"),
    404: ("unknown_route", "không có địa chỉ này; các địa chỉ có trong /openapi.json"),
    405: ("method_not_allowed", "địa chỉ này không nhận phương thức {method}"),
    413: ("too_large", "nội dung gửi lên quá lớn"),
    415: ("wrong_type", "nội dung gửi lên không đúng loại"),
}
TOLD = {  # pydantic's kinds of error, for those whose parameters people write by hand
    "missing": "thiếu",
    "extra_forbidden": "không có tham số này",
    "string_type": "phải là chữ",
    "string_too_short": "không được để trống",
    "string_too_long": "không được dài quá {max_length} ký tự",
    "string_pattern_mismatch": "có ký tự không được dùng",
    "too_long": "không được có quá {max_length} mục",
    "too_short": "phải có ít nhất {min_length} mục",
    "int_parsing": "phải là số nguyên",
    "int_type": "phải là số nguyên",
    "int_from_float": "phải là số nguyên",
    "int_parsing_size": "phải là số nguyên nhỏ hơn",
    "float_parsing": "phải là số",
    "float_type": "phải là số",
    "bool_parsing": "phải là true hoặc false",
    "bool_type": "phải là true hoặc false",
    "truth": "không được là true hay false",
    "finite_number": "phải là số hữu hạn",
    "greater_than_equal": "không được nhỏ hơn {ge}",
    "less_than_equal": "không được lớn hơn {le}",
    "literal_error": "phải là một trong: {expected}",
    "enum": "phải là một trong: {expected}",
    "list_type": "phải là danh sách",
    "tuple_type": "phải là danh sách",
    "model_attributes_type": "phải là một đối tượng JSON",
    "dict_type": "phải là một đối tượng JSON",
    "date_from_datetime_parsing": "phải là ngày, viết như 2026-11-23",
    "date_parsing": "phải là ngày, viết như 2026-11-23",
    "date_type": "phải là ngày, viết như 2026-11-23",
    "json_invalid": "nội dung không phải JSON",
    "value_error": "{error}",
}
NO_TAG_AT = ("header", "If-Match")
UNAVAILABLE = 503  # store or index: the message may say where they are
SHOWN = 40  # characters of what was given


def add_to(app: FastAPI) -> None:
    """Give every failure of ``app`` the one body."""

    @app.exception_handler(ApiError)
    async def _refused(request: Request, error: ApiError) -> Response:
        return failure(request, error.status, error.code, error.message, error.headers)

    @app.exception_handler(StoreError)
    async def _store(request: Request, error: StoreError) -> Response:
        log.warning("%s", error)
        return failure(request, 503, "store", str(error), {"Retry-After": "5"})

    @app.exception_handler(HTTPException)
    async def _framework(request: Request, error: HTTPException) -> Response:
        code, message = REFUSALS.get(error.status_code, ("refused", "yêu cầu bị từ chối"))
        message = message.format(method=request.method)
        return failure(request, error.status_code, code, message, error.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        if any(each["type"] == "missing" and each["loc"] == NO_TAG_AT for each in error.errors()):
            return failure(request, *NO_TAG)
        told = dict.fromkeys(map(_told, error.errors()))
        return failure(request, 422, "invalid", "; ".join([*told][:10]))

    @app.exception_handler(Exception)
    async def _broken(request: Request, _: Exception) -> Response:
        told = "lỗi của chương trình, đã ghi vào nhật ký máy chủ"
        return failure(request, 500, "internal", told)


def failure(
    request: Request,
    status: int,
    code: str,
    message: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with the one body, or with a page where a person's browser asks for one."""
    if status == UNAVAILABLE:
        message = for_eyes_of(request, message)
    if render.wants_page(request):
        return render.failure(request, status, message, headers)
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


def _told(error: Mapping[str, Any]) -> str:
    """Say which parameter is wrong, what it should be, and what it was."""
    where = _where(error["loc"])
    what = (
        TOLD.get(error["type"], "không hợp lệ")
        .format(**error.get("ctx", {}))
        .replace("' or '", "', '")
    )
    given = error.get("input")
    shown = f" (nhận {_printable(given)!r})" if isinstance(given, str) and given else ""
    return f"{where}: {what}{shown}" if where else what


def _where(location: tuple[int | str, ...]) -> str:
    """Name the part that is wrong; a parameter that may be repeated goes by its name alone."""
    source, *rest = location
    parts = (each for each in rest if source != "query" or isinstance(each, str))
    return _printable(".".join(map(str, parts)), 200)


def _printable(text: str, most: int = SHOWN) -> str:
    """Cut ``text`` and drop lone surrogates, which no answer can carry."""
    return text[:most].encode("utf-8", "replace").decode()
