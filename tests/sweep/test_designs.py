"""Where points lie: counted by hand, held against SALib, the same in any order."""

import hashlib
import itertools
import json
import math
import time
import tracemalloc
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import qmc

from churnsim.experiment.inverse.lever import number_of, setting_of
from churnsim.scenario import load_scenario
from churnsim.sweep.designs import (
    BLOCK,
    SOBOL_BITS,
    Cube,
    Design,
    LatinHypercube,
    Saltelli,
    SobolSequence,
    Trajectories,
)
from churnsim.sweep.plan import Sweep, load_sweep

HEAD = """scenario = "telecom"
policies = ["slow"]
replications = 1
"""

# A lever of every kind: shares, log-odds, times, rates, money, staff, shares a year.
LEVERS = {
    "market.lock_in": (0.1, 0.9),
    "market.discovery": ("5 %", "95 %"),
    "market.patience.mean": ("10 s", "20 min"),
    "policy.slow.authority.limit": ("$0.01", "$250"),
    "policy.slow.speed.agents": (1, 40),
    "policy.slow.speed.supervisors": ("0.05 per 1000", "2 per 1000"),
    "population.customers": (10, 5000),
    "population.prospects": ("10/year", "900/year"),
    "mistakes.1.stake.mean": ("$1", "$90"),
    "horizon": ("30 days", "3 years"),
    "policy.slow.honesty.lie": (0.0, 1.0),
    "unanswered.sting.mean": (0.01, 2.5),
}
# The first, second and 4097th point of a sequence, and digests of 500 points each.
SOBOL_PLACES = [
    (0.06680200947448611, 0.07901298208162189, 0.005777118261903524),
    (0.5668020094744861, 0.5790129820816219, 0.5057771182619035),
    (0.06643579853698611, 0.4228850523941219, 0.8301179385744035),
]
FROZEN = {
    "sobol": "23ced40717d7a3b0",
    "latin_hypercube": "7e3eeffe9994708e",
    "saltelli": "b4f2738ff36f4042",
    "morris": "0c700718c2592727",
}


def sweep_of(folder: Path, text: str) -> Sweep:
    """Return the sweep of a text."""
    file = folder / "sweep.toml"
    file.write_text(HEAD + text, encoding="utf-8")
    return load_sweep(file)


