"""The commands that measure the ranking, compare two rankings, and learn from what people decided.

They stand on the same command as those of :mod:`service.cli`, which takes them in. What fits and
tests is imported by the commands that need it: no search waits for scikit-learn.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matcher import significance, testsets
from matcher.runs import read_run
from service.console import emit, out, progress
from service.settings import DATA, AsOf, Data, EncoderChoice, Json, today
from service.workspace import Workspace, encoder_or_words

app = typer.Typer()


@app.command()
def evaluate(
    folder: Annotated[Path, typer.Argument(help="Thư mục BEIR hoặc thư mục trao đổi.")],
    run: Annotated[
        Path | None, typer.Option("--run", help="Ghi thứ hạng (định dạng TREC).")
    ] = None,
    work: Annotated[
        Path | None, typer.Option("--work", help="Thư mục giữ vectơ đã mã hóa.")
    ] = None,
    as_of: AsOf = None,
    encoder: EncoderChoice = None,
    as_json: Json = False,
) -> None:
    """Đo chất lượng xếp hạng trên một bộ có đáp án; đọc cả phần theo NDA."""
    from matcher import evaluate as evaluation  # noqa: PLC0415
    from service import show_quality  # noqa: PLC0415

    space = Workspace(work or DATA())
    lexicon = space.lexicon()
    testset = testsets.load(folder, lexicon)
    engine, notice = encoder_or_words(encoder)
    with progress() as tick:
        report = evaluation.evaluate(
            testset,
            engine,
            space.cache() if engine else None,
            lexicon,
            space.places(),
            today(as_of),
            tick=tick,
        )
    if run:
        run.write_text("\n".join(evaluation.trec(report.run)) + "\n", encoding="utf-8")
    if as_json:
        emit({**report.to_json(), "notices": [*report.notices, *filter(None, [notice])]})
    else:
        show_quality.evaluation(out, testset.name, report)


@app.command()
def compare(
    run_a: Annotated[Path, typer.Argument(help="Tệp thứ hạng trước (định dạng TREC).")],
    run_b: Annotated[Path, typer.Argument(help="Tệp thứ hạng sau.")],
    folder: Annotated[
        Path,
        typer.Option(
            "--folder", "--qrels", metavar="THƯ MỤC", help="Thư mục đánh giá có đáp án và câu chữ."
        ),
    ],
    flips: Annotated[
        int, typer.Option(min=100, max=10_000_000, help="Số lần hoán vị của kiểm định.")
    ] = significance.FLIPS,
    seed: Annotated[int, typer.Option(min=0, help="Mầm của số ngẫu nhiên.")] = significance.SEED,
    as_json: Json = False,
) -> None:
    """So sánh hai thứ hạng: truy vấn nào tốt lên, kém đi, khác biệt có ý nghĩa không."""
    from matcher import compare as comparing  # noqa: PLC0415
    from service import show_quality  # noqa: PLC0415

    before, after = read_run(run_a), read_run(run_b)
    testset = testsets.load(folder, Workspace(DATA()).lexicon())
    found = comparing.compare(testset, before, after, flips, seed)
    if as_json:
        emit({"a": str(run_a), "b": str(run_b), "collection": testset.name, **found.to_json()})
    else:
        show_quality.comparison(out, found, (str(run_a), str(run_b)), testset.name)


@app.command()
def learn(
    back: Annotated[
        bool, typer.Option("--back", help="Quay lại mô hình trước đó, không học.")
    ] = False,
    data: Data = None,  # type: ignore[assignment]
    as_of: AsOf = None,
    encoder: EncoderChoice = None,
    as_json: Json = False,
) -> None:
    """Học lại trọng số từ đánh giá và quyết định; chỉ dùng khi tốt hơn trên phần đã khóa."""
    from service import learning, show_quality  # noqa: PLC0415

    space, day = Workspace(data or DATA()), today(as_of)
    if back:
        left, now = learning.back(space, day)
        if as_json:
            emit({"before": left, "model": now})
        else:
            out.print(f"Đã quay lại mô hình {now} (trước đó: {left}).")
        return
    found = learning.attempt(space, day, encoder)
    if as_json:
        emit(found.to_json())
    else:
        show_quality.attempt(out, found)
