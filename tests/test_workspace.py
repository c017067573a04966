"""Indexing after a change of the store: only what changed, and the same answers as from anew."""

import json
import shutil
from contextlib import closing

import pytest
from small import TECHNOLOGIES, TODAY, Tiny, write_tables

from corpus.records import Technology
from corpus.store import Store
from indexes import segments, snapshot
from indexes.encoders import E5, EncoderError
from indexes.snapshot import ALL, PUBLIC
from service import payloads, workspace
from service.indexing import Indexing
from service.ledger import Ledger
from service.workspace import Workspace

LATE = Technology(id="CN-05", name="Sấy tôm bằng năng lượng mặt trời", products=("tôm",))


@pytest.fixture
def space(tmp_path, monkeypatch):
    monkeypatch.setattr(workspace, "WHOLE_BELOW", 1)
    monkeypatch.setattr(workspace, "LITTLE", 0.5)
    made = Workspace(tmp_path / "a")
    save(made, *TECHNOLOGIES)
    made.tables.mkdir()
    write_tables(made.tables)
    made.copy_tables()  # those that are not there: the places
    made.build(None)
    return made


def save(space, *records):
    with Store.create(space.folder) as store:
        store.save(records)


def analysed(monkeypatch):
    """Ids of the documents that are analysed from here on, by segment."""
    seen, build = [], segments.Segment.build.__func__

    def watched(cls, documents, *rest):
        seen.append([each.id for each in documents])
        return build(cls, documents, *rest)

    monkeypatch.setattr(segments.Segment, "build", classmethod(watched))
    return seen


def pages(space, audience=PUBLIC):
    with space.open(TODAY, audience=audience) as opened:
        asker = opened.matcher
        texts = ("sấy vải", "ao tôm", "khử nitrit", "bao quan dua", "kho lạnh mặt trời")
        answers = [payloads.answer(asker.answer(asker.text(text), 9)) for text in texts]
    for each in answers:
        for match in (*each["matches"], *each["set_apart"]):
            match.pop("row", None)
    return json.dumps(answers, ensure_ascii=False)


def anew(space, tmp_path):
    """The same store, indexed from nothing."""
    other = Workspace(tmp_path / "b")
    other.folder.mkdir()
    (other.folder / "cungcau.sqlite").write_bytes((space.folder / "cungcau.sqlite").read_bytes())
    space.tables.rename(other.tables)
    other.build(None)
    other.tables.rename(space.tables)
    return other


@pytest.mark.parametrize("audience", [PUBLIC, ALL])
def test_after_a_change_only_that_is_analysed_and_answers_are_those_from_anew(
    space, tmp_path, monkeypatch, audience
):
    seen = analysed(monkeypatch)
    changed = TECHNOLOGIES[3].model_copy(update={"name": "Sấy tôm càng xanh"})
    save(space, LATE, changed)
    manifest = space.build(None)
    assert seen == [["CN-05", "CN-4"]] * 2  # for each audience
    assert manifest.segments == {ALL: ["all", "all-1"], PUBLIC: ["public", "public-1"]}
    other = anew(space, tmp_path)
    space.tables.rename(other.tables)
    there = pages(other, audience)
    other.tables.rename(space.tables)
    assert pages(space, audience) == there
    assert "mặt trời" in there


def test_a_change_of_restricted_text_adds_nothing_to_the_public_index(space, monkeypatch):
    before, seen = pages(space), analysed(monkeypatch)
    save(space, TECHNOLOGIES[7].model_copy(update={"detail": "Chủng ZX-9."}))
    manifest = space.build(None)
    assert seen == [["CN-8"]]
    assert manifest.segments[PUBLIC] == [PUBLIC]
    assert pages(space) == before


def test_indexing_again_without_a_change_analyses_nothing(space, monkeypatch):
    seen, before = analysed(monkeypatch), snapshot.open_current(space.index_folder)
    space.build(None)
    after = snapshot.open_current(space.index_folder)
    assert (seen, after.folder) == ([], before.folder)
    before.close()
    after.close()


