"""More replications for kept results, as if as many had been asked for at first."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from churnsim._version import __version__
from churnsim.errors import (
    ChurnsimError,
    InputError,
    InterruptedRun,
    Problem,
    StorageError,
)
from churnsim.experiment.comparing import comparison_of
from churnsim.experiment.comparison import Comparison
from churnsim.experiment.replications import (
    REPLICATIONS_MAX,
    THREADS,
    Execution,
    Replications,
    run_replications,
)
from churnsim.experiment.store.manifest import NAME, Manifest, read_manifest
from churnsim.experiment.store.reading import AGAIN
from churnsim.experiment.store.restoring import Kept, read_kept
from churnsim.experiment.store.writing import check_place, write_results
from churnsim.experiment.summary import Summary
from churnsim.given import whole_number
from churnsim.streams import STREAM_VERSION

Texts = Callable[[Comparison, str], Mapping[str, str]]  # by name; from the command too


class Extension(NamedTuple):
    """What a folder of results came to hold."""

    comparison: Comparison
    command: str  # what makes the same numbers; "" where nobody said
    n_added: int  # replications
    is_written: bool  # else all was there already
    refusal: ChurnsimError | None  # what kept the loss from being told lever by lever


def extend_results(
    folder: str | Path,
    replications: int,
    *,
    execution: Execution = THREADS,
    extras: Texts | None = None,
) -> Extension:
    """Add the replications that a folder lacks of as many as are wanted.

    The folder then holds, byte for byte, what it would if as many had been run at
    first. Failed and interrupted ones are made up for. One that is there is made again
    and compared, so that numbers of two kinds never stand together. A loss that is told
    lever by lever is told anew. Stopped on the way, the folder holds what is finished,
    and is as it was if that is nothing new.

    Args:
        folder: Holds results, and nothing else.
        replications: How many there are to be, with those that are there.
        execution: Threads, progress, a way to stop; the engine is that of the results.
        extras: Makes anew the texts that stand beside the tables, which are left out
            where it does not.

    Raises:
        InputError: No results, or more replications than are wanted.
        StorageError: The results are damaged, of another version, or do not come out
            again here; or the folder cannot be written.
        ResourceError: More memory would be needed than there is.
        InterruptedRun: Stopped before anything new was finished.
        ChurnsimError: Every replication failed; this is the first one's error.
    """
    known = read_manifest(folder)
    _check_version(known)
    wanted = _wanted(known, replications)
    check_place(Path(folder), force=True)
    kept = read_kept(folder)
    missing = [n for n in wanted if n not in set(known.replications)]
    whole = kept.replications._replace(asked=wanted)
    if missing:
        whole = _with_missing(kept, whole, missing, execution)
    comparison, refusal = _told(kept, whole, execution)
    command = with_replications(kept.command, replications)
    if kept.is_explained and comparison.attribution is None:
        command = _unexplained(command)
    if not missing and kept.replications.asked == wanted:
        return Extension(comparison, command, 0, is_written=False, refusal=refusal)
    texts = extras(comparison, command) if extras else {}
    if read_manifest(folder) != known:
        rule = "must not be changed while it is extended; nothing was kept"
        raise StorageError(Problem(rule, str(folder), hint="try again"))
    write_results(
        comparison,
        folder,
        force=True,
        extras={name: text for name, text in texts.items() if name in known.files},
        command=command,
    )
    n_added = len(whole.finished) - len(known.replications)
    return Extension(comparison, command, n_added, is_written=True, refusal=refusal)


def _told(
    kept: Kept, whole: Replications, execution: Execution
) -> tuple[Comparison, ChurnsimError | None]:
    """Return what all replications come to, by lever too where that was kept.

    What keeps it from being told by lever comes second: the replications are worth
    keeping all the same.
    """
    comparison = comparison_of(kept.grounds, whole)
    if not kept.is_explained or comparison.is_stopped:
        return comparison, None
    try:
        return comparison.explained(execution), None
    except ChurnsimError as refusal:
        return comparison, refusal


def with_replications(command: str, replications: int) -> str:
    """Return a command that makes numbers, for another number of replications.

    Args:
        command: As `churnsim run` writes it, the seed behind the replications; or "".
        replications: How many.
    """
    words = shlex.split(command)
    if not words:
        return ""
    # The last one: no value behind it can read so, but a policy's name before might.
    seed = len(words) - 1 - words[::-1].index("--seed")
    start = seed - 2 if words[seed - 2] == "--replications" else seed
    return shlex.join(
        [*words[:start], "--replications", str(replications), *words[seed:]]
    )


def _unexplained(command: str) -> str:
    """Return a command that makes numbers, without the levers."""
    words = shlex.split(command)
    # The last one, as with the seed.
    place = len(words) - 1 - words[::-1].index("--explain") if words else 0
    return shlex.join([*words[:place], *words[place + 1 :]])


def _check_version(known: Manifest) -> None:
    """Refuse results that this version would go on with differently.

    Raises:
        StorageError: They are of another version, or of other random streams.
    """
    place = str(known.folder / NAME)
    if known.stream_version != STREAM_VERSION:
        rule = f"must be of random streams version {STREAM_VERSION}, which are drawn"
        found: object = known.stream_version
        raise StorageError(Problem(f"{rule} here", place, value=found, hint=AGAIN))
    found = known.versions.get("churnsim")
    if found != __version__:
        rule = f"must be of churnsim {__version__}, which this is"
        raise StorageError(Problem(rule, place, value=found, hint=AGAIN))


def _wanted(known: Manifest, replications: int) -> tuple[int, ...]:
    """Return the numbers of the replications that there are to be.

    Raises:
        InputError: Fewer than there are, or no number that there can be.
    """
    field = "replications"
    n = whole_number(field, replications, 1, REPLICATIONS_MAX)
    n_there = max(known.replications, default=-1) + 1
    if n < n_there:
        rule = f"must be at least {n_there}, as many as {known.folder} holds"
        hint = "fewer are had by running the scenario again"
        raise InputError(Problem(rule, field=field, value=n, hint=hint))
    return tuple(range(n))


def _with_missing(
    kept: Kept, whole: Replications, missing: list[int], execution: Execution
) -> Replications:
    """Return all replications, those that were missing among them.

    Raises:
        StorageError: One that is there does not come out again.
        InterruptedRun: Stopped before anything new was finished.
        ChurnsimError: One that is there fails now.
    """
    known, grounds = kept.manifest, kept.grounds
    again = known.replications[0]
    n_there = len(known.replications)
    more = run_replications(
        grounds.scenario,
        known.policies,
        replications=[again, *missing],
        seed=known.seed,
        execution=execution._replace(
            engine=known.engine,
            progress=_further(execution, n_there - 1, len(whole.asked)),
        ),
        uncertain=grounds.uncertain,
    )
    for failure in more.failures:
        if failure.replication == again:
            raise failure.error
    if again not in more.finished or (len(more.finished) == 1 and more.is_stopped):
        raise InterruptedRun("stopped before anything new was finished")
    _check_same(kept, [run for run in more.runs if run.replication == again])
    rows = {(run.replication, run.policy): run for run in (*more.runs, *whole.runs)}
    numbers = sorted({number for number, _ in rows})
    return whole._replace(
        runs=tuple(rows[n, name] for n in numbers for name in whole.policies),
        failures=more.failures,
        is_stopped=more.is_stopped,
    )


def _further(
    execution: Execution, done: int, total: int
) -> Callable[[int, int], None] | None:
    """Return progress of what is missing as progress of the whole."""
    tell = execution.progress
    if tell is None:
        return None
    return lambda now, _: tell(done + now, total)


def _check_same(kept: Kept, again: list[Summary]) -> None:
    """Refuse to go on with results that do not come out again here.

    Raises:
        StorageError: A policy has other results.
    """
    for old, new in zip(kept.replications.runs, again, strict=False):
        if not new.is_same(old):
            rule = (
                f"must come out again here: replication {new.replication} under"
                f" {new.policy} has other results, so nothing was added"
            )
            hint = "churnsim verify says what differs"
            raise StorageError(Problem(rule, str(kept.manifest.folder), hint=hint))
