"""Lies and repeated contacts in the engine: geometric laws, and when lying pays."""

import functools
import sys
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize

from churnsim.engines.books import Account, Event, Tally
from churnsim.records import MICRO, Cause, Floats
from churnsim.variates import constant
from tests.oracles import closed_forms as forms
from tests.oracles.gates import Battery
from tests.oracles.worlds import (
    MARKET,
    POLICY,
    SPEC,
    SURE,
    Builder,
    Change,
    Mistake,
    World,
    caught,
    certain,
    engine_battery,
    run,
    run_with,
    unchanged,
)

pytestmark = pytest.mark.compiled

EFFECTS = forms.LieEffects(
    sting=0.5,
    heard=0.3,
    placated=0.8,
    lie_sting=0.3,
    betrayal=0.2,
    contact_sting=0.1,
)
LOCK_IN = 2.5
SETTLED = 0.5  # what an honest settlement takes off, less than `placated`
N_LIES = 80  # nobody hears so many
N_RUNS = 4
FIRST_CONTACT = (0.48, 0.67, 0.70, 0.80)  # settled by the first contact [-]


def liars(discovery: float) -> World:
    """Return a world in which staff always lie to those who speak up, and all do."""
    market = MARKET._replace(
        mistake_probability=1.0,
        stated_to_actual=1.0,
        lock_in=LOCK_IN,
        discovery=discovery,
        placated=EFFECTS.placated,
        lie_sting=EFFECTS.lie_sting,
        betrayal=EFFECTS.betrayal,
        contact_sting=EFFECTS.contact_sting,
    )
    policy = POLICY._replace(limit=-1.0, truth=0.0, truth_or_excuse=0.0)
    mistake = Mistake(
        sting=constant(EFFECTS.sting),
        voice=SURE,
        heard=EFFECTS.heard,
        settled=SETTLED,
    )
    spec = SPEC._replace(
        customers=210_000, rate=certain(1.0), value=certain(MICRO), horizon=1.0
    )
    return World(market, policy, mistake, spec)


def honest() -> World:
    """Return the same world with staff who say that it takes a while, and it does."""
    world = liars(0.0)
    policy = world.policy._replace(truth=1.0, truth_or_excuse=1.0)
    return world._replace(policy=policy)


def lies(discovery: float) -> forms.Lies:
    """Return the closed form."""
    found_out = forms.betrayal_probabilities(EFFECTS, N_LIES, lock_in=LOCK_IN)
    closed = forms.placated_probabilities(EFFECTS, N_LIES, lock_in=LOCK_IN)
    return forms.lies_only(discovery, found_out, closed)


class Firsts(NamedTuple):
    """The first episode of everyone who had one."""

    n_lies: NDArray[np.int64]
    n_found_out: NDArray[np.int64]
    cause: NDArray[np.uint8]  # of those who left after it; NONE: stayed


class Settled(NamedTuple):
    """What was counted in each replication."""

    contacts: Floats
    settled: Floats
    at_first: Floats


def first_episodes(world: World) -> Firsts:
    """Return the first episodes of all runs, read from the event log."""
    parts = []
    for i in range(N_RUNS):
        books = run(world, i, 6_000_000)
        size = int(books.log_count[0])
        customer, event, word = books.log_codes[:size].T
        n = len(books.cause)
        counts = [
            np.bincount(customer[(event == kind) & (word == 0)], minlength=n)
            for kind in (Event.LIED_TO, Event.FOUND_OUT)
        ]
        n_episodes = books.accounts[:, Account.EPISODES]
        left_then = np.where(n_episodes == 1, books.cause, Cause.NONE)
        had_one = n_episodes >= 1
        parts.append([column[had_one] for column in (*counts, left_then)])
    n_lies, n_found_out, cause = (np.concatenate(c) for c in zip(*parts, strict=True))
    return Firsts(n_lies, n_found_out, cause)


