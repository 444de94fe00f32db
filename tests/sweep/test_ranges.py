"""Ranges are drawn from evenly, and no factor sets what another varies."""

import itertools
import math
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from churnsim.errors import InputError
from churnsim.scenario import Scenario
from churnsim.sweep.designs import TRAJECTORIES
from churnsim.sweep.overlapping import is_overlapping, path_of
from churnsim.sweep.plan import Sweep, load_sweep
from churnsim.sweep.points import Variations

HEAD = """
scenario = "telecom"
policies = ["empowered", "slow"]
replications = 1

[set]
"population.customers" = 50

[design]
"""


def swept(folder: Path, text: str) -> Sweep:
    """Return the sweep of a file that ends so."""
    path = folder / "sweep.toml"
    path.write_text(HEAD + text)
    return load_sweep(path)


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


def test_ready_assumptions__lie_within_their_ranges() -> None:
    """One block of Saltelli's layout, and each setting one that the scenario can be."""
    sweep = load_sweep("telecom_assumptions")
    block = len(sweep.factors) + 2
    assert sweep.n_points % block == 0
    assert (sweep.n_points // block).bit_count() == 1  # a net is balanced so alone
    variations = Variations(sweep.scenario)
    for index in range(block):
        variations.scenario(sweep.point(index).varied)
        numbers = sweep.design.numbers(index)
        for factor, number in zip(sweep.factors, numbers, strict=True):
            assert factor.low <= number <= factor.high


def test_ranges__a_point_asked_for_twice_is_equal(tmp_path: Path) -> None:
    """Whatever was asked for between, and however its settings are kept."""
    sweep = swept(
        tmp_path,
        'kind = "sobol"\npoints = 8\n\n[[factor]]\n'
        'field = "market.lock_in"\nlow = 0.0\nhigh = 1.0\n',
    )
    first = sweep.point(3)
    assert sweep.point(4) != first
    assert sweep.point(3) == first


def listed(folder: Path, pairs: list[tuple[float, float]], head: str = "") -> Sweep:
    """Return a sweep over a list of points."""
    points = [
        f'[[point]]\n"market.lock_in" = {a}\n"market.discovery" = {b}\n'
        for a, b in pairs
    ]
    path = folder / "sweep.toml"
    path.write_text(head + HEAD + 'kind = "list"\n\n' + "\n".join(points))
    return load_sweep(path)


@pytest.mark.parametrize("head", ["", 'filters = ["market.lock_in < 0.9"]\n'])
def test_list__other_points_of_the_same_settings_are_another_sweep(
    tmp_path: Path, head: str
) -> None:
    """A store tells them apart, however many each has; spelling does not count."""
    first = listed(tmp_path, [(0.1, 0.1), (0.1, 0.2), (0.2, 0.1)], head)
    same = listed(tmp_path, [(0.1, 0.10), (0.1, 0.2), (2e-1, 0.1)], head)
    other = listed(tmp_path, [(0.1, 0.1), (0.2, 0.2), (0.2, 0.1)], head)
    assert first.digest == same.digest
    assert first.digest != other.digest


def valued(folder: Path, field: str, values: str) -> Sweep:
    """Return a sweep over the values of one factor."""
    text = f'kind = "grid"\n\n[[factor]]\nfield = "{field}"\nvalues = {values}\n'
    return swept(folder, text)


def test_digest__a_law_is_not_another_with_its_mean(tmp_path: Path) -> None:
    """Times spelt otherwise are the same; a constant one is not an exponential one."""
    field = "market.endurance"
    days = valued(tmp_path, field, '["6 days"]')
    hours = valued(tmp_path, field, '["144 h"]')
    constant = valued(tmp_path, field, '[{ law = "constant", mean = "6 days" }]')
    assert days.digest == hours.digest != constant.digest


def test_factors__what_no_loaded_scenario_can_change_is_refused(tmp_path: Path) -> None:
    """Else each point would fail of the same."""
    with pytest.raises(InputError, match=r"toml:\d+: policy\.slow\.extends: must be"):
        valued(tmp_path, "policy.slow.extends", '["by_the_book"]')


def test_morris__ten_million_trajectories_are_told_at_once(tmp_path: Path) -> None:
    """Any of them is made with the 255 beside it, the same whatever came before."""
    text = (
        'kind = "morris"\ntrajectories = 10000000\nlevels = 4\n\n'
        '[[factor]]\nfield = "market.lock_in"\nlow = 0.0\nhigh = 1.0\n\n'
        '[[factor]]\nfield = "market.discovery"\nlow = 0.0\nhigh = 1.0\n'
    )
    began = time.process_time()
    sweep = swept(tmp_path, text)
    assert sweep.n_points == 3 * 10**7
    some = [0, 3 * TRAJECTORIES - 1, 3 * TRAJECTORIES, 10**7, sweep.n_points - 1]
    found = [sweep.point(index) for index in some]
    assert time.process_time() - began < 10.0
    again = load_sweep(tmp_path / "sweep.toml")
    assert [again.point(index) for index in reversed(some)] == found[::-1]
    for first in (0, 3 * TRAJECTORIES, sweep.n_points - 3):
        places = np.array([sweep.design.unit(first + step) for step in range(3)])
        moves = np.abs(np.diff(places, axis=0))
        assert sorted(moves.argmax(axis=1)) == [0, 1]
        assert sorted(moves.ravel()) == pytest.approx([0.0, 0.0, 2.0 / 3, 2.0 / 3])
    blocks = [sweep.design.unit(index) for index in (0, 3 * TRAJECTORIES)]
    assert blocks[0] != blocks[1] or sweep.design.unit(1) != sweep.design.unit(
        3 * TRAJECTORIES + 1
    )
