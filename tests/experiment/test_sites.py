"""Firms of many sites: one reputation, exact sums, whatever the partition."""

import pickle
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from churnsim.engines.books import Books, open_books
from churnsim.engines.reference.clock import Clock
from churnsim.engines.reference.customer import Customer
from churnsim.engines.reference.firm import Firm
from churnsim.engines.reference.story import life
from churnsim.engines.sums import Sums, Totals, sum_of
from churnsim.errors import InputError, ResourceError
from churnsim.experiment.summary import FIGURES
from churnsim.firm import Run, SiteRow, chances_of, run_site, simulate_firm
from churnsim.population import population_digest
from churnsim.records import Elsewhere, Integers
from churnsim.scenario import Scenario, load_scenario
from churnsim.simulation import (
    SiteTask,
    make_population,
    simulate,
    simulate_site,
    with_events,
)
from churnsim.streams import key_from_seed
from tests.experiment.chains import N_CUSTOMERS, N_SITES, TALKED_OF

pytestmark = pytest.mark.compiled


@pytest.fixture(scope="module")
def chain() -> Scenario:
    """Return a firm of a few small sites."""
    return load_scenario("telecom", overrides=TALKED_OF)


class Told:
    """What is told at all sites but one, looked up as time passes."""

    def __init__(self, books: list[Books], site: int) -> None:
        self.others = [b for place, b in enumerate(books) if place != site]

    def __getitem__(self, period: int) -> int:
        """Return what was told in a period so far."""
        return sum(int(books.tellings[period]) for books in self.others)


def in_step(scenario: Scenario, policy: str) -> list[Books]:
    """Return the books of all sites, run in one SimPy environment.

    Nothing is exchanged: each site looks into the other sites' books as it needs them.
    """
    seed, sites = scenario.seed, range(scenario.sites)
    crowds = [make_population(scenario, seed=seed, site=site) for site in sites]
    plan = scenario.plan(policy)
    all_books = [open_books(plan, len(people.arrival), 0) for people in crowds]
    clock = Clock()
    customers = []
    for site, people in enumerate(crowds):
        told: Any = Told(all_books, site)
        others = Elsewhere(told, (scenario.sites - 1) * N_CUSTOMERS)
        key = key_from_seed(seed, site)
        here = Firm(plan, people, key, 0, all_books[site], others, clock)
        customers += [Customer(here, number) for number in range(len(people.arrival))]
    for customer in customers:
        clock.process(life(customer))
    clock.run(until=plan.horizon)
    for customer in customers:
        customer.finish()
    return all_books


@pytest.mark.parametrize(
    ("policy", "settings", "n_passes"),
    [
        ("slow", {}, 3),
        ("dishonest", {}, 3),
        ("slow", {"market.word_of_mouth.period": "1 day"}, 3),
        ("slow", {"market.word_of_mouth.period": "200 days"}, 2),
        ("slow", {"market.word_of_mouth.period": "2 years"}, 1),
        ("empowered", {"market.word_of_mouth.told_good": "60"}, 2),
        ("slow", {"market.word_of_mouth.decay": "0 %/month"}, 2),
    ],
)
def test_firm__is_that_in_which_all_sites_run_in_step(
    chain: Scenario, policy: str, settings: dict[str, str], n_passes: int
) -> None:
    """Passes end in the one run that a single environment of all sites makes."""
    scenario = load_scenario(chain, overrides=settings)
    books = in_step(scenario, policy)
    found = simulate_firm(scenario, policy)
    assert found.passes >= n_passes
    assert found.n_runs <= N_SITES * found.passes
    assert found.passes <= len(books[0].tellings)
    told = found.sums.books
    for name in ("tally", "lost", "closed", "front_waits", "monthly", "tellings"):
        assert np.array_equal(
            getattr(told, name), sum(getattr(book, name) for book in books)
        ), name
    accounts = sum(book.accounts.sum(axis=0) for book in books)
    assert found.sums.totals.revenue == accounts[0]
    assert found.sums.kept == sum(
        int((np.isinf(book.departure) & (book.is_won == 1)).sum()) for book in books
    )