def lies_only(battery: Battery, change: Change) -> None:
    """Add contacts, discoveries and decisions where staff always lie, found out .8."""
    discovery = 0.8
    firsts = first_episodes(change(liars(discovery)))
    expected = lies(discovery)
    below = np.cumsum(expected.contacts)

    def law(values: Floats) -> Floats:
        place = np.floor(values).astype(int)
        return np.where(place < 1, 0.0, below[np.clip(place, 1, N_LIES) - 1])

    battery.law("lies: contacts", firsts.n_lies.astype(np.float64), law)
    found = firsts.n_found_out
    mean = expected.found_out_mean
    battery.mean("lies: found out", found.astype(np.float64), mean)
    once = int(np.sum(found >= 1))
    battery.share("lies: first found out", (once, len(found)), discovery)
    decisions = forms.betrayal_probabilities(EFFECTS, 3, lock_in=LOCK_IN)
    stays = np.concatenate(([1.0], 1 - decisions))
    for n in (1, 2, 3):
        decided = found >= n
        left = decided & (found == n) & (firsts.cause == Cause.BETRAYED)
        kept = int(np.sum(decided)) - int(np.sum(left))
        share = float(stays[n] / stays[n - 1])
        name = f"lies: stays, number {n} found out"
        battery.share(name, (kept, int(np.sum(decided))), share)
    believed = found == 0
    left_pleased = int(np.sum(believed & (firsts.cause == Cause.PLACATED)))
    kept = int(np.sum(believed)) - left_pleased
    (share,) = forms.placated_probabilities(EFFECTS, 1, lock_in=LOCK_IN)
    name = "lies: stays, none found out"
    battery.share(name, (kept, int(np.sum(believed))), 1 - share)


def contacts_until_settled(battery: Battery, change: Change) -> None:
    """Add contacts per case, settled with the published shares at each contact.

    Staff put off the others with a lie that is always found out; nobody leaves.
    """
    for first_contact in FIRST_CONTACT:
        seen = settled_cases(change, first_contact)
        name = f"FCR {first_contact:g}"
        mean = forms.contact_mean(first_contact)
        battery.mean(f"{name}: contacts", seen.contacts / seen.settled, mean)
        share = seen.at_first / seen.settled
        battery.mean(f"{name}: settled at first", share, first_contact)


@functools.cache
def settled_cases(change: Change, first_contact: float) -> Settled:
    """Return what was counted where each contact settles a case with one chance."""
    market = MARKET._replace(mistake_probability=1.0, discovery=1.0)
    policy = POLICY._replace(fob_off=1 - first_contact)
    n = int(9_000 * (1 - first_contact) / first_contact)
    spec = SPEC._replace(customers=n, rate=certain(1.0), horizon=1.0)
    world = change(World(market, policy, Mistake(voice=SURE), spec))
    people = world.people(0)
    tallies = np.array([run_with(world, people, i).tally for i in range(80)], float)
    return Settled(
        tallies[:, Tally.CONTACTS],
        tallies[:, Tally.SETTLED],
        tallies[:, Tally.SETTLED_AT_FIRST],
    )


def cases_given_up(battery: Battery, change: Change) -> None:
    """Add cases that close after three contacts, settled or not."""
    again, n_max = 0.52, 3
    market = MARKET._replace(mistake_probability=1.0, discovery=1.0, max_attempts=n_max)
    policy = POLICY._replace(fob_off=again)
    spec = SPEC._replace(customers=20_000, rate=certain(1.0), horizon=1.0)
    world = change(World(market, policy, Mistake(voice=SURE), spec))
    people = world.people(0)
    books = [run_with(world, people, i) for i in range(40)]
    closed = np.array([book.closed for book in books], np.float64)
    contacts = np.array([book.tally[Tally.CONTACTS] for book in books], np.float64)
    cases = closed.sum(axis=1)
    shares = forms.contact_probabilities(again, n_max)
    mean = float(shares @ np.arange(1, n_max + 1))
    battery.mean("three attempts: contacts", contacts / cases, mean)
    settled = closed[:, Cause.SETTLED] / cases
    battery.mean("three attempts: settled", settled, 1 - again**n_max)


def left_of_liars(discovery: float) -> float:
    """Return the share who leave at a mistake, in closed form."""
    return 1 - lies(discovery).stays


def left_of_honest() -> float:
    """Return the share who leave at a mistake that is honestly settled, later."""
    grievance = EFFECTS.sting - EFFECTS.heard - SETTLED
    return forms.leave_probability(grievance, lock_in=LOCK_IN)


def break_even() -> float:
    """Return the discovery probability at which lying keeps as many as honesty."""
    return float(
        optimize.brentq(lambda d: left_of_liars(d) - left_of_honest(), 0.0, 1.0)
    )


def kept_of_first(world: World, replication: int) -> tuple[int, int]:
    """Return how many stayed after their first episode, and how many had one."""
    books = run(world, replication)
    n_episodes = books.accounts[:, Account.EPISODES]
    left = (n_episodes == 1) & (books.cause > Cause.NATURAL)
    n = int(np.sum(n_episodes >= 1))
    return n - int(np.sum(left)), n


