"""The rows of a point, simulated: what points share is drawn and compiled once."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from churnsim.engines.sums import Sums
from churnsim.engines.watch import part_of_watch
from churnsim.errors import ChurnsimError, InterruptedRun
from churnsim.experiment.summary import FIGURES
from churnsim.firm import simulate_firm
from churnsim.memory import FEW, check_run
from churnsim.population import history_of, n_prospects
from churnsim.records import Market, Plan, Population
from churnsim.scenario import Scenario
from churnsim.scenario.compile import (
    policy_part,
    to_kinds,
    to_law,
    to_market,
    to_plan,
)
from churnsim.scenario.model import Spec
from churnsim.scenario.policy import LEVERS
from churnsim.scenario.traits import PopulationSpec
from churnsim.simulation import DRAWING, SiteTask, make_population, outcome_of
from churnsim.sweep.points import Variations, are_same
from churnsim.sweep.rows import Failed, Row

if TYPE_CHECKING:
    from churnsim.sweep.plan import Point, Sweep

SEED_BITS = 53  # of a point's own seed: every program reads such a number exactly
PEOPLE_KEPT = 2_000_000  # customers and prospects that are kept for the next point
# Of the market: what customers are drawn from; what a plan holds as it is written; and
# the laws, which it holds compiled.
OF_PEOPLE = ("relationship", "period", "rate", "dropout", "value", "trust_sd")
AS_IT_IS = frozenset(
    {"lock_in", "stated_to_actual", "drift", "delight", "double", "bonding", "buffer"}
    | {"betrayed_bond", "disclosure", "retry", "hoop_sting", "wait_sting", "apology"}
    | {"contact_sting", "apology_repeat", "blame_sting", "truth_stretch", "placated"}
    | {"excuse_believed", "excuse_credit", "excuse_sting", "discovery", "lie_sting"}
    | {"betrayal", "distributive", "follow_up_credit", "max_attempts", "spend_cap"}
    | {"message_share", "spend_sensitivity"}
)
LAWS = frozenset(
    {"memory", "voice_delay", "patience", "endurance", "return_delay"}
    | {"message_patience"}
)


class Simulated:
    """Simulates points; threads may share one."""

    def __init__(self, sweep: Sweep, engine: str = "kernel") -> None:
        self._sweep = sweep
        self._engine = engine
        self._variations = Variations(sweep.scenario)
        self._figures = [FIGURES[name].of for name in sweep.outcomes]
        self._people: dict[int, tuple[PopulationSpec, int, Population]] = {}
        self._plans: dict[tuple[str, int], Plan] = {}
        population = sweep.scenario.population
        n_customers = population.customers or 0
        self._is_few = n_customers + n_prospects(population, n_customers) <= FEW

    def __call__(self, point: Point) -> Sequence[Row] | Failed:
        """Return a point's rows, or why there are none.

        Raises:
            InterruptedRun: Who watches the thread ended it on its way.
        """
        try:
            return self._rows(point)
        except InterruptedRun:
            raise
        except Exception as error:  # noqa: BLE001 - one point must not end the others
            return failed(self._sweep, point, error)

    def _rows(self, point: Point) -> list[Row]:
        scenario = self._variations.scenario(point.varied)
        for name in point.policies:
            scenario.policy(name)
        if not (self._is_few and self._has_same_people(scenario)):
            check_run(scenario, self._engine)
        seed = seed_of(self._sweep, point.number)
        return [
            self._row(policy, replication, sums)
            for replication in range(self._sweep.replications)
            for policy, sums in self._runs(scenario, point, seed, replication)
        ]

    def _has_same_people(self, scenario: Scenario) -> bool:
        """Return whether a point changes nothing that customers are drawn from."""
        spec, base = scenario.spec, self._sweep.scenario.spec
        return (
            spec.population is base.population
            and spec.horizon is base.horizon
            and are_same(spec.market, base.market, OF_PEOPLE)
        )

    def _runs(
        self, scenario: Scenario, point: Point, seed: int, replication: int
    ) -> Iterator[tuple[str, Sums]]:
        """Yield what each policy comes to in a replication."""
        if scenario.sites > 1:
            for policy in point.policies:
                firm = simulate_firm(
                    scenario,
                    policy,
                    seed=seed,
                    replication=replication,
                    engine=self._engine,
                )
                yield policy, firm.sums
            return
        each = 1.0 / (self._sweep.replications * (DRAWING + len(point.policies)))
        done = replication / self._sweep.replications
        with part_of_watch(done, DRAWING * each):
            people = self._population(scenario, seed, replication)
        for i, policy in enumerate(point.policies):
            plan = self._plan(scenario, policy, people.n_customers)
            task = SiteTask(scenario, policy, seed, replication, engine=self._engine)
            with part_of_watch(done + (DRAWING + i) * each, each):
                sums = outcome_of(task, plan, people).sums
            yield policy, sums

    def _row(self, policy: str, replication: int, sums: Sums) -> Row:
        figures = tuple(of(sums) for of in self._figures)
        return Row(policy, replication, figures, sums.totals.revenue)

    def _population(
        self, scenario: Scenario, seed: int, replication: int
    ) -> Population:
        """Return a replication's customers; those of the point before, if the same."""
        is_same = self._has_same_people(scenario)
        spec = (self._sweep.scenario if is_same else scenario).population
        known = self._people.get(replication)
        if known is not None and known[0] == spec and known[1] == seed:
            return known[2]
        people = make_population(scenario, seed=seed, replication=replication)
        if len(people.arrival) * self._sweep.replications <= PEOPLE_KEPT:
            self._people[replication] = (spec, seed, people)
        return people

    def _plan(self, scenario: Scenario, policy: str, n_customers: int) -> Plan:
        """Return a policy compiled; what the point has not changed is taken over."""
        spec, base = scenario.spec, self._sweep.scenario.spec
        alike = ("horizon", "start", "strain")
        if any(getattr(spec, name) != getattr(base, name) for name in alike):
            return to_plan(spec, spec.policy[policy], n_customers)
        key = (policy, n_customers)
        plan = self._plans.get(key)
        if plan is None:
            plan = to_plan(base, base.policy[policy], n_customers)
            self._plans[key] = plan
        # Settings that were not changed are the same objects.
        is_same_kinds = spec.mistakes is base.mistakes
        is_same_rest = spec.unanswered is base.unanswered and spec.costs is base.costs
        weekday = int(plan.into_week)
        if not (is_same_kinds and is_same_rest):
            plan = plan._replace(market=to_market(spec, weekday))
        elif spec.market is not base.market:
            plan = plan._replace(market=market_of(plan.market, spec, base, weekday))
        if not is_same_kinds:
            plan = plan._replace(kinds=to_kinds(spec.mistakes))
        settings, known = spec.policy[policy], base.policy[policy]
        if not is_same_kinds or settings is not known:
            own = plan.policy
            for lever in LEVERS:
                # The leakage of an authority hangs on the stakes of mistakes.
                is_same = is_same_kinds or lever != "authority"
                if not is_same or getattr(settings, lever) is not getattr(known, lever):
                    part = policy_part(lever, settings, spec.mistakes, n_customers)
                    own = own._replace(**part)
            plan = plan._replace(policy=own)
        return plan


