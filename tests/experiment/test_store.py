"""Results on disk: whole or not there, found out when they change, made again."""

import csv
import errno
import io
import json
import os
import random
import resource
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from churnsim.errors import InputError, StorageError
from churnsim.experiment import (
    Comparison,
    Execution,
    compare,
    csv_text,
    read_manifest,
    verify_results,
    write_results,
)
from churnsim.experiment.store.tables import guarded, tables_of
from churnsim.scenario import Scenario, load_scenario
from churnsim.storage import sealed, sha256

pytestmark = pytest.mark.compiled

TABLES = ("runs", "policies", "losses", "firm_view", "monthly", "waits")


@pytest.fixture
def results(comparison: Comparison, tmp_path: Path) -> Path:
    """Return a folder of results."""
    return write_results(comparison, tmp_path / "out")


def reseal(folder: Path, changes: dict[str, object]) -> None:
    """Change a manifest as one would who knows how it is sealed."""
    path = folder / "manifest.json"
    data = json.loads(path.read_bytes())
    del data["digest"]
    path.write_bytes(sealed({**data, **changes}))


def test_write__keeps_everything(results: Path, comparison: Comparison) -> None:
    """Tables in both forms, the scenario and the manifest; nothing else, nowhere."""
    names = {f"{name}.{kind}" for name in TABLES for kind in ("csv", "parquet")}
    names |= {"policies.md", "losses.md", "firm_view.md"}
    assert {p.name for p in results.iterdir()} == names | {
        "scenario.toml",
        "results.json",
        "manifest.json",
    }
    assert [p.name for p in results.parent.iterdir()] == ["out"]
    assert load_scenario(results / "scenario.toml").digest == comparison.scenario.digest
    for name, table in tables_of(comparison).items():
        kept = pq.read_table(
            results / f"{name}.parquet", page_checksum_verification=True
        )
        assert kept.equals(table)
        assert kept.num_rows > 0


def test_write__twice_gives_the_same_bytes(
    results: Path, comparison: Comparison
) -> None:
    """Nothing of the moment of writing gets into the files."""
    again = write_results(comparison, results.parent / "again")
    for path in results.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes()


def test_manifest__says_what_it_takes_to_run_again(
    results: Path, comparison: Comparison
) -> None:
    """Seed, digests, policies, replications and versions are read back as they were."""
    known = read_manifest(results)
    assert known.seed == 7
    assert known.engine == "kernel"
    assert known.replications == known.replications_asked == [0, 1, 2, 3]
    assert known.policies == [*comparison.scenario.policy_names]
    assert known.scenario["digest"] == comparison.scenario.digest
    assert {"churnsim", "python", "numpy", "numba", "llvmlite", "scipy", "simpy"} <= (
        known.versions.keys()
    )
    for run in comparison.runs:
        assert known.results[run.policy][str(run.replication)] == run.digest
        assert known.populations[str(run.replication)] == run.population


def test_verify__finds_the_same_bits(results: Path) -> None:
    """A new run of a whole folder differs in nothing."""
    found = verify_results(results, threads=2)
    assert found.is_same
    assert (found.differences, found.notes) == ((), ())
    assert found.n_checked == found.n_runs == 24


def test_verify__finds_a_changed_result(results: Path) -> None:
    """A digest that was exchanged, and sealed again, is found by running again."""
    data = json.loads((results / "manifest.json").read_bytes())
    data["results"]["slow"]["2"] = "0" * 64
    data["populations"]["1"] = "f" * 64
    reseal(results, {"results": data["results"], "populations": data["populations"]})
    found = verify_results(results, threads=2)
    assert not found.is_same
    assert found.differences == (
        "policy slow, replication 2: other results",
        "replication 1: other customers",
    )


def test_verify__finds_a_changed_number(results: Path) -> None:
    """A figure that was improved by hand is found without running anything."""
    path = results / "losses.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("1", "2"), "utf-8")
    found = verify_results(results)
    assert found.differences == ("losses.csv was changed since it was written",)
    assert found.n_checked == 0


def test_verify__finds_what_is_missing_and_what_came_later(results: Path) -> None:
    """A missing file is a difference; a foreign one is only noted."""
    (results / "notes.txt").write_text("mine", encoding="utf-8")
    (results / "runs.parquet").unlink()
    found = verify_results(results)
    assert found.differences == ("runs.parquet is missing",)
    assert found.notes == ("notes.txt is not part of the results",)


def test_verify__finds_another_scenario(results: Path) -> None:
    """A scenario that was exchanged, and sealed again, is not the one that ran."""
    path = results / "scenario.toml"
    text = path.read_text(encoding="utf-8").replace("lock_in = 0.5", "lock_in = 0.6")
    path.write_text(text, encoding="utf-8")
    files = dict(read_manifest(results).files)
    files["scenario.toml"] = sha256(text.encode())
    reseal(results, {"files": files})
    found = verify_results(results)
    assert found.differences == (
        "scenario.toml means something else to this version of churnsim",
    )


