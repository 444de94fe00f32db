"""One assumption at a time: the turn is where the loss has its root."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import cast

import pytest

from churnsim.experiment.intervals import Estimate
from churnsim.robustness.points import Losses, Outcome, Points, Refused, sign_of
from churnsim.robustness.record import share_of
from churnsim.robustness.turning import TOLERANCE, line_of, nearest
from churnsim.robustness.varied import Span, Varied, chosen
from churnsim.scenario import Scenario, load_scenario
from churnsim.sweep.factors import AnyLevel

NOISE = 0.1  # half of an interval


def loss(mean: float) -> Estimate:
    """Return a loss with an interval."""
    return Estimate(mean, mean - NOISE, mean + NOISE, 4)


class Formula:
    """Points whose losses are told by formulas of one number."""

    def __init__(self, **formulas: Callable[[float], float]) -> None:
        self.formulas = formulas
        self.asked: list[float] = []
        self.refuse: Callable[[float], bool] = lambda _: False

    def losses(self, number: float) -> Losses:
        """Return what is lost at a number."""
        return {name: loss(of(number)) for name, of in self.formulas.items()}

    def at(self, settings: Mapping[str, AnyLevel]) -> Outcome:
        """Return what is lost with a setting changed."""
        (level,) = settings.values()
        self.asked.append(level.number)
        if self.refuse(level.number):
            return Refused("there is no such point")
        return self.losses(level.number)


@pytest.fixture(scope="module")
def telecom() -> Scenario:
    """Return the telecom."""
    return load_scenario("telecom")


def varied(scenario: Scenario, field: str, low: str, high: str) -> Varied:
    """Return one assumption with a range."""
    (found,) = chosen(scenario, (), "", [Span(field, low, high)], "revenue").varied
    return found


def test_line__finds_the_root_of_the_loss(telecom: Scenario) -> None:
    """Lost is 5 − x; assumed is 3.62 in a range from 2 to 10, so 5 is 17 % away."""
    one = varied(telecom, "market.lock_in", "2", "10")
    points = Formula(slow=lambda x: 5.0 - x, dishonest=lambda _: 4.0)
    line = line_of(cast("Points", points), one, points.losses(one.value))
    (turn,) = line.turns
    assert turn.policy == "slow"
    assert one.level(turn.place).number == pytest.approx(5.0, abs=8 * TOLERANCE)
    assert turn.distance == pytest.approx((5.0 - 3.62) / 8.0, abs=TOLERANCE)
    assert turn.is_sure
    assert line.low["slow"].mean == 3.0
    assert line.high["slow"].mean == -5.0
    assert not line.is_cut


def test_line__distances_of_a_wide_range_are_of_logarithms(telecom: Scenario) -> None:
    """From 1 to 64 times: the value at 8 lies in the middle, whatever the unit."""
    one = varied(telecom, "market.memory.mean", "10 days", "640 days")
    assert one.factor.is_log
    assert one.place(80.0) == pytest.approx(0.5)
    assert one.level(0.5).number == pytest.approx(80.0)
    here = math.log(86.6 / 10.0) / math.log(64.0)
    assert one.here == pytest.approx(here)
    points = Formula(slow=lambda x: x - 40.0)
    line = line_of(cast("Points", points), one, points.losses(one.value))
    distance = here - math.log(4.0) / math.log(64.0)
    assert line.turns[0].distance == pytest.approx(distance, abs=TOLERANCE)


def test_line__a_safe_end_is_not_searched_inside(telecom: Scenario) -> None:
    """Two runs where both ends keep most of the loss; a weak end has its middle run."""
    one = varied(telecom, "market.lock_in", "2", "10")
    safe = Formula(slow=lambda x: 20.0 + x)
    assert not line_of(cast("Points", safe), one, safe.losses(one.value)).turns
    assert safe.asked == [2.0, 10.0]
    # Below zero in the middle alone, and hardly anything at the end.
    dip = Formula(slow=lambda x: 10.0 if x < 5 else -1.0 if x < 8 else 1.0)
    (turn,) = line_of(cast("Points", dip), one, dip.losses(one.value)).turns
    assert one.level(turn.place).number == pytest.approx(5.0, abs=8 * TOLERANCE)
    assert not turn.is_sure


def test_line__ends_where_there_is_no_point(telecom: Scenario) -> None:
    """A range whose end contradicts other settings is cut, and still searched."""
    one = varied(telecom, "market.lock_in", "2", "10")
    points = Formula(slow=lambda x: 6.0 - x)
    points.refuse = lambda x: x > 8.0
    line = line_of(cast("Points", points), one, points.losses(one.value))
    assert line.is_cut
    assert line.high["slow"].mean == pytest.approx(6.0 - 6.81)
    assert one.level(line.turns[0].place).number == pytest.approx(6.0, abs=0.08)


def test_line__an_unsure_sign_has_no_turn(telecom: Scenario) -> None:
    """Where nothing is concluded, nothing is overturned."""
    one = varied(telecom, "market.lock_in", "2", "10")
    points = Formula(slow=lambda x: 3.65 - x)
    assert sign_of(points.losses(one.value)["slow"]) == 0
    assert not line_of(cast("Points", points), one, points.losses(one.value)).turns


def test_nearest__is_the_soonest_turn_of_each_policy(telecom: Scenario) -> None:
    """Of two assumptions that overturn a policy, the one that has to go less far."""
    near = varied(telecom, "market.lock_in", "2", "10")
    far = varied(telecom, "market.double", "0", "10")
    lines = []
    for one, root in ((near, 4.5), (far, 9.0)):
        points = Formula(slow=root.__sub__, dishonest=lambda _: -2.0)
        lines.append(line_of(cast("Points", points), one, points.losses(one.value)))
    found = nearest(tuple(lines))
    assert found.keys() == {"slow"}
    assert found["slow"][0].varied.field == "market.lock_in"


@pytest.mark.parametrize(
    ("n", "n_all", "low", "high"),
    [(0, 10, 0.0, 0.3085), (5, 10, 0.1871, 0.8129), (10, 10, 0.6915, 1.0)],
)
def test_share__has_clopper_and_pearsons_interval(
    n: int, n_all: int, low: float, high: float
) -> None:
    """Tabulated limits of a binomial share at 95 %."""
    share = share_of(n, n_all)
    assert share.low == pytest.approx(low, abs=5e-5)
    assert share.high == pytest.approx(high, abs=5e-5)
