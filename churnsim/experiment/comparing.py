"""Policies of a scenario run side by side, and what their replications come to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from churnsim.experiment.bound import MistakeShare, mistake_shares
from churnsim.experiment.comparison import Comparison, PolicyFigures
from churnsim.experiment.intervals import Estimate, estimate
from churnsim.experiment.losses import MEASURES, Loss, loss_of
from churnsim.experiment.overload import sustainability_warnings
from churnsim.experiment.preparing import (
    extent_warnings,
    file_of,
    prepared,
    standing_warnings,
)
from churnsim.experiment.replications import (
    THREADS,
    Execution,
    Replications,
    checked_execution,
    checked_seed,
    run_replications,
)
from churnsim.experiment.sequential import Until, headline, run_until, shortfall
from churnsim.experiment.summary import BINNED, FIGURES, Value, range_of, wait_bin
from churnsim.scenario import Scenario
from churnsim.scenario.assemble import Overrides
from churnsim.scenario.assumptions import Foundation, foundations_of
from churnsim.scenario.grounds import with_ranges
from churnsim.scenario.model import FLAWLESS


class Grounds(NamedTuple):
    """What a comparison rests on, however many replications it has."""

    scenario: Scenario
    seed: int
    engine: str
    mistake_shares: tuple[MistakeShare, ...]  # of all the scenario's policies
    foundations: tuple[Foundation, ...]
    warnings: tuple[str, ...]


def compare(
    scenario: Scenario | str | Path,
    *,
    policies: Sequence[str] | None = None,
    replications: int | Until | None = None,
    seed: int | None = None,
    overrides: Overrides = (),
    execution: Execution = THREADS,
) -> Comparison:
    """Return the policies of a scenario compared, paired by replication.

    Ctrl-C keeps the replications that are finished.

    Args:
        scenario: A ready one's name, a file, or what `load_scenario` returned.
        policies: The scenario's where absent; its baseline and flawless are always run.
        replications: How many, or until when; the scenario's where absent.
        seed: The scenario's where absent.
        overrides: Settings that lie over the file's.
        execution: Engine, threads, progress, a way to stop.

    Raises:
        InputError: Settings that there cannot be, or that contradict observed churn.
        ResourceError: More memory would be needed than there is.
        InterruptedRun: Stopped before any replication was finished.
    """
    checked_execution(execution)
    loaded = prepared(scenario, policies, overrides)
    seed = checked_seed(loaded, seed)
    shares = mistake_shares(loaded)
    names = list(dict.fromkeys([loaded.baseline, *(policies or loaded.policy_names)]))
    names.sort(key=loaded.policy_names.index)
    # Before the replications: whoever stops them waits for nothing that could be known.
    file = file_of(scenario)
    foundations = with_ranges(foundations_of(loaded, file, names), loaded, file)
    told: list[str] = []
    if isinstance(replications, Until):
        results = run_until(loaded, names, replications, seed=seed, execution=execution)
        told = shortfall(replications, headline(loaded, results))
    else:
        results = run_replications(
            loaded, names, replications=replications, seed=seed, execution=execution
        )
    grounds = Grounds(
        loaded,
        seed,
        execution.engine,
        shares,
        foundations,
        tuple(standing_warnings(loaded, shares, results.policies)),
    )
    return comparison_of(grounds, results, told)


def comparison_of(
    grounds: Grounds, results: Replications, told: Sequence[str] = ()
) -> Comparison:
    """Return what replications come to.

    Args:
        grounds: What they rest on.
        results: At least one replication.
        told: Warnings of one's own, which come last.
    """
    scenario = grounds.scenario
    return Comparison(
        scenario=scenario,
        seed=grounds.seed,
        engine=grounds.engine,
        replications=results,
        policies={
            name: figures_of(scenario, results, name) for name in results.policies
        },
        losses=tuple(losses_of(scenario, results)),
        mistake_shares=tuple(
            share
            for share in grounds.mistake_shares
            if share.policy in results.policies
        ),
        foundations=grounds.foundations,
        warnings=(
            *grounds.warnings,
            *sustainability_warnings(scenario, results),
            *extent_warnings(len(results.finished)),
            *told,
        ),
    )


def figures_of(scenario: Scenario, results: Replications, policy: str) -> PolicyFigures:
    """Return a policy's figures over its replications, each within its range."""
    rows = results.of(policy)
    figures = {
        name: _estimate_of(name, [row.figures[name] for row in rows])
        for name in FIGURES
    }
    title = scenario.policy(policy).title or policy
    return PolicyFigures(policy, title, len(rows), figures)


def _estimate_of(name: str, values: Sequence[Value]) -> Estimate:
    """Return the estimate of a figure, its interval no finer than the figure is.

    Of a value that is the upper edge of its bin, the interval goes from that of the
    lower edges to that of the upper ones: without, a wait that falls in the same bin in
    every replication would seem to be known exactly.
    """
    within = range_of(name)
    found = estimate(values, within)
    if name not in BINNED or found.low is None:
        return found
    bins = [wait_bin(edge) for edge in values if edge is not None]
    low = estimate([held.low for held in bins], within).low
    high = estimate([held.high for held in bins], within).high
    return Estimate(found.mean, low, high, found.n)


def losses_of(scenario: Scenario, results: Replications) -> list[Loss]:
    """Return what each policy loses against the baseline and against flawless."""
    return [
        loss_of(
            results.of(policy), results.of(other), against, measure, scenario.horizon
        )
        for against, other in (("baseline", scenario.baseline), ("flawless", FLAWLESS))
        for policy in results.policies
        if policy != other
        for measure in MEASURES
    ]
