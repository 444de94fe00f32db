"""Scenario discovery: a known box is found, chance is none, what is unsure is told."""

import itertools

import numpy as np
import pytest

from churnsim.analysis import prim
from churnsim.analysis.certainty import bounds_of
from churnsim.analysis.discovery import Discovery, Target, discover
from churnsim.analysis.responses import asked
from churnsim.analysis.thresholds import target_of
from churnsim.errors import InputError
from churnsim.experiment.intervals import estimate
from churnsim.records import Floats
from churnsim.scenario import Scenario
from tests.analysis.made import Design, Factor, Sweep, grid, hypercube, run

BELOW = Target(0.0, is_below=True)
FIVE = tuple(Factor(f"market.{name}") for name in "abcde")


def boxed(x: Floats) -> Floats:
    """Return a loss that is a gain where a < 0.4 and 0.3 < b < 0.8, whatever c is."""
    inside = (x[:, 0] < 0.4) & (x[:, 1] > 0.3) & (x[:, 1] < 0.8)
    return np.where(inside, -50.0, 50.0) + 10.0 * x[:, 4]


def found_in(
    scenario: Scenario,
    design: Design,
    factors: tuple[Factor, ...] = FIVE,
    noise: float = 0.0,
    **more: float,
) -> Discovery:
    """Return where `slow` loses less than nothing."""
    sweep = Sweep(scenario, factors, design, 4, "independent")
    finished = run(sweep, boxed, noise=noise)
    question = asked(sweep, "contribution", None, None)
    return discover(finished, question, BELOW, **more)  # type: ignore[arg-type] # numbers


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_discover__finds_the_known_box(seed: int, scenario: Scenario) -> None:
    """Of five factors the two of the box are named, with its ends, and no other."""
    found = found_in(scenario, hypercube(1000, 5, seed))
    assert found.verdict == "found"
    box = found.boxes[0]
    ends = {r.factor.field: (r.low, r.high) for r in box.restrictions}
    assert ends.keys() == {"market.a", "market.b"}
    assert ends["market.a"][0] is None
    assert ends["market.a"][1] == pytest.approx(0.4, abs=0.03)
    assert ends["market.b"] == pytest.approx((0.3, 0.8), abs=0.03)
    assert box.coverage > 0.93
    assert box.density > 0.93
    assert box.mass == pytest.approx(0.2, abs=0.03)
    assert all(r.quasi_p < 1e-6 for r in box.restrictions)
    assert "market.a is at most" in found.sentence()


def test_discover__finds_two_boxes(scenario: Scenario) -> None:
    """What the first box leaves is looked through again."""
    sweep = Sweep(scenario, FIVE, hypercube(1500, 5), 2)

    def corners(x: Floats) -> Floats:
        first = (x[:, 0] < 0.3) & (x[:, 1] < 0.6)
        second = (x[:, 2] > 0.8) & (x[:, 0] > 0.5)
        return np.where(first | second, -50.0, 50.0)

    found = discover(
        run(sweep, corners), asked(sweep, "contribution", None, None), BELOW
    )
    fields = [{r.factor.field for r in box.restrictions} for box in found.boxes[:2]]
    assert fields == [{"market.a", "market.b"}, {"market.a", "market.c"}]
    assert sum(box.coverage for box in found.boxes) > 0.9


def test_discover__chance_is_no_box(scenario: Scenario) -> None:
    """Where losses are luck alone, hardly a side survives, and none is sure."""
    sweep = Sweep(scenario, FIVE, hypercube(400, 5), 2, "independent")
    finished = run(sweep, lambda x: 0.0 * x[:, 0], noise=50.0)
    found = discover(finished, asked(sweep, "contribution", None, None), BELOW)
    for box in found.boxes:
        assert all(r.quasi_p > 1e-6 for r in box.restrictions)
    assert found.n_unsure is not None
    assert found.n_unsure > 300
    assert any("either side" in text for text in found.warnings)


def test_discover__levels_and_texts(scenario: Scenario) -> None:
    """Of levels the ends are levels; of settings without an order, those inside."""
    texts = Factor("market.relationship", values=("contract", "purchase", "=cmd|x"))
    factors = (Factor("market.a"), texts)
    sweep = Sweep(scenario, factors, grid(20, 3), 2)

    def one(x: Floats) -> Floats:
        return np.where((x[:, 1] == 2.0) & (x[:, 0] > 0.5), -50.0, 50.0)

    found = discover(run(sweep, one), asked(sweep, "contribution", None, None), BELOW)
    (box,) = found.boxes
    assert "market.relationship is =cmd|x" in box.text
    assert "market.a is at least 0.5" in box.text
    assert (box.coverage, box.density) == (1.0, 1.0)
    assert found.to_arrow().num_rows == 2


