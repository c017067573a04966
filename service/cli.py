"""The command ``cungcau``: what the library does, from a terminal.

Every command takes ``--json`` for programs. Exit codes are those of
:class:`service.settings.Exit`. A user's mistake is answered by a sentence, never by a traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from corpus.priority import Membership, Priority, PriorityList, in_force
from corpus.records import Need, Product, Proposal, Record, Task, Technology
from corpus.store import Store
from indexes.snapshot import ALL, PUBLIC
from matcher import fit
from matcher.match import Matcher
from matcher.need import Conditions
from service import (
    cli_accounts,
    cli_admin,
    cli_documents,
    cli_duplicates,
    cli_gathering,
    cli_plan,
    cli_priority,
    cli_quality,
    cli_yearly,
    payloads,
    show,
)
from service import doctor as examination
from service.console import emit, err, fail, out, progress, readable, told_failures
from service.exports import match_lists
from service.indexing import Indexing
from service.ledger import Ledger
from service.settings import (
    DATA,
    AsOf,
    Data,
    EncoderChoice,
    Exit,
    Json,
    Parts,
    Restricted,
    Top,
    today,
)
from service.workspace import Opened, Workspace

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Cung Cầu: tìm công nghệ đáp ứng nhu cầu của sản phẩm chủ lực, xếp hạng và nói lý do.",
)


def main() -> None:
    """Run the command."""
    with told_failures():
        app([readable(each) for each in sys.argv[1:]], standalone_mode=True)


@contextmanager
def _open(data: Path | None, as_of: AsOf, encoder: str | None, nda: bool) -> Iterator[Opened]:
    audience = ALL if nda else PUBLIC
    with Workspace(data or DATA()).open(today(as_of), encoder, audience) as opened:
        for each in opened.notices:
            err.print(show.notice(each))
        yield opened


@app.command()
def init(
    data: Data = None,  # type: ignore[assignment]
    tables: Annotated[
        bool, typer.Option("--tables", help="Chép các bảng từ vựng ra để sửa.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Tạo thư mục làm việc và cơ sở dữ liệu (chạy lại không mất gì)."""
    space = Workspace(data or DATA())
    with Store.create(space.folder) as store:
        state = store.state()
    copied = space.copy_tables() if tables else []
    if as_json:
        facts = {"data": str(space.folder), "revision": state.revision}
        emit({**facts, "tables": [str(path) for path in copied]})
        return
    out.print(f"Thư mục làm việc: {space.folder} (phiên bản dữ liệu {state.revision})")
    for path in copied:
        out.print(f"  bảng để sửa: {path}")
    out.print("Tiếp theo: `cungcau load TỆP…` hoặc `cungcau load --sample`, rồi `cungcau index`.")


