"""Kept results with more replications: the longer run's, byte for byte."""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from churnsim._version import __version__
from churnsim.errors import ChurnsimError, InputError, InterruptedRun, StorageError
from churnsim.experiment import (
    Comparison,
    Execution,
    Until,
    compare,
    extend_results,
    read_manifest,
    workers,
    write_results,
)
from churnsim.experiment.store import RESTORE
from churnsim.experiment.store.extending import with_replications
from churnsim.experiment.store.restoring import rows_of
from churnsim.scenario import Scenario
from churnsim.simulation import simulate
from churnsim.storage import sha256
from tests.experiment.test_store import reseal

pytestmark = pytest.mark.compiled

COMMAND = "churnsim run shop.toml --replications {} --seed 7"
NOTES = "notes.txt"


def texts(comparison: Comparison, command: str) -> Mapping[str, str]:
    """Return a text that tells how many replications there are."""
    return {NOTES: f"{comparison.n_finished} {command}"}


def kept(comparison: Comparison, folder: Path) -> Path:
    """Return a folder of a comparison, as the command would keep it."""
    command = COMMAND.format(comparison.n_asked)
    extras = texts(comparison, command)
    return write_results(comparison, folder, extras=extras, command=command)


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def short(shop_file: Path) -> Comparison:
    """Return the shop's policies compared twice instead of four times."""
    return compare(shop_file, replications=2)


@pytest.fixture
def results(short: Comparison, tmp_path: Path) -> Path:
    """Return a folder with two replications."""
    return kept(short, tmp_path / "out")


def test_rows__are_read_as_they_were_written(
    comparison: Comparison, tmp_path: Path
) -> None:
    """Each figure, count, sum and series of each run comes back, to the last bit."""
    rows = rows_of(read_manifest(kept(comparison, tmp_path / "out")))
    assert len(rows) == len(comparison.runs) == 24
    for read, written in zip(rows, comparison.runs, strict=True):
        assert read.is_same(written)
        assert read.monthly.dtype == written.monthly.dtype


