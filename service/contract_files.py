"""What the API's imports and exports are asked and answer: files on their way in and out."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from corpus.tables import Row
from service.contract import Filters, Page, Shape, Values
from service.mapping import Certainty

State = Literal["new", "loading", "done", "failed", "stopped"]
Kind = Literal["technology", "product", "need", "judgment", "decision", "proposal", "task"]
Heading = Annotated[str, Field(max_length=100)]
FIELD = "Tên trường; `+`: giữ nguyên bên cạnh các trường; `-`: không nạp."


class ImportProgress(Shape):
    """How far a load has come, or how it ended; what failed or stopped has loaded nothing."""

    total: int = Field(description="Số bản ghi sẽ ghi.", examples=[120])
    done: int = Field(examples=[120])
    added: int = Field(examples=[100])
    changed: int = Field(examples=[20])
    unchanged: int = Field(examples=[5])
    rejected: int = Field(description="Số dòng bị từ chối.", examples=[2])
    technologies: int = Field(description="Số công nghệ; cần cập nhật chỉ mục để tìm thấy chúng.")
    suggested: int = Field(description="Số đề xuất từ văn bản, chờ người duyệt.", examples=[3])
    alike: int = Field(description="Số bản ghi mới có thể trùng với bản ghi đã có.", examples=[1])
    message: str = Field(description="Vì sao không xong; rỗng: không có gì.")


class ImportLine(Shape):
    """An upload in short."""

    id: str = Field(examples=["0f6c9d1e5b7a4c3f8e2d1a0b9c8d7e6f"])
    name: str = Field(examples=["phieu-khao-sat.xlsx"])
    state: State
    progress: ImportProgress | None = Field(description="null: chưa nạp.")


class ImportColumn(Shape):
    """A column of an uploaded table and what it is read as."""

    heading: str = Field(examples=["Vốn (triệu đồng)"])
    field: str = Field(description=FIELD, examples=["budget"])
    certainty: Certainty = Field(description="Chắc đến đâu; chưa rõ: do người dùng chọn.")
    examples: list[str] = Field(description="Vài ô đầu.", examples=[["200", "150"]])


class ImportField(Shape):
    """A field that a column may carry."""

    field: str = Field(examples=["budget"])
    title: str = Field(examples=["Kinh phí tối đa (triệu đồng)"])
    required: bool


class ImportTable(Shape):
    """A table of an upload and how it is read."""

    name: str = Field(description="Trang tính, hoặc tên tệp.", examples=["Nhu cầu"])
    rows: int = Field(examples=[120])
    kind: Kind | None = Field(description="Loại bản ghi; null: không nạp bảng này.")
    columns: list[ImportColumn]
    constants: dict[str, str] = Field(description="Giá trị chung của trường không có cột.")
    make_ids: bool = Field(description="Tạo mã theo nội dung cho dòng chưa có mã.")
    fields: list[ImportField] = Field(description="Các trường của loại này.")
    missing: list[str] = Field(description="Trường bắt buộc chưa có cột.", examples=[["product"]])


class ImportBody(ImportLine):
    """An upload with its tables; the ``ETag`` names file and plan."""

    type: Literal["import"]
    tables: list[ImportTable]


class TablePlan(Shape):
    """How one table is to be read."""

    kind: Kind | None = Field(description="Loại bản ghi; null: không nạp bảng này.")
    columns: Annotated[list[Heading], Field(max_length=400)] | None = Field(
        None, description=f"Mỗi cột một mục, theo thứ tự. {FIELD} Bỏ trống: đoán lại.",
        examples=[["id", "product", "text", "+"]],
    )  # fmt: skip
    constants: Annotated[
        dict[Heading, Annotated[str, Field(max_length=1000)]], Field(max_length=50)
    ] = Field({}, description="Giá trị chung của trường không có cột.")
    make_ids: bool = Field(False, description="Tạo mã theo nội dung cho dòng chưa có mã.")


class ImportPlan(Shape):
    """How the tables of an upload are to be read, in their order."""

    tables: Annotated[list[TablePlan], Field(min_length=1, max_length=200)] = Field(
        description="Mỗi bảng một mục, theo thứ tự trong tệp."
    )


class Seen(Page):
    """Which part of the rejected rows to return."""

    k: int = Field(100, ge=1, le=1000, description="Số dòng bị từ chối.")


class Fault(Shape):
    """A row that will not load, and why."""

    file: str
    sheet: str | None
    row: int = Field(description="0: cả bảng hoặc cả tệp.", examples=[41])
    column: str | None = Field(examples=["TRL"])
    value: str | None = Field(examples=["chín"])
    reason: str = Field(examples=["cần số từ 1 đến 9"])


class Difference(Shape):
    """A fact that loading would change."""

    field: str = Field(examples=["Chi phí từ (triệu đồng)"])
    before: str = Field(examples=["chưa rõ"])
    after: str = Field(examples=["150"])


class ImportChange(Shape):
    """A record that is there and would be changed."""

    type: Kind
    id: str
    fields: list[Difference]


class ImportPreview(Shape):
    """What loading would do; nothing has been written."""

    new: int = Field(examples=[100])
    changed: int = Field(examples=[20])
    unchanged: int = Field(examples=[5])
    rejected: int = Field(examples=[2])
    faults: list[Fault] = Field(description="Phần được hỏi của các dòng bị từ chối.")
    notices: list[str] = Field(description="Những gì được hiểu khác với chữ trong tệp.")
    changes: list[ImportChange] = Field(description="Những thay đổi đầu tiên.")
    first: list[dict[str, Any]] = Field(
        description="Những bản ghi đầu tiên sẽ được ghi; `certainty`: độ tin 0–1 của từng trường "
        "đọc từ văn bản."
    )
    doubtful: int = Field(description="Số bản ghi có trường đọc chưa chắc.", examples=[2])
    suggested: list[dict[str, Any]] = Field(
        description="Những gì chữ trong văn bản gợi ra; nạp thì chờ người duyệt, chưa vào dữ liệu."
    )


class Corrections(Shape):
    """In which form to return the rejected rows."""

    format: Literal["xlsx", "csv"] = Field("xlsx", description="Dạng tệp.")


class IndexBody(Shape):
    """How far a refresh of the index is, or how the last one ended; times in UTC."""

    state: Literal["never", "running", "done", "failed", "stopped"]
    actor: str | None = Field(None, description="Người yêu cầu; null: dòng lệnh.")
    began: str | None = Field(None, examples=["2026-11-30T08:00:00Z"])
    ended: str | None = Field(None, examples=["2026-11-30T08:01:00Z"])
    stage: str = Field("", examples=["mã hóa"])
    done: int = 0
    total: int = 0
    records: int | None = Field(None, description="Số công nghệ trong chỉ mục mới.")
    message: str = Field("", description="Kết quả, hoặc vì sao không xong.")


class Form(StrEnum):
    """A form of file in which records leave."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"


