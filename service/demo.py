"""The demonstration: the whole main job on the sample records."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from indexes.encoders import Encoder
from indexes.hybrid import Tick
from matcher.match import Matcher
from service import loading, show
from service.exports import match_lists
from service.settings import SAMPLE_PRODUCTS
from service.workspace import Workspace

XLSX = "danh-sach-ket-noi.xlsx"


def prepare(space: Workspace, encoder: Encoder | None, tick: Tick) -> None:
    """Load the sample records and build their index; what is there already is not done again."""
    loading.load(loading.sample_files(), space.folder, space.lexicon())
    space.build(encoder, tick)


def tell(console: Console, matcher: Matcher, folder: Path) -> None:
    """Print the lists of three products, write those of all, say what to try next."""
    lists = {key: matcher.for_product(product) for key, product in sorted(matcher.products.items())}
    for key in SAMPLE_PRODUCTS:
        show.product_list(console, lists[key])
        console.print()
    path = folder / XLSX
    lines = match_lists(list(lists.values()), path, matcher.as_of)
    console.print(f"Đã ghi {lines:,} dòng của {len(lists)} sản phẩm vào {path}.")
    console.print("\nThử tiếp:")
    for command in (
        f'cungcau search "bao quan xoai" --data {folder}',
        f'cungcau match SP-029 --text "bao quan khom cat lat" --budget 200 --data {folder}',
        f"cungcau takers CN-001 --data {folder}",
        f"cungcau show CN-001 --data {folder}",
        "cungcau load du-lieu-cua-toi.xlsx && cungcau index && cungcau match SẢN-PHẨM",
    ):
        console.print(f"  {command}", soft_wrap=True)