@pytest.mark.parametrize("reason", ["tables", "many", "small", "damage", "other store"])
def test_where_a_refresh_would_be_wrong_or_no_gain_all_is_built(
    space, tmp_path, monkeypatch, reason
):
    seen = analysed(monkeypatch)
    if reason == "tables":
        with (space.tables / "stopwords.csv").open("a", encoding="utf-8") as file:
            file.write("\nnhé\n")
    elif reason == "many":
        save(space, *[LATE.model_copy(update={"id": f"CN-{n}"}) for n in range(20, 30)])
    elif reason == "small":
        monkeypatch.setattr(workspace, "WHOLE_BELOW", 1_000)
    elif reason == "damage":
        home = space.index_folder
        folder = home / (home / "CURRENT").read_text(encoding="utf-8")
        (folder / PUBLIC / "words" / "docs.npy").unlink()
    else:
        (space.folder / "cungcau.sqlite").unlink()
        save(space, LATE, *TECHNOLOGIES)
    space.build(None)
    assert all(len(each) >= len(TECHNOLOGIES) for each in seen)
    assert bool(seen) == (reason != "small")  # the same again is there already
    pages(space)


# The encoder -------------------------------------------------------------------------------------

ENGINES = {"e5": E5.name, "e5-int8": "int8/multilingual-e5-small-q4"}


@pytest.fixture
def engines(monkeypatch):
    """The two engines, without their models; what is taken out of the set does not run here."""
    running = set(ENGINES)

    def opened(choice):
        if choice == "none":
            return None
        if choice not in running:
            raise EncoderError(f"thiếu {choice}")
        encoder = Tiny()
        encoder.name = ENGINES[choice]
        return encoder

    monkeypatch.setattr(workspace, "open_encoder", opened)
    return running


@pytest.mark.parametrize(
    ("runs", "built", "engine", "notice"),
    [
        ("both", None, "e5-int8", ""),  # no index: there is nothing to keep
        ("both", "none", None, workspace.WORDS_KEPT),
        ("both", "e5", "e5", ""),
        ("both", "e5-int8", "e5-int8", ""),
        ("e5", None, "e5", "Dùng bộ mã hóa e5: thiếu e5-int8."),
        ("e5", "e5-int8", "e5", "Dùng bộ mã hóa e5: thiếu e5-int8."),
        ("e5-int8", "e5", "e5-int8", "Dùng bộ mã hóa e5-int8: thiếu e5."),
        ("e5", "none", None, workspace.WORDS_KEPT),
    ],
)
def test_an_index_keeps_its_engine_and_a_first_one_has_the_fastest(
    space, engines, runs, built, engine, notice
):
    shutil.rmtree(space.index_folder)
    if built:
        space.build(space.encoder(built)[0])
    engines &= set(ENGINES) if runs == "both" else {runs}
    encoder, told = space.encoder()
    assert (encoder and encoder.name, told) == (ENGINES.get(engine), notice)


def test_a_refresh_of_the_service_keeps_an_index_of_words(space, engines):
    with closing(Ledger(space.folder)) as ledger:
        indexing = Indexing(space, ledger)
        assert indexing.start("lan")
        indexing.join()
        assert indexing.last().message == f"Chỉ mục đã gồm 8 công nghệ. {workspace.WORDS_KEPT}"
    with space.open(TODAY) as opened:
        assert (opened.manifest.encoder, opened.notices) == (None, ())


def test_an_index_is_read_with_the_engine_that_made_it(space, engines):
    for choice, name in ENGINES.items():
        manifest = space.build(space.encoder(choice)[0])
        assert manifest.encoder == name
        with space.open(TODAY) as opened:
            assert (opened.matcher.engine.encoder.name, opened.notices) == (name, ())
    engines.discard("e5-int8")
    with space.open(TODAY) as opened:
        assert opened.matcher.engine.encoder is None
        assert opened.notices == ("Chỉ tìm theo từ ngữ: thiếu e5-int8.",)
