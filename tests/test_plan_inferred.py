"""What is read into lines that nobody stated, and what people's judgments change of a plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from corpus.lexicon import Lexicon
from corpus.places import Places
from corpus.priority import Membership, PriorityGroup, PriorityList, Standing
from corpus.records import Judgment, Need, Technology
from corpus.store import Store
from corpus.tasks import Proposal, TaskKind
from matcher.explain import SUITS
from matcher.planning.candidates import Dimension
from matcher.planning.checks import check
from matcher.planning.criteria import Criterion
from matcher.planning.drafts import Norm, costed, drafts
from matcher.planning.inferred import group_of, kind_of
from matcher.planning.lines import entries
from matcher.yearly import OF_REFERENCE, Run
from service.judged import judged
from service.workspace import Workspace

Sample = tuple[Workspace, Run]
PLACES = Places.load()


@pytest.fixture(scope="module")
def words() -> Lexicon:
    return Lexicon.load()


def kind(words: Lexicon, stage: str | None = None, need: str = "sấy vải", **facts: object) -> str:
    technology = Technology.model_validate({"id": "CN", "name": "Sấy vải", **facts})
    asked = Need.model_validate({"id": "N", "product": "SP", "text": need, "stage": stage})
    found = kind_of(asked, technology, words)
    assert found.evidence
    return found.value


def test_the_kind_of_a_draft_is_read_from_what_its_technology_states(words: Lexicon) -> None:
    market = "thị trường/quản trị số"
    assert kind(words, trl=9) == kind(words, places_used=["Lục Ngạn"]) == TaskKind.APPLY
    assert kind(words, trl=6, places_used=["xưởng thử"]) == TaskKind.TRIAL
    assert kind(words, trl=3) == kind(words) == ""  # research, and silence, are neither
    selling = {"stage": market, "need": "bán hàng trực tuyến", "trl": 9}
    assert kind(words, stages=[market], **selling) == TaskKind.MARKET  # type: ignore[arg-type]
    assert kind(words, stages=["chế biến"], **selling) == TaskKind.APPLY  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def listed(made: Sample, words: Lexicon) -> Membership:
    """A list in force that takes in whatever processes."""
    group = PriorityGroup(key="(iv)", name="Chế biến", stages=("chế biến",))
    facts = {"standing": Standing.ISSUED, "decision": "1/QĐ", "groups": (group,)}
    version = {"id": "DM-1", "name": "Danh mục", "date": made[1].as_of, **facts}
    return Membership(PriorityList.model_validate(version), words)


@pytest.fixture(scope="module")
def made(matched_sample: Sample) -> Sample:
    return matched_sample


def test_a_group_is_called_as_proposals_call_it(made: Sample, listed: Membership) -> None:
    supply = made[1].technologies
    one = next(key for key, each in sorted(supply.items()) if each.stages == ("chế biến",))
    called = "(iv) chế biến sâu"
    found = group_of([one], supply, listed, ["(i) số", called])
    assert (found.value, one in found.evidence) == (called, True)
    assert group_of([one], supply, listed).value == "(iv) Chế biến"
    assert "không có danh mục" in group_of([one], supply, None).evidence


def test_drafts_are_proposals_with_kind_and_group_or_say_why_not(
    made: Sample, words: Lexicon, listed: Membership
) -> None:
    run = made[1]
    found = drafts(run, [], PLACES, words, listed)
    assert all(each.pair.label == SUITS and each.kind.evidence for each in found)
    kinds = {each.kind.value for each in found}
    assert {TaskKind.APPLY, TaskKind.TRIAL} <= kinds
    priced = costed(found, run, PLACES, Norm(500, 200), 2027)
    lines = {each.candidate.id: each.candidate for each in priced if each.candidate}
    assert len(lines) == len(found)
    for draft in found:
        line = lines[draft.proposal.id]
        assert line.counted.get(Dimension.KIND, ("",)) == (draft.kind.value,)
        assert line.counted.get(Dimension.GROUP, ("",)) == (draft.group.value,)
        assert (line.state, line.needs) == ({2027: 500}, (draft.pair.need,))


def test_needs_that_a_proposal_does_not_name_are_suggested_and_not_counted(
    made: Sample, words: Lexicon
) -> None:
    run = made[1]
    need = run.needs["N-001"].need  # sâu đầu đen on coconut
    product = run.products[need.product]
    silent = Proposal.model_validate(
        {"id": "DX-900", "name": f"Thả ong ký sinh trừ sâu đầu đen cho {product.name}",
         "products": (product.name,), "province": "Vĩnh Long", "state_yearly": {2027: 10.0}}
    )  # fmt: skip
    beetle = silent.model_copy(
        update={"id": "DX-901", "name": f"Thả ong ký sinh trừ bọ dừa cho {product.name}"}
    )
    naming = silent.model_copy(update={"id": "DX-902", "needs": ("N-001",)})
    found = check([silent, beetle, naming], run, [], words, PLACES)
    assert found[0].served == () and found[0].missing[-1] == "nhu cầu liên quan"
    assert "N-001" in [each.need for each in found[0].guessed]
    because = found[0].guessed[0].because
    assert "cùng việc" in because and product.name in because
    assert "N-001" not in [each.need for each in found[1].guessed]  # another pest
    assert found[2].guessed == ()
    marks = entries(found, run, PLACES)[0].marks
    useful = next(each for each in marks if each.criterion is Criterion.USEFULNESS)
    assert useful.value is None and "suy ra" in useful.evidence


# What people judged -----------------------------------------------------------------------------


def test_a_judgment_takes_a_technology_out_of_the_plan_with_name_and_date(
    made: Sample, words: Lexicon, tmp_path: Path
) -> None:
    run = replace(made[1], grades={}, judges={})
    draft = drafts(run, [], PLACES, words)[0]
    key = (draft.pair.need, draft.pair.technology)
    with Store.create(tmp_path) as store:
        said = Judgment(need=key[0], technology=key[1], grade=0)
        store.save([said], actor="lan.tran", at="2026-11-20T03:00:00+00:00")
        told = judged(run, store)
    pair = next(each for each in told.pairs[key[0]] if each.technology == key[1])
    assert pair.told == "tham khảo (người đánh giá mức 0, lan.tran, 20/11/2026)"
    assert (pair.worth, draft.pair.worth > OF_REFERENCE) == (0, True)
    again = {each.pair.need: each.pair.technology for each in drafts(told, [], PLACES, words)}
    assert again.get(key[0]) != key[1]
    asked = Proposal.model_validate(
        {"id": "DX-900", "name": "Ứng dụng", "needs": (key[0],), "technologies": (key[1],),
         "state_yearly": {2027: 10.0}}
    )  # fmt: skip
    before, after = (
        entries(check([asked], each, [], words, PLACES), each, PLACES)[0] for each in (run, told)
    )
    assert before.score > 0 == after.score
    assert "lan.tran, 20/11/2026" in after.marks[0].evidence


def test_a_mere_reference_counts_little_however_well_its_words_agree(made: Sample) -> None:
    pairs = [each for found in made[1].pairs.values() for each in found]
    assert max(each.worth for each in pairs if each.label == "tham khảo") <= OF_REFERENCE