@app.command()
def load(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Tệp bảng (CSV, XLSX, JSONL, XLS), văn bản (DOCX, PDF, …), ZIP hoặc thư mục.",
            show_default=False,
        ),
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Nạp dữ liệu minh họa đi kèm chương trình.")
    ] = False,
    data: Data = None,  # type: ignore[assignment]
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Nạp sản phẩm, công nghệ, nhu cầu, đánh giá và quyết định; báo và ghi ra dòng lỗi để sửa."""
    from service import loading  # noqa: PLC0415 - readers of all formats: no search waits for them

    paths = [*(loading.sample_files() if sample else []), *(files or [])]
    if not paths:
        raise typer.BadParameter("cần ít nhất một tệp, hoặc --sample")
    space = Workspace(data or DATA())
    report = loading.load(paths, space.folder, space.lexicon(), today(as_of))
    if as_json:
        emit(payloads.load_report(report))
    else:
        show.load_report(out, report)
    unreadable = any(not each.row for each in report.rejected)
    if report.rejected:
        raise typer.Exit(Exit.BAD_INPUT if unreadable else Exit.PARTLY)


@app.command()
def index(
    data: Data = None,  # type: ignore[assignment]
    encoder: EncoderChoice = None,
    as_json: Json = False,
) -> None:
    """Tạo chỉ mục từ dữ liệu đã nạp; chỉ mục cũ dùng được cho đến khi chỉ mục mới xong."""
    space = Workspace(data or DATA())
    engine, notice = space.encoder(encoder)
    with closing(Ledger(space.folder)) as ledger, progress() as tick:
        manifest = Indexing(space, ledger).run(None, engine, tick)
    if as_json:
        emit(payloads.manifest(manifest, [notice] if notice else []))
        return
    if notice:
        out.print(show.notice(notice))
    engine_name = manifest.encoder or "không có (chỉ theo từ ngữ)"
    out.print(f"Đã tạo chỉ mục {manifest.records:,} công nghệ; bộ mã hóa: {engine_name}.")


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="Điều cần tìm, có dấu hoặc không dấu.")],
    k: Top = 10,
    kind: Annotated[str | None, typer.Option(help="Loại công nghệ.")] = None,
    field: Annotated[str | None, typer.Option(help="Lĩnh vực.")] = None,
    product: Annotated[str | None, typer.Option(help="Sản phẩm áp dụng.")] = None,
    place: Annotated[
        str | None,
        typer.Option(
            "--province",
            "--place",
            help="Tỉnh của đơn vị hoặc nơi đã dùng: tỉnh mới, tỉnh cũ, huyện cũ kèm tỉnh, vùng;"
            " như “An Giang (trước 1/7/2025)”.",
        ),
    ] = None,
    trl_min: Annotated[int | None, typer.Option(min=1, max=9, help="TRL tối thiểu.")] = None,
    price_max: Annotated[
        float | None, typer.Option(min=0, help="Giá thấp nhất không quá, triệu đồng.")
    ] = None,
    year_from: Annotated[int | None, typer.Option(help="Từ năm.")] = None,
    valid: Annotated[bool, typer.Option("--valid", help="Chỉ công nghệ còn hiệu lực.")] = False,
    priority: Annotated[
        str | None, typer.Option(help="Ký hiệu nhóm của danh mục ưu tiên, như (ii).")
    ] = None,
    parts: Parts = False,
    data: Data = None,  # type: ignore[assignment]
    as_of: AsOf = None,
    encoder: EncoderChoice = None,
    nda: Restricted = False,
    as_json: Json = False,
) -> None:
    """Tìm công nghệ theo câu chữ; bộ lọc chỉ bỏ bớt, không đổi thứ tự."""
    only = fit.Filter(
        kind, field, product, place, trl_min, price_max, year_from, valid, priority=priority
    )
    with _open(data, as_of, encoder, nda) as opened:
        found = opened.matcher.answer(opened.matcher.text(text), k, only)
        if as_json:
            emit({**payloads.answer(found), "index_notices": list(opened.notices)})
        else:
            show.answer(out, found, parts)


@app.command()
def match(
    key: Annotated[
        str | None, typer.Argument(metavar="SẢN PHẨM|NHU CẦU", help="Mã hoặc tên.")
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="Nhu cầu viết tự do.")] = None,
    budget: Annotated[
        float | None, typer.Option(min=0, help="Kinh phí tối đa, triệu đồng.")
    ] = None,
    trl_min: Annotated[int | None, typer.Option(min=1, max=9, help="TRL tối thiểu.")] = None,
    place: Annotated[str | None, typer.Option(help="Nơi có nhu cầu.")] = None,
    k: Top = 10,
    parts: Parts = False,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", help="Ghi danh sách ra tệp XLSX.")] = None,
    data: Data = None,  # type: ignore[assignment]
    as_of: AsOf = None,
    encoder: EncoderChoice = None,
    nda: Restricted = False,
    as_json: Json = False,
) -> None:
    """Lập danh sách kết nối cho một sản phẩm, một nhu cầu, hoặc nhu cầu viết tự do."""
    if not key and text is None:
        raise typer.BadParameter("cần mã sản phẩm, mã nhu cầu, hoặc --text")
    if text is None and not (budget is None and trl_min is None and place is None):
        raise typer.BadParameter("--budget, --trl-min và --place chỉ dùng cùng --text")
    with _open(data, as_of, encoder, nda) as opened:
        matcher = opened.matcher
        stated = matcher.needs.get(key) if key else None
        named = stated.product if stated and text else key
        product = _product(matcher, named) if named and (text or not stated) else None
        if xlsx and not (product and text is None):
            raise typer.BadParameter("--xlsx chỉ dùng với một sản phẩm")
        if product and text is None:
            lists = matcher.for_product(product, k)
            if xlsx:
                match_lists([lists], xlsx, matcher.as_of)
            emit(payloads.product_list(lists)) if as_json else show.product_list(out, lists)
            return
        if text is not None:
            query = matcher.text(text, product, Conditions(budget, trl_min, place))
        else:
            query = matcher.stated(matcher.needs[str(key)])
        found = matcher.answer(query, k)
        emit(payloads.answer(found)) if as_json else show.answer(out, found, parts)


def _product(matcher: Matcher, key: str) -> Product:
    """Find a product by id, else by its name."""
    found = matcher.product(key)
    if found is None:
        known = f"{len(matcher.products)} sản phẩm, {len(matcher.needs)} nhu cầu"
        fail(f"không có sản phẩm hay nhu cầu nào là {key!r} (đang có {known})", Exit.USAGE)
    return found


@app.command()
def takers(
    technology: Annotated[str, typer.Argument(help="Mã công nghệ.")],
    k: Top = 10,
    data: Data = None,  # type: ignore[assignment]
    as_of: AsOf = None,
    encoder: EncoderChoice = None,
    nda: Restricted = False,
    as_json: Json = False,
) -> None:
    """Tìm ai cần một công nghệ."""
    with _open(data, as_of, encoder, nda) as opened:
        known = opened.matcher.technologies.get(technology)
        if known is None:
            fail(f"không có công nghệ mã {technology!r}", Exit.USAGE)
        found = opened.matcher.takers(known, k)
        if as_json:
            emit([payloads.taker(each) for each in found])
        else:
            show.takers(out, known, found)


app.add_typer(cli_quality.app)
app.add_typer(cli_yearly.app)
app.add_typer(cli_plan.app)
app.add_typer(cli_priority.app, name="priority")
app.add_typer(cli_documents.app)
app.add_typer(cli_accounts.user, name="user")
app.add_typer(cli_accounts.token, name="token")
cli_admin.register(app)
cli_duplicates.register(app)
cli_gathering.register(app)


@app.command(name="show")
def show_record(
    key: Annotated[
        str, typer.Argument(help="Mã của công nghệ, sản phẩm, nhu cầu, phiếu hay nhiệm vụ.")
    ],
    data: Data = None,  # type: ignore[assignment]
    as_of: AsOf = None,
    nda: Restricted = False,
    as_json: Json = False,
) -> None:
    """In một bản ghi với mọi thông tin đã có."""
    space = Workspace(data or DATA())
    with Store.open(space.folder) as store:
        found, listed = _find(store, key), in_force(store.all(PriorityList), today(as_of))
    if found is None:
        fail(f"không có bản ghi nào mã {key!r}", Exit.USAGE)
    if isinstance(found, Technology) and not nda:
        found = found.public()
    more: dict[str, object] = {}
    groups: tuple[Priority, ...] = ()
    if isinstance(found, Technology):
        groups = Membership(listed, space.lexicon()).of(found) if listed else ()
        more = {"priorities": payloads.priorities(groups)}
    if as_json:
        emit({"type": found.kind_name, **found.to_json(), **more})
        return
    show.record(out, found)
    for each in groups:
        out.print(f"Ưu tiên {each.key}: {each.name}, theo {each.source}", soft_wrap=True)


def _find(store: Store, key: str) -> Record | None:
    kinds = (Technology, Product, Need, Proposal, Task)
    return next((found for kind in kinds if (found := store.get(kind, key))), None)


@app.command()
def doctor(data: Data = None, as_json: Json = False) -> None:  # type: ignore[assignment]
    """Kiểm tra thư mục làm việc, chỉ mục, bộ mã hóa, bảng từ vựng."""
    findings = examination.examine(Workspace(data or DATA()))
    if as_json:
        emit([{"name": each.name, "ok": each.ok, "text": each.text} for each in findings])
    else:
        table = Table(show_header=False, box=None)
        for each in findings:
            mark = Text("✓", "green") if each.ok else Text("✗", "red")
            table.add_row(mark, each.name, each.text)
        out.print(table)
    if not all(each.ok for each in findings):
        raise typer.Exit(Exit.NO_DATA)


@app.command()
def demo(
    data: Data = Path("demo"),
    as_of: AsOf = None,
) -> None:
    """Chạy trọn việc chính trên dữ liệu minh họa."""
    from service import demo as demonstration  # noqa: PLC0415 - it loads

    space = Workspace(data)
    engine, notice = space.encoder()
    with progress() as tick:
        demonstration.prepare(space, engine, tick)
    if notice:
        out.print(show.notice(notice))
    with _open(data, as_of, None, False) as opened:
        demonstration.tell(out, opened.matcher, data)


@app.command()
def serve(
    data: Data = None,  # type: ignore[assignment]
    host: Annotated[
        str,
        typer.Option(help="Địa chỉ chờ kết nối; ngoài máy này thì cần tài khoản quản trị."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Cổng; 0: cổng trống bất kỳ.")] = 8000,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="TÊN MÁY", help="Tên mà người khác gọi máy chủ này."),
    ] = None,
    plain_http: Annotated[
        bool, typer.Option("--plain-http", help="Cho đăng nhập qua HTTP không mã hóa (mạng riêng).")
    ] = False,
    cert: Annotated[Path | None, typer.Option(help="Chứng chỉ TLS (PEM); cùng --key.")] = None,
    key: Annotated[Path | None, typer.Option(help="Khóa riêng của chứng chỉ (PEM).")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Số tiến trình.")] = 1,
    log: Annotated[
        bool, typer.Option("--log", help="Ghi mỗi yêu cầu ra màn hình lỗi, không có câu hỏi.")
    ] = False,
    nda: Restricted = False,
    as_of: AsOf = None,
) -> None:
    """Chạy trang web và API; trên máy này không cần đăng nhập; dừng bằng Ctrl-C."""
    from service import serving  # noqa: PLC0415 - no other command waits for its import

    if (cert is None) != (key is None):
        raise typer.BadParameter("--cert và --key đi cùng nhau")
    wanted = serving.Wanted(
        data or DATA(), host, port, tuple(name or ()), plain_http, cert, key, workers, log, nda,
        as_of.date() if as_of else None,  # unset: a service that runs on follows the calendar
    )  # fmt: skip
    serving.serve(wanted)


if __name__ == "__main__":
    main()
