"""How much work the kernel does: counted while its own source is interpreted.

Nothing is put in the place of a mechanism. Python itself tells each call, and the calls
of a few functions are counted, whoever makes them and under whatever name: so a draw
more is seen wherever it is made, and a count does not depend on machine or compiler.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

from benchmarks.common import KEY, ROOT, SCENARIOS, people_of
from churnsim import prefetch
from churnsim.engines import entries
from churnsim.engines.books import Event, open_books
from churnsim.engines.kernel import event_queue
from churnsim.engines.kernel.run import run_interpreted
from churnsim.errors import PartialError, Problem
from churnsim.records import Plan, Population
from churnsim.scenario import load_scenario
from churnsim.streams import Purpose, philox4x32, uniforms

SHOWN_PLACES = 3  # where a kind of work comes from
PURPOSES = 256  # behind them, in a block's number, stands the attempt
NEEDED = ("events.", "draws.", "queue.")  # without one of each, nothing was counted


class Case(NamedTuple):
    """A small world whose work is counted."""

    name: str
    scenario: str  # a ready one or a file
    policy: str
    customers: int
    years: float
    overrides: tuple[str, ...] = ()  # as `--set` takes them


# Between them all kinds of events and all draws of a run take place: of subscribers who
# leave at a renewal, of purchasers and a busy back desk, and of a front desk with
# opening hours, people who quit, and messages.
CASES = (
    Case(
        "telecom",
        "telecom",
        "slow_and_dishonest",
        1_000,
        1.0,
        (
            'market.exit="at_renewal"',
            "policy.slow_and_dishonest.reach.notice=0.2",
        ),
    ),
    Case(
        "e-commerce",
        SCENARIOS["e-commerce"],
        "slow_and_dishonest",
        2_000,
        1.0,
        ('policy.slow_and_dishonest.speed.approval="20 days"',),
    ),
    Case(
        "staffed",
        "spiral",
        "slow_and_dishonest",
        400,
        0.5,
        (
            'start="2026-01-07"',
            'policy.slow_and_dishonest.speed.agents=["Mon-Fri 08:00-18:00: 1"]',
            "policy.slow_and_dishonest.speed.message_agents=1",
            'strain.turnover="30/year"',
            'market.when_closed="return"',
            "market.message_share=0.3",
        ),
    ),
)


class Work(NamedTuple):
    """What was counted in one world."""

    counts: dict[str, int]  # by "group.kind"
    places: dict[str, str]  # the functions that asked for most of it


def world_of(case: Case) -> tuple[Plan, Population]:
    """Return the plan of a case and its customers."""
    size = (f"population.customers={case.customers}", f'horizon="{case.years} years"')
    scenario = load_scenario(case.scenario, overrides=(*size, *case.overrides))
    return scenario.plan(case.policy, case.customers), people_of(scenario)


def work_of(case: Case) -> Work:
    """Return the work that the kernel does in a world.

    Raises:
        PartialError: No events, no draws or nothing in the queue, or counting did not
            see what the run itself counted.
    """
    plan, people = world_of(case)
    books = open_books(plan, len(people.arrival), 0)
    counts: Counter[str] = Counter()
    places: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def watch(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in WATCHED:
            kind = WATCHED[frame.f_code](frame.f_locals)
            counts[kind] += 1
            places[kind][_place(frame)] += 1

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        n_events = run_interpreted(plan, people, KEY, 0, books)
    finally:
        sys.setprofile(before)
    for group in NEEDED:
        if not any(kind.startswith(group) for kind in counts):
            rule = f"must count some {group.strip('.')}, or nothing is measured"
            raise PartialError(Problem(rule, field=case.name))
    seen = sum(n for kind, n in counts.items() if kind.startswith("events."))
    if seen != n_events:
        rule = f"must see the {n_events:,} events that the run counts"
        raise PartialError(Problem(rule, field=case.name, value=seen))
    return Work(
        dict(sorted(counts.items())), {kind: _most(places[kind]) for kind in places}
    )


def _named(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda _: name


def _event(given: Mapping[str, Any]) -> str:
    return f"events.{Event(given['event']).name.lower()}"


def _draw(given: Mapping[str, Any]) -> str:
    """Return what a block is drawn for, from the last word of its address."""
    purpose = int(given["c3"]) % PURPOSES
    if purpose >= Purpose.HOOP:
        return "draws.hoop"
    return f"draws.{Purpose(purpose).name.lower()}"


# Whose calls are work, and what each is called.
WATCHED: dict[CodeType, Callable[[Mapping[str, Any]], str]] = {
    entries.book_event.__code__: _event,
    philox4x32.__code__: _draw,
    event_queue.add.__code__: _named("queue.add"),
    event_queue.pop.__code__: _named("queue.pop"),
    event_queue.push.__code__: _named("queue.push"),
    event_queue.open_bucket.__code__: _named("queue.open_bucket"),
    prefetch.prefetch.__code__: _named("queue.prefetch"),
    prefetch.prefetch_cell.__code__: _named("queue.prefetch_cell"),
}
BETWEEN = frozenset({uniforms.__code__})  # asks for a draw on behalf of somebody


def _place(frame: FrameType) -> str:
    """Return which function asked for a piece of work."""
    caller = frame.f_back
    while caller is not None and caller.f_code in BETWEEN:
        caller = caller.f_back
    if caller is None:
        return "nowhere"
    path = Path(caller.f_code.co_filename)
    try:
        path = path.relative_to(ROOT)
    except ValueError:
        path = Path(path.name)
    return f"{path.as_posix()} {caller.f_code.co_name}"


def _most(places: Counter[str]) -> str:
    """Return the functions that asked for most, the first first."""
    known = sorted(places.items(), key=lambda item: (-item[1], item[0]))
    told = [f"{place} ({n:,})" for place, n in known[:SHOWN_PLACES]]
    left = len(known) - len(told)
    return ", ".join([*told, f"and {left} more"] if left else told)
