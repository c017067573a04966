"""How well a run's needs are answered, by everything that is known of them; who serves many places.

Counts are of needs. A fact that a need does not state is "chưa rõ" and is counted as such; nothing
is guessed. Places are counted by today's provinces and by those before 1 July 2025: a name that
lives on in a larger province does not tell which part is meant, and is not divided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from corpus.places import Place, Places
from corpus.places_units import area_class
from corpus.records import STAGES, Need, Technology
from corpus.text import squeeze
from matcher.explain import UNKNOWN
from matcher.run_files import LEVELS
from matcher.yearly import Answered, Pair, Run

# Squeezed headings under which spreadsheets carry the class of an area; needs have no such field.
AREA_HEADINGS = ("loai dia ban", "dia ban", "khu vuc", "phan loai dia ban", "loai xa")
MANY_PLACES = 2  # communes or provinces from which a technology may be one to spread


@dataclass(frozen=True)
class Group:
    """Needs that share one fact, and how well they are answered.

    ``levels`` are counts in the order of :data:`matcher.run_files.LEVELS`; ``blocked`` are those
    without an answer whose supply breaks a hard rule.
    """

    name: str
    levels: tuple[int, ...]
    blocked: int = 0

    @property
    def total(self) -> int:
        """How many needs there are."""
        return sum(self.levels)

    @property
    def gaps(self) -> int:
        """How many of them nothing answers."""
        return self.levels[2] + self.levels[3]


@dataclass(frozen=True)
class Dimension:
    """One fact of needs, and the needs grouped by it."""

    name: str
    title: str
    groups: tuple[Group, ...]

    @property
    def stated(self) -> bool:
        """Whether any need states it."""
        return any(each.name != UNKNOWN for each in self.groups)


@dataclass(frozen=True)
class Spread:
    """A technology that may be used for needs of several places."""

    technology: Technology
    needs: tuple[str, ...]
    places: tuple[str, ...]
    products: tuple[str, ...]
    best: str  # its best label


@dataclass(frozen=True)
class Coverage:
    """All counts of one run."""

    whole: Group
    dimensions: tuple[Dimension, ...]
    stages: tuple[str, ...]  # columns of the heat map
    heat: tuple[tuple[str, str, tuple[Group, ...]], ...]  # product id, name, a cell for each stage
    spread: tuple[Spread, ...]
    unneeded: tuple[Technology, ...]


def coverage(run: Run, places: Places) -> Coverage:
    """Count the needs of ``run``."""
    answered = list(run.needs.values())
    stages = tuple(each for each in (*STAGES, UNKNOWN) if any(_stage(a) == each for a in answered))
    return Coverage(
        _group("", answered),
        tuple(
            Dimension(name, title, groups(answered, by))
            for name, title, by in _dimensions(run, places)
        ),
        stages,
        tuple(_heat(run, answered, stages)),
        spread(run, places),
        unneeded(run),
    )


def groups(answered: Iterable[Answered], by: Callable[[Need], str]) -> tuple[Group, ...]:
    """Group needs by one fact: the most frequent first, what is not known last, ties by name."""
    found: dict[str, list[Answered]] = {}
    for each in answered:
        found.setdefault(by(each.need), []).append(each)
    made = (_group(name, each) for name, each in found.items())
    return tuple(sorted(made, key=lambda each: (each.name == UNKNOWN, -each.total, each.name)))


def _group(name: str, answered: Sequence[Answered]) -> Group:
    counted = Counter(each.level for each in answered)
    blocked = sum(each.gap and each.blocked > 0 for each in answered)
    return Group(name, tuple(counted[level] for level in LEVELS), blocked)


def _dimensions(run: Run, places: Places) -> Iterable[tuple[str, str, Callable[[Need], str]]]:
    """What needs are grouped by: a name for programs, a title, and how it is read."""

    def product(need: Need) -> str:
        found = run.products.get(need.product)
        return found.name if found else need.product

    def sector(need: Need) -> str:
        found = run.products.get(need.product)
        return (found.sector if found else None) or UNKNOWN

    yield "field", "Lĩnh vực (nhóm ngành của sản phẩm)", sector
    yield "stage", "Khâu", lambda need: need.stage or UNKNOWN
    yield "product", "Sản phẩm", product
    yield "province", "Tỉnh, thành phố (từ 01/7/2025)", lambda need: new_province(need, places)
    yield "old_province", "Tỉnh, thành phố cũ", lambda need: old_province(need, places)
    yield "commune", "Xã, phường, đặc khu", lambda need: commune(need, places)
    yield "area", "Loại địa bàn", area
    yield "receiver", "Loại đơn vị tiếp nhận", lambda need: need.asker_kind or UNKNOWN
    yield "collector", "Cơ quan tổng hợp", lambda need: need.collector or UNKNOWN


def new_province(need: Need, places: Places) -> str:
    """Return the province of today that ``need`` comes from, as far as it is known."""
    if not need.province:
        return UNKNOWN
    return places.new_name(need.province) or _found(need, places)[0] or need.province


def old_province(need: Need, places: Places) -> str:
    """Return the province before 1 July 2025, or that its name does not tell which."""
    if not need.province:
        return UNKNOWN
    new, old = _found(need, places)
    if new is None:
        return need.province
    return old or f"{new} ({UNKNOWN} tỉnh cũ)"


def place(need: Need, places: Places) -> str:
    """Return where ``need`` comes from as people write it: ``Vĩnh Long (Bến Tre cũ)``."""
    return _written(need, _place(need, places) if need.province else None, places)


def commune(need: Need, places: Places) -> str:
    """Return commune and province: many communes share a name.

    A commune of before 1 July 2025 goes by the one that it became, so that needs of one place
    stand together however they were written.
    """
    if not need.commune:
        return UNKNOWN
    found = _place(need, places)
    today = {each.new for each in found.area.parcels} if found else set()
    where = _written(need, found if need.province else None, places)
    return f"{today.pop() if len(today) == 1 else need.commune}, {where}"


def _written(need: Need, found: Place | None, places: Places) -> str:
    new, old = _provinces(found, places)
    province = new or need.province or UNKNOWN
    return f"{province} ({old} cũ)" if old and old != new else province


def _found(need: Need, places: Places) -> tuple[str | None, str | None]:
    """The province of today that a need names, and the old one where that is one only."""
    return _provinces(_place(need, places), places)


def _provinces(found: Place | None, places: Places) -> tuple[str | None, str | None]:
    if found is None:
        return None, None
    return places.new_names.get(found.name), min(found.extent) if len(found.extent) == 1 else None


def _place(need: Need, places: Places) -> Place | None:
    """The place that a need names: its commune tells more where it is known or has a district."""
    province = need.province or ""
    if need.commune:
        text = f"{need.commune}, {province}"
        of_its_time = next(iter(places.find(text, need.date)), None)
        if of_its_time and of_its_time.area.parcels:
            return of_its_time
        of_today = next(iter(places.find(text)), None) if need.date else None
        if of_today and of_today.area.parcels:
            return of_today
        if places.find(need.commune):
            return of_its_time
    return next(iter(places.find(province, need.date)), None)


def area(need: Need) -> str:
    """Return the class of the area: of its column, else as stated with the commune."""
    for heading, value in sorted(need.extra.items()):
        if squeeze(heading) in AREA_HEADINGS and value:
            return value
    return area_class(need.commune or "") or UNKNOWN


def _stage(answered: Answered) -> str:
    return answered.need.stage or UNKNOWN


def _heat(
    run: Run, answered: Sequence[Answered], stages: Sequence[str]
) -> Iterable[tuple[str, str, tuple[Group, ...]]]:
    """Yield the products with a cell for each stage, those with most needs first."""
    mine: dict[str, list[Answered]] = {}
    for each in answered:
        mine.setdefault(each.need.product, []).append(each)
    for key, found in sorted(mine.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        product = run.products.get(key)
        cells = (_group(stage, [a for a in found if _stage(a) == stage]) for stage in stages)
        yield key, product.name if product else key, tuple(cells)


def spread(run: Run, places: Places) -> tuple[Spread, ...]:
    """Return the technologies that may be used in several places, those of most places first."""
    serving: dict[str, list[Pair]] = {}
    for pairs in run.pairs.values():
        for each in pairs:
            if each.good:
                serving.setdefault(each.technology, []).append(each)
    found = (_spread(run, run.technologies[key], each, places) for key, each in serving.items())
    several = (each for each in found if len(each.places) >= MANY_PLACES)
    return tuple(
        sorted(several, key=lambda each: (-len(each.places), -len(each.needs), each.technology.id))
    )


def _spread(run: Run, technology: Technology, pairs: Sequence[Pair], places: Places) -> Spread:
    needs = [run.needs[each.need].need for each in pairs]
    labels = {each.label for each in pairs}
    named = {place(each, places) for each in needs} - {UNKNOWN}
    products = {run.products[each.product].name for each in needs if each.product in run.products}
    return Spread(
        technology,
        tuple(sorted(each.id for each in needs)),
        tuple(sorted(named)),
        tuple(sorted(products)),
        next(each for each in LEVELS if each in labels),
    )


def unneeded(run: Run) -> tuple[Technology, ...]:
    """Return the supply that is listed as more than a reference for no need, by id.

    Only so many are listed for each need: one that stands behind them all counts as unneeded.
    """
    listed = {
        each.technology
        for pairs in run.pairs.values()
        for each in pairs
        if each.label in LEVELS[:2]
    }
    return tuple(each for key, each in run.technologies.items() if key not in listed)