FORMAT = Field(Form.CSV, description="Dạng tệp.")


class TechnologiesOut(Filters):
    """Which technologies to export, and in which form."""

    format: Form = FORMAT


class ProductsOut(Shape):
    """Which products to export, and in which form."""

    format: Form = FORMAT
    province: Values = Field([], description="Tỉnh.", examples=[["An Giang"]])
    level: Values = Field([], description="Cấp.", examples=[["tỉnh"]])


class NeedsOut(Shape):
    """Which needs to export, and in which form."""

    format: Form = FORMAT
    product: Values = Field([], description="Mã sản phẩm.", examples=[["SP-029"]])
    province: Values = Field([], description="Tỉnh.", examples=[["An Giang"]])
    stage: Values = Field([], description="Khâu.", examples=[["bảo quản"]])
    status: Values = Field([], description="Trạng thái.", examples=[["đã rút"]])


class ListFile(StrEnum):
    """One of the files of a match list."""

    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"
    ANNEX = "annex"
    CONTACTS = "contacts"


Short = Annotated[str, Field(max_length=200)]


class ListOut(Shape):
    """Which file of a list, and what only the main document of its annex knows."""

    format: ListFile = Field(
        ListFile.XLSX, description="Dạng tệp; annex: phụ lục, contacts: bảng liên hệ (DOCX)."
    )
    number: Short = Field("", description="Số của phụ lục.", examples=["II"])
    document: Short = Field("", description="Văn bản chính.", examples=["Kế hoạch"])
    document_no: Short = Field("", description="Số của văn bản chính.")
    document_day: Short = Field("", description="Ngày của văn bản chính, như sẽ in.")
    issuer: Short = Field("", description="Cơ quan ban hành.")
    lead: Short = Field("", description="Cơ quan chủ trì.")
    period: Short = Field("", description="Thời gian thực hiện.")


def files(types: Mapping[str, str]) -> dict[int | str, dict[str, Any]]:
    """Return how the document describes an answer that is a file of one of ``types``."""
    file: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
    kinds = {
        each: {"schema": {}} if each == "application/json" else file for each in types.values()
    }
    return {200: {"description": "Tệp.", "content": kinds}}


def examples(rows: tuple[Row, ...], column: int, most: int = 3) -> list[str]:
    """Return the first cells of a column that say something, each once."""
    cells = (row.values[column] for row in rows if column < len(row.values))
    return list(dict.fromkeys(cell.strip()[:80] for cell in cells if cell and cell.strip()))[:most]