def test_verify__notes_other_versions(results: Path) -> None:
    """What may explain a difference is noted, though nothing differs."""
    versions = {**read_manifest(results).versions, "numpy": "1.0"}
    reseal(results, {"versions": versions, "stream_version": 0})
    found = verify_results(results, threads=2)
    assert found.is_same
    assert found.notes[0].startswith("numpy is ")
    assert found.notes[0].endswith("here, was 1.0")
    assert "random streams are version 1 here, were 0" in found.notes[1]


def test_verify__stopped_claims_nothing(results: Path) -> None:
    """Stopped before the first replication, nothing was checked."""
    stop = threading.Event()
    stop.set()
    found = verify_results(results, stop=stop)
    assert (found.n_checked, found.differences) == (0, ())
    assert not found.is_same


def test_verify__of_a_partial_result(shop_file: Path, tmp_path: Path) -> None:
    """A stopped comparison verifies as far as it went, and says so."""
    stop = threading.Event()
    how = Execution(threads=1, stop=stop, progress=lambda *_: stop.set())
    partial = compare(shop_file, policies=["slow"], replications=5, execution=how)
    folder = write_results(partial, tmp_path / "out")
    found = verify_results(folder)
    assert found.is_same
    assert found.n_runs == 3
    assert found.notes == ("4 of 5 replications never ran",)


# Damage


def test_damage__of_the_manifest_is_refused(results: Path) -> None:
    """Any byte changed by a bit, and any cut, is refused: nothing is half believed."""
    path = results / "manifest.json"
    whole = path.read_bytes()
    dice = random.Random(5)
    spots = [*range(0, len(whole), 3), len(whole) - 1]
    for spot in spots:
        damaged = bytearray(whole)
        damaged[spot] ^= 1 << dice.randrange(8)
        path.write_bytes(bytes(damaged))
        with pytest.raises(StorageError):
            read_manifest(results)
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(StorageError):
            read_manifest(results)
    path.write_bytes(whole)
    assert read_manifest(results).seed == 7


