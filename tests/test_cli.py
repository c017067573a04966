import contextlib
import errno
import fcntl
import functools
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest
import typer
from small import NEEDS, PRODUCTS, TECHNOLOGIES, Tiny
from test_learning import records
from test_learning import workspace as learnt_from

from corpus.lexicon import Lexicon
from corpus.places import Places
from corpus.records import Technology
from corpus.store import Store
from indexes.encoders import EncoderError
from matcher.model import VERSION
from service import cli, workspace
from service.exports import WATERMARK
from service.settings import Exit
from service.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = Path(sys.executable).with_name("cungcau")
COMMAND = (
    [str(SCRIPT)]
    if SCRIPT.exists()
    else [sys.executable, "-c", "from service.cli import main; main()"]
)
COMMANDS = typer.main.get_command(cli.app).commands


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


def run(*args) -> Result:
    """Run the command in this process, as the console script would."""
    out, err, argv = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["cungcau", *map(str, args)]
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as stopped,
        ):
            cli.main()
    finally:
        sys.argv = argv
    code = stopped.value.code or 0
    assert "Traceback" not in err.getvalue()
    return Result(int(code), out.getvalue(), err.getvalue())


# The command, only that it never ends writing an index. Ctrl-C is set as in a terminal: what a
# shell starts in the background ignores it, and so do its children.
ENDLESS = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from indexes.hybrid import Index
Index.save = lambda *_: time.sleep(60)
from service.cli import main
main()
"""


def process(*args, command=COMMAND) -> subprocess.Popen:
    """Start the command as a process of its own."""
    return subprocess.Popen(
        [*command, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "300", "PYTHONIOENCODING": "utf-8"},
        cwd=ROOT,
    )


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.delenv("CUNGCAU_DATA", raising=False)


@pytest.fixture(autouse=True, scope="session")
def _tables_read_once():
    """Read the program's own tables once, not at every one of a hundred commands."""
    tables = {"lexicon": functools.cache(Lexicon.load), "places": functools.cache(Places.load)}
    with pytest.MonkeyPatch.context() as patch:
        for name, load in tables.items():
            plain = getattr(Workspace, name)
            patch.setattr(
                Workspace,
                name,
                lambda self, load=load, plain=plain: (
                    plain(self) if self.tables.is_dir() else load()
                ),
            )
        yield


def write_jsonl(path, records):
    lines = (json.dumps(each.to_json(), ensure_ascii=False) + "\n" for each in records)
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    kinds = {"products": PRODUCTS, "technologies": TECHNOLOGIES, "needs": NEEDS}
    return [write_jsonl(folder / f"{name}.jsonl", records) for name, records in kinds.items()]


@pytest.fixture(scope="session")
def built(tmp_path_factory, files):
    """A work folder, loaded and indexed once; tests that change anything take ``space``."""
    folder = tmp_path_factory.mktemp("data")
    assert run("load", *files, "--data", folder).code == Exit.DONE
    assert run("index", "--encoder", "none", "--data", folder).code == Exit.DONE
    return folder


@pytest.fixture
def space(built, tmp_path):
    return shutil.copytree(built, tmp_path / "data")


