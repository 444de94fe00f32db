"""The event loop of the kernel.

Only meetings need the common clock: joining a desk, which settles how the wait ends,
and a prospect's choice, which depends on the news. Everything else concerns one
customer alone, who is carried forward privately to the next meeting. What a private
moment enters in the books does not depend on the order of entries.

Compiled code hears no signal, so a long run goes on in slices of some milliseconds.
Where one ends is kept in a few integers and changes nothing but the time it takes.

Customers are unsigned words here: a signed index would be asked, at each look into a
row, whether it counts from the end.
"""

import time
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from churnsim.borrow import borrow
from churnsim.engines.books import Books
from churnsim.engines.entries import add_up
from churnsim.engines.kernel.arrivals import arrive, consider
from churnsim.engines.kernel.back import end_approval, end_repair, join_back
from churnsim.engines.kernel.closing import depart, finish
from churnsim.engines.kernel.content import be_content
from churnsim.engines.kernel.door import be_at_door
from churnsim.engines.kernel.event_queue import CURRENT, NOWHERE, add, pop
from churnsim.engines.kernel.front import end_handling, join_front, meet_promise
from churnsim.engines.kernel.world import (
    AT_AGENT,
    AT_BACK,
    AT_FRONT,
    AT_SUPERVISOR,
    CLOSING,
    CONTENT,
    GIVING_UP,
    IN_REPAIR,
    PHASE,
    PROMISED,
    PROSPECT,
    TURNING_UP,
    World,
    make_world,
    set_moment,
)
from churnsim.engines.watch import tell_watch
from churnsim.jit import kernel, mechanism, word
from churnsim.records import Elsewhere, Plan, Population
from churnsim.streams import Key

# Where a run has come to, in integers.
STAGE: Final = 0
NEXT: Final = 1  # customer that the stage goes on with; no matter in MEETINGS
N_STEPS: Final = 2  # of the slice: customers, or meetings
N_PLACE: Final = 3  # integers
BEGINNING, MEETINGS, ENDING, OVER = range(4)

SHARE_OF_BEGINNING: Final = 0.15  # of the time that a run takes, about
SHARE_OF_ENDING: Final = 0.05
STEPS_FIRST: Final = 1 << 16  # so that a small run is one slice
STEPS_MAX: Final = 1 << 24
SLICE: Final = 0.05  # about how long a slice takes [s]
GROWTH_MAX: Final = 8.0  # of a slice over the one before

Place = NDArray[np.int64]


@mechanism
def live_alone(world: World, customer: int) -> None:
    """Carry a customer forward to the next meeting, and queue that."""
    horizon = world.plan.horizon
    while True:
        at = world.queue.at[customer]
        if at >= horizon:
            return
        phase = world.codes[customer, PHASE]
        if phase in (AT_FRONT, AT_BACK, PROSPECT):
            add(world.queue, customer, at)
            return
        if phase == CONTENT:
            be_content(world, customer, at)
        elif phase == AT_AGENT:
            end_handling(world, customer, at)
        elif TURNING_UP <= phase <= GIVING_UP:
            be_at_door(world, customer, phase, at)
        elif phase == PROMISED:
            meet_promise(world, customer, at)
        elif phase == AT_SUPERVISOR:
            end_approval(world, customer, at)
        elif phase == IN_REPAIR:
            end_repair(world, customer, at)
        else:  # LEAVING
            depart(world, customer, at, int(world.codes[customer, CLOSING]))


@mechanism
def meet(world: World, customer: int, now: float) -> None:
    """Let a customer's meeting with a desk, or with the news, take place."""
    phase = world.codes[customer, PHASE]
    if phase == AT_FRONT:
        join_front(world, customer, now)
    elif phase == AT_BACK:
        join_back(world, customer, now)
    elif phase == PROSPECT:
        consider(world, customer, now)


@kernel
def run_world(world: World, place: Place) -> bool:
    """Carry a world on for a slice from a place; return whether its run is over."""
    return run_slice(borrow(world), place)


