"""The event queue and the desks of the kernel, against Python's own heap and lists."""

import heapq
import random

import numpy as np
import pytest

from churnsim.engines.kernel import desks, event_queue
from churnsim.engines.kernel.event_queue import NOWHERE
from churnsim.mechanisms.hours import Hours


def queue_for(n: int, horizon: float) -> event_queue.Queue:
    """Return an empty queue of `n` customers."""
    return event_queue.make_queue(np.zeros(n), horizon, float(n))


def pop_all(queue: event_queue.Queue) -> list[tuple[float, int]]:
    """Return all moments in the order in which they are popped."""
    out = []
    while (customer := event_queue.pop(queue)) != NOWHERE:
        out.append((float(queue.at[customer]), customer))
    return out


@pytest.mark.parametrize("grid", [0.0, 1.0, 10.0])
def test_queue__hold_model_equals_heapq(grid: float) -> None:
    """Adding and popping at random gives the order of a binary heap."""
    rng = random.Random(5)
    n, horizon = 200, 100.0
    queue = queue_for(n, horizon)
    pending: dict[int, float] = {}
    now, popped = 0.0, 0
    for _ in range(20_000):
        customer = rng.randrange(n)
        if customer not in pending:
            at = now + rng.expovariate(0.5)
            at = at - at % grid + grid if grid else at
            if at < horizon:
                event_queue.add(queue, customer, at)
                pending[customer] = at
        if rng.random() < 0.2 and pending:
            expected = min((at, who) for who, at in pending.items())
            first = event_queue.pop(queue)
            assert (queue.at[first], first) == expected
            now = expected[0]
            del pending[first]
            popped += 1
    rest = [(at, who) for who, at in pending.items()]
    heapq.heapify(rest)
    assert pop_all(queue) == [heapq.heappop(rest) for _ in range(len(rest))]
    assert popped > 50


def test_queue__equal_times_go_to_the_lower_customer() -> None:
    """A thousand moments at one instant come out by number, whatever the order in."""
    queue = queue_for(1000, 10.0)
    order = list(range(1000))
    random.Random(1).shuffle(order)
    for customer in order:
        event_queue.add(queue, customer, 7.5)
    assert [who for _, who in pop_all(queue)] == list(range(1000))


def test_queue__is_empty_at_first() -> None:
    """A queue to which nobody was added pops nobody."""
    assert event_queue.pop(queue_for(3, 1.0)) == NOWHERE


def test_queue__moments_next_to_the_horizon_are_kept() -> None:
    """The last double before the horizon falls into the last bucket."""
    queue = queue_for(2, 3.0)
    event_queue.add(queue, 1, float(np.nextafter(3.0, 0.0)))
    event_queue.add(queue, 0, 0.0)
    assert [who for _, who in pop_all(queue)] == [0, 1]


def served_by_hand(
    visits: list[tuple[float, float, float]], n_servers: int
) -> list[float | None]:
    """Return when each visit begins, minute by minute of a line of people.

    Args:
        visits: Moment, patience and time of each, one customer each, by moment.
        n_servers: At the desk.
    """
    begun: list[float | None] = [None] * len(visits)
    moments = [(at, who, "joins") for who, (at, _, _) in enumerate(visits)]
    heapq.heapify(moments)
    line: list[int] = []
    free = n_servers
    while moments:
        now, who, what = heapq.heappop(moments)
        if what == "joins" and not free:
            line.append(who)
            heapq.heappush(moments, (now + visits[who][1], who, "gives up"))
            continue
        if what == "gives up":
            if who in line:
                line.remove(who)
            continue
        if what == "ends":
            free += 1
            who = line.pop(0) if line else -1
        if who >= 0:
            free -= 1
            begun[who] = now
            heapq.heappush(moments, (now + visits[who][2], who, "ends"))
    return begun


def served_by_desk(
    visits: list[tuple[float, float, float]], n_servers: int
) -> list[float | None]:
    """Return the same, as a desk tells it to each as he joins."""
    desk = desks.make_desk(Hours(n_servers), len(visits))
    begun: list[float | None] = []
    for who, (at, patience, time) in enumerate(visits):
        start = at if desks.is_free(desk, who, at) else float(desk.free_at[0])
        is_served = start == at or desks.is_free(desk, who, at + patience)
        begun.append(start if is_served else None)
        if is_served:
            desks.occupy(desk, who, start + time)
    return begun


@pytest.mark.parametrize("n_servers", [0, 1, 2, 7])
@pytest.mark.parametrize("grid", [0.0, 0.25, 1.0])
def test_desk__tells_the_future_of_a_line(n_servers: int, grid: float) -> None:
    """Who joins is told when service begins, ties included, as a line of people finds.

    Of moments at one instant the lower customer's comes first: at coarse grids half of
    all begin so.
    """
    rng = random.Random(2)

    def time(rate: float) -> float:
        x = rng.expovariate(rate)
        return (x // grid + 1.0) * grid if grid else x

    visits, now = [], 0.0
    for _ in range(3000):
        now += (rng.expovariate(1.0) // grid) * grid if grid else rng.expovariate(1.0)
        visits.append((now, time(0.3), time(1.0 / max(1, n_servers))))
    begun = served_by_desk(visits, n_servers)
    if n_servers:
        assert begun == served_by_hand(visits, n_servers)
        assert begun.count(None) > 100 or n_servers == 7
        waited = [b for b, v in zip(begun, visits, strict=True) if b and b > v[0]]
        assert len(waited) > 300
    else:
        assert begun == [None] * len(visits)


def test_desk__work_without_time_leaves_the_server_free() -> None:
    """One whose contact takes no time is done before the next moment of anybody."""
    desk = desks.make_desk(Hours(1), 3)
    for who in range(3):
        assert desks.is_free(desk, who, 5.0)
        desks.occupy(desk, who, 5.0)


def test_desk__a_crowd_of_servers_costs_no_more_than_the_customers() -> None:
    """Of a thousand million servers there are as many as customers could busy."""
    desk = desks.make_desk(Hours(10**9), 50)
    assert len(desk.free_at) == 50
    for who in range(50):
        assert desks.is_free(desk, who, 1.0)
        desks.occupy(desk, who, 2.0)
    assert desks.is_free(desk, 0, 2.0)


@pytest.mark.parametrize("most", [1 << 18, 500, 30])
@pytest.mark.parametrize("per_customer", [1.5, 0.05])
def test_rows__are_asked_for_before_their_moment(
    most: int, per_customer: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six of seven, once for each moment, however much a bucket holds."""
    n = 2000
    monkeypatch.setattr(event_queue, "BUCKETS_IN_ALL", most)
    asked: list[int] = []
    monkeypatch.setattr(
        event_queue, "prefetch", lambda _, customer: asked.append(int(customer))
    )
    at = np.full(n, np.inf)
    queue = event_queue.make_queue(at, 1.0, per_customer * n)
    moments = np.random.default_rng(7).random((2, n))
    moments[1] += moments[0]  # many beyond the horizon
    for customer in range(n):
        event_queue.add(queue, customer, float(moments[0, customer]))
    n_ahead = n_taken = 0
    turn = np.zeros(n, np.int64)
    while (customer := event_queue.pop(queue)) != event_queue.NOWHERE:
        n_taken += 1
        turn[customer] += 1
        n_ahead += asked.count(customer) >= turn[customer]
        if turn[customer] == 1 and moments[1, customer] < 1.0:
            event_queue.add(queue, customer, float(moments[1, customer]))
    assert n_taken == n + np.count_nonzero(moments[1] < 1.0)
    assert len(asked) <= n_taken
    assert n_ahead >= 0.85 * n_taken
