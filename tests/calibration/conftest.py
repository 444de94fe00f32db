"""Firms whose figures are known functions of the parameters, and a small real one."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from churnsim.calibration.fitting import Effort, Fit, fit
from churnsim.calibration.likelihood import Observed
from churnsim.errors import InputError
from churnsim.records import Floats

SHOP = """\
title = "Small subscription"
horizon = "1 year"
seed = 7
replications = 4
baseline = "empowered"
policies = ["empowered", "slow"]

[population]
customers = 300
prospects = "30/year"

[market]
relationship = "subscription"
rate = "12/year"
dropout = { law = "beta", a = 1.2, b = 160.0 }
value = "$50"
period = "1 month"
ordinary_contacts = "4/year"
lock_in = 1.0
stated_to_actual = 0.4

[[mistakes]]
name = "late"
probability = 0.06
sting = 2.5
stake = { law = "lognormal", mean = "$40", cv = 1.0 }
voice = 0.3
heard = 0.37
settled = 1.01
quick = 2.10
tolerance = "24 h"
tau = "48 h"

[costs]
margin = "60 %"
agent_pay = "$2/hour"
supervisor_pay = "$4/hour"

[policy_defaults.speed]
agents = 1
supervisors = 1
"""
TARGETS = """\
policy = "slow"

[[targets]]
figure = "churn"
value = "30 %/year"
error = "2 %/year"
source = "orders"

[[targets]]
figure = "complaint_rate"
value = "40 %/year"
of = 2000
"""

Figures = Callable[[Floats], Floats]  # from places (n, k) to figures (n, m)


@pytest.fixture
def shop_file(tmp_path: Path) -> Path:
    """Return the file of a small firm whose runs take a moment."""
    path = tmp_path / "shop.toml"
    path.write_text(SHOP, encoding="utf-8")
    return path


@pytest.fixture
def targets_file(tmp_path: Path) -> Path:
    """Return a file of targets that the small firm can meet."""
    path = tmp_path / "targets.toml"
    path.write_text(TARGETS, encoding="utf-8")
    return path


def world_of(
    figures: Figures, luck: Sequence[float], replications: int, seed: int
) -> Callable[[Floats], Floats]:
    """Return a firm without a simulation: known figures, and luck that all share.

    Args:
        figures: What they are without luck.
        luck: Its standard deviation in one replication, relative to each figure.
        replications: How many.
        seed: Of luck.
    """
    random = np.random.default_rng(seed)
    own = np.array(luck) * random.standard_normal((replications, len(luck)))

    def world(places: Floats) -> Floats:
        found = figures(places)[:, None, :] * (1.0 + own)
        ones = np.ones_like(found)
        return np.stack([found, ones, ones, ones], axis=-1)

    return world


def never(_: list[int]) -> InputError:
    """Return the error that a world with data everywhere never makes."""
    return InputError("no data")


def fitted(
    figures: Figures,
    seen: tuple[Sequence[float], Sequence[float]],
    n_axes: int,
    seed: int = 1,
    luck: float = 0.02,
) -> Fit:
    """Return the fit of a firm of known figures to values and errors seen."""
    values, errors = (np.array(part) for part in seen)
    world = world_of(figures, [luck] * len(values), 10, seed)
    return fit(world, Observed(values, errors), n_axes, Effort(40, seed), never)