@pytest.fixture(scope="session")
def interchange(tmp_path_factory):
    folder = tmp_path_factory.mktemp("thi")
    for name, text in {
        "products.csv": "Mã,Tên sản phẩm\nP1,Vải thiều\n",
        "technologies.csv": "Mã,Tên công nghệ\nT1,Sấy vải\nT2,Sấy nhãn\n",
        "needs.csv": "Mã,Mã sản phẩm,Nhu cầu\nN1,P1,Sấy cho khô\n",
        "judgments.tsv": "N1\tT1\t3\n",
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


# Every command -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name):
    found = run(name, "--help")
    assert found.code == Exit.DONE
    first_line = COMMANDS[name].help.splitlines()[0]
    assert len(first_line) > 20
    assert first_line[:20] in found.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_help(name):
    silent = [each.name for each in COMMANDS[name].params if not getattr(each, "help", None)]
    assert silent == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_stands_in_the_readme(name):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    if "cungcau" not in text:
        pytest.skip("README.md has no section on the command yet")
    assert f"cungcau {name}" in text


def test_without_a_command_the_help_is_shown():
    found = run()
    assert found.code == Exit.USAGE
    assert all(name in found.out + found.err for name in COMMANDS)


@pytest.mark.parametrize(
    ("args", "keys"),
    [
        (["search", "sấy vải"], {"matches", "set_apart", "total", "notices", "index_notices"}),
        (["search", "xyzzy"], {"matches", "found", "query"}),
        (["match", "SP-1"], {"product", "choices", "needs", "uncovered"}),
        (["match", "vải sớm"], {"product", "choices", "needs", "uncovered"}),
        (["match", "N-1"], {"query", "matches", "set_apart"}),
        (["match", "--text", "giữ đỏ vỏ vải"], {"query", "matches"}),
        (["match", "SP-1", "--text", "giữ đỏ vỏ", "--budget", "200"], {"product", "set_apart"}),
        (["show", "CN-1"], {"id", "name"}),
        (["show", "SP-1"], {"id", "name"}),
        (["show", "N-1"], {"id", "text"}),
    ],
)
def test_json_is_for_programs_to_parse(built, args, keys):
    found = run(*args, "--data", built, "--json")
    assert found.code == Exit.DONE
    assert keys <= set(found.json)


def test_json_of_lists(built):
    takers = run("takers", "CN-2", "--data", built, "--json").json
    assert takers[0]["need"]["id"] == "N-2"
    findings = run("doctor", "--data", built, "--json").json
    assert {"name", "ok", "text"} == set(findings[0])


def test_json_of_work_done(space, files):
    assert run("init", "--data", space, "--json").json["revision"] == 3 + 8 + 4
    assert run("load", *files, "--data", space, "--json").json["saved"]["added"] == 0
    manifest = run("index", "--encoder", "none", "--data", space, "--json").json
    assert (manifest["records"], manifest["encoder"], manifest["restricted"]) == (8, None, True)


def test_json_of_a_match_explains_itself(built):
    (best, *_) = run("search", "sấy vải", "--data", built, "--json").json["matches"]
    assert best["id"] == "CN-1"
    assert sum(best["parts"].values()) == pytest.approx(best["score"])
    start, end = best["highlights"]["spans"][0]
    record = run("show", "CN-1", "--data", built, "--json").json
    assert record[best["highlights"]["field"]][start:end].lower() in {"sấy", "vải"}


def test_the_kind_of_record_does_not_hide_the_kind_of_technology(built):
    found = run("show", "CN-1", "--data", built, "--json").json
    assert (found["type"], found["kind"]) == ("technology", "quy trình")
    assert run("show", "SP-1", "--data", built, "--json").json["type"] == "product"


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["search", "sấy vải"], "CN-1"),
        (["search", "sấy vải", "--parts"], "từ ngữ +0."),
        (["match", "SP-1"], "Nhu cầu N-1"),
        (["match", "N-2"], "vượt 200 triệu"),
        (["takers", "CN-2"], "N-2"),
        (["show", "CN-7"], "chưa rõ"),
        (["doctor"], "8 công nghệ"),
    ],
)
def test_people_read_tables(built, args, told):
    found = run(*args, "--data", built)
    assert found.code == Exit.DONE
    assert told in found.out


def test_filters_reach_the_search(built):
    def ids(*options):
        found = run("search", "sấy bảo quản tôm vải nhãn", "--data", built, "--json", *options).json
        return {each["id"] for each in (*found["matches"], *found["set_apart"])}

    assert ids() > {"CN-1", "CN-2", "CN-3", "CN-4"}
    assert ids("--kind", "thiết bị") == {"CN-2"}
    assert ids("--field", "chế biến") == {"CN-1"}
    assert ids("--product", "nhãn") == {"CN-3"}
    assert ids("--place", "Bắc Giang") == {"CN-1"}
    assert ids("--trl-min", "9") == {"CN-3"}
    assert ids("--price-max", "100") == {"CN-3"}
    assert ids("--year-from", "2024") == {"CN-2"}
    assert "CN-3" not in ids("--valid", "--as-of", "2026-11-23")
    assert "CN-3" in ids("--valid", "--as-of", "2025-06-30")
    assert len(ids("-k", "1")) == 2  # one match and one that has expired


# What is there already ---------------------------------------------------------------------------


def test_loading_twice_changes_nothing(space, files):
    before = sqlite_dump(space)
    again = run("load", *files, "--data", space, "--json").json
    assert again["saved"] == {"added": 0, "changed": 0, "unchanged": 0}
    assert [(each["loaded"], each["repeated"]) for each in again["files"]] == [
        (0, 3),
        (0, 8),
        (0, 4),
    ]
    assert sqlite_dump(space) == before


def sqlite_dump(folder):
    with contextlib.closing(sqlite3.connect(folder / "cungcau.sqlite")) as connection:
        return list(connection.iterdump())


def test_init_keeps_what_is_there_and_copies_the_tables_once(space):
    before = sqlite_dump(space)
    copied = run("init", "--tables", "--data", space, "--json").json["tables"]
    assert str(space / "lexicon" / "products.csv") in copied
    (space / "lexicon" / "stopwords.csv").write_text("word\nlà\n", encoding="utf-8")
    assert run("init", "--tables", "--data", space, "--json").json["tables"] == []
    assert (space / "lexicon" / "stopwords.csv").read_text(encoding="utf-8") == "word\nlà\n"
    assert sqlite_dump(space) == before
    assert run("search", "sấy vải", "--data", space).code == Exit.DONE  # reads those tables


