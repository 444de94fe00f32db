"""Episodes told by the event log, and variants of a scenario that isolate them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from churnsim.engines.outcome import Outcome
from churnsim.scenario import load_scenario
from churnsim.simulation import simulate, with_events
from churnsim.validation.checks import Seen, share

# A desk that never keeps anybody waiting, no questions, no newcomers.
ALONE = (
    'market.ordinary_contacts="0/year"',
    'population.prospects="0/year"',
    "policy_defaults.speed.agents=5000",
    "policy_defaults.speed.supervisors=5000",
)
ALL_VOICE = ("mistakes.late.voice=90", "mistakes.wrong_or_damaged.voice=90")


@dataclass
class Episode:
    """One mistake of one customer, from the log."""

    customer: int
    opened_at: float
    is_double: bool  # the last one was not yet forgotten
    since_last: float  # from the last close [days]; inf: there was none
    n_found_out: int = 0  # lies found out
    settled_with: float | None = None  # grievance as it was settled
    closed_at: float = math.inf
    has_left: bool = False  # at its close, because of it
    forgot_at: float = math.inf


def run(
    scenario: str, policy: str, overrides: Sequence[str], customers: int, seed: int = 7
) -> Outcome:
    """Return a run of a variant with its event log."""
    variant = load_scenario(
        scenario, overrides=[*overrides, f"population.customers={customers}"]
    )
    return with_events(simulate(variant, policy, seed=seed))


def episodes(outcome: Outcome) -> dict[int, list[Episode]]:
    """Return each customer's episodes, in order, up to the horizon."""
    table = outcome.events()
    told: dict[int, list[Episode]] = {}
    remembered: dict[int, bool] = {}
    columns = ("time", "customer", "event", "grievance", "episode")
    for time, who, event, grievance, word in zip(
        *(table.column(name).to_pylist() for name in columns), strict=True
    ):
        own = told.setdefault(who, [])
        if event == "mistake":
            last = own[-1].closed_at if own else -math.inf
            is_double = remembered.get(who, False)
            own.append(Episode(who, time, is_double, time - last))
            remembered[who] = False
        elif event == "found_out":
            own[-1].n_found_out += 1
        elif event == "settled":
            own[-1].settled_with = grievance
        elif event == "closed":
            own[-1].closed_at = time
            remembered[who] = True
        elif event == "forgot":
            own[-1].forgot_at = time
            remembered[who] = False
        elif event == "left" and own and word > 1:
            own[-1].has_left = True
    return told


def share_left(cases: Iterable[Episode]) -> Seen:
    """Return the share of closed episodes after which customers left."""
    left = [case.has_left for case in cases if case.closed_at < math.inf]
    return share(sum(left), len(left))
