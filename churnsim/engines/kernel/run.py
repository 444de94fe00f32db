"""The event loop of the kernel.

Only meetings need the common clock: joining a desk, which settles how the wait ends,
and a prospect's choice, which depends on the news. Everything else concerns one
customer alone, who is carried forward privately to the next meeting. What a private
moment enters in the books does not depend on the order of entries.
"""

from churnsim.borrow import borrow
from churnsim.engines.books import Books
from churnsim.engines.kernel.arrivals import arrive, consider
from churnsim.engines.kernel.back import end_approval, end_repair, join_back
from churnsim.engines.kernel.closing import depart, finish
from churnsim.engines.kernel.content import be_content
from churnsim.engines.kernel.door import be_at_door
from churnsim.engines.kernel.event_queue import NOWHERE, add, pop
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
from churnsim.jit import kernel, mechanism
from churnsim.records import Elsewhere, Plan, Population
from churnsim.streams import Key


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
            depart(world, customer, at, world.codes[customer, CLOSING])


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
def run_world(world: World) -> int:
    """Run a world to its horizon; return the number of entries in the event log."""
    return run_to_horizon(borrow(world))


@mechanism
def run_to_horizon(world: World) -> int:
    """Run a world that is seen through a pointer, in compiled code."""
    n = world.people.arrival.shape[0]
    for customer in range(n):
        at = world.people.arrival[customer]
        if customer < world.people.n_customers:
            if at == 0.0:  # one of a log who is gone already never arrives
                arrive(world, customer, at)
                live_alone(world, customer)
        elif at < world.plan.horizon:
            set_moment(world, customer, PROSPECT, at)
            add(world.queue, customer, at)
    while True:
        customer = pop(world.queue)
        if customer == NOWHERE:
            break
        meet(world, customer, world.queue.at[customer])
        live_alone(world, customer)
    for customer in range(n):
        finish(world, customer)
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
    return int(run_world(world))


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
    return int(run_world.py_func(world))
