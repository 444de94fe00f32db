"""Designs: laws that samples of the unit cube keep, and indices that are published."""

import itertools
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from churnsim.errors import InputError
from churnsim.scenario import Scenario
from churnsim.sweep.designs import (
    BLOCK,
    BLOCKS_KEPT,
    Cube,
    LatinHypercube,
    Saltelli,
    SobolSequence,
    Trajectories,
)
from churnsim.sweep.overlapping import is_overlapping, path_of
from churnsim.sweep.plan import Sweep, load_sweep

HEAD = """
scenario = "telecom"
policies = ["empowered", "slow"]
replications = 1

[set]
"population.customers" = 50

[design]
"""


def placed(cube: Cube, n: int) -> np.ndarray:
    """Return the first points of a cube, (n, axes)."""
    return np.array([cube.place(index) for index in range(n)])


def swept(folder: Path, text: str) -> Sweep:
    """Return the sweep of a file that ends so."""
    path = folder / "sweep.toml"
    path.write_text(HEAD + text)
    return load_sweep(path)


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
@pytest.mark.parametrize("n_axes", [1, 2, 7])
def test_sobol__each_cell_has_one_point(n_axes: int, seed: int) -> None:
    """Of 2^k points, one in each of the 2^k cells of every axis, and none on an edge.

    That is a net's law, which shifting its digits keeps.
    """
    for n in (2, 64, 2 * BLOCK):
        found = placed(SobolSequence(n_axes, seed), n)
        assert ((found > 0.0) & (found < 1.0)).all()
        cells = np.sort(np.floor(found * n).astype(int), axis=0)
        assert (cells == np.arange(n)[:, None]).all()


def test_sobol__first_two_axes_fill_every_box() -> None:
    """Of 2^k points, one in each box of 2^a by 2^(k − a) cells: a (0, k, 2)-net."""
    found = placed(SobolSequence(2, 9), 256)
    for a in range(9):
        boxes = np.floor(found * [2**a, 2 ** (8 - a)]).astype(int)
        assert len(np.unique(boxes, axis=0)) == 256


def test_sobol__points_do_not_depend_on_what_was_asked_before() -> None:
    """Backwards, across more blocks than are kept, and by another instance."""
    cube, again = SobolSequence(3, 4), SobolSequence(3, 4)
    asked = [block * BLOCK + 17 for block in range(2 * BLOCKS_KEPT)]
    forwards = [cube.place(index) for index in asked]
    assert [cube.place(index) for index in reversed(asked)] == forwards[::-1]
    assert [again.place(index) for index in reversed(asked)] == forwards[::-1]
    assert cube.place(5) != SobolSequence(3, 5).place(5)


@pytest.mark.parametrize("n", [1, 2, 7, 1000])
def test_latin_hypercube__each_cell_has_one_point(n: int) -> None:
    """Cut into as many cells as there are points, every axis has one in each."""
    found = placed(LatinHypercube(4, n, 3), n)
    assert ((found >= 0.0) & (found < 1.0)).all()
    cells = np.sort(np.floor(found * n).astype(int), axis=0)
    assert (cells == np.arange(n)[:, None]).all()


def test_latin_hypercube__axes_know_nothing_of_each_other() -> None:
    """The correlation of 1000 points is within 4 of its standard deviations, 1/√999."""
    found = placed(LatinHypercube(4, 1000, 3), 1000)
    off = np.corrcoef(found.T)[np.triu_indices(4, 1)]
    assert np.abs(off).max() < 4.0 / math.sqrt(999)


def test_saltelli__blocks_change_one_coordinate() -> None:
    """A, then A with the coordinate of B for each factor in turn, then B."""
    n_axes = 3
    found = placed(Saltelli(n_axes, 8), 5 * 20).reshape(20, 5, n_axes)
    for block in found:
        a, b = block[0], block[-1]
        for axis in range(n_axes):
            expected = a.copy()
            expected[axis] = b[axis]
            assert (block[1 + axis] == expected).all()
            assert a[axis] != b[axis]


def test_saltelli__gives_the_indices_of_ishigami() -> None:
    """First and total indices, from 8192 blocks, within 0.01 of the closed forms.

    f = sin x₁ + 7 sin² x₂ + 0.1 x₃⁴ sin x₁ on [−π, π]³.

    Source:
        Ishigami, T. and Homma, T. (1990): An importance quantification technique in
        uncertainty analysis. Saltelli et al. (2010) for the estimators.
    """
    n = 8192
    x = (placed(Saltelli(3, 2), 5 * n) * 2.0 - 1.0) * math.pi
    y = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2
    y += 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    a, *mixed, b = y.reshape(n, 5).T
    variance = np.concatenate([a, b]).var()
    first = [float(np.mean(b * (m - a)) / variance) for m in mixed]
    total = [float(np.mean((a - m) ** 2) / 2.0 / variance) for m in mixed]
    assert first == pytest.approx([0.3139, 0.4424, 0.0], abs=0.01)
    assert total == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.01)