def test_the_work_folder_may_come_from_the_environment(built, monkeypatch):
    monkeypatch.setenv("CUNGCAU_DATA", str(built))
    assert run("search", "sấy vải", "--json").json["matches"][0]["id"] == "CN-1"


def test_an_index_behind_the_records_says_so(space, tmp_path):
    late = write_jsonl(tmp_path / "technologies.jsonl", [Technology(id="CN-9", name="Sấy vải mới")])
    assert run("load", late, "--data", space).code == Exit.DONE
    notice = "Chỉ mục chưa gồm 1 thay đổi mới nhất"
    found = run("search", "sấy vải", "--data", space, "--json")
    assert notice in found.json["index_notices"][0]
    assert notice in run("search", "sấy vải", "--data", space).err
    assert notice in run("match", "SP-1", "--data", space, "--json").err
    assert run("index", "--encoder", "none", "--data", space).code == Exit.DONE
    found = run("search", "sấy vải", "--data", space, "--json").json
    assert found["index_notices"] == []
    assert "CN-9" in [each["id"] for each in found["matches"]]


def test_an_encoder_that_the_index_was_not_built_with_is_noticed(built, tmp_path):
    found = run("search", "sấy vải", "--encoder", "e5", "--data", built, "--json").json
    assert found["index_notices"] == ["Chỉ mục không có vectơ: chỉ tìm theo từ ngữ."]


def test_rejected_rows_are_told_and_can_be_corrected_and_loaded(space, tmp_path):
    path = tmp_path / "nhu-cau.csv"
    path.write_text(
        "Mã,Mã sản phẩm,Nhu cầu,Kinh phí tối đa (triệu đồng)\n"
        "N-10,SP-1,Phơi nắng,100\nN-11,SP-1,Hong gió,abc\nN-12,SP-99,Ướp đá,5\n",
        encoding="utf-8",
    )
    found = run("load", path, "--data", space, "--json")
    assert found.code == Exit.PARTLY
    assert [(each["rows"], each["loaded"], each["rejected"]) for each in found.json["files"]] == [
        (3, 1, 2)
    ]
    assert [(each["row"], each["value"]) for each in found.json["rejected"]] == [
        (3, "abc"),
        (4, "SP-99"),
    ]
    shown = run("load", path, "--data", space)
    assert 'nhu-cau.csv dòng 3, cột "Kinh phí tối đa (triệu đồng)"' in shown.out
    assert "Rejected(" not in shown.out
    (corrections,) = found.json["corrections"]
    book = openpyxl.load_workbook(corrections)
    for cell in (cell for row in book.active.iter_rows() for cell in row):
        cell.value = {"abc": 120, "SP-99": "SP-1"}.get(cell.value, cell.value)
    book.save(corrections)
    mended = run("load", corrections, "--data", space, "--json")
    assert (mended.code, mended.json["saved"]["added"]) == (Exit.DONE, 2)
    assert run("show", "N-11", "--data", space, "--json").json["budget"] == 120


def test_what_was_read_differently_is_noticed_in_words(space, tmp_path):
    path = tmp_path / "technologies.csv"
    path.write_bytes("Mã,Tên công nghệ\nCN-20,Sấy chuối\n".encode("utf-16"))
    path2 = tmp_path / "them.csv"
    path2.write_text("Mã,Tên công nghệ,Tên công nghệ\nCN-21,Sấy mít,Sấy na\n", encoding="utf-8")
    found = run("load", path, path2, "--data", space)
    assert "Notice(" not in found.out
    notices = run("load", path, path2, "--data", space, "--json").json["notices"]
    assert all("Notice(" not in each for each in notices)


# Text under NDA ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def other_secret(tmp_path_factory, files):
    """The same records, but what is under NDA says something else."""
    folder = tmp_path_factory.mktemp("other")
    changed = [
        each.model_copy(update={"detail": "Zeolit ZX-9 cho vải.", "cost_from": 1.0})
        if each.restricted
        else each
        for each in TECHNOLOGIES
    ]
    technologies = write_jsonl(folder / "technologies.jsonl", changed)
    run("load", files[0], technologies, files[2], "--data", folder / "data")
    run("index", "--encoder", "none", "--data", folder / "data")
    return folder / "data"


