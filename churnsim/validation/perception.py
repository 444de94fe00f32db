"""The firm's view beside the truth: what it hears of, how content it takes them for.

What a firm records is what is spoken up about. Its survey asks as it closes a case, so
neither the silent nor those who gave up are asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np

from churnsim.engines.books import Tally
from churnsim.scenario import load_scenario
from churnsim.simulation import simulate
from churnsim.validation.checks import Check, Figure, Rule, Seen, mean, share
from churnsim.validation.repurchase import log_odds
from churnsim.validation.worlds import (
    MARKET,
    POLICY,
    SPEC,
    Mistake,
    World,
    certain,
    run,
)

GROUP = "perception"
VOICED = "share of mistakes spoken up about, as set"
ROSY = "Bain 2005: 80 % of firms believe they excel, 8 % of customers agree"

VOICE = 0.4
N = 100_000
SCENARIOS = ("bank", "ecommerce", "hotel", "saas", "telecom")
REPLICATIONS = 8
SMALL = ("population.customers=1500", 'horizon="2 years"')


def checks() -> tuple[Check, ...]:
    """Return the checks of this group."""
    heard = Figure("share of mistakes that the firm hears of", VOICE, 0.01)
    return (
        Check(GROUP, VOICED, (heard,), heard_of, 0.2),
        *(
            Check(
                GROUP,
                ROSY,
                (
                    Figure(
                        f"{name}: mistakes made over heard of",
                        0.0,
                        digits=1,
                        rule=Rule.ABOVE,
                    ),
                    Figure(
                        f"{name}: satisfaction, survey over truth", 0.0, rule=Rule.ABOVE
                    ),
                ),
                partial(rosy_view, name),
                0.5,
            )
            for name in SCENARIOS
        ),
    )


def heard_of() -> Sequence[Seen]:
    """Return the share of mistakes that reach the firm's books."""
    market = MARKET._replace(mistake_probability=1.0)
    spec = SPEC._replace(customers=N, rate=certain(1.0), horizon=1.0)
    tally = run(World(market, POLICY, Mistake(voice=log_odds(VOICE)), spec)).tally
    return (share(int(tally[Tally.VOICED]), int(tally[Tally.MISTAKES])),)


def rosy_view(scenario: str) -> Sequence[Seen]:
    """Return what the slow policy's dashboard leaves out: mistakes, discontent.

    Paired by replication; of each, satisfaction as surveyed less that of everybody
    whom a mistake befell.
    """
    small = load_scenario(scenario, overrides=SMALL)
    views = []
    for replication in range(REPLICATIONS):
        outcome = simulate(small, "slow", replication=replication)
        view = outcome.firm_view()
        surveyed, true = map(
            _number, (view.satisfaction_surveyed, view.satisfaction_true)
        )
        unheard = view.mistakes_made - view.complaints_received
        views.append((unheard, surveyed - true))
    return tuple(mean(column) for column in np.array(views, dtype=np.float64).T)


def _number(figure: float | None) -> float:
    return math.nan if figure is None else figure
