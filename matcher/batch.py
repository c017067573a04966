"""The yearly run: every need matched against all supply, written so that it can be defended.

A run is a folder. While it is made it holds ``started.json`` (what it is made from) and ``parts/``
(its shards); when it is whole it holds::

    run.json               what it was made from, counts, digests of the tables; written last
    needs.parquet          a row for each open need, by id: how well it is answered (`level`)
    matches.parquet        a row for each technology listed for a need: what breaks no hard rule
                           by rank, then what does (`apart`), with label, usefulness, the parts of
                           the score, the reason, what is lacking, the rules broken
    technologies.parquet   all supply as it was, public parts only: id, name, body (JSON)
    products.parquet       all products as they were
    timing.json            times and the machine; the only file that differs between two runs

The columns are :data:`matcher.run_files.NEED_COLUMNS` and its neighbours;
:class:`matcher.yearly.Run` reads them back as records: ``Run.open(folder).needs[key].level``,
``.pairs[key]``, ``.technologies[key]``. ``level`` is the best label among what may be used
(:data:`matcher.run_files.LEVELS`): "tham khảo" where only references were listed, "chưa tìm thấy"
where not even one for the product or one near it.

**Repeatable.** Needs are cut into shards of :data:`SHARD` by id, whatever is done at once. A shard
is two files written aside and renamed, ``….needs.parquet`` last; the tables are put together from
all shards. Who is killed loses the shard at hand, and who goes on ends with the same bytes. A
folder that was begun with other records, another index, model, tables, settings or packages is
refused, never mixed.

**What changed only.** An answer depends on the need and its product (`asked`) and on what all
needs share (`basis`): index, supply, model, tables, k, packages, and of the day its year and what
has expired. With an earlier run of the same basis the rows of every need with the same `asked` are
taken over; anything else is worked out anew. One technology more changes the statistics of every
word, and so every score: then nothing is taken over.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from corpus.records import Need, Product, Technology
from matcher import run_files as files
from matcher import run_folder as folders
from matcher.answers import Answer
from matcher.match import WORDS_ONLY, Matcher
from matcher.run_files import LEVELS
from matcher.run_folder import RunFolderError
from matcher.run_rows import (
    Row,
    Rows,
    answer_rows,
    asked,
    chunks,
    digest,
    taken_over,
    write_records,
)
from matcher.yearly import Run

SHARD = 200  # needs in a shard: some seconds of work, lost when killed
LISTED = 10  # technologies listed for a need, and as many that break a hard rule
Tick = Callable[[int, int], None]  # needs done, of how many; may raise to stop

Facts = Mapping[str, Any]
NAMES = {  # what a run is made from, as messages call it
    "data": "dữ liệu",
    "index": "chỉ mục",
    "model": "mô hình",
    "tables": "bảng từ vựng",
    "settings": "thiết lập",
    "packages": "phiên bản chương trình",
}


@dataclass(frozen=True)
class Made:
    """What a run is made from, besides the matcher that answers.

    Args:
        data: revision and digest of the store after the last change of what is matched.
        index: name of the index, and the facts of its manifest that its answers depend on.
        tables: digest of the tables of words that queries are read with.
        packages: names and versions of what may change a byte.
        notices: what whoever reads the run should know about all of it.
    """

    data: Facts
    index: Facts
    tables: str
    packages: Facts
    notices: tuple[str, ...] = ()


@dataclass
class Account:
    """What one call did; none of it stands in the run."""

    needs: int = 0
    answered: int = 0
    taken_over: int = 0  # from the earlier run
    there: int = 0  # in shards that an earlier call had finished


@dataclass(frozen=True)
class Batch:
    """One run being made: the folder, who answers, and what it is made from."""

    folder: Path
    matcher: Matcher
    made: Made
    k: int = LISTED
    before: Run | None = None
    account: Account = field(default_factory=Account)

    def run(self, tick: Tick = lambda done, total: None) -> Run:
        """Make the run, or go on with it; return it whole.

        The caller holds the folder (:func:`matcher.run_folder.holding`).

        Raises:
            RunFolderError: the folder is of another run, there are no needs, or the encoder failed.
            OSError: a file cannot be written; what was finished stays, and the next call goes on.
        """
        needs = sorted(self.matcher.open_needs, key=lambda each: each.id)
        self.account.needs = len(needs)
        if not needs:
            raise RunFolderError("chưa có nhu cầu nào để kết nối: nạp nhu cầu rồi chạy lại")
        if (self.folder / folders.RUN).is_file():
            self.check(folders.read_json(self.folder / folders.RUN) or {})
            self.account.there = len(needs)
        else:
            self._make(needs, tick)
        self._tidy()
        return Run.open(self.folder)

    def facts(self) -> Row:
        """Return what the run is made from, as it stands in its files."""
        settings = {
            "as_of": self.matcher.as_of.isoformat(),
            "k": self.k,
            "shard": SHARD,
            "encoder": self.matcher.engine.encoder.name if self.matcher.engine.encoder else None,
        }
        return {
            "data": dict(self.made.data),
            "index": dict(self.made.index),
            "model": {"version": self.matcher.model, "digest": _model_digest(self.matcher)},
            "tables": self.made.tables,
            "settings": settings,
            "packages": dict(self.made.packages),
        }

    def check(self, found: Facts) -> None:
        """Refuse a folder whose run is made from something else.

        Raises:
            RunFolderError: it names what differs.
        """
        mine, theirs = self.facts(), found.get("made_from", {})
        other = [f"{name} ({_short(theirs.get(key), mine[key])})"
                 for key, name in NAMES.items() if theirs.get(key) != mine[key]]  # fmt: skip
        if found.get("format") != folders.FORMAT or other:
            told = "; ".join(other) or "định dạng"
            raise RunFolderError(
                f"{self.folder} là đợt chạy trên dữ liệu hoặc thiết lập khác: {told}. "
                "Ghi vào thư mục khác, hoặc thêm --fresh để bỏ đợt cũ và chạy lại từ đầu."
            )

    def _make(self, needs: Sequence[Need], tick: Tick) -> None:
        started = self._started()
        shards = list(enumerate(chunks(needs, SHARD)))
        taken = self._taken_over(started["basis"])
        done = 0
        for number, shard in shards:
            if self._part(number, folders.NEEDS).is_file():
                self.account.there += len(shard)
            else:
                self._shard(number, shard, taken, lambda so_far: tick(done + so_far, len(needs)))  # noqa: B023
            done += len(shard)
            tick(done, len(needs))
        for name, schema in (
            (folders.MATCHES, files.MATCH_COLUMNS),
            (folders.NEEDS, files.NEED_COLUMNS),
        ):
            parts = (self._part(number, name) for number, _ in shards)
            files.join_tables(self.folder / name, schema, parts)
        files.write_json(self.folder / folders.RUN, self._finished(started))

    def _started(self) -> Facts:
        """Return what the run was begun with; begin it where it was not."""
        found = folders.read_json(self.folder / folders.STARTED)
        if found is None:
            (self.folder / folders.PARTS_FOLDER).mkdir(exist_ok=True)
            supply = self._records(folders.TECHNOLOGIES, self.matcher.technologies)
            self._records(folders.PRODUCTS, self.matcher.products)
            found = {
                "format": folders.FORMAT,
                "made_from": self.facts(),
                "basis": self._basis(supply),
            }
            files.write_json(self.folder / folders.STARTED, found)
        self.check(found)
        return found

    def _records(self, name: str, records: Mapping[str, Technology | Product]) -> str:
        shown = (each.public() if isinstance(each, Technology) else each
                 for _, each in sorted(records.items()))  # fmt: skip
        return write_records(self.folder / name, shown)

    def _basis(self, supply: str) -> str:
        """Digest of all that the answer to any need depends on besides the need and its product."""
        matcher, facts = self.matcher, self.facts()
        index = {key: value for key, value in facts["index"].items() if key != "name"}
        expired = [
            key
            for key, each in sorted(matcher.technologies.items())
            if each.valid_until is not None and each.valid_until < matcher.as_of
        ]
        settings = {key: value for key, value in facts["settings"].items() if key != "as_of"}
        told = {
            **{key: facts[key] for key in ("model", "tables", "packages")},
            "index": index,
            "settings": settings,
            "supply": supply,
            "year": matcher.as_of.year,
            "expired": expired,
        }
        return digest(told)

    def _taken_over(self, basis: str) -> dict[str, Rows]:
        """The rows of the earlier run that may be taken over, by the digest of what was asked."""
        if self.before is None or self.before.facts["basis"] != basis:
            return {}
        matches: dict[str, list[Row]] = {}
        for row in files.rows(self.before.folder / folders.MATCHES):
            matches.setdefault(row["need"], []).append(row)
        needs = files.rows(self.before.folder / folders.NEEDS)
        return {row["asked"]: (row, matches.get(row["id"], [])) for row in needs}

    def _shard(
        self,
        number: int,
        needs: Sequence[Need],
        taken: Mapping[str, Rows],
        tick: Callable[[int], None],
    ) -> None:
        keys = {each.id: asked(self.matcher, each) for each in needs}
        new = [each for each in needs if keys[each.id] not in taken]
        found: dict[str, Rows] = {}
        for place, (need, answer) in enumerate(self._answers(new), start=1):
            found[need.id] = answer_rows(self.matcher, need, answer)
            tick(place)
        for each in needs:
            if each.id not in found:
                found[each.id] = taken_over(taken[keys[each.id]], each)
        self.account.answered += len(new)
        self.account.taken_over += len(needs) - len(new)
        matches = [row for each in needs for row in found[each.id][1]]
        rows = [found[each.id][0] for each in needs]
        files.write_table(self._part(number, folders.MATCHES), files.MATCH_COLUMNS, [matches])
        files.write_table(self._part(number, folders.NEEDS), files.NEED_COLUMNS, [rows])

    def _answers(self, needs: Sequence[Need]) -> Iterator[tuple[Need, Answer]]:
        queries = (self.matcher.stated(each) for each in needs)
        for need, answer in zip(needs, self.matcher.answers(queries, self.k), strict=True):
            if WORDS_ONLY in answer.notices:
                raise RunFolderError(
                    f"bộ mã hóa gặp lỗi khi đọc nhu cầu {need.id}, nên đợt này không lặp lại được: "
                    "chạy lại cùng lệnh để đi tiếp"
                )
            yield need, answer

    def _part(self, number: int, name: str) -> Path:
        return self.folder / folders.PARTS_FOLDER / f"{number:05}.{name}"

    def _finished(self, started: Facts) -> Row:
        levels = [each["level"] for each in files.rows(self.folder / folders.NEEDS)]
        records = (*self.matcher.technologies.values(), *self.matcher.products.values())
        return {
            **started,
            "counts": {
                "needs": len(levels),
                "matches": files.count(self.folder / folders.MATCHES),
                "technologies": len(self.matcher.technologies),
                "products": len(self.matcher.products),
                "levels": {name: levels.count(name) for name in LEVELS},
            },
            "illustrative": any(each.illustrative for each in (*records, *self.matcher.open_needs)),
            "notices": list(self.made.notices),
            "files": {name: files.digest_of(self.folder / name) for name in folders.TABLES},
        }

    def _tidy(self) -> None:
        """Leave nothing that only a run under way needs; also after somebody who was killed."""
        shutil.rmtree(self.folder / folders.PARTS_FOLDER, ignore_errors=True)
        (self.folder / folders.STARTED).unlink(missing_ok=True)


def _model_digest(matcher: Matcher) -> str:
    """Digest of the weights and of the curves that probabilities are read off."""
    return digest([asdict(matcher.engine.weights), asdict(matcher.usefulness)])


def _short(theirs: Any, mine: Any) -> str:
    """Tell two values apart in few words: those of their parts that differ."""
    if not (isinstance(theirs, Mapping) and isinstance(mine, Mapping)):
        return f"trước {str(theirs)[:12]}, nay {str(mine)[:12]}"
    keys = sorted(key for key in {*theirs, *mine} if theirs.get(key) != mine.get(key))
    told = (
        f"{key} trước {str(theirs.get(key))[:16]}, nay {str(mine.get(key))[:16]}" for key in keys
    )
    return ", ".join(islice(told, 3))
