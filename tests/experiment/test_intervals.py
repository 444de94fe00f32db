"""Intervals: known answers, order, and how often they cover."""

import math
import random

import numpy as np
import pytest

from churnsim.experiment.intervals import (
    FROM_ZERO,
    SHARE,
    Estimate,
    correlation,
    estimate,
    t_quantile,
    variance,
)


def test_estimate__is_students_where_nothing_is_skewed() -> None:
    """1, 2, 3, 4, 5: mean 3, s² 2.5, t(4) 2.776, so 3 ± 1.963."""
    value = estimate([1, 2, 3, 4, 5])
    assert value.mean == 3.0
    assert value.low == pytest.approx(3 - 2.776445 * math.sqrt(2.5 / 5), abs=1e-6)
    assert value.high == pytest.approx(3 + 2.776445 * math.sqrt(2.5 / 5), abs=1e-6)


def test_estimate__moves_with_skewness_as_johnson_says() -> None:
    """0, 0, 3: s² 3, third moment 9 (27·2/9·3/2), so the middle moves by 9/(6·3·3)."""
    value = estimate([0, 0, 3])
    third = 3 / (2 * 1) * ((-1) ** 3 + (-1) ** 3 + 2**3)
    assert third == 9.0
    reach = 4.302653 * math.sqrt(3 / 3)
    assert value.mean == 1.0
    assert value.low == pytest.approx(1 + third / 54 - reach, abs=1e-6)
    assert value.high == pytest.approx(1 + third / 54 + reach, abs=1e-6)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], Estimate(None, None, None, 0)),
        ([None, None], Estimate(None, None, None, 0)),
        ([4.0], Estimate(4.0, None, None, 1)),
        ([None, 4.0], Estimate(4.0, None, None, 1)),
        ([0, 0, 0], Estimate(0.0, 0.0, 0.0, 3)),
        ([0.1, 0.1, 0.1], Estimate(0.1, 0.1, 0.1, 3)),
    ],
)
def test_estimate__says_no_more_than_there_is(
    values: list[float | None], expected: Estimate
) -> None:
    """No data, one value, or one value repeated give no invented interval."""
    assert estimate(values) == pytest.approx(expected)


def test_estimate__does_not_depend_on_order() -> None:
    """Any order of the replications gives the same bits."""
    values = [math.exp(random.Random(i).gauss(0, 3)) for i in range(40)]
    expected = estimate(values)
    for i in range(20):
        shuffled = values.copy()
        random.Random(i).shuffle(shuffled)
        assert estimate(shuffled) == expected


def test_estimate__always_holds_its_mean() -> None:
    """However skewed the values, the mean lies in the interval."""
    for n in range(2, 40):
        value = estimate([0.0] * (n - 1) + [1e6])
        assert value.mean is not None
        assert value.low is not None
        assert value.high is not None
        assert value.low < value.mean < value.high


@pytest.mark.parametrize("shape", [1000.0, 16.0, 4.0])
def test_estimate__covers_95_percent_at_30_replications(shape: float) -> None:
    """Of 2,000 intervals 93.0 to 96.6 % hold the truth, up to a skewness of 1.

    The band holds a share of 95 % with 99.9 % probability.
    """
    draws = np.random.default_rng(20).gamma(shape, 1.0 / shape, (2000, 30))
    hits = 0
    for row in draws:
        value = estimate(row.tolist())
        assert value.low is not None
        assert value.high is not None
        hits += value.low <= 1.0 <= value.high
    assert 0.930 <= hits / 2000 <= 0.966


def test_estimate__ends_where_its_figure_does() -> None:
    """An interval is cut at the range's ends, and nowhere else; the mean stays."""
    rare = [0.0, 0.0, 0.0, 3.0]
    free, cut = estimate(rare), estimate(rare, FROM_ZERO)
    assert free.low is not None
    assert free.low < 0.0
    assert cut == free._replace(low=0.0)
    often = estimate([1.0 - x / 3.0 for x in rare], SHARE)
    assert often.high == 1.0
    assert estimate([0.4, 0.5, 0.6], SHARE) == estimate([0.4, 0.5, 0.6])
    assert estimate([0.7], SHARE) == Estimate(0.7, None, None, 1)


def test_estimate__cut_at_zero_covers_as_much() -> None:
    """Of 500 intervals for a figure that is mostly zero, each keeps its verdict."""
    draws = np.random.default_rng(21).gamma(0.05, 20.0, (500, 20))
    n_cut = 0
    for row in draws.tolist():
        free, cut = estimate(row), estimate(row, FROM_ZERO)
        verdicts = [
            v.low is not None and v.low <= 1.0 <= (v.high or 0.0) for v in (free, cut)
        ]
        assert verdicts[0] == verdicts[1]
        n_cut += free != cut
    assert n_cut > 100


def test_estimate__is_rough_below_20() -> None:
    """19 replications are rough, 20 are not."""
    assert estimate(list(range(19))).is_rough
    assert not estimate(list(range(20))).is_rough


def test_estimate__knows_whether_zero_is_possible() -> None:
    """Zero lies in −1 … 1, on the edge of 0 … 2, not in 1 … 2."""
    assert Estimate(0.0, -1.0, 1.0, 9).covers_zero
    assert Estimate(1.0, 0.0, 2.0, 9).covers_zero
    assert not Estimate(1.5, 1.0, 2.0, 9).covers_zero
    assert not Estimate(1.5, None, None, 1).covers_zero


def test_t_quantile__as_in_the_tables() -> None:
    """t(1) is 12.706, t(29) is 2.045, t(∞) is 1.960."""
    assert t_quantile(1) == pytest.approx(12.7062, abs=1e-4)
    assert t_quantile(29) == pytest.approx(2.0452, abs=1e-4)
    assert t_quantile(10**9) == pytest.approx(1.95996, abs=1e-5)


def test_correlation__of_pairs_by_hand() -> None:
    """(1, 2, 3) and (1, 3, 2) correlate by one half; with a constant not at all."""
    assert correlation([1, 2, 3], [1, 3, 2]) == pytest.approx(0.5)
    assert correlation([1, 2, 3], [2, 4, 6]) == pytest.approx(1.0)
    assert correlation([1, 2, 3], [5, 5, 5]) is None
    assert variance([1, 2, 3, 4, 5]) == 2.5
    assert variance([7]) == 0.0