def factor(field: str, **keys: object) -> str:
    """Return a factor's table."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    return "\n".join(["", "[[factor]]", f'field = "{field}"', *lines, ""])


def places(cube: Cube, n: int, first: int = 0) -> np.ndarray:
    """Return the places of some points, one a row."""
    return np.array([cube.place(first + i) for i in range(n)])


def cells(found: np.ndarray, cuts: Sequence[int]) -> set[tuple[int, ...]]:
    """Return the boxes in which points lie, where axes are cut into equal parts."""
    return {tuple(row) for row in np.floor(found * np.array(cuts)).astype(int).tolist()}


def test_grid__is_every_combination_the_last_fastest(tmp_path: Path) -> None:
    """Two by three by two, by hand: a range is cut into steps, ends and all."""
    sweep = sweep_of(
        tmp_path,
        factor("market.lock_in", values=[0.1, 0.2])
        + factor("policy.slow.speed.agents", low=2, high=6, steps=3)
        + factor("market.relationship", values=["subscription", "purchase"]),
    )
    found = [
        tuple(level.text for level in sweep.point(i).levels)
        for i in range(sweep.n_points)
    ]
    by_hand = [
        (lock_in, agents, kind)
        for lock_in in ("0.1", "0.2")
        for agents in ("2", "4", "6")
        for kind in ("subscription", "purchase")
    ]
    assert found == by_hand
    assert sweep.design.numbers(4) == (0.1, 6.0, 0.0)
    assert sweep.design.unit(4) == (0.25, 5 / 6, 0.25)


def test_grid__steps_of_whole_numbers_come_once(tmp_path: Path) -> None:
    """From 1 to 3 in nine steps are three settings, in logarithms too."""
    for scale in ("linear", "log"):
        text = factor("policy.slow.speed.agents", low=1, high=3, steps=9, scale=scale)
        sweep = sweep_of(tmp_path, text)
        assert [sweep.design.numbers(i) for i in range(sweep.n_points)] == [
            (1.0,),
            (2.0,),
            (3.0,),
        ]


def test_grid__logarithms_are_even(tmp_path: Path) -> None:
    """From $1 to $100 in three steps: $1, $10, $100, in micro-units."""
    text = factor(
        "policy.slow.authority.limit", low="$1", high="$100", steps=3, scale="log"
    )
    sweep = sweep_of(tmp_path, text)
    found = [sweep.design.numbers(i)[0] for i in range(3)]
    assert found == [1_000_000, 10_000_000, 100_000_000]


def test_grid__of_a_thousand_million_points_is_told_at_once(tmp_path: Path) -> None:
    """Described, and any point of it told, without one being made beforehand."""
    fields = ("market.lock_in", "market.discovery", "unanswered.sting.mean")
    text = "".join(factor(field, low=0.1, high=0.9, steps=1000) for field in fields)
    tracemalloc.start()
    sweep = sweep_of(tmp_path, text)
    assert sweep.n_points == 10**9
    last = sweep.point(10**9 - 1)
    assert [level.number for level in last.levels] == [0.9] * 3
    assert sweep.point(999_999).levels[0].number == 0.1
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50e6


@pytest.mark.parametrize("n", [1, 7, 100])
def test_latin_hypercube__has_one_point_in_each_cell_of_each_axis(n: int) -> None:
    """However many: each of the n parts of an axis holds one point."""
    found = places(LatinHypercube(5, n, seed=3), n)
    ranks = np.sort(np.floor(found * n).astype(int), axis=0)
    assert (ranks == np.arange(n)[:, None]).all()
    assert not (places(LatinHypercube(5, n, seed=4), n) == found).any()


def test_latin_hypercube__axes_do_not_go_together() -> None:
    """No two of eight axes are correlated beyond chance: 4 standard errors."""
    n = 1000
    found = places(LatinHypercube(8, n, seed=1), n)
    correlations = np.corrcoef(found.T) - np.eye(8)
    assert np.abs(correlations).max() < 4.0 / math.sqrt(n)


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
@pytest.mark.parametrize("power", [3, 6, 10])
def test_sobol__fills_every_box(power: int, seed: int) -> None:
    """2^m points: one in each of the 2^m boxes of any shape that two axes allow.

    Every axis by itself, and the first two axes together: these are a (0, m, 2) net.
    """
    n = 2**power
    found = places(SobolSequence(12, seed), n)
    for axis in range(12):
        assert len(cells(found[:, [axis]], [n])) == n
    for cut in range(power + 1):
        assert len(cells(found[:, :2], [2**cut, 2 ** (power - cut)])) == n
    assert ((found > 0.0) & (found < 1.0)).all()


def test_sobol__blocks_are_joined_without_a_seam() -> None:
    """The second 4096 points fill each axis anew, and both fill it twice as finely."""
    sequence = SobolSequence(4, seed=9)
    found = places(sequence, 2 * BLOCK)
    assert BLOCK == 4096
    for axis in range(4):
        assert len(cells(found[BLOCK:, [axis]], [BLOCK])) == BLOCK
        assert len(cells(found[:, [axis]], [2 * BLOCK])) == 2 * BLOCK
    edge = [4095, 4096, 8191, 0, 4097]
    fresh = [SobolSequence(4, seed=9).place(i) for i in edge]
    assert fresh == [tuple(found[i]) for i in edge]


def test_sobol__is_scipys_own_sequence() -> None:
    """Unshifted, each is scipy's point, moved to the middle of its cell."""
    from scipy.stats import qmc

    sequence = SobolSequence(3, seed=5)
    sequence._shift[:] = 0
    theirs = qmc.Sobol(3, scramble=False, bits=30).random(2048)
    assert np.abs(places(sequence, 2048) - theirs - 2.0**-31).max() == 0.0


def test_designs__points_stay_where_they_are() -> None:
    """The same places for ever: an upgrade of scipy, numpy or SALib cannot move them.

    A store that is gone on with depends on it. What changes these needs a new version
    of the store's format.
    """
    sobol = SobolSequence(3, seed=1)
    assert [sobol.place(i) for i in (0, 1, 4096)] == SOBOL_PLACES
    cubes: dict[str, Cube] = {
        "sobol": SobolSequence(12, seed=2026),
        "latin_hypercube": LatinHypercube(12, 500, seed=2026),
        "saltelli": Saltelli(6, seed=2026),
        "morris": Trajectories(4, 100, 4, seed=2026),
    }
    told = {
        name: hashlib.sha256(places(cube, 500).astype("<f8").tobytes()).hexdigest()[:16]
        for name, cube in cubes.items()
    }
    assert told == FROZEN


