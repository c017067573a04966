"""The command that lists pairs of records that may tell the same thing."""

from __future__ import annotations

from typing import Annotated

import typer

from corpus.records import KINDS, Technology
from corpus.store import Store
from matcher.duplicates import THRESHOLD
from service import duplicates
from service.console import emit, out
from service.desk_merging import MERGED
from service.settings import DATA, Data, Json
from service.workspace import Workspace

SHOWN = 200  # pairs printed for people; programs get all


def list_duplicates(
    kind: Annotated[
        str, typer.Option("--kind", metavar="technology|need", help="Loại bản ghi.")
    ] = Technology.kind_name,
    threshold: Annotated[
        float, typer.Option("--threshold", min=0.1, max=1.0, help="Xác suất thấp nhất.")
    ] = THRESHOLD,
    data: Data = None,  # type: ignore[assignment]
    as_json: Json = False,
) -> None:
    """Liệt kê các cặp bản ghi có thể kể cùng một điều, kèm xác suất và lý do; không cần chỉ mục."""
    if kind not in MERGED:
        raise typer.BadParameter(f"--kind phải là một trong: {', '.join(MERGED)}")
    space = Workspace(data or DATA())
    with Store.open(space.folder) as store:
        state, records = store.state(kind), store.all(KINDS[kind])
        found = duplicates.find(records, space.lexicon(), duplicates.LEAST)
        duplicates.keep(space.folder, kind, state, found)
        shown = (each for each in found if each.probability >= threshold)
        pairs = duplicates.undecided(store, kind, shown)
    if as_json:
        emit([each.to_json() for each in pairs])
        return
    out.print(f"{len(pairs):,} cặp có thể trùng trong {len(records):,} bản ghi.")
    for each in pairs[:SHOWN]:
        out.print(f"\n{each.probability:.2f}  {each.one}  {each.titles[0]}")
        out.print(f"      {each.other}  {each.titles[1]}")
        out.print(f"      Giống: {'; '.join(each.reasons) or 'lời văn gần nhau'}")
        if each.differences:
            out.print(f"      Khác: {'; '.join(each.differences)}")
    if len(pairs) > SHOWN:
        out.print(f"\n… và {len(pairs) - SHOWN:,} cặp khác (thêm --json để đọc hết).")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(name="duplicates")(list_duplicates)
