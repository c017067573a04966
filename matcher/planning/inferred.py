"""What is read into a line that nobody stated: kind of task, priority group, needs it may serve.

Every reading comes with what it rests on and stays apart from what is stated: a proposal is never
held to have said it, and where nothing tells, it is "chưa rõ" with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from corpus.lexicon import Lexicon
from corpus.places import Places
from corpus.priority import Membership
from corpus.records import Need, Technology
from corpus.tasks import Proposal, TaskKind
from matcher.yearly import Run

READY = 8  # readiness from which a technology is applied, not tried
TRIED = 5  # … from which it can be produced on trial
MARKET_STAGE = "thị trường/quản trị số"
SELLING = frozenset({"xây dựng thương hiệu", "thương mại điện tử", "tiêu thụ sản phẩm"})
MANY = 3  # needs suggested for one proposal


@dataclass(frozen=True)
class Reading:
    """A value read into a line ("": it cannot be told), and what it rests on."""

    value: str
    evidence: str


def kind_of(need: Need, technology: Technology, lexicon: Lexicon) -> Reading:
    """Tell which kind of task brings ``technology`` to ``need``.

    Selling and promotion is market development; what is in use, accepted, or ready from TRL 8 on is
    applied and transferred; TRL 5 to 7 is produced on trial. Less is research, which is neither.
    """
    said = {each.name for each in lexicon.processes(f"{technology.name}\n{need.text}")}
    if need.stage == MARKET_STAGE and MARKET_STAGE in technology.stages and said & SELLING:
        return Reading(TaskKind.MARKET, f"nhu cầu về {', '.join(sorted(said & SELLING))}")
    key, trl = technology.id, technology.trl
    if trl is not None and trl < TRIED:
        return Reading("", f"{key}: TRL {trl}, còn ở bước nghiên cứu")
    if trl is not None and trl < READY:
        return Reading(TaskKind.TRIAL, f"{key}: TRL {trl}, chưa hoàn thiện để chuyển giao")
    facts = list(_in_use(technology))
    return Reading(TaskKind.APPLY if facts else "", f"{key}: {'; '.join(facts) or _SILENT}")


_SILENT = "không nêu TRL, nơi đã ứng dụng hay số nghiệm thu"


def _in_use(technology: Technology) -> Iterable[str]:
    if technology.trl is not None:
        yield f"TRL {technology.trl}"
    if technology.places_used:
        yield f"đã ứng dụng tại {technology.places_used[0]}"
    if technology.acceptance_no:
        yield f"nghiệm thu số {technology.acceptance_no}"


def group_of(
    technologies: Iterable[str],
    supply: Mapping[str, Technology],
    priorities: Membership | None,
    spellings: Iterable[str] = (),
) -> Reading:
    """Tell which priority group the first of ``technologies`` that has one belongs to.

    Args:
        technologies: ids, those that matter most first.
        supply: technologies by id.
        priorities: tells what the list in force takes in; ``None``: there is none.
        spellings: groups as proposals call them; one with the same sign, (i), (ii) …, is taken so.
    """
    if priorities is None:
        return Reading("", "không có danh mục ưu tiên nào đang hiệu lực")
    for key in technologies:
        for group in priorities.of(supply[key]) if key in supply else ():
            named = f"{group.key} {group.name}"
            called = (each for each in sorted(spellings) if each.split(" ")[0] == group.key)
            told = f"{key} thuộc nhóm {named}, {group.source}"
            return Reading(next(called, named), f"theo danh mục ưu tiên: {told}")
    return Reading("", "không thuộc nhóm nào của danh mục ưu tiên đang hiệu lực")


@dataclass(frozen=True)
class Served:
    """A need that a proposal seems to serve though it does not name it, and why."""

    need: str
    because: str

    @property
    def words(self) -> str:
        """The need and why."""
        return f"{self.need} (suy ra: {self.because})"


class Guesser:
    """Suggests needs for proposals that name none; the needs of a run are read once."""

    def __init__(self, run: Run, lexicon: Lexicon, places: Places) -> None:
        self._run, self._lexicon, self._places = run, lexicon, places
        self._needs = {key: self._read(each.need) for key, each in run.needs.items()}

    def _read(self, need: Need) -> tuple[str, frozenset[str], frozenset[str]]:
        product = self._run.products.get(need.product)
        name = product.name if product else ""
        return name, self._work(need.text), self._lexicon.pests.asked(need.text)

    def _work(self, text: str) -> frozenset[str]:
        return frozenset(each.name for each in self._lexicon.processes(text))

    def needs(self, proposal: Proposal) -> tuple[Served, ...]:
        """Return needs of the same product and work, those with most in common first; ties by id.

        None for a proposal that names needs, and none that fights another pest.
        """
        if proposal.needs:
            return ()
        told = "\n".join(filter(None, (proposal.name, proposal.goal, proposal.content)))
        work, pests = self._work(told), self._lexicon.pests.told(proposal.name, told)
        about = tuple(proposal.products) or (proposal.name,)
        found = []
        for key, (product, wanted, fought) in self._needs.items():
            shared = sorted(work & wanted)
            other = self._lexicon.pests.relation(fought, pests) in {"near", "other"}
            if shared and not other and self._same(product, about):
                near = self._near(self._run.needs[key].need, proposal)
                found.append((-len(shared), not near, key, product, shared, near))
        return tuple(
            Served(key, f"cùng sản phẩm {product}; cùng việc {', '.join(shared)}{near}")
            for *_, key, product, shared, near in sorted(found)[:MANY]
        )

    def _same(self, product: str, about: Iterable[str]) -> bool:
        mine = self._lexicon.products(product)
        return any(
            self._lexicon.relation(mine, self._lexicon.products(each)) == "same" for each in about
        )

    def _near(self, need: Need, proposal: Proposal) -> str:
        if not (need.province and proposal.province):
            return ""
        same = self._places.same_place(need.province, proposal.province) in {"same", "merged"}
        return f"; cùng tỉnh {proposal.province}" if same else ""