@pytest.mark.parametrize("levels", [2, 4, 8])
def test_morris__each_step_moves_one_factor_once(levels: int) -> None:
    """By p / (2 (p − 1)), up or down, on a grid of p levels.

    Source:
        Morris, M. (1991): Factorial sampling plans for preliminary computational
        experiments. Technometrics 33, 161-174.
    """
    n_axes, n = 5, 30
    found = placed(Trajectories(n_axes, n, levels, 6), n * (n_axes + 1))
    step = levels / (2.0 * (levels - 1.0))
    grid = found * (levels - 1)
    assert np.abs(grid - np.round(grid)).max() < 1e-9
    for trajectory in found.reshape(n, n_axes + 1, n_axes):
        moves = np.diff(trajectory, axis=0)
        assert sorted(np.abs(moves).argmax(axis=1)) == list(range(n_axes))
        assert ((np.abs(moves) > 1e-9).sum(axis=1) == 1).all()
        assert np.abs(moves).max(axis=1) == pytest.approx(step)


def test_whole_range__every_number_is_as_likely(tmp_path: Path) -> None:
    """One to four agents, from 64 points: sixteen of each, the ends among them."""
    sweep = swept(
        tmp_path,
        'kind = "sobol"\npoints = 64\n\n[[factor]]\n'
        'field = "policies.slow.speed.agents"\nlow = 1\nhigh = 4\n',
    )
    points = map(sweep.point, range(sweep.n_points))
    found = Counter(point.overrides["policy.slow.speed.agents"] for point in points)
    assert found == {str(n): 16 for n in (1, 2, 3, 4)}
    assert {sweep.factors[0].number(u) for u in (0.0, 1.0)} == {1.0, 4.0}


def test_log_range__every_ratio_is_as_likely(tmp_path: Path) -> None:
    """From 1 to 16 days, a quarter of the points lies in each doubling."""
    sweep = swept(
        tmp_path,
        'kind = "latin_hypercube"\npoints = 64\n\n[[factor]]\n'
        'field = "market.memory.mean"\nlow = "1 day"\nhigh = "16 days"\n'
        'scale = "log"\n',
    )
    numbers = [sweep.design.numbers(i)[0] for i in range(64)]
    assert Counter(int(math.log2(number)) for number in numbers) == dict.fromkeys(
        range(4), 16
    )


OVERLAPPING = {
    "mistakes.1.probability": "mistakes.billing.probability",
    "market.patience": "market.patience.mean",
    "policy.slow.speed.agents": 'policy."slow".speed.agents',
    "policy.slow": "policy.slow.honesty.lie",
}


@pytest.mark.parametrize("first", OVERLAPPING)
def test_overlapping__is_known_whatever_the_spelling(few: Scenario, first: str) -> None:
    """The item of an array by name or number; a table and what is in it."""
    second = OVERLAPPING[first]
    paths = path_of(few.spec, first), path_of(few.spec, second)
    assert is_overlapping(*paths)
    assert is_overlapping(*paths[::-1])


def test_overlapping__neighbours_are_not(few: Scenario) -> None:
    """Nor what begins with the same letters, nor another item."""
    keys = (
        "mistakes.1.probability",
        "mistakes.service.probability",
        "mistakes.9.probability",
        "market.patience",
        "market.memory",
        "policy.slow.speed.agents",
        "policy.empowered.speed.agents",
        "market.lie_sting",
    )
    paths = [path_of(few.spec, key) for key in keys]
    assert not any(is_overlapping(a, b) for a, b in itertools.combinations(paths, 2))


def test_factors__of_which_one_sets_the_other_are_refused(tmp_path: Path) -> None:
    """What came of them would depend on their order."""
    text = (
        'kind = "grid"\n\n[[factor]]\nfield = "mistakes.1.probability"\n'
        'values = [0.01]\n\n[[factor]]\nfield = "mistakes.billing.probability"\n'
        "values = [0.02]\n"
    )
    with pytest.raises(InputError, match=r"two factors; mistakes\.1\.probability sets"):
        swept(tmp_path, text)


def test_ready_assumptions__have_their_points() -> None:
    """256 blocks of one point and one more for each of six factors, and another."""
    sweep = load_sweep("telecom_assumptions")
    assert sweep.n_points == 256 * (6 + 2)
    assert all(factor.is_range and factor.lever for factor in sweep.factors)
    last = sweep.factors[-1]
    assert (last.low, last.high, last.is_log) == (20.0, 260.0, True)