def test_saltelli__is_laid_out_as_salib_does() -> None:
    """A, A with one coordinate of B for each factor, B: the rows of SALib's sample."""
    from SALib.sample import sobol

    k, n = 4, 16
    problem = {
        "num_vars": k,
        "names": [f"x{axis}" for axis in range(k)],
        "bounds": [[0.0, 1.0]] * k,
    }
    theirs = sobol.sample(problem, n, calc_second_order=False, scramble=False)
    ours = places(Saltelli(k, seed=3), n * (k + 2))
    for found in (theirs, ours):
        for block in found.reshape(n, k + 2, k):
            a, b = block[0], block[-1]
            for axis, row in enumerate(block[1:-1]):
                expected = a.copy()
                expected[axis] = b[axis]
                assert (row == expected).all()
    assert (ours.reshape(n, k + 2, k)[:, 0] != ours.reshape(n, k + 2, k)[:, -1]).all()
    sequence = places(SobolSequence(2 * k, seed=3), n)
    assert (ours.reshape(n, k + 2, k)[:, 0] == sequence[:, :k]).all()
    assert (ours.reshape(n, k + 2, k)[:, -1] == sequence[:, k:]).all()


@pytest.mark.parametrize("n_levels", [2, 4, 8])
def test_morris__each_step_moves_one_factor_by_the_designs_step(n_levels: int) -> None:
    """By p / (2 (p − 1)), each factor once a trajectory; SALib's own sample."""
    from SALib.sample import morris

    k, n = 5, 20
    step = n_levels / (2.0 * (n_levels - 1))
    cube = Trajectories(k, n, n_levels, seed=11)
    found = places(cube, n * (k + 1)).reshape(n, k + 1, k)
    moves = np.diff(found, axis=1)
    assert ((np.abs(moves) > 1e-9).sum(axis=2) == 1).all()
    assert ((np.abs(moves) > 1e-9).sum(axis=1) == 1).all()
    assert np.abs(moves).max(axis=2) == pytest.approx(step)
    levels = np.unique(np.round(found * (n_levels - 1), 9))
    assert set(levels) <= set(map(float, range(n_levels)))
    problem = {
        "num_vars": k,
        "names": [str(axis) for axis in range(k)],
        "bounds": [[0.0, 1.0]] * k,
    }
    theirs = morris.sample(problem, n, num_levels=n_levels, seed=11)
    assert (found.reshape(-1, k) == theirs).all()


def test_filters__drop_what_they_say_and_nothing_else(tmp_path: Path) -> None:
    """Every comparison, between factors and with a value, against a list by hand."""
    axes = (0.1, 0.2, 0.3, 0.4)
    rules: dict[str, Callable[[float, float], bool]] = {
        "market.lock_in > 0.2": lambda x, _: x > 0.2,
        "0.2 >= market.lock_in": lambda x, _: x <= 0.2,
        "market.lock_in < 0.2": lambda x, _: x < 0.2,
        "market.lock_in<=0.2": lambda x, _: x <= 0.2,
        "market.discovery == 0.3": lambda _, y: y == 0.3,
        "market.discovery != 30 %": lambda _, y: y != 0.3,
    }
    text = factor("market.lock_in", values=axes)
    text += factor("market.discovery", values=axes)
    for rule, holds in rules.items():
        by_hand = [pair for pair in itertools.product(axes, axes) if holds(*pair)]
        sweep = sweep_of(tmp_path, f"filters = [{json.dumps(rule)}]\n{text}")
        found = [sweep.design.numbers(i) for i in range(sweep.n_points)]
        assert found == by_hand, rule


def test_filters__compare_factors(tmp_path: Path) -> None:
    """A lie told less often than it is found out; both rules must hold."""
    axes = (0.1, 0.2, 0.3, 0.4)
    text = factor("market.discovery", values=axes) + factor(
        "mistakes.1.probability", values=axes
    )
    rules = ["market.discovery < mistakes.1.probability", "market.discovery != 0.2"]
    sweep = sweep_of(tmp_path, f"filters = {json.dumps(rules)}\n{text}")
    found = [sweep.design.numbers(i) for i in range(sweep.n_points)]
    assert found == [
        (x, y) for x, y in itertools.product(axes, axes) if x < y and x != 0.2
    ]
    assert [sweep.point(i).number for i in range(3)] == [0, 1, 2]
    assert sweep.design.name == "grid"


def ranged(kind: str, count: str, n: int) -> str:
    """Return a sampled design of every lever."""
    logs = ("market.patience.mean", "policy.slow.authority.limit", "horizon")
    return f'[design]\nkind = "{kind}"\n{count} = {n}\n' + "".join(
        factor(field, low=low, high=high, **({"scale": "log"} if field in logs else {}))
        for field, (low, high) in LEVERS.items()
    )


@pytest.fixture(scope="module")
def designs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sweep]:
    """Return a sweep over every lever for each sampled design."""
    folder = tmp_path_factory.mktemp("designs")
    counts = {"sobol": 2**20, "saltelli": 2**20, "latin_hypercube": 5000, "morris": 50}
    return {
        kind: sweep_of(
            folder, ranged(kind, "trajectories" if kind == "morris" else "points", n)
        )
        for kind, n in counts.items()
    }


