"""Everything side by side: answers first, then turn by turn, then fresh processes."""

import gc
import importlib.metadata
import os
import platform
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import numpy as np

from benchmarks.agreement import Case, agreement
from benchmarks.common import fresh, people_of, scenario_of
from benchmarks.contestants import KERNEL, Contestant, Missing, Told, kernel, others
from benchmarks.desks import CUSTOMERS, Desk, Seen, desk_agreement, desks
from churnsim._version import __version__
from churnsim.cli.bench_documents import (
    AgreementDocument,
    BenchDocument,
    BenchSettings,
    ContestantDocument,
    LeftOutDocument,
    MachineDocument,
    SpreadDocument,
    StartDocument,
)
from churnsim.errors import ChurnsimError, Problem
from churnsim.records import Plan, Population

VERSION = 1  # of the document
YEARS = 1.0
SHORT_RUNS = 5  # in each round, of those whose runs are short
PACKAGES = ("numpy", "numba", "simpy", "ciw", "salabim")
Say = Callable[[str], None]


class Sizes(NamedTuple):
    """How much is run."""

    customers: int
    rounds: int
    checks: int  # replications that answers in law are compared over
    check_customers: int
    check_years: float
    reference_max: int  # customers
    desk_minutes: float
    desk_check_minutes: float
    starts: bool  # also in fresh processes, the first of which compiles


FULL = Sizes(100_000, 5, 16, 1_000, 2.0, 5_000, 2_000.0, 300.0, starts=True)
QUICK = Sizes(5_000, 3, 8, 300, 1.0, 500, 100.0, 40.0, starts=False)


class Asked(NamedTuple):
    """What is measured."""

    scenario: str  # a ready one or a file
    policy: str
    sizes: Sizes


class _Entry(NamedTuple):
    """A contestant on its way through the rounds."""

    name: str
    title: str
    customers: int
    run: Callable[[int], tuple[float, float, int | None]]  # seconds, work, events


def measure(asked: Asked, say: Say) -> BenchDocument:
    """Return what every contestant takes, in one document.

    Args:
        asked: What, and how much.
        say: Told what is being done.

    Raises:
        ChurnsimError: Answers differ, or nothing was measured.
        InputError: No such scenario or policy, or one that cannot be simulated.
    """
    sizes = asked.sizes
    rivals, missing = others(sizes.reference_max)
    all_desks, missing_desks = desks()
    left_out = [*missing, *missing_desks]
    found: list[AgreementDocument] = []
    for rival in rivals:
        say(f"comparing answers: {rival.title}")
        found.append(agreement(kernel(), rival, cases_of(asked, rival)))
    ours, *theirs = all_desks
    for desk in theirs:
        say(f"comparing answers: the desk of {desk.title}")
        found.append(desk_agreement(ours, desk, sizes.desk_check_minutes, sizes.checks))
    say("timing the whole model")
    model = [_of_model(asked, one) for one in (kernel(), *rivals)]
    contestants = _rounds("model", model, sizes.rounds)
    say("timing the desk")
    contestants += _rounds(
        "desk", [_of_desk(d, sizes) for d in all_desks], sizes.rounds
    )
    starts: list[StartDocument] = []
    if sizes.starts:
        say("starting fresh processes; the first compiles")
        starts = _starts(asked, rivals)
    else:
        left_out.append(Missing("starts", "cold start and peak memory take minutes"))
    settings: BenchSettings = {
        "scenario": asked.scenario,
        "policy": asked.policy,
        "customers": sizes.customers,
        "years": YEARS,
        "rounds": sizes.rounds,
        "checks": sizes.checks,
        "quick": not sizes.starts,
    }
    return {
        "document_version": VERSION,
        "sentence": sentence_of(contestants),
        "machine": machine(),
        "settings": settings,
        "agreement": found,
        "contestants": contestants,
        "starts": starts,
        "left_out": [LeftOutDocument(name=m.name, reason=m.reason) for m in left_out],
        "comparison": None,
    }


def cases_of(asked: Asked, rival: Contestant) -> list[Case]:
    """Return the runs over which a contestant's answers are compared.

    Those in law are many and small; those that must be equal few.
    """
    sizes = asked.sizes
    if rival.rule == "law":
        n, customers, years = sizes.checks, sizes.check_customers, sizes.check_years
    else:
        most = rival.customers_max or sizes.customers
        n, customers, years = 2, min(sizes.customers, most), YEARS
    scenario = scenario_of(asked.scenario, customers, years)
    plan = scenario.plan(asked.policy, customers)
    return [(plan, people_of(scenario, i), i) for i in range(n)]


def spread_of(values: Sequence[float]) -> SpreadDocument:
    """Return least, quartiles and largest of repeats."""
    low, lower, middle, upper, high = np.quantile(values, (0, 0.25, 0.5, 0.75, 1))
    return {
        "low": float(low),
        "lower": float(lower),
        "median": float(middle),
        "upper": float(upper),
        "high": float(high),
        "n": len(values),
    }