def lying_pays(battery: Battery, change: Change) -> None:
    """Add the share kept by honesty, and by lies that are found out more or less."""
    worlds = {
        "honest": (honest(), 1 - left_of_honest()),
        "lies, never found out": (liars(0.0), 1 - left_of_liars(0.0)),
        "lies, at break-even": (liars(break_even()), 1 - left_of_honest()),
        "lies, half found out": (liars(0.5), 1 - left_of_liars(0.5)),
    }
    for number, (name, (world, share)) in enumerate(worlds.items()):
        battery.share(f"{name}: stays", kept_of_first(change(world), number), share)


BUILDERS = [lies_only, contacts_until_settled, cases_given_up, lying_pays]


@pytest.mark.parametrize("builder", BUILDERS)
def test_lies__match_closed_forms(builder: Builder) -> None:
    """Contacts are geometric, and each lie found out decides as its number says."""
    engine_battery(builder).check()


@pytest.mark.parametrize(("share", "printed"), [(0.67, 1.5), (0.80, 1.2)])
def test_contacts__are_near_the_published_means(share: float, printed: float) -> None:
    """Contacts per case are within .06 of what the trade prints."""
    seen = settled_cases(unchanged, share)
    assert abs(float(np.mean(seen.contacts / seen.settled)) - printed) <= 0.06


def advantage_of_lying(discovery: float) -> tuple[int, int]:
    """Return how many more customers, and how much more money, lies keep.

    Of the same customers, with the same draws, as honesty; over several mistakes each.
    """
    more = np.zeros(2, np.int64)
    for sign, world in ((1, liars(discovery)), (-1, honest())):
        spec = world.spec._replace(customers=50_000, horizon=3.0)
        books = run(world._replace(spec=spec))
        money = int(books.accounts[:, Account.REVENUE].sum())
        more += sign * np.array([np.isinf(books.departure).sum(), money])
    return int(more[0]), int(more[1])


def test_lying__wins_unseen_and_loses_when_always_found_out() -> None:
    """At discovery 0 lies keep more customers and money than honesty, at 1 fewer."""
    assert min(advantage_of_lying(0.0)) > 0
    assert max(advantage_of_lying(1.0)) < 0
    assert kept_of_first(liars(1.0), 0)[0] == 0


def test_lying__breaks_even_where_the_closed_form_says() -> None:
    """Of paired first mistakes lies keep more just below break-even, fewer above."""
    even = break_even()
    honest_kept = sum(kept_of_first(honest(), i)[0] for i in range(N_RUNS))
    for discovery, sign in ((even - 0.01, 1), (even + 0.01, -1)):
        kept = sum(kept_of_first(liars(discovery), i)[0] for i in range(N_RUNS))
        assert sign * (kept - honest_kept) > 0
    sys.stdout.write(f"lying breaks even at a discovery probability of {even:.4f}\n")


def cleverer(world: World) -> World:
    """Return the world in which one percent more lies are found out."""
    discovery = min(1.0, 1.01 * world.market.discovery)
    return world._replace(market=world.market._replace(discovery=discovery))


def forgiving(world: World) -> World:
    """Return the world in which trust is not lowered by a lie found out."""
    return world._replace(market=world.market._replace(betrayal=0.0))


def settling(world: World) -> World:
    """Return the world in which one percent more is settled at each contact."""
    fob_off = 1 - 1.01 * (1 - world.policy.fob_off)
    return world._replace(policy=world.policy._replace(fob_off=fob_off))


def persistent(world: World) -> World:
    """Return the world with one more attempt."""
    attempts = world.market.max_attempts + 1
    return world._replace(market=world.market._replace(max_attempts=attempts))


def silver_tongued(world: World) -> World:
    """Return the world in which lies placate more: .5 in log-odds."""
    placated = world.market.placated + 0.5
    return world._replace(market=world.market._replace(placated=placated))


@pytest.mark.parametrize(
    ("builder", "change"),
    [
        pytest.param(contacts_until_settled, settling, marks=pytest.mark.slow),
        (cases_given_up, persistent),
        (lies_only, cleverer),
        pytest.param(lies_only, forgiving, marks=pytest.mark.slow),
        pytest.param(lying_pays, silver_tongued, marks=pytest.mark.slow),
    ],
)
def test_lies__catch_faults(builder: Builder, change: Change) -> None:
    """A world that is wrong by a little in one thing fails at least one gate."""
    assert caught(builder, change)
