"""From a scenario to whether its conclusion survives the ranges of its assumptions."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from churnsim.analysis.boxes import SIGNIFICANT, Box, found_boxes
from churnsim.analysis.responses import Question, Responses, Unit
from churnsim.errors import InputError, InterruptedRun, Problem
from churnsim.experiment.bound import mistake_shares
from churnsim.experiment.preparing import standing_warnings
from churnsim.experiment.replications import checked_seed
from churnsim.experiment.sentences import PER
from churnsim.population import history_of
from churnsim.robustness.points import (
    Losses,
    Outcome,
    Points,
    Refused,
    Stopped,
    sign_of,
)
from churnsim.robustness.record import Conclusion, Extent, Robustness, Tally
from churnsim.robustness.running import in_threads
from churnsim.robustness.turning import Line, line_of
from churnsim.robustness.varied import ASSUMED, Choice, Settings, Span, chosen
from churnsim.robustness.worlds import World, worlds_of
from churnsim.scenario import Scenario, load_scenario
from churnsim.scenario.assemble import Overrides, pairs_of
from churnsim.scenario.grounds import grounds_of
from churnsim.scenario.model import FLAWLESS
from churnsim.sweep.designs import LatinHypercube
from churnsim.sweep.plan import ALWAYS_KEPT, Sweep
from churnsim.sweep.rows import Failed
from churnsim.sweep.running import threads_for
from churnsim.units import year_days

POINTS_FEW = 20  # points from which a box is looked for
CASES_FEW = 5  # turned ones of them
MEASURES = ("revenue", "contribution")

Progress = Callable[[int, int], None]

_T = TypeVar("_T")


class How(NamedTuple):
    """How closely it is asked; threads and progress change no number."""

    points: int = 64  # over the ranges
    replications: int = 4  # at each
    customers: int | None = None  # at the start; the scenario's where absent
    seed: int | None = None  # the scenario's where absent
    grades: str = ASSUMED  # letters of those that are varied
    spans: tuple[Span, ...] = ()  # ranges asked for
    measure: str = "revenue"  # one of MEASURES
    threads: int | None = None  # one a core where absent
    progress: Progress | None = None
    within: Callable[[float], None] | None = None  # the share of the first under way
    stop: threading.Event | None = None  # set it, and no further point is begun


USUAL = How()


class _Found(NamedTuple):
    """What was run."""

    stated: dict[str, Losses]  # by the world's name
    spread: dict[tuple[str, int], Outcome]  # by the world's name and the point's number
    lines: tuple[Line, ...]
    is_stopped: bool


def robust(
    scenario: str | Path, *, overrides: Overrides = (), how: How = USUAL
) -> Robustness:
    """Return whether what policies lose keeps its sign over the assumptions' ranges.

    Points of a Latin hypercube over the ranges are run with either setting for word of
    mouth, and each assumption is moved through its range by itself, all on the same
    customers and luck.

    Args:
        scenario: A ready one's name, or a file.
        overrides: Settings that lie over the file's, the same at every point.
        how: How many points, how often, which grades, which ranges, threads.

    Raises:
        InputError: Settings or ranges that there cannot be, or nothing to compare.
        ResourceError: More memory would be needed than there is.
        InterruptedRun: Stopped before the values that are assumed were run.
    """
    settings = dict(pairs_of(overrides))
    if how.customers is not None:
        settings["population.customers"] = str(how.customers)
    loaded = load_scenario(scenario, overrides=settings)
    shares = mistake_shares(loaded)
    grounds = grounds_of(scenario, overrides)
    choice = chosen(loaded, grounds, how.grades, how.spans, how.measure)
    names = [n for n in loaded.policy_names if n not in {loaded.baseline, FLAWLESS}]
    if not names:
        rule = "must name a policy besides the baseline, to have a conclusion"
        raise InputError(Problem(rule, field="policies", value=loaded.baseline))
    policies = (loaded.baseline, *names)
    sweep = sweep_of(loaded, policies, choice, (settings, str(scenario)), how)
    worlds = worlds_of(loaded)
    n_customers = customers_of(loaded)
    years = n_customers * loaded.horizon / year_days() / 1000.0
    points = Points(sweep, how.measure, years or 1.0)
    found = _run(points, choice, worlds, how)
    return Robustness(
        scenario=loaded,
        extent=Extent(
            how.points,
            _n_whole(found, worlds, how.points),
            how.replications,
            sweep.seed,
            n_customers,
            how.measure,
            how.grades,
            found.is_stopped,
        ),
        choice=choice,
        conclusions=tuple(
            _concluded(points, found, world, name)
            for world in worlds
            if world.name in found.stated
            for name in names
        ),
        lines=found.lines,
        refused=_refused(found),
        failed=tuple(f.error for f in found.spread.values() if isinstance(f, Failed)),
        warnings=tuple(
            _warnings(loaded, standing_warnings(loaded, shares, policies), how)
        ),
    )


def customers_of(scenario: Scenario) -> int:
    """Return how many customers there are at the start, at all sites."""
    history = history_of(scenario)
    if history is not None:
        return len(history.label)
    return (scenario.population.customers or 0) * scenario.sites


def sweep_of(
    scenario: Scenario,
    policies: tuple[str, ...],
    choice: Choice,
    told: tuple[Mapping[str, str], str],
    how: How,
) -> Sweep:
    """Return the sweep that the points are of.

    Args:
        scenario: With the settings that all points share.
        policies: That are run, the baseline first.
        choice: What is varied.
        told: Settings as typed, and how the scenario was named.
        how: Says how often.
    """
    from churnsim.sweep.designs import Sampled

    factors = tuple(varied.factor for varied in choice.varied)
    seed = checked_seed(scenario, how.seed)
    cube = LatinHypercube(len(factors), max(1, how.points), seed)
    return Sweep(
        name=scenario.name,
        title=scenario.title,
        text="",
        scenario=scenario,
        source=told[1],
        settings=told[0],
        factors=factors,
        design=Sampled("latin_hypercube", factors, cube, how.points),
        meaning="latin_hypercube",
        policies=policies,
        replications=how.replications,
        seed=seed,
        draws="common",
        outcomes=ALWAYS_KEPT,
    )


def _run(points: Points, choice: Choice, worlds: Sequence[World], how: How) -> _Found:
    """Run the values assumed, then the points and the lines, until done or stopped."""
    stop = points.stop = how.stop or points.stop
    n_threads = threads_for(points.sweep, how.threads)
    n_points = len(worlds) * (how.points + 1) + 2 * len(choice.varied)

    def tell() -> None:
        if how.progress is not None:
            how.progress(points.n_done, max(n_points, points.n_done))

    def finished(tasks: Sequence[Callable[[], _T]]) -> dict[int, _T]:
        done = {}
        begun = [functools.partial(_unless_stopped, task) for task in tasks]
        for number, result in in_threads(begun, n_threads, stop, how.within):
            if result is not None:
                done[number] = result
            tell()
        return done

    tell()
    stated_at = finished([functools.partial(points.at, w.settings) for w in worlds])
    stated = {}
    for i, outcome in stated_at.items():
        if isinstance(outcome, dict):
            stated[worlds[i].name] = outcome
        elif worlds[i].is_own:
            raise _impossible(outcome)
    own = stated.get(worlds[0].name)
    if own is None:
        raise InterruptedRun("stopped before the values that are assumed were run")
    marks = [(w, i) for i in range(how.points) for w in worlds]
    tasks: list[Callable[[], Outcome | Line]] = [
        functools.partial(points.at, settings_at(points.sweep, choice, i) | w.settings)
        for w, i in marks
    ]
    tasks += [functools.partial(line_of, points, v, own) for v in choice.varied]
    done = finished(tasks)
    spread: dict[tuple[str, int], Outcome] = {}
    lines: list[Line] = []
    for number in sorted(done):
        result = done[number]
        if isinstance(result, Line):
            lines.append(result)
        else:
            world, i = marks[number]
            spread[world.name, i] = result
    is_stopped = len(done) < len(tasks) or len(stated_at) < len(worlds)
    return _Found(stated, spread, tuple(lines), is_stopped)


def _unless_stopped(task: Callable[[], _T]) -> _T | None:
    """Return what a task returns; None where it was stopped on its way."""
    try:
        return task()
    except Stopped:
        return None


def settings_at(sweep: Sweep, choice: Choice, index: int) -> Settings:
    """Return all that is varied at a point of the hypercube."""
    settings: Settings = {}
    for varied, level in zip(choice.varied, sweep.design.levels(index), strict=True):
        settings |= varied.settings(level)
    return settings


def _concluded(points: Points, found: _Found, world: World, policy: str) -> Conclusion:
    """Return what a policy loses in a world, and whether that survives."""
    stated = found.stated[world.name][policy]
    sign = sign_of(stated)
    if sign == 0:
        return Conclusion(world, policy, stated, None, None)
    losses = {
        i: outcome[policy]
        for (name, i), outcome in sorted(found.spread.items())
        if name == world.name and isinstance(outcome, dict)
    }
    signs = [sign * sign_of(loss) for loss in losses.values()]
    turned = {i: sign * (loss.mean or 0.0) <= 0.0 for i, loss in losses.items()}
    tally = Tally(signs.count(1), signs.count(-1), signs.count(0), sum(turned.values()))
    means = {i: loss.mean or 0.0 for i, loss in losses.items()}
    box = _box(points.sweep, means, turned, policy)
    return Conclusion(world, policy, stated, tally, box)


def _box(
    sweep: Sweep, means: Mapping[int, float], turned: Mapping[int, bool], policy: str
) -> Box | None:
    """Return the assumptions that turn a conclusion together; None: no such box.

    With many assumptions chance alone finds sides, so each is held to the level that
    all of them together have.
    """
    is_case = np.array(list(turned.values()), dtype=np.bool_)
    if len(is_case) < POINTS_FEW or not CASES_FEW <= is_case.sum() < len(is_case):
        return None
    numbers = np.array([sweep.design.numbers(i) for i in turned], dtype=np.float64)
    responses = Responses(
        question=Question("revenue", policy, sweep.scenario.baseline),
        unit=Unit("money", sweep.scenario.currency, PER, 1.0),
        points=np.array(list(turned), dtype=np.int64),
        numbers=numbers,
        y=np.array([[mean] for mean in means.values()], dtype=np.float64),
        n_points=sweep.n_points,
        n_unfinished=0,
        n_failed=0,
        n_absent=sweep.n_points - len(is_case),
    )
    boxes, _, _ = found_boxes(sweep, responses, is_case, None, (1, None))
    level = SIGNIFICANT / len(sweep.factors)
    if not boxes or any(side.quasi_p > level for side in boxes[0].restrictions):
        return None
    return boxes[0]


def _n_whole(found: _Found, worlds: Sequence[World], n_points: int) -> int:
    """Return how many points are finished in every world."""
    return sum(
        all((world.name, i) in found.spread for world in worlds)
        for i in range(n_points)
    )


def _refused(found: _Found) -> dict[str, int]:
    """Return how many points there cannot be, by the rule that they break.

    A point that is refused with either word of mouth is one.
    """
    by_point: dict[int, str] = {}
    for (_, i), outcome in sorted(found.spread.items()):
        if isinstance(outcome, Refused):
            by_point[i] = outcome.reason
    counts: dict[str, int] = {}
    for reason in by_point.values():
        counts[reason] = counts.get(reason, 0) + 1
    return counts


def _impossible(outcome: Outcome) -> InputError:
    """Return the error that the values assumed cannot be run."""
    text = outcome.error if isinstance(outcome, Failed) else str(outcome)
    return InputError(Problem(f"must be a scenario that can be run: {text}"))


def _warnings(scenario: Scenario, standing: list[str], how: How) -> list[str]:
    """Return what to keep in mind."""
    told = list(standing)
    grows = any(
        getattr(policy.speed.agents, "per_thousand", None) is not None
        for policy in scenario.spec.policy.values()
    )
    if how.customers is not None and grows:
        told.append(
            "with fewer customers a desk has fewer seats, at least one, and is less"
            " busy or busier: lines are not those of the whole firm"
        )
    if how.replications < 3:
        told.append(f"{how.replications} replications: hardly any sign can be sure")
    return told
