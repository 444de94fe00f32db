"""Figures of simulated firms on common draws, with their Monte Carlo error.

At every value of the parameters the seed, the replications and the customers are the
same, so that figures are functions of the parameters without luck of their own. What
luck all values share is told by the replications.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from churnsim.calibration.figures import N_SUMS, Figure, Seen, value_of
from churnsim.calibration.parameters import levels_at
from churnsim.engines.outcome import Outcome
from churnsim.errors import InputError, InterruptedRun, Problem
from churnsim.experiment.replications import Execution, run_job
from churnsim.experiment.workers import Job, Keep
from churnsim.records import Floats, Integers, Population
from churnsim.scenario import Scenario
from churnsim.simulation import with_events
from churnsim.sweep.factors import Factor
from churnsim.sweep.points import Variations

# From places (n, k) in the unit cube to sums (n, r, m, N_SUMS).
World = Callable[[Floats], Floats]
Row = tuple[float, ...]


class Moments(NamedTuple):
    """Figures at some places, of all replications together."""

    places: Floats  # (n, k) in the unit cube
    values: Floats  # (n, m); nan: nothing to divide by
    around: Floats  # (n, r, m) what each replication adds: pseudo-values less the value

    @property
    def errors(self) -> Floats:
        """Return the Monte Carlo standard errors, (n, m)."""
        r = self.around.shape[1]
        found: Floats = np.sqrt((self.around**2).sum(axis=1) / (r * (r - 1)))
        return found

    def with_more(self, more: Moments) -> Moments:
        """Return these and more."""
        return Moments(*(np.concatenate(both) for both in zip(self, more, strict=True)))

    def at(self, chosen: Integers) -> Moments:
        """Return some of them."""
        return Moments(*(part[chosen] for part in self))


def moments_of(places: Floats, sums: Floats) -> Moments:
    """Return figures of the sums of replications, with the jackknife's pseudo-values.

    Args:
        places: (n, k).
        sums: (n, r, m, N_SUMS), by replication.
    """
    r = sums.shape[1]
    total = sums.sum(axis=1, keepdims=True)
    values = value_of(total)  # (n, 1, m)
    without = value_of(total - sums)
    pseudo = r * values - (r - 1) * without
    around = pseudo - pseudo.mean(axis=1, keepdims=True)
    return Moments(places, values[:, 0, :], around)


class Simulated:
    """The firms of a scenario at places of the unit cube, simulated."""

    def __init__(
        self,
        scenario: Scenario,
        policy: str,
        parameters: Sequence[Factor],
        figures: Sequence[Figure],
        draws: Draws,
    ) -> None:
        self._variations = Variations(scenario)
        self._policy = policy
        self._parameters = tuple(parameters)
        self._figures = tuple(figures)
        self._draws = draws
        self._needs_log = any(figure.needs_log for figure in figures)
        self.n_done = 0  # runs

    def __call__(self, places: Floats) -> Floats:
        """Return the sums of figures, (n, r, m, N_SUMS).

        Raises:
            InputError: Settings that exclude each other.
            InterruptedRun: Stopped before all was done.
        """
        scenarios = [self._scenario(place) for place in places]
        r, m = self._draws.replications, len(self._figures)
        found = np.empty((len(places), r, m, N_SUMS))
        for alike in _with_same_people(scenarios):
            rows = self._run([scenarios[i] for i in alike])
            found[alike] = rows.reshape(len(alike), r, m, N_SUMS)
        return found

    def _scenario(self, place: Floats) -> Scenario:
        levels = levels_at(self._parameters, place)
        try:
            return self._variations.scenario(levels)
        except InputError as error:
            values = ", ".join(f"{key} = {level.text}" for key, level in levels.items())
            told = error.problems[0]
            rule = f"must be possible together: {values}; {told.field}: {told.rule}"
            hint = "narrow the ranges"
            raise InputError(Problem(rule, field="parameter", hint=hint)) from None

    def _run(self, scenarios: Sequence[Scenario]) -> Floats:
        """Return rows (n, r, m N_SUMS) of scenarios that have the same people."""
        draws, n = self._draws, len(scenarios)
        labels = [str(i) for i in range(n)]
        named = dict(zip(labels, scenarios, strict=True))
        job: Job[Row] = Job(
            scenarios[0],
            {label: firm.policy(self._policy) for label, firm in named.items()},
            draws.seed,
            "kernel",
            self._keeping,
            elsewhere=named,
        )
        n_before = self.n_done

        def progress(done: int, _: int) -> None:
            self.n_done = n_before + done * n
            if draws.execution.progress is not None:
                draws.execution.progress(self.n_done, draws.n_runs)

        how = draws.execution._replace(progress=progress, stop=draws.stop)
        batch = run_job(job, draws.replications, how)
        if batch.failures:
            raise batch.failures[0].error
        if batch.is_stopped:
            raise InterruptedRun("stopped before all parameter values were simulated")
        return np.array(list(batch.rows.values())).swapaxes(0, 1)

    def _keeping(self, _: Population) -> Keep[Row]:
        def keep(_: str, outcome: Outcome) -> Row:
            seen = Seen(with_events(outcome) if self._needs_log else outcome)
            return tuple(x for figure in self._figures for x in figure.of(seen))

        return keep


class Draws(NamedTuple):
    """What all places have in common."""

    seed: int
    replications: int
    n_runs: int  # that there will be, for who asks how far it is
    execution: Execution
    stop: threading.Event


def _with_same_people(scenarios: Sequence[Scenario]) -> list[list[int]]:
    """Return which scenarios draw the same customers."""
    groups: list[list[int]] = []
    for i, scenario in enumerate(scenarios):
        for group in groups:
            if scenarios[group[0]].population == scenario.population:
                group.append(i)
                break
        else:
            groups.append([i])
    return groups