@pytest.mark.parametrize(
    "args",
    [
        ["search", "ao tôm"],
        ["search", "zeolit ZX-9"],
        ["search", "vi khuẩn BX-77", "--price-max", "1000"],
        ["match", "SP-1"],
        ["match", "--text", "vải zeolit"],
        ["takers", "CN-8"],
        ["show", "CN-8"],
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["table", "json"])
def test_text_under_nda_changes_no_byte_of_a_public_answer(built, other_secret, args, form):
    one, other = (run(*args, *form, "--data", data) for data in (built, other_secret))
    assert one == other
    assert one.code == Exit.DONE


@pytest.mark.parametrize(
    "args", [["search"], ["match", "--text"], ["match", "SP-2", "--text"]], ids=" ".join
)
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["table", "json"])
def test_decomposed_text_and_the_other_tone_placement_print_the_same_bytes(built, args, form):
    text = "bảo quản khóm, sấy khỏe trên tàu thủy"
    same = (unicodedata.normalize("NFD", text), text.replace("khỏe", "khoẻ").replace("ủy", "uỷ"))
    assert len({text, *same}) == 3
    told = run(*args, text, *form, "--data", built)
    assert ("khóm" in told.out) == bool(form)  # only programs are told what was understood
    assert [run(*args, each, *form, "--data", built) for each in same] == [told, told]


def test_who_may_read_it_finds_what_is_under_nda(built):
    assert run("search", "khử nitrit", "--data", built, "--json").json["total"] == 0
    found = run("search", "khử nitrit", "--nda", "--data", built, "--json").json
    assert found["matches"][0]["id"] == "CN-8"
    assert "BX-77" in run("show", "CN-8", "--nda", "--data", built).out
    assert "BX-77" not in run("show", "CN-8", "--data", built).out


# Exports and marks -------------------------------------------------------------------------------


def test_a_products_list_can_be_written_as_a_spreadsheet(built, tmp_path):
    path = tmp_path / "danh-sach.xlsx"
    found = run("match", "SP-1", "--xlsx", path, "--data", built, "--as-of", "2026-11-23")
    assert found.code == Exit.DONE
    assert openpyxl.load_workbook(path).sheetnames[0] == "Theo nhu cầu"


def test_illustrative_records_are_marked_wherever_they_are_shown(space, tmp_path):
    records = [each.model_copy(update={"illustrative": True}) for each in TECHNOLOGIES]
    run("load", write_jsonl(tmp_path / "technologies.jsonl", records), "--data", space)
    run("index", "--encoder", "none", "--data", space)
    for args in (["search", "sấy vải"], ["match", "SP-1"], ["takers", "CN-1"], ["show", "CN-1"]):
        assert WATERMARK in run(*args, "--data", space).out
    found = run("search", "sấy vải", "--data", space, "--json").json
    assert all(each["illustrative"] for each in found["matches"])


def test_brackets_in_records_and_questions_are_text(space, tmp_path):
    strange = Technology(
        id="CN-[/b]",
        name="Sấy [/x] :smile: [bold]",
        owner="[/y]",
        province="[red]",
        extra={"Cột [/z]": "[/z]"},
    )
    bad = tmp_path / "needs.csv"
    bad.write_text("Mã,Mã sản phẩm,Nhu cầu\nN-9,[/k],Sấy [/x]\n", encoding="utf-8")
    product = PRODUCTS[0].model_copy(update={"id": "SP-[/p]", "name": "Na [/n] :cat:"})
    need = NEEDS[0].model_copy(update={"id": "N-[/n]", "product": "SP-[/p]", "text": "Sấy [/t]"})
    kinds = {"technologies": strange, "products": product, "needs": need}
    paths = [write_jsonl(tmp_path / f"{name}.jsonl", [each]) for name, each in kinds.items()]
    assert run("load", *paths, "--data", space).code == Exit.DONE
    assert "[/k]" in run("load", bad, "--data", space).out
    assert run("index", "--encoder", "none", "--data", space).code == Exit.DONE
    assert "Sấy [/x] :smile: [bold]" in run("search", "sấy [bold] [/q]", "--data", space).out
    assert "Na [/n] :cat:" in run("match", "SP-[/p]", "--data", space).out
    assert "N-[/n]" in run("takers", "CN-[/b]", "--data", space).out
    shown = run("show", "CN-[/b]", "--data", space).out
    assert "Cột [/z]" in shown
    assert "Sấy [/x] :smile: [bold]" in shown
    for args in (["show", "[/x]"], ["match", "[/x]"], ["takers", "[/x]"]):
        found = run(*args, "--data", space)
        assert (found.code, "[/x]" in found.err) == (Exit.USAGE, True)


# Questions that ask nothing, or too much ---------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Câu hỏi chưa có từ nào để tìm."),
        ("?!…", "Câu hỏi chưa có từ nào để tìm."),
        ("và cho của", "Câu hỏi chỉ có từ chung"),
        ("sấy vải " * 5000, "Câu hỏi quá dài"),
    ],
    ids=["empty", "punctuation", "filler", "long"],
)
@pytest.mark.parametrize("command", [["search"], ["match", "--text"]], ids=["search", "match"])
def test_odd_questions_have_a_defined_answer(built, command, text, told):
    found = run(*command, text, "--data", built, "--json")
    assert found.code == Exit.DONE
    assert told in found.json["notices"][0]
    assert told in run(*command, text, "--data", built).out


