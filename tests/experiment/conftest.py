"""A small shop whose policies are compared once for all tests."""

from pathlib import Path

import pytest

from churnsim.experiment import Comparison, Execution, compare
from churnsim.scenario import Scenario, load_scenario

SHOP = """\
title = "Corner shop"
horizon = "1 year"
seed = 7
replications = 4
baseline = "empowered"
policies = ["empowered", "slow", "dishonest", "patient", "=1+1"]

[population]
customers = 150
prospects = "30/year"

[market]
relationship = "purchase"
rate = { law = "gamma", shape = 1.2, scale = "4 weeks" }
dropout = { law = "beta", a = 0.8, b = 9.0 }
value = "$35"
ordinary_contacts = "6/year"
lock_in = 0.5

[[mistakes]]
name = "late"
probability = 0.15
sting = { law = "lognormal", mean = 1.6, cv = 0.3 }
stake = { law = "lognormal", mean = "$20", cv = 1.0 }
voice = 0.3
heard = 0.37
settled = 1.01
quick = 2.10
tolerance = "24 h"
tau = "48 h"

[costs]
margin = "45 %"
agent_pay = "$2/hour"
supervisor_pay = "$4/hour"

[policy_defaults.speed]
agents = 1
supervisors = 1

# Covers every stake, so that the back desk never sees a case.
[policy_defaults.authority]
limit = "inf"

[policy.patient]
title = "Patient"
extends = "empowered"
speed.approval = "9 days"

[policy."=1+1"]
title = "@SUM(1)"
extends = "slow"
"""


@pytest.fixture(scope="session")
def shop_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of the small shop."""
    path = tmp_path_factory.mktemp("shop") / "shop.toml"
    path.write_text(SHOP, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def shop(shop_file: Path) -> Scenario:
    """Return the small shop."""
    return load_scenario(shop_file)


@pytest.fixture(scope="session")
def comparison(shop_file: Path) -> Comparison:
    """Return its policies compared."""
    return compare(shop_file, execution=Execution(threads=2))