def test_firm__needs_no_second_pass_where_nobody_listens(chain: Scenario) -> None:
    """Without influence, prospects or talk, each site is run once and alone."""
    quiet = (
        {"market.word_of_mouth.influence": "0"},
        {"population.prospects": "0/year"},
        {"market.word_of_mouth.told_bad": "0", "market.word_of_mouth.told_good": "0"},
    )
    for settings in quiet:
        scenario = load_scenario(chain, overrides=settings)
        found = simulate_firm(scenario, "slow")
        assert (found.passes, found.n_runs) == (1, N_SITES)


def test_firm__hears_what_is_told_elsewhere(chain: Scenario) -> None:
    """A site among others does otherwise than alone, under the same draws."""
    alone = run_site(SiteTask(chain, "slow", chain.seed, 0))
    calm = Elsewhere(np.zeros_like(alone.tellings), 10**6)
    among = run_site(SiteTask(chain, "slow", chain.seed, 0, elsewhere=calm))
    assert among.population == alone.population
    won = [row.sums.n_won for row in (alone, among)]
    lost = [row.sums.tally("lost_to_reputation") for row in (alone, among)]
    assert won[0] < won[1]
    assert lost[0] > lost[1] == 0


def same_books(a: Sums, b: Sums) -> bool:
    """Return whether two sums have the same counts."""
    names = Books._fields
    return all(
        np.array_equal(getattr(a.books, name), getattr(b.books, name)) for name in names
    )


def batches(size: int, seed: int) -> Run:
    """Return what runs tasks in shuffled batches that are sent as bytes."""

    def run(tasks: Iterable[SiteTask]) -> Iterator[SiteRow]:
        waiting = list(tasks)
        random.Random(seed).shuffle(waiting)
        for start in range(0, len(waiting), size):
            sent = pickle.dumps(waiting[start : start + size])
            yield from pickle.loads(pickle.dumps([*map(run_site, pickle.loads(sent))]))  # noqa: S301

    return run


@pytest.mark.parametrize(("size", "seed"), [(1, 1), (2, 2), (N_SITES, 3)])
def test_firm__is_the_same_whatever_the_partition(
    chain: Scenario, size: int, seed: int
) -> None:
    """Tasks of one site or of all, in any order, somewhere else: the same bits."""
    usual = simulate_firm(chain, "slow")
    found = simulate_firm(chain, "slow", run=batches(size, seed))
    assert (found.digest, found.population) == (usual.digest, usual.population)
    assert found.sums.totals == usual.sums.totals
    assert (found.passes, found.n_runs) == (usual.passes, usual.n_runs)
    assert same_books(found.sums, usual.sums)


def test_sums__are_the_same_in_any_grouping(chain: Scenario) -> None:
    """Sums of sums are the sums of all, to the last micro-unit."""
    tasks = [SiteTask(chain, "slow", 3, 0, site) for site in range(N_SITES)]
    parts = [run_site(task).sums for task in tasks]
    whole = sum_of(parts)
    other = sum_of([sum_of(parts[3:]), sum_of(parts[:3][::-1])])
    assert other.totals == whole.totals
    assert whole.totals == Totals(
        *(sum(values) for values in zip(*(p.totals for p in parts), strict=True))
    )
    assert (whole.n_sites, whole.n_customers) == (N_SITES, N_SITES * N_CUSTOMERS)
    assert same_books(other, whole)
    told = [
        {name: f.of(sums) for name, f in FIGURES.items()} for sums in (whole, other)
    ]
    assert told[0] == told[1]


def test_figures__are_told_of_the_sums(chain: Scenario) -> None:
    """Shares, waits and loads are those of all sites together, not means of sites."""
    found = simulate_firm(chain, "slow").sums
    rows = [
        simulate_site(SiteTask(chain, "slow", chain.seed, 0, site))
        for site in range(N_SITES)
    ]
    one = rows[0].sums
    same = sum_of([one] * N_SITES)
    for name, figure in FIGURES.items():
        alone, of_all = figure.of(one), figure.of(same)
        if alone is None or figure.unit in ("share", "days"):
            assert of_all == alone, name
        elif name not in ("attempts_per_mistake", "turnover", "wrath"):
            assert of_all == pytest.approx(N_SITES * alone, rel=1e-12), name
    busy = found.tally("front_busy") / 86_400_000_000.0
    agents = chain.plan("slow").policy.agents
    assert found.front.utilisation == pytest.approx(
        busy / (N_SITES * agents * chain.horizon)
    )