# Exit codes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["match", "nowhere"], "nowhere"),
        (["match", ""], "cần mã sản phẩm"),
        (["match"], "cần mã sản phẩm"),
        (["takers", "nowhere"], "nowhere"),
        (["show", "nowhere"], "nowhere"),
        (["search", "x", "--as-of", "31/02/2026"], "31/02/2026"),
        (["search", "x", "--trl-min", "12"], "--trl-min"),
        (["search", "x", "--price-max", "-1"], "--price-max"),
        (["search", "x", "-k", "0"], "--top"),
        (["search"], "text"),
        (["search", "x", "--oops"], "--oops"),
        (["oops"], "oops"),
        (["load"], "--sample"),
        (["match", "N-1", "--budget", "5"], "--text"),
        (["match", "SP-1", "--trl-min", "5"], "--text"),
        (["match", "SP-1", "--place", "Hà Nội"], "--text"),
        (["match", "N-1", "--xlsx", "x.xlsx"], "--xlsx"),
        (["match", "--text", "sấy", "--xlsx", "x.xlsx"], "--xlsx"),
    ],
)
def test_a_mistyped_command_says_what_is_wrong_with_it(built, args, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUNGCAU_DATA", str(built))
    found = run(*args)
    assert found.code == Exit.USAGE
    assert told in found.err
    assert found.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "args",
    [["search", "x"], ["match", "SP-1"], ["takers", "CN-1"], ["show", "CN-1"], ["doctor"]],
    ids=lambda args: args[0],
)
def test_without_records_every_command_says_what_to_do(tmp_path, args):
    found = run(*args, "--data", tmp_path / "mới")
    assert found.code == Exit.NO_DATA
    assert "cungcau init" in found.out + found.err
    assert not (tmp_path / "mới").exists()


def test_indexing_without_records_says_what_to_do(tmp_path):
    found = run("index", "--encoder", "none", "--data", tmp_path / "mới")
    assert (found.code, "cungcau init" in found.err) == (Exit.NO_DATA, True)


def test_searching_before_an_index_exists_says_what_to_do(tmp_path, files):
    run("load", *files, "--data", tmp_path)
    for args in (["search", "x"], ["match", "SP-1"], ["takers", "CN-1"]):
        found = run(*args, "--data", tmp_path)
        assert found.code == Exit.NO_DATA
        assert "chưa có chỉ mục" in found.err
        assert "cungcau index" in found.err
    assert run("show", "CN-1", "--data", tmp_path).code == Exit.DONE  # needs no index


def test_an_index_of_other_records_is_refused(space, tmp_path):
    other = tmp_path / "other"
    run("load", write_jsonl(tmp_path / "technologies.jsonl", TECHNOLOGIES[:1]), "--data", other)
    shutil.copytree(space / "index", other / "index")
    found = run("search", "sấy", "--data", other)
    assert found.code == Exit.NO_DATA
    assert "chỉ mục thuộc về dữ liệu khác" in found.err
    assert run("doctor", "--data", other).code == Exit.NO_DATA


@pytest.mark.parametrize(
    "missing",
    ["manifest.json", "public/ids.json", "lease", "public/words/docs.npy", "public", "all"],
)
def test_a_half_deleted_index_is_refused_and_can_be_built_again(space, missing):
    folder = space / "index" / (space / "index" / "CURRENT").read_text(encoding="utf-8")
    path = folder / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    found = run("search", "sấy vải", "--data", space)
    assert found.code == Exit.NO_DATA
    assert "chạy lại `cungcau index`" in found.err
    assert run("index", "--encoder", "none", "--data", space).code == Exit.DONE
    assert run("search", "sấy vải", "--data", space).code == Exit.DONE


def test_a_second_builder_is_told_to_wait_and_searches_go_on(space):
    with (space / "index" / "LOCK").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = run("index", "--encoder", "none", "--data", space)
        assert found.code == Exit.NO_DATA
        assert "một tiến trình khác đang tạo chỉ mục" in found.err
        assert run("search", "sấy vải", "--data", space).code == Exit.DONE


def test_a_store_that_is_no_store_is_refused(tmp_path):
    (tmp_path / "cungcau.sqlite").write_text("xin chào " * 100, encoding="utf-8")
    found = run("search", "x", "--data", tmp_path)
    assert (found.code, "đã hỏng" in found.err) == (Exit.NO_DATA, True)


