"""Verifying a folder of results: are the files whole, and does a new run agree?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from churnsim.errors import ChurnsimError, InterruptedRun
from churnsim.experiment.replications import (
    Execution,
    Replications,
    run_replications,
)
from churnsim.experiment.store.manifest import (
    NAME,
    Manifest,
    read_bytes,
    read_manifest,
    sha256,
    versions,
)
from churnsim.experiment.store.writing import SCENARIO
from churnsim.scenario import Scenario, load_scenario
from churnsim.streams import STREAM_VERSION


class Verification(NamedTuple):
    """What came of it."""

    folder: Path
    differences: tuple[str, ...]  # each breaks the promise
    notes: tuple[str, ...]  # each may explain a difference
    n_checked: int  # runs made again
    n_runs: int  # in the folder

    @property
    def is_same(self) -> bool:
        """Return whether all is as it was, to the last bit."""
        return not self.differences and self.n_checked == self.n_runs


def verify_results(
    folder: str | Path,
    *,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    stop: threading.Event | None = None,
) -> Verification:
    """Return whether a folder is undamaged and its runs come out again, bit for bit.

    Raises:
        InputError: There are no results.
        StorageError: The manifest is damaged, or of another version.
    """
    known = read_manifest(folder)
    n_runs = len(known.policies) * len(known.replications)
    notes = tuple(_notes(known))
    damaged = tuple(_damaged_files(known))
    if damaged:
        return Verification(known.folder, damaged, notes, 0, n_runs)
    try:
        scenario = load_scenario(known.folder / SCENARIO)
    except ChurnsimError as error:
        problem = f"{SCENARIO} cannot be simulated here: {error}"
        return Verification(known.folder, (problem,), notes, 0, n_runs)
    if scenario.digest != known.scenario.get("digest"):
        problem = f"{SCENARIO} means something else to this version of churnsim"
        if scenario.log_digest != known.scenario.get("log_digest"):
            problem = "the log of transactions has changed since"
        return Verification(known.folder, (problem,), notes, 0, n_runs)
    execution = Execution(known.engine, threads, None, progress, stop)
    try:
        again = _run_again(scenario, known, execution)
    except InterruptedRun:
        return Verification(known.folder, (), notes, 0, n_runs)
    differences = tuple(_differences(known, again))
    return Verification(known.folder, differences, notes, len(again.runs), n_runs)


def _run_again(scenario: Scenario, known: Manifest, how: Execution) -> Replications:
    return run_replications(
        scenario,
        known.policies,
        replications=known.replications,
        seed=known.seed,
        execution=how,
    )


def _damaged_files(known: Manifest) -> Iterator[str]:
    for name, digest in known.files.items():
        path = known.folder / name
        if Path(name).name != name or path.is_symlink() or not path.is_file():
            yield f"{name} is missing"
        elif sha256(read_bytes(path)) != digest:
            yield f"{name} was changed since it was written"


def _differences(known: Manifest, again: Replications) -> Iterator[str]:
    populations = {}
    for run in again.runs:
        number = str(run.replication)
        populations[number] = run.population
        if run.digest != known.results.get(run.policy, {}).get(number):
            yield f"policy {run.policy}, replication {number}: other results"
    for number, digest in populations.items():
        if digest != known.populations.get(number):
            yield f"replication {number}: other customers"
    for failure in again.failures:
        yield str(failure.problem)


def _notes(known: Manifest) -> Iterator[str]:
    now = versions()
    for name, version in known.versions.items():
        if now.get(name) != version:
            yield f"{name} is {now.get(name, 'absent')} here, was {version}"
    if known.stream_version != STREAM_VERSION:
        yield (
            f"random streams are version {STREAM_VERSION} here, were "
            f"{known.stream_version}: results must differ"
        )
    n_missing = len(known.replications_asked) - len(known.replications)
    if n_missing:
        yield f"{n_missing} of {len(known.replications_asked)} replications never ran"
    for path in sorted(known.folder.iterdir()):
        if path.name not in {*known.files, NAME}:
            yield f"{path.name} is not part of the results"
