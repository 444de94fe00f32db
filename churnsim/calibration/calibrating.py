"""Fitting a scenario to what a firm has observed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from churnsim.calibration.fitting import Effort, Fit, NoData, fit, places_min
from churnsim.calibration.identifiability import UNTOLD, identifiability
from churnsim.calibration.likelihood import Observed
from churnsim.calibration.moments import Draws, Simulated
from churnsim.calibration.parameters import numbers_at, parameters_of
from churnsim.calibration.record import Calibration, Fitted, Met
from churnsim.calibration.sampling import sample
from churnsim.calibration.targets import Target, Targets, read_targets, require_policy
from churnsim.errors import InputError, Problem
from churnsim.experiment.intervals import CONFIDENCE
from churnsim.experiment.preparing import prepared
from churnsim.experiment.replications import THREADS, Execution, checked_seed
from churnsim.given import whole_number
from churnsim.records import Floats
from churnsim.scenario import Scenario
from churnsim.scenario.assemble import Overrides
from churnsim.simulation import require_one_site
from churnsim.sweep.factors import Factor

RUNS = 2000
REPLICATIONS = 20
REPLICATIONS_MIN = 5  # fewer tell next to nothing of their own spread
DRAWS = 1000
NOTED_LUCK = 0.5  # of a target's error from which luck of the runs is worth a word
NOTED_EMULATOR = 0.5  # of a target's error from which the emulator's is
AT_AN_END = 0.02  # of the range, from either end
SEED_BITS = 53


class Plan(NamedTuple):
    """How much is simulated, and how."""

    simulations: int = RUNS  # runs in all
    replications: int = REPLICATIONS  # of each value of the parameters
    draws: int = DRAWS  # of the posterior
    seed: int | None = None  # the scenario's where absent
    execution: Execution = THREADS


USUAL = Plan()


def calibrate(
    scenario: Scenario | str | Path,
    targets: Targets | str | Path,
    parameters: Sequence[str],
    *,
    overrides: Overrides = (),
    plan: Plan = USUAL,
) -> Calibration:
    """Return a scenario's parameters fitted to what a firm has observed.

    The prior is even over each range (over its logarithm where that is asked for). The
    posterior counts the errors of the targets, the luck of the runs and what is not
    known between the values simulated.

    Args:
        scenario: A ready one's name, a file, or what `load_scenario` returned.
        targets: A file, or what `read_targets` returned.
        parameters: Such as "market.lock_in=2..5"; "log" behind it evens the logarithm.
        overrides: Settings that lie over the file's.
        plan: How much is simulated, with which seed, how.

    Raises:
        InputError: What is given cannot be, or a target has no data in any run.
        InterruptedRun: Stopped before there was anything to fit.
    """
    aims = targets if isinstance(targets, Targets) else read_targets(targets)
    loaded = prepared(scenario, None, overrides)
    require_policy(aims, loaded.policy_names)
    require_one_site(loaded, "figures of single customers")
    _check_outcomes(aims, loaded)
    factors = parameters_of(parameters, loaded, aims.policy)
    replications = whole_number(
        "replications", plan.replications, REPLICATIONS_MIN, 10**6
    )
    n_runs = whole_number("simulations", plan.simulations, 1, 10**9)
    n_draws = whole_number("draws", plan.draws, 20, 10**6)
    seed = checked_seed(loaded, plan.seed)
    least = places_min(len(factors)) * replications
    if n_runs < least:
        rule = f"must be at least {least:,} with {replications} replications of each"
        hint = f"{len(factors)} parameters need {places_min(len(factors))} values"
        raise InputError(Problem(rule, field="simulations", value=n_runs, hint=hint))
    n_places = n_runs // replications
    stop = plan.execution.stop or threading.Event()
    draws = Draws(seed, replications, n_places * replications, plan.execution, stop)
    figures = [target.figure for target in aims.targets]
    world = Simulated(loaded, aims.policy, factors, figures, draws)
    observed = Observed(
        np.array([target.value for target in aims.targets]),
        np.array([target.error for target in aims.targets]),
    )
    small = seed % 2**SEED_BITS
    effort = Effort(n_places, small)
    found = fit(world, observed, len(factors), effort, _no_data(aims, loaded))
    cloud = sample(found.likelihood.log, len(factors), n_draws, small)
    return _record(found, cloud, factors, aims, (loaded, seed, replications))


def _record(
    found: Fit,
    cloud: Floats,
    factors: tuple[Factor, ...],
    aims: Targets,
    of: tuple[Scenario, int, int],
) -> Calibration:
    """Return what a fit comes to."""
    likelihood = found.likelihood
    scenario, seed, replications = of
    best = likelihood.moments.places[found.best]
    numbers = np.array([numbers_at(factors, place) for place in cloud])
    outside = 0.5 * (1.0 - CONFIDENCE)
    low, middle, high = np.quantile(numbers, [outside, 0.5, 1.0 - outside], axis=0)
    values = numbers_at(factors, best)
    fitted = tuple(
        Fitted(factor, values[i], float(middle[i]), float(low[i]), float(high[i]))
        for i, factor in enumerate(factors)
    )
    figures, deviations = likelihood.figures(cloud)
    reach = np.quantile(figures, [outside, 1.0 - outside], axis=0)
    luck = np.sqrt(np.diagonal(likelihood.luck))
    simulated = likelihood.moments.values[found.best]
    targets = tuple(
        Met(
            target,
            float(simulated[j]),
            float(luck[j]),
            float((simulated[j] - target.value) / np.hypot(target.error, luck[j])),
            float(reach[0, j]),
            float(reach[1, j]),
        )
        for j, target in enumerate(aims.targets)
    )
    known = identifiability(likelihood, best, cloud, found.idle, factors)
    n_values = len(likelihood.moments.places) + found.n_empty
    warnings = [
        *_warnings(found, targets, np.median(deviations, axis=0), len(factors)),
        *_at_an_end(fitted, best, known.left),
    ]
    return Calibration(
        scenario,
        aims.policy,
        fitted,
        targets,
        cloud,
        known,
        seed,
        replications,
        n_values,
        found.is_stopped,
        tuple(warnings),
    )


def _warnings(
    found: Fit, targets: Sequence[Met], deviations: Floats, n_parameters: int
) -> list[str]:
    """Return what the reader ought to know."""
    told = []
    if n_parameters > len(targets):
        told.append(
            f"{n_parameters} parameters and {len(targets)} target"
            f"{'' if len(targets) == 1 else 's'}: fewer targets than parameters cannot"
            " determine them all"
        )
    if found.n_empty:
        told.append(
            f"{found.n_empty} values of the parameters gave no data for some target and"
            " were left out: their part of the ranges is judged by its neighbours"
        )
    lucky = [m.target.title for m in targets if m.error > NOTED_LUCK * m.target.error]
    if lucky:
        told.append(
            f"luck of the runs is more than half of the error of {', '.join(lucky)}:"
            " more replications or customers would narrow the intervals"
        )
    rough = [
        met.target.title
        for met, deviation in zip(targets, deviations, strict=True)
        if deviation > NOTED_EMULATOR * np.hypot(met.target.error, met.error)
    ]
    if rough:
        told.append(
            f"{', '.join(rough)} are known only roughly between the values that were"
            " simulated: more simulations would narrow the intervals"
        )
    return told


def _at_an_end(
    fitted: Sequence[Fitted], best: Floats, left: Sequence[float]
) -> list[str]:
    """Return which parameters would go on beyond their ranges."""
    ends = [
        one.factor.field
        for one, place, spread in zip(fitted, best, left, strict=True)
        if not AT_AN_END < place < 1.0 - AT_AN_END and spread < UNTOLD
    ]
    if not ends:
        return []
    verb, whose = ("fits", "its") if len(ends) == 1 else ("fit", "their")
    where = f"{verb} best at an end of {whose} range"
    return [f"{', '.join(ends)} {where}: a wider one may fit better"]


def _no_data(aims: Targets, scenario: Scenario) -> NoData:
    """Return what makes the error about figures without data."""

    def error(empty: Sequence[int]) -> InputError:
        problems = []
        for j in empty:
            target: Target = aims.targets[j]
            rule = (
                f"must be something that runs of {scenario.name} under {aims.policy}"
                f" have: {target.title} has no data at nearly all parameter values"
            )
            hint = "leave it out, or take more customers or a longer horizon"
            problems.append(target.place.problem(rule, hint=hint))
        return InputError(*problems)

    return error


def _check_outcomes(aims: Targets, scenario: Scenario) -> None:
    """Refuse outcomes that runs cannot tell apart.

    Raises:
        InputError: What is quick differs between kinds of mistakes, and the event log
            does not tell which kind one was.
    """
    tolerances = {mistake.tolerance for mistake in scenario.spec.mistakes}
    if len(tolerances) < 2:
        return
    for target in aims.targets:
        if target.name in {"repurchase.resolved", "repurchase.quick"}:
            rule = (
                "must be absent: what is quick differs between the mistakes of"
                f" {scenario.name}, and runs do not tell which of them one was"
            )
            hint = "give all mistakes one tolerance, or leave the target out"
            raise InputError(target.place.problem(rule, hint=hint))
