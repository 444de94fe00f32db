"""What the guard holds the kernel against: counts kept in a file, ratios of before."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypedDict

from benchmarks import instructions, ratios
from benchmarks.counts import CASES, work_of
from churnsim.cli.bench_documents import MachineDocument, SpreadDocument
from churnsim.errors import InputError, PartialError, Problem

KEPT = Path(__file__).with_name("guard.json")
VERSION = 1  # of both documents
AGAIN = "python -m benchmarks guard --write"
PARTS = ("counts", "instructions", "ratio")

# As it was; changed; measured, with nothing given to compare it with; not compared, for
# a reason that is nobody's fault; to be compared, which could not be done.
Status = Literal["same", "differs", "measured", "left out", "failed"]
Table = dict[str, dict[str, int]]  # by world and kind of work
Say = Callable[[str], None]


class DifferenceDocument(TypedDict):
    """A count that is not as it was kept."""

    world: str
    what: str  # kind of work
    expected: int | None  # null: it was not counted then
    found: int | None  # null: it is not counted now
    place: str  # what asked for it now; "" where nothing did, or nobody can tell


class CountsDocument(TypedDict):
    """Counts, which must be exact."""

    status: Status
    reason: str  # why they were left out or failed; else ""
    made_with: dict[str, str]  # of instructions: what the code hangs on
    counts: Table  # found now, by world and kind
    differences: list[DifferenceDocument]


class RatioDocument(TypedDict):
    """How many times as fast as its twin the kernel is."""

    status: Status
    reason: str  # why it was left out or failed, or what was compared
    change: float | None  # now over then, less 1; null: not compared
    machine: MachineDocument | None  # null: nothing was measured
    kernel_seconds: list[float]  # of processor time, by round
    twin_seconds: list[float]
    kernel_years: float  # of customers' lives in a round
    twin_years: float
    spread: SpreadDocument | None  # of the ratios of speed; null: nothing was measured


class GuardDocument(TypedDict):
    """What `python -m benchmarks guard --json` prints."""

    document_version: int
    status: Literal["same", "differs", "failed"]  # of all that was asked for
    counts: CountsDocument | None  # null: not asked for
    instructions: CountsDocument | None
    ratio: RatioDocument | None


class KeptInstructions(TypedDict):
    """Instructions, and what the machine code was made with."""

    made_with: dict[str, str]
    counts: Table


class Kept(TypedDict):
    """What the file holds that is committed."""

    document_version: int
    counts: Table
    instructions: KeptInstructions | None  # null: there was no valgrind


def read_kept(path: Path) -> Kept:
    """Return the counts that a file holds.

    Raises:
        InputError: It is not there, or holds something else.
    """
    found: Kept = _read(path, f"make it with {AGAIN}")
    try:
        tables = [found["counts"]]
        if found["instructions"] is not None:
            dict(found["instructions"]["made_with"])
            tables.append(found["instructions"]["counts"])
        is_whole = found["document_version"] == VERSION and all(
            isinstance(n, int)
            for table in tables
            for x in table.values()
            for n in [*x.values()]
        )
    except (KeyError, TypeError, AttributeError):
        is_whole = False
    if not is_whole:
        rule = "must hold counts of this version of the guard"
        raise InputError(Problem(rule, str(path), hint=f"make it with {AGAIN}"))
    return found


def read_older(path: Path) -> Any:
    """Return a document that the guard printed.

    Raises:
        InputError: It is not there, or no JSON.
    """
    return _read(path, "write one with --only ratio --json")


def counts_of(say: Say) -> tuple[Table, dict[tuple[str, str], str]]:
    """Return counts of work, and what asked for each, by world and kind.

    Raises:
        PartialError: Nothing was counted.
    """
    table: Table = {}
    places: dict[tuple[str, str], str] = {}
    for case in CASES:
        say(f"counting work: {case.name}")
        work = work_of(case)
        table[case.name] = work.counts
        places |= {(case.name, kind): place for kind, place in work.places.items()}
    return table, places


def compared_counts(kept: Kept, say: Say) -> CountsDocument:
    """Return counts of work beside those that were kept."""
    table, places = counts_of(say)
    return _counts(table, differences(kept["counts"], table, places))


def compared_instructions(kept: Kept, say: Say) -> CountsDocument:
    """Return instructions of the kernel beside those that were kept."""
    reason = instructions.unavailable()
    if reason is not None:
        return _not_counted("left out", reason)
    known = kept["instructions"]
    if known is None:
        return _not_counted("left out", f"none were kept; {AGAIN} counts them")
    here = instructions.made_with()
    if known["made_with"] != here:
        names = sorted({*known["made_with"], *here})
        told = [
            f"{name} was {known['made_with'].get(name)} and is {here.get(name)}"
            for name in names
            if known["made_with"].get(name) != here.get(name)
        ]
        reason = f"code made with other versions: {', '.join(told)}"
        return _not_counted("left out", reason)
    try:
        counted = instructions.count(say)
    except PartialError as error:
        return _not_counted("failed", str(error))
    table = as_table(counted.counts)
    found = differences(known["counts"], table, {})
    return {**_counts(table, found), "made_with": counted.made_with}


def compared_ratio(
    older: Path | None, rounds: int, say: Say, document: Any = None
) -> RatioDocument:
    """Return the ratio of kernel and twin beside an older one.

    Args:
        older: Where the older document stands, if there is one.
        rounds: At least.
        say: Told what is being done.
        document: The older one, as it was read.

    Raises:
        ChurnsimError: Kernel and twin differ in a bit.
        InputError: The older document holds no ratio that can be compared.
    """
    then = None if older is None else ratios.older(document, str(older))
    base: RatioDocument = {
        "status": "measured",
        "reason": "nothing of before was given with --compare",
        "change": None,
        "machine": None,
        "kernel_seconds": [],
        "twin_seconds": [],
        "kernel_years": 0.0,
        "twin_years": 0.0,
        "spread": None,
    }
    try:
        found = ratios.measure(say, rounds=rounds)
    except PartialError as error:
        return {**base, "status": "failed", "reason": str(error)}
    base = {
        **base,
        "machine": found.machine,
        "kernel_seconds": found.kernel_seconds,
        "twin_seconds": found.twin_seconds,
        "kernel_years": found.kernel_years,
        "twin_years": found.twin_years,
        "spread": found.spread,
    }
    if then is None:
        return base
    spread, machine = then
    apart = ratios.incomparable(machine, found.machine)
    if apart:
        reason = f"measured on another machine or versions: {', '.join(apart)}"
        return {**base, "status": "left out", "reason": reason}
    told = ratios.verdict(spread, found.spread)
    status: Status = "differs" if told.is_slower else "same"
    return {**base, "status": status, "reason": told.why, "change": told.change}


def whole(parts: Mapping[str, Any]) -> GuardDocument:
    """Return the document of all parts that were asked for."""
    asked = [part["status"] for part in parts.values()]
    # One that was to be measured and was not, or nothing measured at all: no pass.
    passes = "failed" not in asked and {"same", "measured"} & {*asked}
    status: Literal["same", "differs", "failed"] = "same" if passes else "failed"
    return {
        "document_version": VERSION,
        "status": "differs" if "differs" in asked else status,
        "counts": parts.get("counts"),
        "instructions": parts.get("instructions"),
        "ratio": parts.get("ratio"),
    }


def made_anew(kept: Kept | None, only: tuple[str, ...], say: Say) -> Kept:
    """Return what is to be kept from now on: anew what is asked for, else as it was.

    Raises:
        PartialError: Nothing was counted.
        InputError: Instructions are asked for by name, and there is no valgrind.
    """
    counts = kept["counts"] if kept else {}
    known = kept["instructions"] if kept else None
    if not only or "counts" in only or kept is None:
        counts, _ = counts_of(say)
    if not only or "instructions" in only:
        reason = instructions.unavailable()
        if reason is None:
            told = instructions.count(say)
            known = {"made_with": told.made_with, "counts": as_table(told.counts)}
        elif "instructions" in only:
            raise InputError(Problem(reason, field="--only instructions"))
        else:
            say(f"left out: instructions: {reason}; those kept stay as they were")
    return {"document_version": VERSION, "counts": counts, "instructions": known}


def differences(
    kept: Table, found: Table, places: Mapping[tuple[str, str], str]
) -> list[DifferenceDocument]:
    """Return every count that is not as it was kept, one more or less."""
    keys = {
        (world, what)
        for table in (kept, found)
        for world in table
        for what in table[world]
    }
    return [
        {
            "world": world,
            "what": what,
            "expected": kept.get(world, {}).get(what),
            "found": found.get(world, {}).get(what),
            "place": places.get((world, what), ""),
        }
        for world, what in sorted(keys)
        if kept.get(world, {}).get(what) != found.get(world, {}).get(what)
    ]


def as_table(counts: Mapping[str, int]) -> Table:
    """Return instructions by world as a table of one kind of work."""
    return {world: {"instructions": n} for world, n in counts.items()}


def _counts(table: Table, found: list[DifferenceDocument]) -> CountsDocument:
    return {
        "status": "differs" if found else "same",
        "reason": "",
        "made_with": {},
        "counts": table,
        "differences": found,
    }


def _not_counted(status: Status, reason: str) -> CountsDocument:
    return {**_counts({}, []), "status": status, "reason": reason}


def _read(path: Path, hint: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(Problem("must be there", str(path), hint=hint)) from error
    except OSError as error:
        rule = f"must be readable ({error.strerror})"
        raise InputError(Problem(rule, str(path), hint=hint)) from error
    except ValueError as error:
        raise InputError(Problem("must be JSON", str(path), hint=hint)) from error