def machine() -> MachineDocument:
    """Return what this process runs on."""
    versions = {"python": platform.python_version(), "churnsim": __version__}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # it is told among what is left out
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": _cores(),
        "versions": versions,
    }


def sentence_of(contestants: Sequence[ContestantDocument]) -> str:
    """Return the answer in words."""
    told = [
        f"{one['times_kernel']['median']:,.3g} times {one['title']}"
        + (" at the desk" if one["part"] == "desk" else "")
        for one in contestants
        if one["times_kernel"] is not None
    ]
    speed = contestants[0]["speed"]["median"]
    first = f"churnsim's kernel simulates {speed:,.0f} customer-years a second"
    return f"{first}: {', '.join(told)}." if told else f"{first}."


def _of_model(asked: Asked, contestant: Contestant) -> _Entry:
    """Return a contestant with its customers, drawn once."""
    most = contestant.customers_max or asked.sizes.customers
    customers = min(asked.sizes.customers, most)
    scenario = scenario_of(asked.scenario, customers, YEARS)
    plan = scenario.plan(asked.policy, customers)
    people = people_of(scenario)

    def run(number: int) -> tuple[float, float, int | None]:
        told = _run_some(contestant, plan, people, number)
        return told.seconds, told.answers["years"], told.n_events

    return _Entry(contestant.name, contestant.title, customers, run)


def _run_some(
    contestant: Contestant, plan: Plan, people: Population, number: int
) -> Told:
    """Return a run: of those that are short and that no luck moves, the middle one."""
    if contestant.rule == "law" or contestant.customers_max is not None:
        return contestant.run(plan, people, number)
    told = [contestant.run(plan, people, number) for _ in range(SHORT_RUNS)]
    return told[0]._replace(seconds=median(one.seconds for one in told))


def _of_desk(desk: Desk, sizes: Sizes) -> _Entry:
    def run(number: int) -> tuple[float, float, int | None]:
        told: Seen = desk.run(sizes.desk_minutes, number)
        return told.seconds, float(told.n_calls), None

    return _Entry(desk.name, desk.title, CUSTOMERS, run)


def _turn(entry: _Entry, number: int) -> tuple[float, float, int | None]:
    """Return one run, which does not pay for the garbage of the one before it."""
    gc.collect()
    return entry.run(number)


def _rounds(
    part: str, entries: Sequence[_Entry], n_rounds: int
) -> list[ContestantDocument]:
    """Return how fast each is, after rounds in which all take their turn."""
    told = [[_turn(entry, number) for entry in entries] for number in range(n_rounds)]
    by_entry = list(zip(*told, strict=True))
    for entry, runs in zip(entries, by_entry, strict=True):
        if not all(seconds > 0.0 and work > 0.0 for seconds, work, _ in runs):
            rule = "must take time and do work, or nothing is measured"
            raise ChurnsimError(Problem(rule, field=entry.title))
    documents: list[ContestantDocument] = []
    kernel_speeds = [work / seconds for seconds, work, _ in by_entry[0]]
    for entry, runs in zip(entries, by_entry, strict=True):
        speeds = [work / seconds for seconds, work, _ in runs]
        events = runs[0][2]
        rates = [n / seconds for seconds, _, n in runs if n is not None]
        ratios = [k / s for k, s in zip(kernel_speeds, speeds, strict=True)]
        documents.append(
            {
                "name": entry.name,
                "title": entry.title,
                "part": "model" if part == "model" else "desk",
                "customers": entry.customers,
                "work": runs[0][1],
                "events": events,
                "seconds": spread_of([seconds for seconds, _, _ in runs]),
                "speed": spread_of(speeds),
                "events_per_second": spread_of(rates) if rates else None,
                "times_kernel": None if entry.name == KERNEL else spread_of(ratios),
            }
        )
    return documents


def _starts(asked: Asked, rivals: Sequence[Contestant]) -> list[StartDocument]:
    """Return cold and warm starts, and what memory each contestant takes."""
    n = asked.sizes.customers
    found: list[StartDocument] = []
    with tempfile.TemporaryDirectory() as cache:
        cases = [(KERNEL, "cold", n), (KERNEL, "warm", n), (KERNEL, "empty", 1)]
        rest = (one for one in rivals if one.customers_max is None)
        cases += [(one.name, "warm", n) for one in rest]
        for name, what, customers in cases:
            words = (name, asked.scenario, asked.policy, str(customers))
            start = perf_counter()
            try:
                told = fresh("alone", *words, environment={"CHURNSIM_CACHE_DIR": cache})
            except subprocess.CalledProcessError as error:
                last = str(error.stderr).strip().rpartition("\n")[2]
                rule = f"must run in a process of its own; it said: {last}"
                raise ChurnsimError(Problem(rule, field=name)) from error
            seconds = perf_counter() - start
            found.append(
                {
                    "contestant": name,
                    "what": "cold"
                    if what == "cold"
                    else ("empty" if what == "empty" else "warm"),
                    "seconds": seconds,
                    "peak_bytes": int(told),
                }
            )
    return found


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    if known.exists():
        for line in known.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