def test_damage__of_any_file_is_found(results: Path) -> None:
    """In every kind of file each sampled bit and each sampled cut is found."""
    known = read_manifest(results)
    dice = random.Random(6)
    n_tried = 0
    for name in known.files:
        path = results / name
        whole = path.read_bytes()
        for _ in range(8):
            damaged = bytearray(whole)
            damaged[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
            cut = whole[: dice.randrange(len(whole))]
            for content in (bytes(damaged), cut):
                path.write_bytes(content)
                found = verify_results(results)
                assert found.differences == (
                    f"{name} was changed since it was written",
                )
                n_tried += 1
        path.write_bytes(whole)
    assert n_tried == 16 * len(known.files)


def test_read__refuses_another_format(results: Path) -> None:
    """A manifest of a later form is refused by its number, not misread."""
    reseal(results, {"format_version": 2})
    with pytest.raises(StorageError, match=r"must be of format 1.*got 2"):
        read_manifest(results)


@pytest.mark.parametrize("content", [b"", b"[]", b"nan", b"{}", b"\xff", b"[" * 10**5])
def test_read__refuses_what_is_no_manifest(tmp_path: Path, content: bytes) -> None:
    """Whatever else lies under that name is refused in one line."""
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(StorageError) as caught:
        read_manifest(tmp_path)
    assert "\n" not in str(caught.value)


def test_read__refuses_a_folder_without_results(tmp_path: Path) -> None:
    """No folder and a folder without a manifest are told apart."""
    with pytest.raises(InputError, match="must hold results"):
        read_manifest(tmp_path)
    with pytest.raises(InputError, match="must be a folder of results"):
        read_manifest(tmp_path / "nowhere")


def test_read__never_leaves_the_folder(results: Path) -> None:
    """A manifest that names a file elsewhere does not get it read."""
    outside = results.parent / "secret"
    outside.write_bytes(b"x")
    reseal(results, {"files": {"../secret": sha256(b"x")}})
    assert verify_results(results).differences == ("../secret is missing",)


# Folders


def test_folder__that_is_empty_is_used(comparison: Comparison, tmp_path: Path) -> None:
    """An empty folder is taken, and one in folders that are not there is made."""
    (tmp_path / "empty").mkdir()
    assert read_manifest(write_results(comparison, tmp_path / "empty")).seed == 7
    assert read_manifest(write_results(comparison, tmp_path / "a" / "b")).seed == 7


def test_folder__with_other_things_is_refused(
    comparison: Comparison, tmp_path: Path
) -> None:
    """What is not ours stays, even with force."""
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    for force in (False, True):
        with pytest.raises(InputError, match=r"it holds thesis\.txt"):
            write_results(comparison, tmp_path, force=force)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_folder__with_results_is_replaced_only_by_force(
    results: Path, comparison: Comparison
) -> None:
    """Results are named and kept; with force they are replaced whole."""
    with pytest.raises(InputError, match="results of shop with seed 7") as caught:
        write_results(comparison, results)
    assert caught.value.exit_code == 2
    before = read_manifest(results).files.keys()
    write_results(
        comparison, results, force=True, extras={"report.html": "<p>better</p>"}
    )
    assert read_manifest(results).files.keys() == before | {"report.html"}
    (results / "mine.txt").write_text("keep me", encoding="utf-8")
    with pytest.raises(InputError, match=r"it holds mine\.txt too"):
        write_results(comparison, results, force=True)
    assert [p.name for p in results.parent.iterdir()] == ["out"]


def test_folder__that_is_a_link_is_refused(
    comparison: Comparison, tmp_path: Path
) -> None:
    """A link is not followed, and what it leads to is not touched."""
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(StorageError, match="not a link") as caught:
        write_results(comparison, tmp_path / "link")
    assert caught.value.exit_code == 4
    assert list((tmp_path / "target").iterdir()) == []


def test_folder__of_another_user_is_refused(
    comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results go into one's own folders only."""
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(StorageError, match="your own folder"):
        write_results(comparison, tmp_path)


def test_folder__that_is_a_file_is_refused(
    comparison: Comparison, tmp_path: Path
) -> None:
    """A file in the way stays as it is."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="must be a folder"):
        write_results(comparison, tmp_path / "file")
    with pytest.raises(StorageError, match="File exists"):
        write_results(comparison, tmp_path / "file" / "below")


@pytest.mark.parametrize("name", ["../x.html", "Report.html", "a/b.txt", "runs.csv"])
def test_extras__have_plain_names_of_their_own(
    comparison: Comparison, tmp_path: Path, name: str
) -> None:
    """A text kept beside the tables can neither leave the folder nor replace one."""
    with pytest.raises(InputError, match="must be a free file name"):
        write_results(comparison, tmp_path / "out", extras={name: ""})
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Let no file grow beyond 4 KiB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_disk")
def test_disk__that_is_full_leaves_nothing_behind(
    comparison: Comparison, tmp_path: Path
) -> None:
    """Out of space is told on one line, with exit code 4, and nothing half is left."""
    with pytest.raises(StorageError) as caught:
        write_results(comparison, tmp_path / "out")
    assert caught.value.exit_code == 4
    assert "must be writable (File too large); nothing was kept" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_disk__that_fails_late_keeps_the_old_results(
    results: Path, comparison: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the last step of a replacement fails, the results before it are in place."""
    before = {p.name: p.read_bytes() for p in results.iterdir()}
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if Path(target) == results and not self.name.endswith(".old"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(StorageError, match="No space left"):
        write_results(comparison, results, force=True)
    assert {p.name: p.read_bytes() for p in results.iterdir()} == before
    assert [p.name for p in results.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("is_done", [False, True])
def test_interrupt__leaves_whole_results_in_place(
    results: Path,
    comparison: Comparison,
    monkeypatch: pytest.MonkeyPatch,
    at: int,
    is_done: bool,
) -> None:
    """Ctrl-C before or after either move of a replacement leaves one whole folder."""
    before = {p.name: p.read_bytes() for p in results.iterdir()}
    rename = Path.rename
    moves = 0

    def interrupted(self: Path, target: Path) -> Path:
        nonlocal moves
        moves += 1
        if moves != at or is_done:
            rename(self, target)
        if moves == at:
            raise KeyboardInterrupt
        return target

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_results(comparison, results, force=True)
    assert {p.name: p.read_bytes() for p in results.iterdir()} == before
    assert [p.name for p in results.parent.iterdir()] == ["out"]


def test_disk__gets_each_file_before_the_name(
    comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file and its folder are synced before the folder gets its name."""
    synced: list[bool] = []
    fsync = os.fsync

    def note(handle: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(handle).st_mode))
        assert (tmp_path / "out").exists() == (synced.count(True) == 2)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", note)
    write_results(comparison, tmp_path / "out")
    assert synced == [False] * 18 + [True, True]


# CSV


HOSTILE = [
    "=cmd|'/c calc'!A1",
    "+1",
    "-1",
    "@SUM(1)",
    "\tx",
    "\rx",
    "\nx",
    " =1",
    "＝1",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_csv__guards_what_would_be_a_formula(text: str) -> None:
    """A text that a spreadsheet would obey is marked as text."""
    assert guarded(text) == f"'{text}"


def test_csv__leaves_numbers_and_harmless_texts() -> None:
    """True numbers stay numbers, below zero too; nothing is an empty cell."""
    cells = [-1.5, -3, 0, "slow", "a=b", None, True]
    assert [guarded(c) for c in cells] == [-1.5, -3, 0, "slow", "a=b", "", "true"]


def test_csv__of_hostile_names_is_harmless(comparison: Comparison) -> None:
    """No cell of any table begins as a formula does, but for numbers."""
    n_guarded = 0
    for table in tables_of(comparison).values():
        rows = list(csv.reader(io.StringIO(csv_text(table), newline="")))
        assert len(rows) == table.num_rows + 1
        for cell in (cell for row in rows for cell in row):
            n_guarded += cell.startswith("'")
            if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
                float(cell)
    assert n_guarded > 50


def test_csv__of_no_rows_keeps_its_columns(shop: Scenario) -> None:
    """With nobody there, a table is its header."""
    empty = compare(shop, policies=["flawless"], replications=1)
    table = tables_of(empty)["losses"]
    assert table.column_names[0] == "policy"
    assert csv_text(table).startswith("policy,against,other,measure,total")
