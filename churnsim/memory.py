"""How much memory a comparison will need, found out before any is taken.

What the kernel takes per customer is measured on its own records at two small sizes, so
that a column added to them is counted without being named here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from churnsim.engines.books import (
    N_BINS,
    N_MONTHLY,
    N_WEEKLY,
    has_hours,
    n_periods,
    open_books,
)
from churnsim.engines.kernel.world import make_world
from churnsim.errors import Problem, ResourceError
from churnsim.mechanisms.hours import HOURS_IN_WEEK
from churnsim.population import history_of, n_prospects
from churnsim.records import Plan, Population
from churnsim.scenario import Scenario
from churnsim.streams import Key

SHARE_TO_USE = 0.8  # of what is left, so that the machine keeps working
FIXED_BYTES = 64 * 2**20  # compiled code and what libraries allocate, once
PROCESS_BYTES = 240 * 2**20  # a worker that is a process of its own, before it works
ROW_BYTES = 8192  # a kept row beside its arrays
NEWS_BYTES = 32  # a site's news period: told, heard, and at which chances choices hold
SIMPY_BYTES = 1400  # a customer of the reference engine: a process and its event
SAMPLE = 2000  # people in the smaller of the two records measured
FEW = 100_000  # people of a single run that need not be asked about
KIB = 1024

MEMINFO = Path("/proc/meminfo")
CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


class Need(NamedTuple):
    """What a comparison will take."""

    n_people: int  # customers and prospects of one replication, at one site
    per_worker: int  # for one of these under way [bytes]
    n_workers: int
    kept: int  # for results, and by this process itself [bytes]
    unit: str = "replication"  # what a worker has under way

    @property
    def total(self) -> int:
        """Return all of it [bytes]."""
        return self.per_worker * self.n_workers + self.kept


def need_of(
    scenario: Scenario,
    engine: str,
    n_runs: int,
    n_workers: int,
    *,
    n_policies: int = 1,
    are_processes: bool = False,
) -> Need:
    """Return what a comparison will take, beyond what this process has taken already.

    Args:
        scenario: Says how many people there are.
        engine: "reference" keeps a process for each customer.
        n_runs: Replications times policies.
        n_workers: Replications under way at once, or sites of them.
        n_policies: In each replication.
        are_processes: Each of them in a process of its own, not in a thread.
    """
    history = history_of(scenario)
    n_customers = scenario.population.customers
    if history is not None:
        n_customers = len(history.label)
    n_start = n_customers or 0
    n_people = n_start + n_prospects(scenario.population, n_start)
    plan = scenario.plan(scenario.baseline, n_customers)
    each = bytes_per_person(plan)
    if engine == "reference":
        each += SIMPY_BYTES
    row = ROW_BYTES + 8 * (2 * N_BINS + (N_MONTHLY + 1) * plan.n_months)
    plans = (scenario.plan(name, n_customers) for name in scenario.policy_names)
    if any(has_hours(other) for other in plans):
        row += 8 * HOURS_IN_WEEK * N_WEEKLY
    per_worker = each * n_people + (PROCESS_BYTES if are_processes else 0)
    kept = row * n_runs + FIXED_BYTES
    if scenario.sites == 1:
        return Need(n_people, per_worker, n_workers, kept)
    # Of replications under way: every site's row, what it told and what it hears.
    begun = min(n_runs, n_policies * (2 + n_workers // scenario.sites))
    kept += (row + NEWS_BYTES * n_periods(plan)) * scenario.sites * begun
    return Need(n_people, per_worker, n_workers, kept, "site")


def check_run(scenario: Scenario, engine: str) -> None:
    """Refuse a single run that would exhaust the machine.

    Raises:
        ResourceError: More than 80 % of the memory that is left would be needed.
    """
    n_customers = scenario.population.customers or 0
    if n_customers + n_prospects(scenario.population, n_customers) > FEW:
        check_memory(need_of(scenario, engine, 1, 1))


def bytes_per_person(plan: Plan) -> int:
    """Return what the kernel keeps for one customer or prospect [bytes]."""
    small, large = (_record_bytes(plan, n) for n in (SAMPLE, 2 * SAMPLE))
    return (large - small) // SAMPLE


def fitting_workers(need: Need, wanted: int) -> int:
    """Return how many replications may be under way at once: from 1 to `wanted`."""
    left = memory_left()
    if left is None:
        return wanted
    room = int(left * SHARE_TO_USE) - need.kept
    return max(1, min(wanted, room // max(1, need.per_worker)))


def check_memory(need: Need) -> None:
    """Refuse what would exhaust the machine.

    Raises:
        ResourceError: More than 80 % of the memory that is left would be needed.
    """
    left = memory_left()
    if left is None or need.total <= SHARE_TO_USE * left:
        return
    cures = ["fewer customers (population.customers)"]
    if need.n_workers > 1:
        cures.append("fewer threads")
    if need.kept > need.per_worker:
        is_site = need.unit == "site"
        cures.append("fewer sites" if is_site else "fewer replications")
    raise ResourceError(
        Problem(
            f"must need at most {SHARE_TO_USE:.0%} of the {readable(left)} of memory "
            f"that are left; {need.n_people:,} people in {need.n_workers} "
            f"{need.unit}{'s' if need.n_workers > 1 else ''} at once need "
            f"{readable(need.total)}",
            hint=f"take {' or '.join(cures)}",
        )
    )


def memory_left() -> int | None:
    """Return the bytes that may still be taken, or None where nobody tells.

    The least of what the machine has available and what its control groups leave.
    """
    lefts = [*_available(), *_cgroups_left()]
    return min(lefts, default=None)


def readable(n_bytes: float) -> str:
    """Return an amount of memory for people: "4.2 GB"."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if n_bytes < 1000.0:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000.0
    return f"{n_bytes:.3g} TB" if n_bytes < 1e6 else f"{n_bytes:,.0f} TB"


