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
all shards. Who is killed loses the shard at hand, and who goes on ends with the same bytes. Many
needs are shared with other processes, shard by shard (:mod:`matcher.crew`). A
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
from dataclasses import dataclass, field
from pathlib import Path

from corpus.held import facts_of
from corpus.records import Need, Product, Technology
from matcher import run_files as files
from matcher import run_folder as folders
from matcher.answers import Answer
from matcher.crew import Crew, Opening, Queue, possible
from matcher.match import WORDS_ONLY, Matcher
from matcher.run_basis import Facts, Made, basis, check
from matcher.run_files import LEVELS
from matcher.run_folder import RunFolderError
from matcher.run_rows import (
    Row,
    Rows,
    answer_rows,
    asked,
    chunks,
    taken_over,
    write_records,
)
from matcher.yearly import Run

SHARD = 200  # needs in a shard: some seconds of work, lost when killed
LISTED = 10  # technologies listed for a need, and as many that break a hard rule
WORTH = 2_000  # needs to be answered from which another process pays for opening the index again
THREADS = 2  # of a process that answers alone; one of several has enough with one
Tick = Callable[[int, int], None]  # needs done, of how many; may raise to stop


@dataclass
class Account:
    """What one call did; none of it stands in the run."""

    needs: int = 0
    answered: int = 0
    taken_over: int = 0  # from the earlier run
    there: int = 0  # in shards that an earlier call had finished

    @property
    def done(self) -> int:
        """Needs whose rows are there."""
        return self.there + self.answered + self.taken_over


@dataclass(frozen=True)
class Batch:
    """One run being made: the folder, who answers, and what it is made from.

    ``processes`` may share the work; each opens the run for itself by ``again``.
    """

    folder: Path
    matcher: Matcher
    made: Made
    k: int = LISTED
    before: Run | None = None
    account: Account = field(default_factory=Account)
    processes: int = 1
    again: Opening | None = None

    def run(self, tick: Tick = lambda done, total: None) -> Run:
        """Make the run, or go on with it; return it whole.

        The caller holds the folder (:func:`matcher.run_folder.holding`).

        Raises:
            RunFolderError: the folder is of another run, there are no needs, or the encoder failed.
            OSError: a file cannot be written; what was finished stays, and the next call goes on.
        """
        self.account.needs = len(self.matcher.open_needs)
        if not self.account.needs:
            raise RunFolderError("chưa có nhu cầu nào để kết nối: nạp nhu cầu rồi chạy lại")
        if (self.folder / folders.RUN).is_file():
            check(self.folder, self.facts, folders.read_json(self.folder / folders.RUN) or {})
            self.account.there = self.account.needs
        else:
            self._make(tick)
        self._tidy()
        return Run.open(self.folder)

    @property
    def facts(self) -> Row:
        """What the run is made from, as it stands in its files."""
        return self.made.facts(self.matcher, self.k, SHARD)

    def help(self, shards: Iterator[int], made: Callable[[int], None]) -> None:
        """Make ``shards`` of a run that was begun in the folder; tell how many needs each had.

        Raises:
            RunFolderError: it is made from something else by now, or the encoder failed.
        """
        check(self.folder, self.facts, folders.read_json(self.folder / folders.STARTED) or {})
        cut = self._cut()
        for number in shards:
            self._shard(number, cut[number], {}, lambda _: None, 1)
            made(len(cut[number]))

    def _cut(self) -> list[tuple[Need, ...]]:
        return list(chunks(sorted(self.matcher.open_needs, key=lambda each: each.id), SHARD))

    def _make(self, tick: Tick) -> None:
        started, shards = self._started(), self._cut()
        missing = self._missing(shards)
        self.account.there = self.account.needs - sum(len(shards[each]) for each in missing)
        taken = self._taken_over(started["basis"])
        while missing:
            self._share(shards, missing, taken, tick)
            missing = self._missing(shards)  # what a helper left that died
        for name, schema in (
            (folders.MATCHES, files.MATCH_COLUMNS),
            (folders.NEEDS, files.NEED_COLUMNS),
        ):
            parts = (self._part(number, name) for number in range(len(shards)))
            files.join_tables(self.folder / name, schema, parts)
        files.write_json(self.folder / folders.RUN, self._finished(started))

    def _missing(self, shards: Sequence[object]) -> list[int]:
        numbers = range(len(shards))
        return [each for each in numbers if not self._part(each, folders.NEEDS).is_file()]

    def _share(
        self,
        shards: Sequence[Sequence[Need]],
        missing: Sequence[int],
        taken: Mapping[str, Rows],
        tick: Tick,
    ) -> None:
        """Make the shards that are missing, with helpers where there is enough for them."""
        account, queue = self.account, Queue(missing)
        helpers = 0 if taken else self._helpers(sum(len(shards[each]) for each in missing))

        def told(so_far: int = 0) -> None:
            tick(account.done + queue.answered + so_far, account.needs)

        told()
        with Crew(self.again, helpers, queue) as crew:
            for number in queue.taken():
                self._shard(number, shards[number], taken, told, 1 if helpers else THREADS)
                told()
            crew.wait(told)
        told()
        account.answered += queue.answered

    def _helpers(self, needs: int) -> int:
        """Return how many other processes to share ``needs`` needs with."""
        return min(self.processes - 1, needs // WORTH) if self.again and possible() else 0

    def _started(self) -> Facts:
        """Return what the run was begun with; begin it where it was not."""
        found = folders.read_json(self.folder / folders.STARTED)
        if found is None:
            (self.folder / folders.PARTS_FOLDER).mkdir(exist_ok=True)
            supply = self._records(folders.TECHNOLOGIES, self.matcher.technologies)
            self._records(folders.PRODUCTS, self.matcher.products)
            found = {
                "format": folders.FORMAT,
                "made_from": self.facts,
                "basis": basis(self.matcher, self.facts, supply),
            }
            files.write_json(self.folder / folders.STARTED, found)
        check(self.folder, self.facts, found)
        return found

    def _records(self, name: str, records: Mapping[str, Technology | Product]) -> str:
        shown = (each.public() if isinstance(each, Technology) else each
                 for _, each in sorted(records.items()))  # fmt: skip
        return write_records(self.folder / name, shown)

    def _taken_over(self, shared: str) -> dict[str, Rows]:
        """The rows of the earlier run that may be taken over, by the digest of what was asked."""
        if self.before is None or self.before.facts["basis"] != shared:
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
        threads: int,
    ) -> None:
        keys = {each.id: asked(self.matcher, each) for each in needs}
        new = [each for each in needs if keys[each.id] not in taken]
        found: dict[str, Rows] = {}
        for place, (need, answer) in enumerate(self._answers(new, threads), start=1):
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

    def _answers(self, needs: Sequence[Need], threads: int) -> Iterator[tuple[Need, Answer]]:
        queries = (self.matcher.stated(each) for each in needs)
        answers = self.matcher.answers(queries, self.k, threads=threads)
        for need, answer in zip(needs, answers, strict=True):
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
        supply = facts_of(self.matcher.technologies)
        records = (*supply.values(), *self.matcher.products.values())
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