def market_of(known: Market, spec: Spec, base: Spec, weekday: int) -> Market:
    """Return a market compiled, of which only some settings differ from a known one.

    Args:
        known: The base's.
        spec: What differs in its market alone.
        base: As it was.
        weekday: Of the start, 0 for Monday.
    """
    settings, usual = vars(spec.market), vars(base.market)
    changed = [name for name, value in settings.items() if value is not usual[name]]
    if not all(name in AS_IT_IS or name in LAWS for name in changed):
        return to_market(spec, weekday)
    compiled: dict[str, Any] = {
        name: settings[name] if name in AS_IT_IS else to_law(settings[name])
        for name in changed
    }
    return known._replace(**compiled)


def simulated(sweep: Sweep) -> Simulated:
    """Return what makes the rows of a sweep's points, its log read beforehand."""
    history_of(sweep.scenario)
    return Simulated(sweep)


def seed_of(sweep: Sweep, index: int) -> int:
    """Return the seed of a point: the sweep's own where draws are common."""
    if sweep.draws == "common":
        return sweep.seed
    digest = hashlib.sha256(f"{sweep.seed}:{index}".encode()).digest()
    return int.from_bytes(digest[:8]) >> (64 - SEED_BITS)


def failed(sweep: Sweep, point: Point, error: Exception) -> Failed:
    """Return what is told of a point that came to nothing."""
    is_ours = isinstance(error, ChurnsimError)
    text = str(error) if is_ours else f"{type(error).__name__}: {error}"
    return Failed(" ".join(text.split()), command_of(sweep, point))


def command_of(sweep: Sweep, point: Point) -> str:
    """Return the command that runs a point by itself."""
    words = ["churnsim", "run", sweep.source]
    for name in point.policies:
        words += ["--policy", name]
    words += ["--replications", str(sweep.replications)]
    words += ["--seed", str(seed_of(sweep, point.number))]
    for key, setting in (*sweep.settings.items(), *point.overrides.items()):
        words += ["--set", f"{key}={setting}"]
    return shlex.join(words)
