"""Verifying a folder of results: are the files whole, and does a new run agree?"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from churnsim.errors import InterruptedRun, StorageError
from churnsim.experiment.attribution import Attribution, Method, explain
from churnsim.experiment.replications import (
    Execution,
    Replications,
    run_replications,
)
from churnsim.experiment.store.manifest import NAME, Manifest, read_manifest
from churnsim.experiment.store.reading import (
    damages,
    kept_scenario,
    kept_uncertain,
    other_versions,
)
from churnsim.experiment.store.writing import DOCUMENT
from churnsim.scenario import Scenario
from churnsim.storage import read_bytes


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
    within: Callable[[float], None] | None = None,
    stop: threading.Event | None = None,
) -> Verification:
    """Return whether a folder is undamaged and its runs come out again, bit for bit.

    Where the loss is told by lever, the mixtures of levers are run again, too.

    Raises:
        InputError: There are no results.
        StorageError: The manifest is damaged, or of another version.
    """
    known = read_manifest(folder)
    n_runs = len(known.policies) * len(known.replications)
    notes = tuple(_notes(known))
    damaged = tuple(damages(known))
    if damaged:
        return Verification(known.folder, damaged, notes, 0, n_runs)
    try:
        scenario = kept_scenario(known)
    except StorageError as error:
        problems = tuple(problem.rule for problem in error.problems)
        return Verification(known.folder, problems, notes, 0, n_runs)
    execution = Execution(
        known.engine, threads, progress=progress, stop=stop, within=within
    )
    told = _told_by_lever(known)
    n_runs += told["runs"] if told else 0
    n_checked = 0
    differences: list[str] = []
    with contextlib.suppress(InterruptedRun):
        again = _run_again(scenario, known, execution)
        differences += _differences(known, again)
        n_checked += len(again.runs)
        if told and not again.is_stopped:
            explained = _explain_again(scenario, told, execution)
            n_checked += explained.n_runs
            if not explained.is_stopped:
                differences += _lever_differences(told, explained)
    return Verification(known.folder, tuple(differences), notes, n_checked, n_runs)


def _told_by_lever(known: Manifest) -> dict[str, Any] | None:
    """Return the attribution among the results, where there is one to make again."""
    if DOCUMENT not in known.files:
        return None
    document = json.loads(read_bytes(known.folder / DOCUMENT))
    found: dict[str, Any] | None = document.get("attribution")
    # Nothing says which orders were sampled, and a command never samples.
    return found if found and found["levers"] and found["is_exact"] else None


def _explain_again(
    scenario: Scenario, told: dict[str, Any], how: Execution
) -> Attribution:
    return explain(
        scenario,
        told["from"],
        told["to"],
        replications=told["replications"],
        method=Method(told["measure"], told["seed"], how),
    )


def _lever_differences(told: dict[str, Any], again: Attribution) -> Iterator[str]:
    """Yield what is not the same in whole micro-units."""
    now = _parts(again.to_json_dict())
    for place, micro in _parts(told).items():
        if now.get(place) != micro:
            segment, lever = place
            yield f"lever {lever}, {segment}: other results"
    for failure in again.failures:
        yield str(failure.problem)


def _parts(told: dict[str, Any]) -> dict[tuple[str, str], int]:
    """Return what is lost, by segment and lever [micro-units]."""
    found = {}
    for segment in (told["loss"], *told["segments"]):
        by, name = segment["by"], segment["name"]
        place = name if by == name else f"{by}, {name}"
        for share in segment["shares"]:
            found[place, share["lever"]] = share["micro"]
    return found


def _run_again(scenario: Scenario, known: Manifest, how: Execution) -> Replications:
    return run_replications(
        scenario,
        known.policies,
        replications=known.replications,
        seed=known.seed,
        execution=how,
        uncertain=kept_uncertain(known, scenario),
    )


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
    yield from other_versions(known)
    n_missing = len(known.replications_asked) - len(known.replications)
    if n_missing:
        yield f"{n_missing} of {len(known.replications_asked)} replications never ran"
    for path in sorted(known.folder.iterdir()):
        if path.name not in {*known.files, NAME}:
            yield f"{path.name} is not part of the results"