def test_people__are_told_for_each_seat_of_all_sites() -> None:
    """Turnover, vacancies and wrath divide by the seats of the firm."""
    spiral = load_scenario("spiral", overrides=["horizon=1 year"])
    outcome = simulate(spiral, spiral.baseline, seed=5)
    told = outcome.people()
    of_all = sum_of([outcome.sums] * 4).people()
    assert told is not None
    assert of_all is not None
    assert of_all.quits == 4 * told.quits > 0
    assert of_all[1:5] == told[1:5]
    assert of_all.hiring_cost == 4 * told.hiring_cost


def test_sums__are_refused_where_they_would_wrap_around(chain: Scenario) -> None:
    """A count beyond 62 bits is an error, not a number."""
    sums = run_site(SiteTask(chain, "slow", 3, 0)).sums
    tally: Integers = sums.books.tally.copy()
    tally[0] = 2**61
    much = replace(sums, books=sums.books._replace(tally=tally))
    with pytest.raises(ResourceError, match="62 bits"):
        sum_of([much] * 3)


def test_one_site__is_what_it_always_was(chain: Scenario) -> None:
    """Without sites the firm is the one outcome, and the scenario keeps its digest."""
    single = load_scenario(chain, overrides={"sites": "1"})
    plain = load_scenario(
        "telecom", overrides={k: v for k, v in TALKED_OF.items() if k != "sites"}
    )
    assert single.digest == plain.digest != chain.digest
    outcome, found = simulate(plain, "slow"), simulate_firm(single, "slow")
    assert found.digest == outcome.digest()
    assert found.population == population_digest(outcome.population)
    assert (found.passes, found.n_runs) == (1, 1)
    assert found.sums.totals == outcome.totals


def test_site__has_customers_of_its_own_the_same_under_each_policy(
    chain: Scenario,
) -> None:
    """Pairing holds site by site; site 0 has the customers of a firm without sites."""
    by_policy = [
        [run_site(SiteTask(chain, name, 3, 2, site)).population for site in range(3)]
        for name in ("slow", "empowered")
    ]
    assert by_policy[0] == by_policy[1]
    assert len(set(by_policy[0])) == 3
    plain = load_scenario(chain, overrides={"sites": "1"})
    first = make_population(plain, seed=3, replication=2)
    assert by_policy[0][0] == population_digest(first)


def test_events__are_those_of_the_site(chain: Scenario) -> None:
    """A site's log is made with its own draws and what it heard."""
    told = np.full(len(run_site(SiteTask(chain, "slow", 3, 0)).tellings), 9_000)
    task = SiteTask(chain, "slow", 3, 0, 2, elsewhere=Elsewhere(told, N_CUSTOMERS))
    outcome = simulate_site(task)
    logged = with_events(outcome)
    assert logged.digest() == outcome.digest()
    assert len(logged.events()) == int(outcome.books.log_count[0])


def test_simulate__refuses_a_firm_of_several_sites(chain: Scenario) -> None:
    """One site is not silently taken for all."""
    with pytest.raises(InputError, match="simulate_firm"):
        simulate(chain, "slow")


def test_elsewhere__must_be_of_the_same_periods(chain: Scenario) -> None:
    """What is told elsewhere is checked before compiled code reads it."""
    told = Elsewhere(np.zeros(3, np.int64), 10)
    for engine in ("kernel", "reference"):
        with pytest.raises(ValueError, match="news periods"):
            simulate_site(SiteTask(chain, "slow", 3, 0, 0, engine, told))


def test_chances__follow_the_reputation() -> None:
    """Worked by hand: R = 0, then 90/100 tellings, then that halved less a good one."""
    market = load_scenario("telecom").plan("slow").market
    market = market._replace(
        news_period=1.0, news_decay=np.log(2.0), influence=1.0, conversion=0.5
    )
    told = np.array([90_000, -10_000, 0], np.int64)
    chances = chances_of(market, told, 100)
    expected = [0.5, 0.5 * np.exp(-0.9), 0.5 * np.exp(-(0.45 - 0.1))]
    assert chances == pytest.approx(expected, rel=1e-12)