def _available() -> Iterator[int]:
    try:
        lines = MEMINFO.read_text(encoding="ascii").splitlines()
    except OSError:
        yield from _installed()
        return
    for line in lines:
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            yield int(rest.split()[0]) * KIB


def _installed() -> Iterator[int]:
    """Yield the machine's memory, where only that is known."""
    try:
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return


def _cgroups_left() -> Iterator[int]:
    """Yield what each control group above this process leaves, versions 1 and 2."""
    try:
        lines = OWN_CGROUPS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            folder, names = CGROUPS, ("memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            folder = CGROUPS / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
        else:
            continue
        group = folder / path.lstrip("/")
        # Inside a container the path may name a group that only the host sees.
        for place in (group, *group.parents):
            yield from _left_in(place, *names)
            if place == folder:
                break


def _left_in(group: Path, limit_name: str, usage_name: str) -> Iterator[int]:
    try:
        limit = int((group / limit_name).read_text(encoding="ascii"))
        usage = int((group / usage_name).read_text(encoding="ascii"))
        stat = (group / "memory.stat").read_text(encoding="ascii")
    except (OSError, ValueError):  # no such group, or "max": no limit
        return
    pairs = dict(line.split() for line in stat.splitlines())
    # The system gives these pages back before it refuses anybody.
    cached = int(pairs.get("total_inactive_file", pairs.get("inactive_file", "0")))
    yield max(0, limit - usage + cached)


def _record_bytes(plan: Plan, n: int) -> int:
    people = Population(n, *np.zeros((len(Population._fields) - 1, n)))
    books = open_books(plan, n, 0)
    world = make_world(plan, people, Key(0, 0), 0, books)
    return sum({id(a): a.nbytes for a in _arrays(world)}.values())


def _arrays(record: object) -> Iterator[np.ndarray]:
    """Yield what owns the memory of each array in nested records, with repeats."""
    if isinstance(record, np.ndarray):
        while isinstance(record.base, np.ndarray):
            record = record.base
        yield record
    elif isinstance(record, tuple):
        for item in record:
            yield from _arrays(item)