def test_sobol__blocks_are_those_of_scipy_in_any_order() -> None:
    """A far block first, then nearer ones: each as if walked to from the start."""
    sequence = SobolSequence(5, 3)
    warnings.simplefilter("ignore", UserWarning)  # that the first of some is balanced
    for block in (37, 2, 0, 36, 1, 64):
        walked = qmc.Sobol(5, scramble=False, bits=SOBOL_BITS)
        if block:
            walked.fast_forward(block * BLOCK)
        cells = np.ldexp(walked.random(BLOCK), SOBOL_BITS).astype(np.uint64)
        shifts = cells ^ np.ldexp(
            sequence.places(block * BLOCK, (block + 1) * BLOCK), SOBOL_BITS
        ).astype(np.uint64)
        assert (shifts == shifts[0]).all()
        assert (shifts[0] == np.random.Philox(3).random_raw(5) >> np.uint64(34)).all()


def test_sobol__far_points_are_near() -> None:
    """Once the way there is known, each other one is a matter of a block."""
    sequence = SobolSequence(8, 1)
    sequence.place(2**26)
    began = time.perf_counter()
    for block in range(2**26 // BLOCK - 100, 2**26 // BLOCK - 50):
        sequence.place(block * BLOCK)
    assert time.perf_counter() - began < 10.0


@pytest.mark.parametrize("kind", ["sobol", "saltelli", "latin_hypercube", "morris"])
def test_designs__a_point_is_the_same_however_it_is_come_by(
    kind: str, designs: dict[str, Sweep]
) -> None:
    """Backwards, again, and without the levels that a row needs."""
    design: Design = designs[kind].design
    assert design.n_points == {
        "sobol": 2**20,
        "saltelli": 14 * 2**20,
        "latin_hypercube": 5000,
        "morris": 13 * 50,
    }.get(kind)
    some = [0, 1, design.n_points // 2, design.n_points - 1]
    forward = [design.levels(i) for i in some]
    assert [design.levels(i) for i in reversed(some)] == forward[::-1]
    for i, levels in zip(some, forward, strict=True):
        assert design.numbers(i) == tuple(level.number for level in levels)
    first = min(BLOCK - 40, design.n_points // 2)
    columns = [column.tolist() for column in design.columns(first, first + 80)]
    rows = [design.numbers(i) for i in range(first, first + 80)]
    assert list(zip(*columns, strict=True)) == rows


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["sobol", "saltelli", "morris"]), st.integers(0, 2**40))
def test_designs__every_point_is_a_scenario_with_its_numbers(
    designs_once: dict[str, Sweep], kind: str, number: int
) -> None:
    """Each setting loads by itself, and the scenario then has the level's number."""
    sweep = designs_once[kind]
    point = sweep.point(number % sweep.n_points)
    assert list(point.overrides) == [one.field for one in sweep.factors]
    lie = "policy.slow.honesty.lie"
    overrides = {k: v for k, v in point.overrides.items() if k != lie}
    scenario = load_scenario(sweep.scenario, overrides=overrides)
    for one, level in zip(sweep.factors, point.levels, strict=True):
        assert one.low <= level.number <= one.high
        if one.field == lie:
            assert float(json.loads(level.setting)) == level.number
            continue
        found = setting_of(scenario.spec, one.field)
        assert found is not None
        assert number_of(found.value) == level.number, one.field
        whole = one.field in {"policy.slow.speed.agents", "population.customers"}
        assert not whole or level.number == int(level.number)


@pytest.fixture(scope="module")
def designs_once(designs: dict[str, Sweep]) -> dict[str, Sweep]:
    """Return the designs, for a test that draws from them many times."""
    return designs


def test_designs__memory_does_not_grow_with_the_points(
    designs: dict[str, Sweep],
) -> None:
    """Sixteen blocks of sixty of a sequence of a million is kept: 24 MB would be all.

    Then points in turn, with their settings as texts.
    """
    design = designs["sobol"].design
    coins = np.random.Generator(np.random.PCG64(1))
    design.numbers(0)  # imports scipy
    tracemalloc.start()
    for number in coins.integers(0, 2**20, 60).tolist():
        design.numbers(number)
    early, _ = tracemalloc.get_traced_memory()
    for number in range(2_000):
        design.levels(number)
    late, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert early < 10e6
    assert late - early < 2e6
    assert peak < 30e6


def test_designs__a_hundred_thousand_points_come_quickly(
    designs: dict[str, Sweep],
) -> None:
    """Of twelve factors: a tenth of what their shortest runs take, and far less."""
    design = designs["sobol"].design
    began = time.perf_counter()
    total = sum(design.numbers(number)[0] for number in range(100_000))
    assert total / 100_000 == pytest.approx(0.5, abs=1e-4)
    assert time.perf_counter() - began < 60.0