def test_extend__equals_the_longer_run(
    results: Path, comparison: Comparison, tmp_path: Path
) -> None:
    """Two replications and two more are, in every file, the run of four."""
    found = extend_results(results, 4, extras=texts)
    assert (found.n_added, found.is_written) == (2, True)
    assert found.command == COMMAND.format(4)
    assert found.comparison.to_json_dict() == comparison.to_json_dict()
    assert contents(results) == contents(kept(comparison, tmp_path / "whole"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "whole"]


def test_extend__of_what_was_stopped_by_itself(shop: Scenario, tmp_path: Path) -> None:
    """A run until some precision goes on as one of that many would, warnings too."""
    until = Until(1e-6, budget=1e-3, first=3)
    early = compare(shop, replications=until)
    assert any("asked for" in told for told in early.warnings)
    folder = kept(early, tmp_path / "out")
    extend_results(folder, early.n_finished + 1, extras=texts)
    whole = compare(shop, replications=early.n_finished + 1)
    assert contents(folder) == contents(kept(whole, tmp_path / "whole"))


def test_extend__of_nobody(shop_file: Path, tmp_path: Path) -> None:
    """With nobody there, no month and no wait, it is the same."""
    empty = ["population.customers=0", "population.prospects=0/year", "horizon=0 days"]
    few, many = (
        compare(shop_file, overrides=empty, replications=n, policies=["slow"])
        for n in (1, 2)
    )
    folder = kept(few, tmp_path / "out")
    extend_results(folder, 2, extras=texts)
    assert contents(folder) == contents(kept(many, tmp_path / "whole"))


def test_extend__to_as_many_as_there_are_is_nothing_to_do(results: Path) -> None:
    """The folder is not even written anew, and its comparison is returned."""
    before = results.stat().st_ino, contents(results)
    found = extend_results(results, 2)
    assert (found.n_added, found.is_written) == (0, False)
    assert found.comparison.n_finished == 2
    assert (results.stat().st_ino, contents(results)) == before


def test_extend__to_fewer_is_refused(results: Path) -> None:
    """No replication is ever thrown away."""
    with pytest.raises(InputError, match="must be at least 2, as many as") as caught:
        extend_results(results, 1)
    assert "got 1; fewer are had by running the scenario again" in str(caught.value)
    assert read_manifest(results).replications == [0, 1]


def test_extend__leaves_out_texts_that_nobody_makes_anew(results: Path) -> None:
    """A text that tells of fewer replications does not stay behind."""
    extend_results(results, 3)
    assert NOTES not in contents(results)
    assert read_manifest(results).replications == [0, 1, 2]


def test_extend__completes_what_was_interrupted(
    shop_file: Path, comparison: Comparison, tmp_path: Path
) -> None:
    """A stopped run of nine, extended to four, is the run of four."""
    stop = threading.Event()
    how = Execution(threads=1, stop=stop, progress=lambda *_: stop.set())
    partial = compare(shop_file, replications=9, execution=how)
    assert partial.is_stopped
    folder = kept(partial, tmp_path / "out")
    extend_results(folder, 4, extras=texts)
    assert contents(folder) == contents(kept(comparison, tmp_path / "whole"))


def test_extend__says_no_more_that_it_was_interrupted(
    results: Path, short: Comparison, tmp_path: Path
) -> None:
    """Extended to what was finished, a stopped run is whole, with nothing run."""
    stopped = short.replications._replace(asked=(0, 1, 2, 3), is_stopped=True)
    partial = kept(replace(short, replications=stopped), tmp_path / "partial")
    found = extend_results(partial, 2, extras=texts)
    assert (found.n_added, found.is_written) == (0, True)
    assert contents(partial) == contents(results)


def test_extend__makes_up_for_failures(
    shop_file: Path,
    comparison: Comparison,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Replications that failed are run again, and what fails now is told."""

    def fragile(*args: Any, **keywords: Any) -> Any:
        if keywords.get("replication") == 1:
            raise MemoryError("no room")
        return simulate(*args, **keywords)

    monkeypatch.setattr(workers, "simulate", fragile)
    folder = kept(compare(shop_file, replications=3), tmp_path / "out")
    found = extend_results(folder, 4, extras=texts)
    assert found.comparison.replications.finished == (0, 2, 3)
    (failure,) = found.comparison.failures
    assert failure.replication == 1
    monkeypatch.undo()
    extend_results(folder, 4, extras=texts)
    assert contents(folder) == contents(kept(comparison, tmp_path / "whole"))


def test_stop__keeps_what_is_finished(results: Path) -> None:
    """Stopped after one new replication, the folder holds three, as a run would."""
    stop = threading.Event()
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        if done == 3:
            stop.set()

    how = Execution(threads=1, stop=stop, progress=progress)
    found = extend_results(results, 9, execution=how)
    assert told == [(2, 9), (3, 9)]
    assert found.comparison.is_stopped
    assert found.n_added == 1
    known = read_manifest(results)
    assert (known.replications, known.replications_asked) == ([0, 1, 2], [*range(9)])


@pytest.mark.parametrize("after", [0, 1])
def test_stop__before_anything_new_leaves_all_as_it_was(
    after: int, results: Path
) -> None:
    """Neither at once nor after the one that is compared is anything written."""
    stop = threading.Event()
    if not after:
        stop.set()
    before = contents(results)
    how = Execution(threads=1, stop=stop, progress=lambda *_: stop.set())
    with pytest.raises(InterruptedRun, match="stopped before"):
        extend_results(results, 9, execution=how)
    assert contents(results) == before


# What is refused


def refused(folder: Path, error: type[ChurnsimError], told: str) -> None:
    """Assert that a folder is refused on one line, and stays as it is."""
    before = contents(folder)
    with pytest.raises(error, match=told) as caught:
        extend_results(folder, 4)
    assert "\n" not in str(caught.value)
    assert contents(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"stream_version": 0}, r"must be of random streams version 1.*got 0"),
        (
            {"versions": {"churnsim": "0.0.1"}},
            rf"must be of churnsim {__version__}.*got \"0\.0\.1\"",
        ),
        ({"format_version": 9}, r"must be of format 1.*got 9"),
        ({"replications": [0, 1, 2]}, "must hold the replications that its manifest"),
        ({"populations": {}}, "must hold the replications that its manifest"),
    ],
)
def test_refused__other_versions_and_contradictions(
    changes: dict[str, object], told: str, results: Path
) -> None:
    """What this version would go on with differently is not gone on with."""
    reseal(results, changes)
    refused(results, StorageError, told)


@pytest.mark.parametrize("name", ["scenario.toml", "runs.parquet", NOTES])
def test_refused__damage(name: str, results: Path) -> None:
    """A file that was changed or is missing is named; nothing is run."""
    path = results / name
    path.write_bytes(path.read_bytes() + b"\n")
    refused(
        results, StorageError, f"{name} was changed since it was written; {RESTORE}"
    )
    path.unlink()
    refused(results, StorageError, f"{name} is missing; {RESTORE}")


def test_refused__a_scenario_that_means_something_else(results: Path) -> None:
    """A scenario that was edited, and sealed again, is not the one that ran."""
    path = results / "scenario.toml"
    text = path.read_text(encoding="utf-8").replace("lock_in = 0.5", "lock_in = 0.6")
    path.write_text(text, encoding="utf-8")
    files = {**read_manifest(results).files}
    files["scenario.toml"] = sha256(text.encode())
    reseal(results, {"files": files})
    refused(results, StorageError, "scenario.toml means something else")


def test_refused__half_a_folder(results: Path) -> None:
    """Without its manifest, or with half of it, a folder holds no results."""
    path = results / "manifest.json"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(results, StorageError, "must be as churnsim wrote it")
    path.unlink()
    refused(results, InputError, "must hold results")


def test_refused__tables_of_another_form(results: Path) -> None:
    """A table without one of its columns is refused, not misread."""
    kept_runs = json.loads((results / "manifest.json").read_bytes())["files"]
    data = (results / "losses.parquet").read_bytes()
    (results / "monthly.parquet").write_bytes(data)
    files = {**kept_runs, "monthly.parquet": sha256(data)}
    reseal(results, {"files": files})
    refused(results, StorageError, "must hold the tables that this version writes")


def test_refused__results_that_do_not_come_out_again(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is there is made again: numbers of two kinds never stand together."""

    def otherwise(*args: Any, **keywords: Any) -> Any:
        return simulate(*args, **{**keywords, "seed": 8})

    monkeypatch.setattr(workers, "simulate", otherwise)
    refused(results, StorageError, "replication 0 under empowered has other results")


def test_refused__other_files_and_folders_that_are_read_only(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be replaced at the end is refused before anything is run."""
    monkeypatch.setattr(workers, "simulate", None)
    (results / "mine.txt").write_text("keep me", encoding="utf-8")
    refused(results, InputError, r"it holds mine\.txt too")
    (results / "mine.txt").unlink()
    for closed in (results, results.parent):
        monkeypatch.setattr(os, "access", lambda path, _, no=closed: path != no)
        refused(results, StorageError, "must be writable; it is read-only")


def test_refused__a_folder_that_changes_meanwhile(results: Path) -> None:
    """What another one wrote in the meantime is not overwritten."""

    def meddling(comparison: Comparison, command: str) -> Mapping[str, str]:
        write_results(comparison, results, force=True)
        return texts(comparison, command)

    with pytest.raises(StorageError, match="must not be changed while"):
        extend_results(results, 3, extras=meddling)
    assert read_manifest(results).replications == [0, 1, 2]


@pytest.mark.parametrize(
    ("command", "longer"),
    [
        ("", ""),
        ("churnsim run x --seed 7", "churnsim run x --replications 30 --seed 7"),
        (
            "churnsim run 'a b' --replications 4 --seed 7 --set a.b=--seed",
            "churnsim run 'a b' --replications 30 --seed 7 --set a.b=--seed",
        ),
        (
            "churnsim run x --policy --seed --seed 7 --set a=1",
            "churnsim run x --policy --seed --replications 30 --seed 7 --set a=1",
        ),
    ],
)
def test_command__is_that_of_the_longer_run(command: str, longer: str) -> None:
    """Only the number of replications differs, or is put before the seed."""
    assert with_replications(command, 30) == longer