def test_a_work_folder_that_is_a_file_is_refused(tmp_path, files):
    path = tmp_path / "tệp"
    path.write_text("x", encoding="utf-8")
    for args in (["init"], ["load", files[0]]):
        assert run(*args, "--data", path).code == Exit.NO_DATA


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("không-có.csv", None, "không tìm thấy"),
        ("rỗng.csv", b"", "rỗng.csv"),
        ("lạ.docx", b"PK\x03\x04", "lạ.docx"),
        ("giả.xlsx", b"khong phai excel", "giả.xlsx"),
        ("bảng.csv", b"a,b\n1,2\n", "không nhận ra đây là bảng gì"),
    ],
)
def test_an_unreadable_file_is_named_and_the_others_are_loaded(tmp_path, files, name, data, told):
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    found = run("load", path, files[0], "--data", tmp_path / "data", "--json")
    assert found.code == Exit.BAD_INPUT
    (rejected,) = found.json["rejected"]
    assert told in f"{rejected['file']}: {rejected['reason']}"
    assert found.json["saved"]["added"] == len(PRODUCTS)
    assert told in run("load", path, "--data", tmp_path / "data").out


def test_a_folder_is_no_file_to_load(tmp_path):
    assert run("load", tmp_path, "--data", tmp_path / "data").code == Exit.BAD_INPUT


def test_half_a_character_in_a_file_is_no_reason_to_stop(tmp_path, files):
    path = tmp_path / "technologies.jsonl"
    path.write_text('{"id": "CN-30", "name": "Sấy \\ud800 chuối"}\n', encoding="utf-8")
    found = run("load", path, "--data", tmp_path / "data", "--json")
    assert found.code in {Exit.DONE, Exit.PARTLY}
    assert found.json["files"][0]["rows"] == 1
    assert run("index", "--encoder", "none", "--data", tmp_path / "data").code == Exit.DONE


@pytest.mark.parametrize("encoder", ["oops", "", "/nowhere"])
def test_an_unknown_encoder_is_refused_with_the_choices(built, encoder):
    found = run("index", "--encoder", encoder, "--data", built)
    assert found.code == Exit.BAD_INPUT
    assert "e5-int8, e5, e5-onnx, none" in found.err


def test_a_damaged_table_of_words_is_named_with_its_line(space):
    run("init", "--tables", "--data", space)
    (space / "lexicon" / "products.csv").write_text("tên\nvải\n", encoding="utf-8")
    for args in (["search", "x"], ["index", "--encoder", "none"], ["load", "x.csv"]):
        found = run(*args, "--data", space)
        assert found.code == Exit.BAD_INPUT
        assert "products.csv dòng 1" in found.err


def test_a_damaged_cache_of_vectors_is_told(space, monkeypatch):
    monkeypatch.setattr(workspace, "open_encoder", lambda _choice: Tiny())
    (space / "cache").mkdir()
    (space / "cache" / "embeddings.sqlite").write_text("x" * 5000, encoding="utf-8")
    found = run("index", "--encoder", "e5", "--data", space)
    assert found.code == Exit.BAD_INPUT
    assert "embeddings.sqlite" in found.err
    assert run("search", "sấy vải", "--data", space).code == Exit.DONE  # the old index is whole


def test_a_cache_of_vectors_that_cannot_be_opened_is_told(space, monkeypatch):
    monkeypatch.setattr(workspace, "open_encoder", lambda _choice: Tiny())
    (space / "cache" / "embeddings.sqlite").mkdir(parents=True)
    found = run("index", "--encoder", "e5", "--data", space)
    assert (found.code, "không dùng được tệp giữ vectơ" in found.err) == (Exit.NO_DATA, True)
    assert run("search", "sấy vải", "--data", space).code == Exit.DONE


