"""Posteriors that tests make, and the known firm whose price is not known."""

import json
import random
from pathlib import Path
from typing import Any

from churnsim.calibration.drawn_runs import under
from churnsim.experiment.posterior import Parameter, Posterior, Uncertain
from churnsim.scenario import Scenario
from tests.experiment.known import PRICE, known_revenue, known_scenario

PRICE_SD = 20.0  # of what is not known of the price of a purchase

# What a firm loses by being slow, where the price of a purchase is 1.
LOST_A_PRICE = {
    kind: (known_revenue(kind, "empowered") - known_revenue(kind, "slow")) / PRICE
    for kind in ("alike",)
}


def document(**changes: Any) -> dict[str, Any]:
    """Return a posterior's document, with some keys replaced; None takes one out."""
    whole: dict[str, Any] = {
        "churnsim": "0.1.0",
        "kind": "posterior",
        "scenario": "shop",
        "digest": "0" * 64,
        "policy": "slow",
        "parameters": [
            {"field": "market.lock_in", "unit": "1"},
            {"field": "market.stated_to_actual", "unit": "1"},
        ],
        "draws": [["0.2", "0.5"], ["0.5", "0.7"], ["0.9", "0.6"]],
        "weights": None,
    }
    return whole | changes


def raw(**changes: Any) -> bytes:
    """Return the content of a posterior's file."""
    return json.dumps(document(**changes)).encode()


def of_shop(scenario: Scenario, n: int = 40, seed: int = 1) -> Posterior:
    """Return a posterior of a shop: how easily its customers leave."""
    coins = random.Random(seed)
    draws = tuple(
        (f"{coins.gauss(0.5, 0.6):.3f}", f"{coins.uniform(0.2, 0.9):.3f}")
        for _ in range(n)
    )
    fields = ("market.lock_in", "market.stated_to_actual")
    parameters = tuple(Parameter(field, "1") for field in fields)
    return Posterior(scenario.name, scenario.digest, "slow", parameters, draws, None)


def of_price(folder: Path, n: int, seed: int) -> tuple[Uncertain, float]:
    """Return a firm with a known answer but for its price, and the price that it has.

    The price is normal, and what is lost is proportional to it.
    """
    coins = random.Random(seed)
    scenario = known_scenario("alike", folder)
    prices = [coins.gauss(PRICE, PRICE_SD) for _ in range(n + 1)]
    posterior = Posterior(
        scenario.name,
        scenario.digest,
        "slow",
        (Parameter("market.value", "$"),),
        tuple((f"${price:.2f}",) for price in prices[:n]),
        None,
    )
    return under(posterior, scenario), prices[n]