def test_discover__density_can_be_asked_for(scenario: Scenario) -> None:
    """A denser box covers less."""
    noisy = found_in(scenario, hypercube(1000, 5), noise=120.0, n_boxes=1)
    dense = found_in(scenario, hypercube(1000, 5), noise=120.0, n_boxes=1, density=0.95)
    assert dense.boxes[0].density > noisy.boxes[0].density
    assert dense.boxes[0].coverage < noisy.boxes[0].coverage
    assert noisy.n_unsure


@pytest.mark.parametrize(
    ("shift", "verdict", "told"),
    [(-500.0, "everywhere", "Everywhere"), (500.0, "nowhere", "Nowhere")],
)
def test_discover__all_or_none_is_said(
    shift: float, verdict: str, told: str, scenario: Scenario
) -> None:
    """Where all points are such, or none, there is no box to look for."""
    sweep = Sweep(scenario, FIVE, hypercube(50, 5), 2)
    finished = run(sweep, lambda x: boxed(x) + shift)
    found = discover(finished, asked(sweep, "contribution", None, None), BELOW)
    assert (found.verdict, found.boxes) == (verdict, ())
    assert found.sentence().startswith(told)


def test_discover__few_points_and_one_replication_are_said(scenario: Scenario) -> None:
    """Nineteen points are too few; one replication makes no point sure."""
    sweep = Sweep(scenario, FIVE, hypercube(19, 5), 1)
    finished = run(sweep, boxed)
    found = discover(finished, asked(sweep, "contribution", None, None), BELOW)
    assert found.verdict == "few"
    assert found.n_unsure is None
    assert any("without replications" in text for text in found.warnings)


def test_bounds__are_the_intervals_of_every_table() -> None:
    """All at once gives what `estimate` gives one by one, in each kind of row."""
    random = np.random.default_rng(4)
    for r in (1, 2, 3, 9):
        y = np.vstack([random.exponential(5.0, (20, r)) - 4.0, np.full((2, r), 0.0)])
        found = bounds_of(y)
        for i, row in enumerate(y.tolist()):
            one = estimate(row)
            assert one.mean == pytest.approx(found.mean[i])
            if r == 1:
                assert found.low is None
                continue
            assert found.low is not None
            assert found.high is not None
            assert (found.low[i], found.high[i]) == pytest.approx(one[1:3])
            unsure = found.is_unsure(0.0)
            assert unsure is not None
            is_zero = one[:3] == (0.0, 0.0, 0.0)
            assert bool(unsure[i]) is (one.covers_zero and not is_zero)


def test_peeling__boxes_shrink_and_pasting_keeps_density() -> None:
    """Each peel is within the one before; what is pasted is no less dense."""
    x = np.random.default_rng(1).random((600, 3))
    is_case = (x[:, 0] < 0.35) & (np.random.default_rng(2).random(600) < 0.9)
    left = np.ones(600, dtype=bool)
    peels = prim.peeled(x, is_case, (True, True, True), left)
    inside = [prim.holds(peel.sides, x) for peel in peels]
    assert all((b <= a).all() for a, b in itertools.pairwise(inside))
    assert [peel.n for peel in peels] == [int(i.sum()) for i in inside]
    for peel in peels[::4]:
        wide = prim.pasted(peel, x, is_case, left)
        assert wide.n >= peel.n
        assert wide.density >= peel.density


@pytest.mark.parametrize(
    ("outcome", "text", "number"),
    [
        ("contribution", "$50", 50.0),
        ("contribution", "-$1,250", -1250.0),
        ("contribution", "12.5", 12.5),
        ("lost_share", "5 %", 0.05),
        ("front_mean_wait", "12 h", 0.5),
        ("lost", "−3", -3.0),
    ],
)
def test_threshold__is_in_the_responses_unit(
    outcome: str, text: str, number: float, scenario: Scenario
) -> None:
    """Amounts, shares, times and counts are read with their units."""
    sweep = Sweep(
        scenario, FIVE, hypercube(4, 5), 1, outcomes=("lost_share", "front_mean_wait")
    )
    question = asked(sweep, outcome, None, None)
    target = target_of(sweep, question, None, text)
    assert target == Target(pytest.approx(number), is_below=False)  # type: ignore[arg-type] # as near as floats are


@pytest.mark.parametrize("text", ["much", "€5", "nan", "inf", ""])
def test_threshold__is_refused_with_its_place(text: str, scenario: Scenario) -> None:
    """What is no amount is refused, by the name of the option."""
    sweep = Sweep(scenario, FIVE, hypercube(4, 5), 1)
    question = asked(sweep, "contribution", None, None)
    with pytest.raises(InputError, match="below: must be"):
        target_of(sweep, question, text, None)