def test_a_full_disk_is_told_and_the_old_index_stays(space, tmp_path, monkeypatch):
    late = write_jsonl(tmp_path / "technologies.jsonl", [Technology(id="CN-9", name="Sấy mới")])
    run("load", late, "--data", space)
    before = (space / "index" / "CURRENT").read_bytes()

    def full(_handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        found = run("index", "--encoder", "none", "--data", space)
    assert found.code == Exit.NO_DATA
    assert "đầy" in found.err
    assert (space / "index" / "CURRENT").read_bytes() == before
    assert list((space / "index").glob("building-*")) == []
    assert run("search", "sấy vải", "--data", space).code == Exit.DONE


def test_where_the_default_encoder_cannot_run_the_index_is_lexical_and_says_so(space, monkeypatch):
    def missing(choice):
        raise EncoderError(f"không nạp được {choice}")

    monkeypatch.setattr(workspace, "open_encoder", missing)
    shutil.rmtree(space / "index")  # one of words alone would be kept so
    found = run("index", "--data", space)
    assert found.code == Exit.DONE
    told = "Chỉ tìm theo từ ngữ: không nạp được e5-int8; không nạp được e5."
    assert told in found.out
    shutil.rmtree(space / "index")
    assert run("index", "--data", space, "--json").json["notices"] == [told]
    assert run("index", "--encoder", "e5", "--data", space).code == Exit.BAD_INPUT  # asked for


# Evaluation --------------------------------------------------------------------------------------


def test_evaluation_as_json_has_the_keys_that_programs_read(interchange, tmp_path):
    found = run("evaluate", interchange, "--encoder", "none", "--work", tmp_path, "--json")
    assert found.code == Exit.DONE
    assert set(found.json) == {
        *("overall", "variants", "none", "useful", "beside_plain", "constraints", "notices")
    }
    assert found.json["overall"]["nDCG@10"] == 1.0  # one need, its one answer first
    assert found.json["overall"]["queries"] == 1
    assert found.json["constraints"] is None


def test_evaluation_prints_a_table_and_writes_a_run(interchange, tmp_path):
    path = tmp_path / "run.txt"
    args = ("--encoder", "none", "--work", tmp_path, "--run", path)
    found = run("evaluate", interchange, *args)
    assert "nDCG@10" in found.out
    assert "1.0000" in found.out
    first = path.read_text(encoding="utf-8").splitlines()[0].split()
    assert first[:4] == ["N1", "Q0", "T1", "1"]


def test_a_folder_that_is_no_collection_is_refused(tmp_path):
    found = run("evaluate", tmp_path, "--encoder", "none", "--work", tmp_path)
    assert (found.code, "corpus.jsonl" in found.err) == (Exit.BAD_INPUT, True)


def test_a_run_that_cannot_be_written_is_told(interchange, tmp_path):
    path = tmp_path / "nowhere" / "run.txt"
    found = run("evaluate", interchange, "--encoder", "none", "--work", tmp_path, "--run", path)
    assert (found.code, str(path) in found.err) == (Exit.BAD_INPUT, True)
    assert "No such file" not in found.err  # people read Vietnamese


# Comparison --------------------------------------------------------------------------------------


def written(path, ranking):
    lines = (f"N1 Q0 {record} {rank} 0.5 x" for rank, record in enumerate(ranking, start=1))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_two_runs_are_compared_with_texts_and_a_verdict(interchange, tmp_path):
    old, new = (written(tmp_path / name, [name, "T1"]) for name in ("old", "new"))
    new.write_text("N1 Q0 T1 1 0.5 x\n", encoding="utf-8")
    told = run("compare", old, new, "--qrels", interchange)
    assert told.code == Exit.DONE
    assert "Chưa đủ căn cứ để nói A và B khác nhau (p = 1,0000 so với mức 0,05" in told.out
    assert "1 truy vấn tốt lên, 0 kém đi" in told.out
    assert "ra khỏi 10 kết quả đầu: (không có tên) [old, chưa đánh giá]" in told.out
    facts = run("compare", old, new, "--folder", interchange, "--json").json
    assert (facts["after"], facts["significant"], facts["queries"]) == (1.0, False, 1)
    assert facts["changes"][0]["query"] == "N1"
    assert run("compare", old, new, "--folder", interchange, "--json").json == facts


def test_a_run_compared_with_itself_is_told_as_the_same(interchange, tmp_path):
    path = written(tmp_path / "run", ["T1"])
    found = run("compare", path, path, "--folder", interchange)
    assert "Hai tệp cho thứ hạng tốt như nhau" in found.out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("N1 Q0 T1 1\n", "dòng 1: cần 6 cột"),
        ("N9 Q0 T1 1 0.5 x\n", "tệp thứ hạng B không xếp hạng truy vấn nào có đáp án"),
        (None, "thiếu tệp"),
    ],
)
def test_a_bad_run_file_is_told(interchange, tmp_path, text, told):
    good, bad = written(tmp_path / "good", ["T1"]), tmp_path / "bad"
    if text:
        bad.write_text(text, encoding="utf-8")
    found = run("compare", good, bad, "--folder", interchange)
    assert (found.code, told in found.err) == (Exit.BAD_INPUT, True)


# As a process ------------------------------------------------------------------------------------

MANY = 300


@pytest.fixture(scope="session")
def crowded(built, tmp_path_factory):
    """A work folder whose next index takes a while."""
    folder = shutil.copytree(built, tmp_path_factory.mktemp("crowded") / "data")
    text = "Quả tươi được sấy ở 55 độ trong 20 giờ, cùi dẻo và thơm, giữ màu đỏ của vỏ. "
    with Store.open(folder) as store:
        store.save(
            [
                Technology(id=f"X-{number}", name=f"Lò sấy số {number}", detail=text)
                for number in range(MANY)
            ]
        )
    return folder


