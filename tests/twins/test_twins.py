"""Reference = interpreted = compiled, bit for bit, over random setups.

`CHURNSIM_TWINS` sets how many: `CHURNSIM_TWINS=20000 pytest tests/twins`.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from churnsim.engines.books import N_WEEKLY, Books, Event, People, Tally
from churnsim.engines.kernel.run import run_kernel
from churnsim.mechanisms.hours import back_hours, front_hours
from churnsim.records import NO_STRAIN, ROUND_THE_CLOCK, Cause, Plan, Population
from churnsim.streams import Key
from churnsim.variates import constant, weibull
from tests.twins.changing import run, same_books
from tests.twins.comparing import (
    Engine,
    assert_twins,
    difference,
    log_of,
    run_engine,
    source_of,
)
from tests.twins.front_lines import (
    setups_with_hours,
    setups_with_messages,
    setups_with_people,
)
from tests.twins.sampling import check_many
from tests.twins.strategies import (
    GRIDS,
    Setup,
    n_tied,
    setups,
    tied_setups,
    tied_spans,
)
from tests.twins.usual import usual_setup

N_PARTS = 6
NO_HOURS = np.zeros((0, N_WEEKLY), np.int64)
NO_PEOPLE = np.zeros(0, np.int64)
N_SETUPS = max(300, int(os.environ.get("CHURNSIM_TWINS", "300")))
IMPORTS = """
import numpy as np
from churnsim.records import Market, Plan, Policy, Population, Strain
from churnsim.streams import Key
from churnsim.variates import Law
from tests.twins.comparing import source_of
from tests.twins.strategies import Setup
"""

pytestmark = pytest.mark.compiled


@pytest.mark.parametrize("part", range(N_PARTS))
def test_engines__agree_to_the_last_bit(part: int) -> None:
    """All books and the whole event log are equal in all three executions."""
    tried = 0

    def check(setup: Setup) -> None:
        nonlocal tried
        tried += 1
        assert_twins(setup)

    check_many(setups(), N_SETUPS // N_PARTS, check, start=part)
    assert tried >= N_SETUPS // N_PARTS


@pytest.mark.parametrize("part", range(N_PARTS))
def test_engines__agree_where_desks_keep_hours(part: int) -> None:
    """So they do where staffing changes over the week, and while a desk is closed."""
    tried, n_changed = 0, 0

    def check(setup: Setup) -> None:
        nonlocal tried, n_changed
        tried += 1
        books = assert_twins(setup)
        n_changed += not same_books(books, run(round_the_clock(setup)))

    check_many(setups_with_hours(), N_SETUPS // N_PARTS, check, start=100 + part)
    assert tried >= N_SETUPS // N_PARTS
    assert n_changed > tried // 3


@pytest.mark.parametrize("grid", GRIDS)
def test_engines__agree_where_desks_keep_hours_on_a_grid(grid: float) -> None:
    """A change of staffing at the instant of a customer's moment comes first."""

    def check(setup: Setup) -> None:
        assert_twins(setup)

    some = setups_with_hours(tied_spans(grid))
    check_many(some, N_SETUPS // 15, check, start=int(1024 * grid))


@pytest.mark.parametrize("grid", GRIDS)
def test_engines__agree_on_ties(grid: float) -> None:
    """On a grid of time all is equal too, and a fifth of all events are ties."""
    tied, n_events = 0, 0

    def check(setup: Setup) -> None:
        nonlocal tied, n_events
        log = log_of(assert_twins(setup))
        tied += n_tied(log.times, log.customers)
        n_events += len(log.times)

    check_many(tied_setups(grid), N_SETUPS // 15, check, start=int(1024 * grid))
    assert tied > 0.2 * n_events


@pytest.mark.parametrize("part", range(N_PARTS))
def test_engines__agree_where_agents_are_people(part: int) -> None:
    """So they do where agents quit, learn and differ, and their seats stand vacant."""
    tried, n_quits = 0, 0

    def check(setup: Setup) -> None:
        nonlocal tried, n_quits
        tried += 1
        n_quits += int(assert_twins(setup).people[People.QUITS])

    check_many(setups_with_people(), N_SETUPS // N_PARTS, check, start=200 + part)
    assert n_quits > tried >= N_SETUPS // N_PARTS


@pytest.mark.parametrize("grid", GRIDS)
def test_engines__agree_where_agents_are_people_on_a_grid(grid: float) -> None:
    """A seat that is filled at the instant of a customer's moment is so at its turn."""

    def check(setup: Setup) -> None:
        assert_twins(setup)

    some = setups_with_people(tied_spans(grid))
    check_many(some, N_SETUPS // 15, check, start=int(1024 * grid))


def test_engines__agree_where_service_takes_less_than_the_clock_shows() -> None:
    """Who waited behind a long contact is handled in no time, and all go on at once.

    Without `served_until` they would join the back desk in another order.
    """
    setup = usual_setup(400, 0, 400.0)
    policy = setup.plan.policy._replace(
        agents=1, supervisors=1, handle=weibull(0.05, 60.0), limit=0.0, truth=1.0
    )
    market = setup.plan.market._replace(
        mistake_probability=0.5, ordinary_rate=0.0, patience=constant(np.inf)
    )
    plan = setup.plan._replace(policy=policy, market=market)
    log = log_of(assert_twins(setup._replace(plan=plan)))
    since: dict[int, list[float]] = {}
    n_short = 0
    for at, who, what in zip(log.times, log.customers, log.events, strict=True):
        if what == Event.JOINED_FRONT:
            since[who] = [at]
        elif what == Event.HANDLED:
            since[who].append(at)
        elif what == Event.CONTACT_ENDED:
            joined, begun = since[who]
            assert at > begun
            n_short += begun > joined and at - begun < 1e-15 * at
    assert n_short > 20


def test_engines__agree_where_a_line_is_served_in_no_time() -> None:
    """As the desk opens, all who wait are handled at once, in the order they came."""
    setup = usual_setup(200, 0, 100.0)
    nights = np.array([[0.0, 0.0], [0.5, 2.0]])
    days = np.array([[[day, 0.0]] for day in range(7)])
    roster = (nights + days).reshape(-1, 2)
    policy = setup.plan.policy._replace(
        front_roster=roster, supervisors=1, handle=constant(0.0), limit=0.0, truth=1.0
    )
    market = setup.plan.market._replace(
        mistake_probability=0.5, ordinary_rate=0.0, patience=constant(np.inf)
    )
    plan = setup.plan._replace(policy=policy, market=market)
    books = assert_twins(setup._replace(plan=plan))
    assert books.tally[Tally.FRONT_WAITED] > 200


def round_the_clock(setup: Setup) -> Setup:
    """Return the setup without rosters: as many servers as they ever have."""
    plan = setup.plan
    policy = plan.policy._replace(
        agents=front_hours(plan).n_seats,
        supervisors=back_hours(plan).n_seats,
        front_roster=ROUND_THE_CLOCK,
        back_roster=ROUND_THE_CLOCK,
    )
    return setup._replace(plan=plan._replace(policy=policy))


def same_week(setup: Setup) -> Setup:
    """Return the setup with rosters in which a change changes nothing."""
    plan = setup.plan
    policy = plan.policy
    rows = np.array([[0.25, 0.0], [0.5, 0.0], [3.0 + 1.0 / 3.0, 0.0]])
    front, back = rows.copy(), rows.copy()
    front[:, 1], back[:, 1] = policy.agents, policy.supervisors
    policy = policy._replace(front_roster=front, back_roster=back)
    return setup._replace(plan=plan._replace(policy=policy, into_week=3.375))


def test_hours__the_same_at_every_hour_are_none() -> None:
    """Changes of staffing that change nothing leave every bit where it was."""

    def check(setup: Setup) -> None:
        with_changes = run(same_week(setup))
        assert with_changes.weekly.sum() >= with_changes.tally[Tally.FRONT_JOINED]
        assert same_books(with_changes._replace(weekly=NO_HOURS), run(setup))

    check_many(setups().filter(lambda s: s.plan.policy.agents > 0), 60, check)


def test_people__who_never_change_are_a_desk() -> None:
    """Agents who never quit, learn or differ leave every bit where it was."""

    def check(setup: Setup) -> None:
        calm = NO_STRAIN._replace(is_on=1, slope=2.0, newcomer=3.0)
        strained = run(setup._replace(plan=setup.plan._replace(strain=calm)))
        n_handled = strained.tally[Tally.FRONT_HANDLED]
        assert strained.people[People.CONTACTS] == n_handled
        assert same_books(strained._replace(people=NO_PEOPLE), run(setup))

    check_many(setups(), 60, check)


def test_hours__of_a_desk_that_never_opens_come_to_an_end() -> None:
    """A roster without a single server is a desk without one: nobody is ever served."""
    setup = usual_setup(100, 0, 90.0)
    shut = np.array([[0.5, 0.0], [3.0, 0.0]])
    policy = setup.plan.policy._replace(back_roster=shut, limit=0.0, truth=1.0)
    plan = setup.plan._replace(policy=policy)
    books = assert_twins(setup._replace(plan=plan))
    assert books.tally[Tally.BACK_JOINED] > 20
    assert books.tally[Tally.BACK_HANDLED] == 0


def reached(books: Books) -> Iterable[str]:
    """Yield the names of all that came about in a run."""
    yield from (f"tally {code.name}" for code in Tally if books.tally[code] > 0)
    yield from (f"lost {code.name}" for code in Cause if books.lost[code] > 0)
    yield from (f"closed {code.name}" for code in Cause if books.closed[code] > 0)
    yield from (f"event {Event(code).name}" for code in set(log_of(books).events))
    kept = books.people if len(books.people) else np.zeros(len(People), np.int64)
    yield from (f"people {code.name}" for code in People if kept[code] > 0)


def test_sample__reaches_everything() -> None:
    """Every tally, event and close comes about in the random setups.

    So do both outcomes of a decision: a close after which one leaves, and stays. Each
    cause of loss is required of the golden cases, which all engines run too.
    """
    hits: Counter[str] = Counter()
    tied, n_events = 0, 0

    def count(setup: Setup) -> None:
        nonlocal tied, n_events
        books = run_engine(setup, run_kernel)
        log = log_of(books)
        hits.update(reached(books))
        n_closed = int(books.closed.sum())
        n_left = int(books.lost.sum() - books.lost[Cause.NATURAL])
        hits["decision leave"] += n_left > 0
        hits["decision stay"] += n_closed > n_left
        tied += n_tied(log.times, log.customers)
        n_events += len(log.times)

    for part in range(N_PARTS):
        check_many(setups(), N_SETUPS // N_PARTS, count, start=part)
    check_many(setups_with_hours(), N_SETUPS // 2, count, start=100)
    check_many(setups_with_people(), N_SETUPS // 6, count, start=200)
    check_many(setups_with_messages(), N_SETUPS // 15, count, start=300)
    causes = [code for code in Cause if code != Cause.NONE]
    wanted = [f"tally {code.name}" for code in Tally]
    wanted += [f"event {code.name}" for code in Event]
    wanted += [f"people {code.name}" for code in People]
    wanted += [f"lost {code.name}" for code in causes]
    # An episode that ordinary dropout overtakes keeps the way that it closed.
    wanted += [f"closed {code.name}" for code in causes if code != Cause.NATURAL]
    wanted += ["decision leave", "decision stay"]
    rarest = sorted(wanted, key=lambda name: hits[name])
    least = ", ".join(f"{name} {hits[name]}" for name in rarest[:10])
    sys.stdout.write(f"of {N_SETUPS} setups, least hit: {least}\n")
    sys.stdout.write(f"{tied} of {n_events} events are ties\n")
    missing = [name for name in rarest if not hits[name]]
    assert [name for name in missing if not name.startswith("lost ")] == [], least
    assert set(hits) <= set(wanted)
    assert tied > 0.1 * n_events


def altered(change: Callable[[Books], None]) -> Engine:
    """Return the compiled engine, its books changed afterwards."""

    def engine(
        plan: Plan, people: Population, key: Key, replication: int, books: Books
    ) -> int:
        count = run_kernel(plan, people, key, replication, books)
        change(books)
        return count

    return engine


def changes_time(books: Books) -> None:
    """Move the 41st event by the smallest step there is."""
    books.log_times[40] = np.nextafter(books.log_times[40], np.inf)


def changes_sign(books: Books) -> None:
    """Give a 0 of the log the other sign."""
    row = int(np.flatnonzero(books.log_values == 0.0)[0])
    books.log_values[row] = -books.log_values[row]


def changes_money(books: Books) -> None:
    """Add a millionth of the currency to one account."""
    books.accounts[7, 0] += 1


def loses_event(books: Books) -> None:
    """Forget the last event."""
    books.log_count[0] -= 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changes_time, "part at event"),
        (changes_sign, "value -0x0.0p+0"),
        (changes_money, "1 of accounts differ, first [7, REVENUE]"),
        (loses_event, "part at event"),
    ],
)
def test_comparing__sees_the_smallest_difference(
    change: Callable[[Books], None], words: str
) -> None:
    """A last bit, a sign of zero, one micro-unit or one missing event is reported."""
    setup = usual_setup(30, 5, 90.0)
    engines = {"compiled": run_kernel, "altered": altered(change)}
    with pytest.raises(AssertionError) as caught:
        assert_twins(setup, engines)
    assert words in str(caught.value)
    assert source_of(setup) in str(caught.value)


def test_comparing__finds_nothing_where_nothing_differs() -> None:
    """The same books twice: no report."""
    books = run_engine(usual_setup(30, 5, 90.0), run_kernel)
    assert difference({"one": books, "other": books}) == ""


def test_source__can_be_pasted() -> None:
    """The source of a setup, run by Python, gives back the same setup."""
    source = source_of(usual_setup(3, 2, 30.0))
    command = f"{IMPORTS}print(source_of({source}))"
    done = subprocess.run(
        [sys.executable, "-c", command], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == source
