"""Surfaces: means of cells, their intervals, and which signs are certain."""

import numpy as np
import pytest

from churnsim.analysis.responses import asked
from churnsim.analysis.surface import Surface, surface
from churnsim.errors import InputError
from churnsim.records import Floats
from churnsim.scenario import Scenario
from tests.analysis.made import Design, Factor, Sweep, grid, hypercube, run

THREE = tuple(Factor(f"market.{name}", -1.0, 1.0) for name in "abc")
A_RUN = 1000.0 / 150.0  # from a run of 150 customers for a year


def plane(x: Floats) -> Floats:
    """Return a loss with a sign that turns along a."""
    found: Floats = 60.0 * x[:, 0] + 6.0 * x[:, 1] + 3.0 * x[:, 2]
    return found


def shown(
    scenario: Scenario,
    design: Design,
    replications: int = 4,
    noise: float = 0.0,
    bins: int = 4,
    factors: tuple[Factor, ...] = THREE,
) -> Surface:
    """Return the revenue lost over a and b."""
    sweep = Sweep(scenario, factors, design, replications, "independent")
    finished = run(sweep, plane, noise=noise)
    question = asked(sweep, "revenue", None, None)
    return surface(finished, question, "market.a", "market.b", bins)


def test_surface__of_a_grid_has_the_means_over_the_others(scenario: Scenario) -> None:
    """Each cell is the mean of its points, exactly, a year per 1,000 customers."""
    found = shown(scenario, grid(4, 3, 2))
    assert (len(found.x.texts), len(found.y.texts)) == (4, 3)
    a, b = (-0.75, -0.25, 0.25, 0.75), (-2 / 3, 0.0, 2 / 3)
    for cell in found.cells:
        mean = A_RUN * (60.0 * a[cell.x] + 6.0 * b[cell.y])
        assert cell.value.mean == pytest.approx(mean)
        assert cell.n == 2
        assert cell.is_sure
    assert len(found.cells) == 12
    assert "certain in all 12 cells" in found.sentence()


def test_surface__luck_makes_signs_uncertain(scenario: Scenario) -> None:
    """Near zero the interval covers it, far from it not."""
    found = shown(scenario, grid(5, 3, 2), noise=15.0)
    middle = [cell for cell in found.cells if cell.x == 2]
    edges = [cell for cell in found.cells if cell.x in {0, 4}]
    assert not all(cell.is_sure for cell in middle)
    assert all(cell.is_sure for cell in edges)
    assert "its sign is not certain" in found.sentence()


def test_surface__of_a_sample_is_cut_into_bins(scenario: Scenario) -> None:
    """Ranges are cut evenly, and what sampling misses is in the interval."""
    found = shown(scenario, hypercube(400, 3))
    assert found.x.lows == (-1.0, -0.5, 0.0, 0.5)
    assert sum(cell.n for cell in found.cells) == 400
    for cell in found.cells:
        assert cell.value.low is not None
        assert cell.value.high is not None
        centre = 60.0 * (cell.x - 1.5) / 2.0 + 6.0 * (cell.y - 1.5) / 2.0
        assert cell.value.low < A_RUN * centre < cell.value.high


def test_surface__bins_of_a_log_range_are_even_in_logarithms(
    scenario: Scenario,
) -> None:
    """From 1 to 16 four bins end at 2, 4, 8 and 16."""
    log = Factor("market.a", 1.0, 16.0, is_log=True)
    found = shown(scenario, hypercube(200, 3), factors=(log, *THREE[1:]))
    assert found.x.highs == pytest.approx((2.0, 4.0, 8.0, 16.0))


def test_surface__a_point_alone_in_its_cell_is_unsure(scenario: Scenario) -> None:
    """One point of a sample tells nothing of the other factors."""
    found = shown(scenario, hypercube(30, 3), bins=12)
    alone = [cell for cell in found.cells if cell.n == 1]
    assert alone
    assert not any(cell.is_sure for cell in alone)
    assert len(found.cells) < 144  # cells without points are none


def test_surface__one_replication_makes_no_sign_certain(scenario: Scenario) -> None:
    """Without replications nothing is certain, and it is said."""
    found = shown(scenario, grid(3, 3, 2), replications=1)
    assert not any(cell.is_sure for cell in found.cells)
    assert any("one replication" in text for text in found.warnings)


@pytest.mark.parametrize(
    ("x", "y", "bins", "told"),
    [
        ("market.aa", "market.b", 8, "did you mean 'market.a'"),
        ("market.a", "zzz", 8, "there are market.a, market.b, market.c"),
        ("market.a", "market.a", 8, "must be two factors"),
        ("market.a", "market.b", 1, "must be from 2 to 50"),
    ],
)
def test_surface__refuses_what_cannot_be_drawn(
    x: str, y: str, bins: int, told: str, scenario: Scenario
) -> None:
    """A wrong factor is answered with the nearest, or with all."""
    sweep = Sweep(scenario, THREE, grid(3, 3, 2), 1)
    question = asked(sweep, "revenue", None, None)
    with pytest.raises(InputError, match=told):
        surface(run(sweep, plane), question, x, y, bins)


def test_surface__table_has_every_cell(scenario: Scenario) -> None:
    """Rows are the cells, with both levels, the interval and the sign."""
    table = shown(scenario, grid(4, 3, 2), noise=5.0).to_arrow()
    assert table.num_rows == 12
    assert np.isfinite(table.column("low").to_numpy()).all()
    assert set(table.column("x").to_pylist()) == {"market.a"}
