"""Staffings of one front desk run on the same customers, each once."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from churnsim.errors import InterruptedRun
from churnsim.experiment.failures import Failure
from churnsim.experiment.intervals import FROM_ZERO, SHARE, Estimate, Range, estimate
from churnsim.experiment.replications import (
    THREADS,
    Execution,
    checked_seed,
    numbers_of,
    run_job,
)
from churnsim.experiment.schedule import Row
from churnsim.experiment.staffing.counting import (
    Counted,
    Measured,
    counting,
    measuring,
)
from churnsim.experiment.staffing.record import Gain, Trial
from churnsim.experiment.staffing.searching import Agents
from churnsim.experiment.staffing.shifts import shifts_of, with_agents
from churnsim.experiment.staffing.target import Target
from churnsim.experiment.workers import Job, Keep
from churnsim.given import whole_number
from churnsim.mechanisms.hours import WEEK, front_hours
from churnsim.population import history_of, n_prospects
from churnsim.records import MICRO, Population
from churnsim.scenario import Policy, Scenario
from churnsim.scenario.measures import STAFF_MAX
from churnsim.simulation import daily_wages
from churnsim.units import year_days

TRIED = 5  # staffings that a search takes, as a rule, beside one fewer in each shift


class Effort(NamedTuple):
    """How a staffing is searched."""

    replications: int | None = None  # the scenario's where absent
    seed: int | None = None  # the scenario's where absent
    execution: Execution = THREADS  # engine, threads, progress, a way to stop


class Asked(NamedTuple):
    """A question with all that was left open filled in."""

    scenario: Scenario
    name: str  # of the policy
    policy: Policy
    target: Target


class Stopped(Exception):  # noqa: N818 - no error: what was tried is kept
    """The user stopped the search."""


class Fewer(Exception):  # noqa: N818 - no error: the search goes on without them
    """Replications failed with a staffing, and no longer count with any."""


class Runs:
    """What came of each staffing, by replication."""

    def __init__(self, asked: Asked, effort: Effort) -> None:
        scenario = asked.scenario
        n = effort.replications
        n = scenario.replications if n is None else n
        self.asked = asked
        self.seed = checked_seed(scenario, effort.seed)
        self.numbers = numbers_of(scenario, whole_number("replications", n, 1, 10**6))
        self.failures: dict[int, Failure] = {}
        self.rows: dict[Agents, dict[int, Counted]] = {}  # in the order of the trials
        history = history_of(scenario)
        n_start = scenario.population.customers or 0
        self.n_customers = n_start if history is None else len(history.label)
        self.shifts = shifts_of(asked.policy, self.n_customers)
        n_people = self.n_customers + n_prospects(scenario.population, self.n_customers)
        # With an agent for everybody nobody waits, but for agents who have quit.
        self.top = max(1, min(STAFF_MAX, n_people))
        self._how = effort.execution
        self._stop = effort.execution.stop or threading.Event()

    def measured(self) -> Measured:
        """Return the load of the first replication at the present staffing.

        Raises:
            Stopped: The user stopped it.
        """
        keep = functools.partial(measuring, self.shifts)
        ((row,),) = self._run(self.shifts.present, keep, self.numbers[:1]).values()
        return row

    def try_out(self, agents: Agents) -> None:
        """Run a staffing that was not run yet.

        Raises:
            Stopped: The user stopped it.
            Fewer: Some replications failed.
        """
        if agents in self.rows:
            return
        within = self.asked.target.within
        keep = functools.partial(counting, self.shifts, within)
        rows = self._run(agents, keep, self.numbers)
        self.rows[agents] = {n: row for n, (row,) in rows.items()}
        if len(rows) < len(self.numbers):
            self.numbers = tuple(n for n in self.numbers if n not in self.failures)
            raise Fewer

    def meets(self, agents: Agents) -> tuple[bool, ...]:
        """Return whether each shift meets the target; one that nobody calls in does.

        Raises:
            Stopped: The user stopped it.
            Fewer: Some replications failed.
        """
        self.try_out(agents)
        levels = (self.level(agents, i).mean for i in range(len(agents)))
        return tuple(x is None or x >= self.asked.target.share for x in levels)

    def level(self, agents: Agents, shift: int) -> Estimate:
        """Return the service level of a shift with a staffing that was run.

        Args:
            agents: By shift.
            shift: Its number; −1: of the desk at all hours.
        """
        return self._estimate(
            agents,
            lambda row: (
                int(row.in_time[shift]) / int(row.joined[shift])
                if row.joined[shift]
                else None
            ),
            SHARE,
        )

    def contacts(self, agents: Agents, shift: int) -> Estimate:
        """Return how many join the line in a shift in a week; see `level`."""
        weeks = self.asked.scenario.horizon / WEEK
        value = self._estimate(agents, lambda row: float(row.joined[shift]), FROM_ZERO)
        return value.scaled(1.0 / weeks) if weeks else estimate([])

    def trial(self, agents: Agents) -> Trial:
        """Return what came of a staffing that was run."""
        levels = tuple(self.level(agents, i) for i in range(len(agents)))
        return Trial(agents, levels, self.level(agents, -1), self.wages(agents))

    def wages(self, agents: Agents) -> float:
        """Return what the seats of the front desk cost a year [units of currency]."""
        scenario = self.asked.scenario
        plan = scenario.plan(with_agents(self.asked.policy, agents), self.n_customers)
        a_day = daily_wages(front_hours(plan), scenario.costs.agent_pay)
        return a_day * year_days() / MICRO

    def gain(self, measure: str, agents: Agents) -> Gain:
        """Return what a staffing earns more than the present one, paired.

        Args:
            measure: "revenue" or "contribution".
            agents: A staffing that was run.
        """
        here, there = self.rows[agents], self.rows[self.shifts.present]
        more = [
            (getattr(here[n], measure) - getattr(there[n], measure)) / MICRO
            for n in self.numbers
        ]
        total = estimate(more)
        years = self.asked.scenario.horizon / year_days()
        return Gain(total, total.scaled(1.0 / years) if years else estimate([]))

    def is_idle(self) -> bool:
        """Return whether nobody joined the line with the present staffing."""
        rows = self.rows.get(self.shifts.present, {})
        return all(not row.joined[-1] for row in rows.values())

    def _estimate(
        self, agents: Agents, of: Callable[[Counted], float | None], within: Range
    ) -> Estimate:
        rows = self.rows[agents]
        return estimate([of(rows[n]) for n in self.numbers], within)

    def _run(
        self,
        agents: Agents,
        keeping: Callable[[Population], Keep[Row]],
        numbers: Sequence[int],
    ) -> dict[int, tuple[Row, ...]]:
        """Return what is kept of the replications with a staffing.

        Raises:
            Stopped: The user stopped it.
        """
        asked = self.asked
        policies = {asked.name: with_agents(asked.policy, agents)}
        how = self._how._replace(stop=self._stop, progress=self._progress)
        job = Job(asked.scenario, policies, self.seed, how.engine, keeping)
        try:
            batch = run_job(job, numbers, how)
        except InterruptedRun:
            raise Stopped from None
        if batch.is_stopped:
            raise Stopped
        self.failures.update({f.replication: f for f in batch.failures})
        return batch.rows

    def _progress(self, done: int, _: int) -> None:
        """Tell how many replications are done, of as many as a search usually takes."""
        if self._how.progress is not None:
            n, n_known = len(self.numbers), len(self.rows)
            n_trials = max(TRIED + len(self.shifts.names), n_known + 1)
            self._how.progress(n_known * n + done, n_trials * n)