def wait_for(folder, pattern, worker):
    """Wait until ``worker`` has made what ``pattern`` names in ``folder``."""
    end = time.monotonic() + 60
    while not any(folder.glob(pattern)):
        assert worker.poll() is None, worker.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


def test_an_interrupted_index_says_so_and_leaves_the_old_one_whole(crowded):
    home = crowded / "index"
    before = (home / "CURRENT").read_bytes()
    command = [sys.executable, "-c", ENDLESS]
    worker = process("index", "--encoder", "none", "--data", crowded, command=command)
    wait_for(home, "building-*", worker)
    worker.send_signal(signal.SIGINT)
    _, told = worker.communicate(timeout=60)
    assert worker.returncode == Exit.INTERRUPTED
    assert "đã dừng theo yêu cầu" in told
    assert "Traceback" not in told
    assert (home / "CURRENT").read_bytes() == before
    assert list(home.glob("building-*")) == []
    found = run("search", "sấy vải", "--data", crowded, "--json").json
    assert found["matches"][0]["id"] == "CN-1"
    assert f"{MANY:,} thay đổi" in found["index_notices"][0]


def test_a_killed_index_leaves_the_old_one_whole_and_the_next_clears_up(space, tmp_path):
    home = space / "index"
    (home / "building-dead").mkdir()  # what a killed builder leaves behind
    assert run("search", "sấy vải", "--data", space).code == Exit.DONE
    late = write_jsonl(tmp_path / "technologies.jsonl", [Technology(id="CN-9", name="Sấy mới")])
    run("load", late, "--data", space)
    assert run("index", "--encoder", "none", "--data", space).code == Exit.DONE
    assert list(home.glob("building-*")) == []


def test_of_two_builders_at_once_one_wins_and_the_other_says_so(crowded, tmp_path):
    folder = shutil.copytree(crowded, tmp_path / "data")
    workers = [process("index", "--encoder", "none", "--data", folder) for _ in range(2)]
    told = [worker.communicate(timeout=120)[1] for worker in workers]
    codes = [worker.returncode for worker in workers]
    assert Exit.DONE in codes
    for code, text in zip(codes, told, strict=True):
        assert code in {Exit.DONE, Exit.NO_DATA}
        assert (code == Exit.DONE) != ("một lần cập nhật chỉ mục khác đang chạy" in text)
        assert "Traceback" not in text
    found = run("search", "lò sấy số 7", "--data", folder, "--json").json
    assert found["index_notices"] == []
    assert found["matches"][0]["id"] == "X-7"


def test_the_installed_command_answers_and_fails_in_sentences(built):
    asked = process(
        "search", b"\xff\xfe s\xe1y".decode("utf-8", "surrogateescape"), "--data", built
    )
    unknown = process("match", "nowhere", "--data", built)
    out, err = asked.communicate(timeout=60)
    assert (asked.returncode, "Traceback" in err) == (Exit.DONE, False)
    assert "Chưa tìm thấy" in out
    _, err = unknown.communicate(timeout=60)
    assert unknown.returncode == Exit.USAGE
    assert err.startswith("Lỗi: không có sản phẩm hay nhu cầu nào là 'nowhere'")


# Learning ----------------------------------------------------------------------------------------


def test_too_little_to_learn_from_is_said_plainly_and_changes_nothing(space):
    before = sqlite_dump(space)
    found = run("learn", "--data", space, "--as-of", "2026-11-23")
    assert found.code == Exit.DONE
    assert "Chưa đủ dữ liệu: cần ít nhất 20 nhu cầu" in found.out
    facts = run("learn", "--data", space, "--json").json
    assert (facts["outcome"], facts["model"], facts["train"]) == ("too little data", VERSION, 0)
    assert run("search", "sấy", "--data", space, "--json").json["model"] == VERSION
    assert sqlite_dump(space) == before


def test_there_is_nothing_to_return_to_at_first(space):
    found = run("learn", "--back", "--data", space)
    assert found.code == Exit.NO_DATA
    assert "không có mô hình nào để quay lại" in found.err


def test_learning_tells_what_counts_more_and_who_gained(tmp_path):
    space = learnt_from(tmp_path, records(60))
    found = run("learn", "--data", space.folder, "--as-of", "2026-11-23")
    assert found.code == Exit.DONE
    assert "Học từ 60 đánh giá và 60 quyết định" in found.out
    assert "Trọng số mới tốt hơn (nDCG@10 trên phần đã khóa 0," in found.out
    assert "địa bàn: tính nhiều hơn (× " in found.out
    assert "quá trình: gần như cũ (× 1,00)" in found.out
    assert "Tốt lên (trong phần để học):" in found.out
    assert "Kém đi" not in found.out
    told = run("learn", "--back", "--data", space.folder)
    assert f"Đã quay lại mô hình {VERSION} (trước đó: {VERSION}+" in told.out