@mechanism
def run_slice(world: World, place: Place) -> bool:
    """Carry on a world that is seen through a pointer, in compiled code."""
    n_left = place[N_STEPS]
    if place[STAGE] == BEGINNING:
        # Prospects are set down fast: meetings begin with a short slice again.
        n_left = min(STEPS_FIRST, begin_some(world, place, n_left))
    if place[STAGE] == MEETINGS:
        n_left = meet_some(world, place, n_left)
    if place[STAGE] == ENDING:
        end_some(world, place, n_left)
    return bool(place[STAGE] == OVER)


@mechanism
def begin_some(world: World, place: Place, n_steps: int) -> int:
    """Let customers begin, each up to the first meeting; return the steps left."""
    n = len(world.people.arrival)
    first = int(place[NEXT])
    until = min(n, first + n_steps)
    for row in range(first, until):
        customer = word(row)
        at = world.people.arrival[customer]
        if customer < world.people.n_customers:
            if at == 0.0:  # one of a log who is gone already never arrives
                arrive(world, customer, at)
                live_alone(world, customer)
        elif at < world.plan.horizon:
            set_moment(world, customer, PROSPECT, at)
            add(world.queue, customer, at)
    place[NEXT] = until
    if until == n:
        place[STAGE] = MEETINGS
    return n_steps - (until - first)


@mechanism
def meet_some(world: World, place: Place, n_steps: int) -> int:
    """Let meetings take place in their order; return the steps left."""
    for step in range(n_steps):
        first = pop(world.queue)
        if first == NOWHERE:
            place[STAGE] = ENDING
            place[NEXT] = 0
            return n_steps - step
        customer = word(first)
        meet(world, customer, world.queue.at[customer])
        live_alone(world, customer)
    return 0


@mechanism
def end_some(world: World, place: Place, n_steps: int) -> None:
    """Bring the books of customers up to the horizon."""
    n = world.people.arrival.shape[0]
    until = min(n, place[NEXT] + n_steps)
    for row in range(place[NEXT], until):
        customer = word(row)
        finish(world, customer)
        add_up(world.books, world.plan, customer, world.people.n_customers)
    place[NEXT] = until
    if until == n:
        place[STAGE] = OVER


def share_done(world: World, place: Place) -> float:
    """Return about which share of a run's time has passed: it never falls."""
    n = max(1, len(world.people.arrival))
    if place[STAGE] == BEGINNING:
        return SHARE_OF_BEGINNING * float(place[NEXT]) / n
    if place[STAGE] == MEETINGS:
        clock = float(world.queue.meta[CURRENT]) / len(world.queue.heads)
        return SHARE_OF_BEGINNING + clock * (1.0 - SHARE_OF_BEGINNING - SHARE_OF_ENDING)
    return 1.0 - SHARE_OF_ENDING * (1.0 - float(place[NEXT]) / n)


def run_in_slices(run: Callable[[World, Place], bool], world: World) -> int:
    """Run a world to its horizon; return the number of entries in the event log.

    Between slices Ctrl-C is heard, in the main thread, and who watches is told.

    Args:
        run: Carries on by a slice.
        world: Before its first moment.
    """
    place = np.zeros(N_PLACE, np.int64)
    place[N_STEPS] = STEPS_FIRST
    began = time.perf_counter()
    stage = BEGINNING
    while not run(world, place):
        tell_watch(share_done(world, place))
        now = time.perf_counter()
        growth = min(GROWTH_MAX, SLICE / max(now - began, SLICE / GROWTH_MAX))
        steps = int(place[N_STEPS] * growth) if place[STAGE] == stage else STEPS_FIRST
        place[N_STEPS] = min(STEPS_MAX, max(1, steps))
        began, stage = now, int(place[STAGE])
    return int(world.books.log_count[0])


def run_kernel(
    plan: Plan,
    people: Population,
    key: Key,
    replication: int,
    books: Books,
    elsewhere: Elsewhere | None = None,
) -> int:
    """Fill the books with the compiled kernel; return the size of the event log."""
    world = make_world(plan, people, key, replication, books, elsewhere)
    return run_in_slices(run_world, world)


def run_interpreted(
    plan: Plan,
    people: Population,
    key: Key,
    replication: int,
    books: Books,
    elsewhere: Elsewhere | None = None,
) -> int:
    """Fill the books with the kernel's own source, interpreted by CPython."""
    world = make_world(plan, people, key, replication, books, elsewhere)
    return run_in_slices(run_world.py_func, world)
