"""Replications until the answer is precise enough, or the time is up."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from churnsim.errors import InputError
from churnsim.experiment import Execution, Until, compare, estimate
from churnsim.experiment.intervals import Estimate
from churnsim.experiment.sequential import (
    FIRST,
    Batch,
    expected,
    first_batch,
    n_needed,
    next_target,
    precise,
    shortfall,
)
from churnsim.scenario import Scenario

Draws = Callable[[np.random.Generator, int], NDArray[Any]]


def normal(generator: np.random.Generator, n: int) -> NDArray[Any]:
    """Return losses with mean 1 and standard deviation .5."""
    return generator.normal(1.0, 0.5, n)


def skewed(generator: np.random.Generator, n: int) -> NDArray[Any]:
    """Return losses with mean 1, standard deviation .5 and skewness 1."""
    return generator.gamma(4.0, 0.25, n)


def stopped(draw: Draws, until: Until, seed: int) -> Estimate:
    """Return what is known when the rule stops."""
    generator = np.random.default_rng(seed)
    target, values = first_batch(until), np.zeros(0)
    while len(values) < target:
        values = np.append(values, draw(generator, target - len(values)))
        target = next_target(until, estimate(values.tolist()), len(values), 0.0)
    return estimate(values.tolist())


def coverage(draw: Draws, share: float, n: int) -> float:
    """Return how often the interval at the stop covers the mean, 1."""
    found = [stopped(draw, Until(share), seed) for seed in range(n)]
    return sum(e.low <= 1.0 <= e.high for e in found) / n  # type: ignore[operator]


@pytest.mark.parametrize("draw", [normal, skewed])
@pytest.mark.parametrize("share", [0.2, 0.1, 0.05])
def test_coverage__is_between_935_and_965(draw: Draws, share: float) -> None:
    """Of the interval at the stop, in 2,000 experiments with a known answer.

    Seen: normal .949, .945, .949; skewed .952, .942, .943. The
    standard error of 2,000 is .0049.
    """
    assert 0.935 - 0.0049 <= coverage(draw, share, 2000) <= 0.965 + 0.0049


def test_stop__is_as_precise_as_asked() -> None:
    """Half the interval is at most the share, or amount, at each stop."""
    for seed in range(40):
        share = stopped(normal, Until(0.07), seed)
        assert 0.5 * (share.high - share.low) <= 0.07 * share.mean  # type: ignore[operator]
        amount = stopped(normal, Until(0.06, is_share=False), seed)
        assert 0.5 * (amount.high - amount.low) <= 0.06  # type: ignore[operator]
        assert amount.n >= FIRST


def test_n_needed__at_half_the_width_is_four_times_as_many_by_looks() -> None:
    """The guess doubles at most, since an early variance may be far off."""
    loss = Estimate(1.0, 0.8, 1.2, FIRST)
    assert n_needed(Until(0.1), loss, 30) == 60
    assert n_needed(Until(0.16), loss, 30) == math.ceil(30 * (0.2 / 0.16) ** 2)
    assert n_needed(Until(0.199), loss, 30) == 33
    assert n_needed(Until(0.2), loss, 30) == 30
    assert n_needed(Until(0.2), loss, 29) == 30


def test_next_target__keeps_within_the_time() -> None:
    """At a second each, with 10 s of 60 spent, .9 × 50 more fit; none when it is up."""
    loss = Estimate(1.0, 0.8, 1.2, 10)
    assert next_target(Until(budget=60.0), loss, 30, 30.0) == 57
    assert next_target(Until(budget=60.0), loss, 60, 60.0) == 60
    assert next_target(Until(budget=60.0), loss, 4, 4.0) == FIRST


def test_until__equals_as_many_replications_asked_for(shop: Scenario) -> None:
    """Batches add up to one run of that size, to the bit, whatever the threads."""
    until = Until(0.2, first=4)
    found = compare(shop, replications=until)
    alike = compare(shop, replications=until, execution=Execution(threads=1))
    whole = compare(shop, replications=found.n_finished)
    assert found.n_finished > until.first  # type: ignore[operator]
    for other in (alike, whole):
        assert [run.digest for run in other.runs] == [run.digest for run in found.runs]
        assert other.losses == found.losses


def test_until__tells_how_far_it_is(shop: Scenario) -> None:
    """Progress counts all batches; how many there will be is told from a look on."""
    told: list[tuple[int, int]] = []
    how = Execution(progress=lambda done, total: told.append((done, total)))
    found = compare(shop, replications=Until(0.1), execution=how)
    n = found.n_finished
    assert n > FIRST
    assert [done for done, _ in told] == [*range(1, n + 1), n]
    assert {total for done, total in told if done <= FIRST} == {0}
    assert all(total >= done for done, total in told[FIRST:])
    assert told[-1] == (n, n)


def test_expected__comes_from_the_precision_and_from_the_time() -> None:
    """At half the width four times as many; in a tenth of the time ten times as many.

    The next look, at twice as many, does not limit what is expected.
    """
    wide = Estimate(1.0, 0.8, 1.2, 30)  # half a width of .2
    until = Until(0.05)
    look = Batch(30, 60, precise(until, wide, 30), 0.0)
    assert expected(until, look, 35, 9.0) == 30 * 16
    before = Batch(0, 20, precise(until, None, 0), 0.0)
    assert expected(until, before, 7, 9.0) == 0
    in_time = Until(budget=60.0)
    first = Batch(0, 4, None, 0.0)
    assert expected(in_time, first, 3, 6.0) == 30
    assert expected(in_time, first, 1, 55.0) == 4
    both = Until(0.05, budget=60.0)
    assert expected(both, look, 35, 6.0) == 350
    assert expected(both, look, 35, 3.0) == 30 * 16


def test_shortfall__is_told() -> None:
    """A wider interval than asked for is a warning with both figures."""
    loss = Estimate(100.0, 90.0, 110.0, 30)
    assert shortfall(Until(0.1), loss) == []
    (told,) = shortfall(Until(0.05), loss)
    assert "is 10.00% of the loss, not the 5.00% of the loss asked for" in told
    assert shortfall(Until(2.5, is_share=False), loss) == [
        "half the interval of the loss is 10.00, not the 2.50 asked for"
    ]


@pytest.mark.parametrize(
    ("until", "field"),
    [
        (Until(), "replications"),
        (Until(0.0), "half_width"),
        (Until(math.nan), "half_width"),
        (Until(budget=-1.0), "budget"),
        (Until(0.1, first=1), "first"),
    ],
)
def test_until__refuses_what_cannot_be_reached(
    shop: Scenario, until: Until, field: str
) -> None:
    """Nothing asked for, or not above 0."""
    with pytest.raises(InputError, match=field):
        compare(shop, replications=until)
