"""Where a sampled line crosses zero: known roots, jumps, and how well covered."""

from collections.abc import Callable

import numpy as np
import pytest

from churnsim.experiment.intervals import Estimate, estimate
from churnsim.experiment.inverse.crossing import Span, first_crossing

UNIT = Span(0.0, 1.0, 5, 0.001)
N_EXPERIMENTS = 400


def surely(
    function: Callable[[float], float], reach: float = 0.0
) -> Callable[[float], Estimate]:
    """Return a gap with an interval that reaches equally far at every value."""

    def gap(x: float) -> Estimate:
        mean = function(x)
        return Estimate(mean, mean - reach, mean + reach, 30)

    return gap


def test_crossing__of_a_line_is_where_it_was_put() -> None:
    """A line through 0.3 with an interval of ± 0.1: from 0.2 to 0.4."""
    up = first_crossing(surely(lambda x: x - 0.3, 0.1), UNIT)
    down = first_crossing(surely(lambda x: 0.3 - x, 0.1), UNIT)
    assert up is not None
    assert down is not None
    for crossing in (up, down):
        assert crossing[:3] == pytest.approx((0.3, 0.2, 0.4), abs=UNIT.tolerance)
    assert (up.starts, down.starts) == (True, False)
    assert up.others == ()


def test_crossing__whole_numbers_name_the_first_after_the_change() -> None:
    """Losing up to 6, not from 7 on; surely so up to 4 and from 9 on."""
    span = Span(0.0, 40.0, 5, 0.001, is_whole=True)
    crossing = first_crossing(surely(lambda x: 6.5 - x, 2.1), span)
    assert crossing is not None
    assert crossing[:3] == (7.0, 5.0, 9.0)
    assert not crossing.starts


def test_crossing__a_jump_is_its_own_interval() -> None:
    """A gap that jumps from sure gain to sure loss crosses there, and surely."""
    crossing = first_crossing(surely(lambda x: 1.0 if x > 0.61 else -1.0, 0.1), UNIT)
    assert crossing is not None
    assert crossing[:3] == pytest.approx((0.61, 0.61, 0.61), abs=2 * UNIT.tolerance)


def test_crossing__open_where_one_is_never_sure() -> None:
    """An interval wider than the gap anywhere leaves that side without a bound."""
    crossing = first_crossing(surely(lambda x: x - 0.3, 0.5), UNIT)
    assert crossing is not None
    assert crossing.low is None
    assert crossing.high == pytest.approx(0.8, abs=UNIT.tolerance)


def test_crossing__the_first_of_several_is_told_with_the_others() -> None:
    """Up, down and up again: the first root, and where the grid sees the others."""
    crossing = first_crossing(
        surely(lambda x: (x - 0.1) * (x - 0.4) * (x - 0.9), 1e-4), UNIT
    )
    assert crossing is not None
    assert crossing.value == pytest.approx(0.1, abs=UNIT.tolerance)
    assert crossing.others == ((0.25, 0.5), (0.75, 1.0))


def test_crossing__none_where_the_sign_never_changes() -> None:
    """No crossing, after the grid and nothing more."""
    seen: list[float] = []

    def gap(x: float) -> Estimate:
        seen.append(x)
        return Estimate(1.0 + x, 0.5, 3.0, 30)

    assert first_crossing(gap, UNIT) is None
    assert seen == list(UNIT.grid)


def test_crossing__zero_is_on_the_side_without_a_loss() -> None:
    """A gap that is 0 up to 0.7 and a loss beyond starts losing at 0.7."""
    crossing = first_crossing(surely(lambda x: max(0.0, x - 0.7)), UNIT)
    assert crossing is not None
    assert crossing.value == pytest.approx(0.7, abs=UNIT.tolerance)
    assert crossing.starts
    assert crossing.low is None


def test_crossing__interval_covers_the_root_as_often_as_it_says() -> None:
    """Of 400 experiments with paired normal noise, 93 to 97 % cover the root 0.4."""
    rng = np.random.default_rng(20)
    covered = 0
    for _ in range(N_EXPERIMENTS):
        slopes, noise = rng.normal(2.0, 0.4, 12), rng.normal(0.0, 0.3, 12)

        def gap(
            x: float, slopes: np.ndarray = slopes, noise: np.ndarray = noise
        ) -> Estimate:
            return estimate((slopes * (x - 0.4) + noise).tolist())

        crossing = first_crossing(gap, UNIT)
        assert crossing is not None
        low = 0.0 if crossing.low is None else crossing.low
        high = 1.0 if crossing.high is None else crossing.high
        covered += low <= 0.4 <= high
    assert 0.93 <= covered / N_EXPERIMENTS <= 0.97
