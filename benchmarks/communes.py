"""``python -m benchmarks.communes FOLDER``: write ``corpus/data/communes.csv`` anew.

``FOLDER`` is the ``data`` folder of the package ``vietnamadminunits`` (MIT), which holds the
communes before and after 1 July 2025 and what became of each. It is read here once instead of being
asked for at run time: it brings map libraries that nothing else needs. The districts of
``districts.csv`` are held against it on the way; spellings that differ are told.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from corpus.places import Places
from corpus.text import fold, normalise

TARGET = Path(str(resources.files("corpus"))) / "data" / "communes.csv"
PART = " (một phần)"  # of an old commune that went to several new ones
_OLD = "select provinceShort, districtType, districtShort, wardType, wardShort, provinceKey,"
_NEW = "select provinceShort, wardType, wardShort, provinceKey, wardKey from admin_units"


def units(folder: Path) -> tuple[dict[str, list[str]], dict[tuple[str, str], list[str]]]:
    """Return the old communes and the new ones by the keys of the package."""
    with sqlite3.connect(folder / "dataset.db") as base:
        rows = base.execute(f"{_OLD} districtKey, wardKey from admin_units_legacy").fetchall()
        old = {"_".join(map(str, row[5:])): [str(each or "") for each in row[:5]] for row in rows}
        new = {(row[3], row[4]): [str(each) for each in row[:3]] for row in base.execute(_NEW)}
    return old, new


def parts(folder: Path) -> dict[tuple[str, str], list[tuple[str, bool]]]:
    """Return new commune → the old ones it was made of, and whether of only a part of each."""
    told: dict[str, Any] = json.loads((folder / "converter_2025.json").read_text(encoding="utf-8"))
    found: dict[tuple[str, str], list[tuple[str, bool]]] = defaultdict(list)
    for province, communes in told["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for commune, olds in communes.items():
            found[province, commune] += [(each, False) for each in olds]
    whole = {key: {each.split("_")[0] for each, _ in made} for key, made in found.items()}
    for province, divided in told["DICT_PROVINCE_WARD_DIVIDED"].items():
        for each, communes in divided.items():
            mine = each.split("_")[0]  # among what it went to stand namesakes of other provinces
            keys = [(province, commune["newWardKey"]) for commune in communes]
            near = [key for key in keys if mine in whole.get(key, {mine})]
            for key in near or keys:
                found[key].append((each, len(near or keys) > 1))
    return found


def written(
    old: Mapping[str, list[str]], made: Iterable[tuple[str, bool]], districts: Mapping[str, str]
) -> str:
    """Return the parts of a new commune as the table has them, one item for each district."""
    by_district: dict[str, set[str]] = defaultdict(set)
    for each, partly in made:
        if each in old:
            province, kind, district, ward, name = old[each]
            place = districts[_key(province, kind, district)]
            by_district[place].add(f"{ward.lower()} {name}{PART * partly}")
    return "; ".join(
        f"{place}: {', '.join(sorted(names))}" for place, names in sorted(by_district.items())
    )


def _key(province: str, kind: str, name: str) -> str:
    """What a district goes by in both tables: spellings and the word before it differ."""
    name = re.sub(r"^Quận (?=\d)| \(.*\)$", "", name)
    bare = re.sub(r"\W|^tp", "", fold(normalise(f"{province}{kind}{name}")).lower())
    return bare.replace("quy", "qui")


def ours(places: Places) -> dict[str, str]:
    """Return the districts of ``districts.csv`` by what they go by in both tables."""
    return {
        _key(each.province, each.kind, each.name): f"{each.province}, {each.kind} {each.name}"
        for each in places.units.districts
    }


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.communes", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    places = Places.load()
    districts = ours(places)
    old, new = units(folder)
    strange = {(p, k, d) for p, k, d, *_ in old.values() if _key(p, k, d) not in districts}
    if strange:
        parser.error(f"districts that districts.csv does not have: {sorted(strange)}")
    rows = [
        (places.new_name(province), f"{kind.lower()} {name}", told)
        for key, made in parts(folder).items()
        for province, kind, name in [new[key]]
        if (told := written(old, made, districts))  # five island districts had no communes
    ]
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("province", "name", "parts"))
        writer.writerows(sorted(rows, key=lambda row: (str(row[0]), row[1])))
    print(f"{len(rows)} communes of {len(old)}: {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
