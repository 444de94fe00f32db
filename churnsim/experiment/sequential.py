"""Replications until the answer is precise enough, or the time is up.

The loss in the headline is looked at after a first batch and again whenever as many
replications are done as the last look called for. With precision alone the number of
replications is a function of the results, and so the same on any machine.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from churnsim.errors import InputError, InterruptedRun, Problem
from churnsim.experiment.intervals import Estimate
from churnsim.experiment.losses import loss_of
from churnsim.experiment.replications import (
    Execution,
    Replications,
    run_replications,
)
from churnsim.given import refused, whole_number
from churnsim.scenario import Scenario
from churnsim.scenario.model import FLAWLESS

MEASURE = "revenue"
FIRST = 30  # replications before a look: fewer stop on a spread that looks small
AT_FIRST_IN_TIME = 4  # replications from which the time of one is learnt
GROWTH_MAX = 2.0  # between looks: an early guess of the variance may be far off
GROWTH_MIN = 1.1
SPARE = 0.9  # share of the time left that is planned for
MOST = 100_000  # replications


class Until(NamedTuple):
    """When to stop: at a precision, when the time is up, or whichever comes first.

    The half-width is that of the 95 % interval of the largest loss of revenue against
    the baseline, or against flawless where nothing else is compared.
    """

    half_width: float | None = None  # a share of the loss, or an amount
    is_share: bool = True  # else units of currency, a year per 1,000 customers
    budget: float | None = None  # [s], after which no further batch begins
    first: int | None = None  # replications before the first look


class Batch(NamedTuple):
    """What is known as a batch begins."""

    done: int  # replications before it
    target: int  # with it
    precise: float | None  # that the precision seems to take; None: not known yet
    began: float  # the first batch, by the monotonic clock [s]


def run_until(
    scenario: Scenario,
    policies: Sequence[str],
    until: Until,
    *,
    seed: int | None = None,
    execution: Execution,
) -> Replications:
    """Return the replications that it takes, as `run_replications` does.

    Raises:
        InputError: A half-width, budget or number that there cannot be.
        ResourceError: More memory would be needed than there is.
        InterruptedRun: Stopped before any replication was finished.
    """
    checked(until)
    began = time.monotonic()
    results: Replications | None = None
    done, target = 0, first_batch(until)
    loss: Estimate | None = None
    while done < target:
        numbers = range(done, target)
        batch = Batch(done, target, precise(until, loss, done), began)
        how = execution._replace(progress=shifted(execution, until, batch))
        try:
            more = run_replications(
                scenario, policies, replications=numbers, seed=seed, execution=how
            )
        except InterruptedRun:
            if results is None:
                raise
            more = results._replace(
                runs=(), asked=tuple(numbers), failures=(), is_stopped=True
            )
        results = more if results is None else joined(results, more)
        if results.is_stopped or results.failures:
            break
        done = target
        spent = time.monotonic() - began
        loss = headline(scenario, results)
        target = next_target(until, loss, done, spent)
    if results is None:
        raise InputError(Problem("must be at least 1", field="replications"))
    if execution.progress is not None and not results.is_stopped:
        execution.progress(done, done)  # only the last look tells that it was the last
    return results


def checked(until: Until) -> None:
    """Refuse what cannot be reached.

    Raises:
        InputError: Neither precision nor time are limited, or not by what is above 0.
    """
    for field in ("half_width", "budget"):
        value = getattr(until, field)
        is_number = isinstance(value, int | float)
        if value is not None and not (is_number and 0.0 < value < math.inf):
            raise refused(field, value, "must be a number above 0")
    if until.half_width is None and until.budget is None:
        rule = "must say a half-width, a budget or both"
        raise InputError(Problem(rule, field="replications"))
    if until.first is not None:
        whole_number("first", until.first, 2, MOST)


def first_batch(until: Until) -> int:
    """Return how many replications come before the first look."""
    if until.first is not None:
        return until.first
    return FIRST if until.budget is None else AT_FIRST_IN_TIME


def next_target(until: Until, loss: Estimate | None, done: int, spent: float) -> int:
    """Return how many replications to have at the next look; `done` is the end.

    Args:
        until: When to stop.
        loss: What has been learnt; None: nothing is compared.
        done: Replications so far, at least 1.
        spent: On them [s].
    """
    target = MOST
    if until.half_width is not None:
        needed = n_needed(until, loss, done)
        if needed <= done:
            return done
        target = min(target, needed)
    if until.budget is not None:
        left = SPARE * (until.budget - spent)
        target = min(target, done + max(0, math.floor(left * done / max(spent, 1e-9))))
    largest = math.floor(GROWTH_MAX * done)
    return max(done, min(target, max(largest, FIRST)))


def n_needed(until: Until, loss: Estimate | None, done: int) -> int:
    """Return how many replications to look after next; `done` if it is precise."""
    if loss is None or until.half_width is None:
        return done
    guess = precise(until, loss, done)
    if guess is None:
        return max(FIRST, done + 1)
    if guess <= done:
        return done
    guess = min(guess, GROWTH_MAX * done)
    return min(MOST, max(math.ceil(guess), math.ceil(GROWTH_MIN * done)))


def precise(until: Until, loss: Estimate | None, done: int) -> float | None:
    """Return how many replications the precision seems to take; None: not known yet.

    Half-widths shrink with the root of the number.
    """
    if loss is None or until.half_width is None or done < FIRST:
        return None
    if loss.low is None or loss.high is None or loss.mean is None:
        return None
    reach = 0.5 * (loss.high - loss.low)
    wanted = until.half_width * (abs(loss.mean) if until.is_share else 1.0)
    if reach <= wanted:
        return float(done)
    return min(float(MOST), done * (reach / wanted) ** 2) if wanted else float(MOST)


def expected(until: Until, batch: Batch, done: int, spent: float) -> int:
    """Return how many replications there will be at the end; 0: not known yet.

    From the precision as of the last look, from the time that is left, or whichever
    comes first.

    Args:
        until: When to stop.
        batch: What was known as it began.
        done: Replications so far.
        spent: On them [s].
    """
    ends = [] if batch.precise is None else [batch.precise]
    if until.budget is not None and done:
        ends.append(done * until.budget / max(spent, 1e-9))
    return max(done, batch.target, math.ceil(min(ends))) if ends else 0


def headline(scenario: Scenario, results: Replications) -> Estimate | None:
    """Return the largest loss a year per 1,000 customers, if anything is compared."""
    base = scenario.baseline
    others = [name for name in results.policies if name not in {base, FLAWLESS}]
    against = ("baseline", base)
    if not others:
        others, against = [base], ("flawless", FLAWLESS)
    if against[1] == others[0]:
        return None
    losses = [
        loss_of(
            results.of(name),
            results.of(against[1]),
            against[0],
            MEASURE,
            scenario.horizon,
            results.estimate,
        )
        for name in others
    ]
    return max(losses, key=lambda loss: loss.total.mean or 0.0).yearly


def shortfall(until: Until, loss: Estimate | None) -> list[str]:
    """Return a warning where the interval is wider than asked for."""
    if until.half_width is None or loss is None:
        return []
    if loss.low is None or loss.high is None or loss.mean is None:
        return []
    reach = 0.5 * (loss.high - loss.low)
    whole = abs(loss.mean) if until.is_share else 1.0
    if reach <= until.half_width * whole:
        return []
    if whole == 0.0:
        return ["there is no loss that the interval could be a share of"]
    got, asked = (
        f"{x:.2%} of the loss" if until.is_share else f"{x:,.2f}"
        for x in (reach / whole, until.half_width)
    )
    return [f"half the interval of the loss is {got}, not the {asked} asked for"]


def joined(early: Replications, late: Replications) -> Replications:
    """Return two batches of the same policies as one."""
    return Replications(
        early.policies,
        early.runs + late.runs,
        early.asked + late.asked,
        early.failures + late.failures,
        late.is_stopped,
        early.lots,
    )


def shifted(
    execution: Execution, until: Until, batch: Batch
) -> Callable[[int, int], None] | None:
    """Return progress of a batch as progress of the whole."""
    tell = execution.progress
    if tell is None:
        return None

    def told(now: int, _: int) -> None:
        done = batch.done + now
        spent = time.monotonic() - batch.began
        tell(done, expected(until, batch, done, spent))

    return told
