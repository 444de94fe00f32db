"""`churnsim report`, `plot` and `run --report`: files whole or not there, refusals."""

import errno
import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import pytest

from churnsim._version import __version__
from churnsim.errors import ExitCode, InputError, StorageError
from churnsim.experiment import Comparison, compare, read_results, write_results
from churnsim.experiment.store import RESTORE
from churnsim.report.page.rendering import charts_of
from churnsim.report.page.writing import write_charts, write_page
from churnsim.storage import sealed, sha256
from tests.cli.conftest import Command
from tests.experiment.conftest import SHOP

pytestmark = pytest.mark.compiled

COMMAND = "churnsim run shop.toml --seed 7"
SMALL = ("--replications", "2", "--horizon", "90 days", "--set")
SMALLER = (*SMALL, "population.customers=100")


@pytest.fixture(scope="module")
def shop_comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Return the small shop compared."""
    path = tmp_path_factory.mktemp("shop") / "shop.toml"
    path.write_text(SHOP, encoding="utf-8")
    return compare(path, replications=2)


@pytest.fixture(scope="module")
def document(shop_comparison: Comparison) -> dict[str, Any]:
    """Return the document of a comparison."""
    return shop_comparison.to_json_dict(COMMAND)


@pytest.fixture
def results(shop_comparison: Comparison, tmp_path: Path) -> Path:
    """Return a folder of results."""
    return write_results(shop_comparison, tmp_path / "out", command=COMMAND)


def reseal(
    folder: Path, changes: dict[str, Any], document: bytes | None = None
) -> None:
    """Change a manifest, and the document, as one would who knows how it is sealed."""
    path = folder / "manifest.json"
    data = json.loads(path.read_bytes())
    del data["digest"]
    if document is not None:
        (folder / "results.json").write_bytes(document)
        data["files"]["results.json"] = sha256(document)
    data |= changes
    path.write_bytes(sealed(data))


def test_results__are_read_back_as_they_were(
    results: Path, document: dict[str, Any]
) -> None:
    """A folder's document is the comparison's, to the last digit."""
    assert read_results(results) == json.loads(json.dumps(document))


def test_results__changed_or_old_or_cut_are_refused(results: Path) -> None:
    """A document that is not as it was written is never shown."""
    path = results / "results.json"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"1", b"2", 1))
    with pytest.raises(StorageError, match=r"results\.json: must be as churnsim wrote"):
        read_results(results)
    path.unlink()
    with pytest.raises(StorageError, match="must be there: the results are not whole"):
        read_results(results)
    changed = json.loads(whole) | {"document_version": 99}
    reseal(results, {}, json.dumps(changed).encode())
    with pytest.raises(StorageError, match=r"must be of version 1.*; got 99"):
        read_results(results)
    reseal(results, {"files": {}})
    with pytest.raises(StorageError, match="an older version wrote them without it"):
        read_results(results)


def test_report__writes_the_page_of_a_folder(results: Path, churnsim: Command) -> None:
    """One page, where the user says; nothing else is left there."""
    answer = churnsim("report", str(results), "--out", "page.html")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == "report written to page.html\n"
    assert {path.name for path in Path().iterdir()} == {"out", "page.html"}
    assert Path("page.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_report__refuses_what_are_no_results(churnsim: Command) -> None:
    """No folder, an empty one, one half written: refused with the reason."""
    assert churnsim("report", "nowhere").code == ExitCode.INPUT
    Path("empty").mkdir()
    answer = churnsim("report", "empty")
    assert answer.code == ExitCode.INPUT
    assert "there is no manifest.json in it" in answer.err
    (Path("empty") / "manifest.json").write_text('{"format": "churnsim res', "utf-8")
    answer = churnsim("report", "empty")
    assert answer.code == ExitCode.STORAGE
    assert "it was changed or cut" in answer.err
    assert not Path("report.html").exists()


def test_report__refuses_to_replace_unless_forced(
    results: Path, churnsim: Command
) -> None:
    """What stands there stays, and the cure is named."""
    Path("page.html").write_text("mine", "utf-8")
    answer = churnsim("report", str(results), "--out", "page.html")
    assert answer.code == ExitCode.INPUT
    assert "--force" in answer.err
    assert Path("page.html").read_text("utf-8") == "mine"
    assert churnsim("report", str(results), "--out", "page.html", "--force").code == 0
    assert churnsim("report", str(results), "--out", "no/page.html").code == 2


@pytest.mark.parametrize(
    "typed", [("report", "--out", "page.html"), ("plot", "--out", "charts")]
)
def test_report__tells_what_may_not_come_out_again(
    typed: tuple[str, ...], results: Path, churnsim: Command
) -> None:
    """Another version, other streams, a changed table: notes, and how to check."""
    command, *where = typed
    assert churnsim(command, "out", *where).err == ""
    with (results / "runs.parquet").open("ab") as file:
        file.write(b"x")
    data = json.loads((results / "manifest.json").read_bytes())
    versions = {**data["versions"], "churnsim": "0.0.1", "numpy": "1.0"}
    reseal(results, {"versions": versions, "stream_version": 0})
    answer = churnsim(command, "out", *where, "--force")
    assert answer.code == 0
    first, second, third, last = answer.err.splitlines()
    assert first == f"note: churnsim is {__version__} here, was 0.0.1"
    assert second.startswith("note: random streams are version")
    assert third == "note: runs.parquet was changed since it was written"
    assert last.endswith("to check the rest: churnsim verify out")


@pytest.mark.parametrize("command", ["verify", "extend", "report"])
def test_results__that_are_not_whole_are_refused_with_the_cure(
    command: str, results: Path, churnsim: Command
) -> None:
    """Without the document, or without the manifest, the line says what to do."""
    given = (command, "out", *(("--replications", "9") if command == "extend" else ()))
    (results / "results.json").unlink()
    answer = churnsim(*given)
    assert answer.code == ExitCode.STORAGE
    assert answer.err.endswith(f"; {RESTORE}\n")
    (results / "manifest.json").unlink()
    answer = churnsim(*given)
    assert answer.code == ExitCode.INPUT
    assert "there is no manifest.json in it; name a folder that" in answer.err


@pytest.mark.parametrize(
    ("typed", "option"),
    [
        (("run", "no_such_scenario", "--report", "x.pdf"), "--report"),
        (("report", "no_such_folder", "--out", "x.pdf"), "--out"),
    ],
)
def test_report__a_page_is_html_and_nothing_else(
    typed: tuple[str, ...], option: str, churnsim: Command
) -> None:
    """Another ending is refused before all else, with option, rule, value and cure."""
    answer = churnsim(*typed)
    assert answer.code == ExitCode.INPUT
    rule = 'must end in .html or .htm; got "x.pdf"; try x.html'
    assert answer.err == f"{option}: {rule}\n"


@pytest.mark.parametrize(
    "typed",
    [("report", "out"), ("plot", "out", "--out", "charts"), ("run", "--report", "x")],
)
def test_report__without_the_extra_names_the_cure(
    typed: tuple[str, ...], churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library that is missing is named, with the command that installs it."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == "altair" else found(name),
    )
    answer = churnsim(*typed)
    assert answer.code == ExitCode.INPUT
    assert 'pip install "churnsim[report]"' in answer.err
    assert "altair" in answer.err
    assert answer.err.count("\n") == 1


def test_report__a_full_disk_leaves_nothing_half(
    document: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stood there before stands there still, and nothing beside it."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "page.html"
    path.write_text("before", "utf-8")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        write_page(document, path, force=True)
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]
    assert path.read_text("utf-8") == "before"


@pytest.mark.parametrize(("form", "head"), [("svg", b"<svg"), ("png", b"\x89PNG")])
def test_plot__writes_each_chart(
    form: str, head: bytes, results: Path, document: dict[str, Any], churnsim: Command
) -> None:
    """A file for each chart of the page, of the kind that was asked for."""
    answer = churnsim("plot", str(results), "--out", "charts", "--format", form)
    assert answer.code == 0
    names = {f"{chart.name}.{form}" for chart in charts_of(document)}
    assert {path.name for path in Path("charts").iterdir()} == names
    for path in Path("charts").iterdir():
        assert path.read_bytes().startswith(head)
    if form == "svg":
        drawn = (Path("charts") / "customers_lost_by_cause.svg").read_text("utf-8")
        assert ">mistake, left in silence<" in drawn
    again = churnsim("plot", str(results), "--out", "charts", "--format", form)
    assert again.code == ExitCode.INPUT


def test_plot__refuses_a_file_as_folder(
    document: dict[str, Any], tmp_path: Path
) -> None:
    """A file is not replaced by a folder."""
    (tmp_path / "charts").write_text("mine", "utf-8")
    with pytest.raises(InputError, match="must be a folder"):
        write_charts(document, tmp_path / "charts", "svg")


def test_run__writes_results_and_the_same_page(churnsim: Command) -> None:
    """The page of a run is the page of its folder, byte for byte."""
    answer = churnsim("run", *SMALLER, "--out", "out", "--report", "page.html")
    assert answer.code == 0
    assert "report written to page.html" in answer.err
    assert churnsim("report", "out", "--out", "again.html").code == 0
    assert Path("again.html").read_bytes() == Path("page.html").read_bytes()
    assert churnsim("verify", "out").code == 0


def test_run__tells_levers_with_a_page_unless_told_not_to(churnsim: Command) -> None:
    """`--report` explains; with `--no-explain` the page names the command instead."""
    assert churnsim("run", *SMALLER, "--report", "page.html").code == 0
    assert 'data-chart="revenue_lost_by_lever"' in Path("page.html").read_text("utf-8")
    without = (*SMALLER, "--no-explain", "--out", "out")
    assert churnsim("run", *without, "--report", "bare.html").code == 0
    page = Path("bare.html").read_text("utf-8")
    assert 'data-chart="revenue_lost_by_lever"' not in page
    assert "A page that does is written by:" in page
    assert "<code>churnsim run telecom --replications 2" in page
    assert json.loads(Path("out/results.json").read_bytes())["attribution"] is None


def test_run__refuses_a_page_before_it_simulates(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that could not be written costs no simulation."""
    monkeypatch.setattr("churnsim.experiment.comparing.compare", None)
    Path("page.html").write_text("mine", "utf-8")
    answer = churnsim("run", *SMALLER, "--report", "page.html")
    assert answer.code == ExitCode.INPUT
    assert "must not be there yet" in answer.err
