"""Policies of a scenario run side by side, and what their replications come to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from churnsim.experiment.bound import MistakeShare, mistake_shares
from churnsim.experiment.comparison import Comparison, PolicyFigures
from churnsim.experiment.intervals import Estimate
from churnsim.experiment.losses import MEASURES, Loss, loss_of
from churnsim.experiment.overload import sustainability_warnings
from churnsim.experiment.posterior.ignorance import drawn_warnings
from churnsim.experiment.posterior.uncertain import Uncertain
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
from churnsim.given import refused
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
    uncertain: Uncertain | None = None  # where settings are drawn


def compare(
    scenario: Scenario | Uncertain | str | Path,
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
        scenario: A ready one's name, a file, or what `load_scenario` returned; or one
            of which a posterior tells some settings: each replication is then run under
            one of its draws, and intervals are for what is to be expected of a firm
            that is one of them (see `drawn_estimate`).
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
    uncertain = scenario if isinstance(scenario, Uncertain) else None
    if isinstance(scenario, Uncertain):
        _check_uncertain(overrides, replications)
        loaded = prepared(scenario.scenario, policies, ())
        file = scenario.file
    else:
        loaded, file = prepared(scenario, policies, overrides), file_of(scenario)
    seed = checked_seed(loaded, seed)
    shares = mistake_shares(loaded)
    names = list(dict.fromkeys([loaded.baseline, *(policies or loaded.policy_names)]))
    names.sort(key=loaded.policy_names.index)
    # Before the replications: whoever stops them waits for nothing that could be known.
    foundations = with_ranges(foundations_of(loaded, file, names), loaded, file)
    if uncertain is not None:
        foundations = uncertain.foundations(foundations)
    told: list[str] = []
    if isinstance(replications, Until):
        results = run_until(loaded, names, replications, seed=seed, execution=execution)
        told = shortfall(replications, headline(loaded, results))
    else:
        results = run_replications(
            loaded,
            names,
            replications=replications,
            seed=seed,
            execution=execution,
            uncertain=uncertain,
        )
    grounds = Grounds(
        loaded,
        seed,
        execution.engine,
        shares,
        foundations,
        tuple(standing_warnings(loaded, shares, results.policies)),
        uncertain,
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
            *(drawn_warnings(grounds.uncertain, results) if grounds.uncertain else ()),
            *told,
        ),
        uncertain=grounds.uncertain,
    )


def _check_uncertain(overrides: Overrides, replications: int | Until | None) -> None:
    """Refuse what cannot be asked of a scenario that a posterior tells.

    Raises:
        InputError: Settings to change, or a rule that stops.
    """
    if overrides:
        rule = "must be absent: draws lie over a scenario whose settings are settled"
        hint = "give them where the posterior is laid over the scenario"
        raise refused("overrides", list(overrides), rule, hint)
    if isinstance(replications, Until):
        rule = "must be a number: no replication narrows what is not known of a firm"
        raise refused("replications", "a rule that stops", rule)


def figures_of(scenario: Scenario, results: Replications, policy: str) -> PolicyFigures:
    """Return a policy's figures over its replications, each within its range."""
    rows = results.of(policy)
    figures = {
        name: _estimate_of(results, name, [row.figures[name] for row in rows])
        for name in FIGURES
    }
    title = scenario.policy(policy).title or policy
    return PolicyFigures(policy, title, len(rows), figures)


def _estimate_of(results: Replications, name: str, values: Sequence[Value]) -> Estimate:
    """Return the estimate of a figure, its interval no finer than the figure is.

    Of a value that is the upper edge of its bin, the interval goes from that of the
    lower edges to that of the upper ones: without, a wait that falls in the same bin in
    every replication would seem to be known exactly.
    """
    within = range_of(name)
    found = results.estimate(values, within)
    if name not in BINNED or found.low is None:
        return found
    bins = [None if edge is None else wait_bin(edge) for edge in values]
    lows = [None if held is None else held.low for held in bins]
    highs = [None if held is None else held.high for held in bins]
    low = results.estimate(lows, within).low
    high = results.estimate(highs, within).high
    return Estimate(found.mean, low, high, found.n)


def losses_of(scenario: Scenario, results: Replications) -> list[Loss]:
    """Return what each policy loses against the baseline and against flawless.

    What pairing is worth is not told where settings are drawn: the spread over
    replications is then no luck that pairing could take out.
    """
    found = [
        loss_of(
            results.of(policy),
            results.of(other),
            against,
            measure,
            scenario.horizon,
            results.estimate,
        )
        for against, other in (("baseline", scenario.baseline), ("flawless", FLAWLESS))
        for policy in results.policies
        if policy != other
        for measure in MEASURES
    ]
    if results.lots is None:
        return found
    return [loss._replace(correlation=None, variance_factor=None) for loss in found]
