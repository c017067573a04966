"""What the OpenAPI document says beyond what signatures tell: where ids and ETags come from.

A program that reads the document alone must be able to go from what it made to what it may do next.
So whatever answers with a record links to every operation on that record, with its id and, where a
change names the state it is made from, its ETag; and the answers that no schema can keep a caller
from (a tag that is old, a key that was used, a page of an index that is gone) stand where they
happen. All of it is worked out from paths and parameters, so that a new route has it by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

Data = dict[str, Any]
TAG, ONCE, CURSOR = "If-Match", "Idempotency-Key", "cursor"
ERROR: Final = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
REFUSED: Final = {  # parameter → status → when
    TAG: {
        "412": "Bản ghi đã đổi từ khi đọc: đọc lại rồi sửa tiếp.",
        "428": "Thiếu `If-Match`.",
    },
    ONCE: {"422": "Nội dung không đúng, hoặc khóa đã dùng cho nội dung khác."},
    CURSOR: {"410": "Con trỏ đã hết hạn: chỉ mục đã đổi, tìm lại từ trang đầu."},
}
EXAMPLES: Final = {  # an id of each noun
    "technologies": "CN-001",
    "products": "SP-029",
    "needs": "N-002",
    "lists": "DS-0001",
    "decisions": "N-002\tCN-001\t2026-11-23",
    "searches": "TK-0001",
    "imports": "0f6c9d1e5b7a4c3f8e2d1a0b9c8d7e6f",
    "duplicates": "GOP-0001",
}
ID = "/{id}"


def complete(document: Data) -> None:
    """Add to ``document``, in place, what its signatures do not say."""
    for path, method, operation in operations(document):
        for each in operation.get("parameters", ()):
            for status, told in REFUSED.get(each["name"], {}).items():
                answer = operation["responses"].setdefault(status, {"content": ERROR})
                answer["description"] = told
            if each["name"] == "id" and each["in"] == "path":
                _exemplify(each, path)
        _link(document, path, method, operation)


def operations(document: Data) -> Iterator[tuple[str, str, Data]]:
    """Yield path, method and body of every operation."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def _exemplify(parameter: Data, path: str) -> None:
    noun = path.partition(ID)[0].rpartition("/")[2]
    if noun in EXAMPLES:
        parameter["schema"]["examples"] = [EXAMPLES[noun]]
        parameter["example"] = EXAMPLES[noun]


def _link(document: Data, path: str, method: str, operation: Data) -> None:
    """Lead from what answers with one record to what may be done with it."""
    made = method == "post" and "201" in operation["responses"] and ID not in path
    read = method == "get" and path.endswith(ID)
    if not (made or read):
        return
    whole = path.removesuffix(ID)
    found = {
        other["operationId"]: _leading(other)
        for where, _, other in operations(document)
        if where.startswith(f"{whole}{ID}") and other is not operation
    }
    if found:
        operation["responses"]["201" if made else "200"]["links"] = found


def _leading(operation: Data) -> Data:
    parameters = {"path.id": "$response.body#/id"}
    if any(each["name"] == TAG for each in operation.get("parameters", ())):
        parameters[f"header.{TAG}"] = "$response.header.ETag"
    return {"operationId": operation["operationId"], "parameters": parameters}
