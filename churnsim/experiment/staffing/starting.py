"""Where the search begins: Erlang A with what one run measures, hour by hour."""

from __future__ import annotations

import numpy as np

from churnsim.engines.week import times_lived
from churnsim.experiment.staffing.counting import Measured
from churnsim.experiment.staffing.erlang import Load, needed_agents
from churnsim.experiment.staffing.shifts import Shifts
from churnsim.experiment.staffing.target import Target
from churnsim.mechanisms.hours import HOURS_IN_DAY
from churnsim.scenario import Policy, Scenario
from churnsim.scenario.checks import mean_of


def start_of(
    scenario: Scenario,
    policy: Policy,
    target: Target,
    shifts: Shifts,
    measured: Measured,
) -> tuple[int, ...]:
    """Return the agents of each shift by Erlang A, at least 1.

    Args:
        scenario: Says how patient customers are, and how long is simulated.
        policy: Says how long a contact takes, where nobody was handled.
        target: To be met on average over the arrivals of a shift; below 100 %.
        shifts: Of the front desk.
        measured: Arrivals by shift and hour of the week, and the time they take.
    """
    plan = scenario.plan(policy, measured.n_customers)
    handle, patience = measured.handle, mean_of(scenario.spec.market.patience)
    if handle is None:
        handle = mean_of(policy.speed.handle)
    lived = np.array(times_lived(plan.into_week, plan.horizon))
    spans = shifts.worked() * lived / HOURS_IN_DAY  # [days]
    found = []
    for counts, days in zip(measured.arrivals.tolist(), spans.tolist(), strict=True):
        loads = [
            Load(n / span, handle, patience, n)
            for n, span in zip(counts, days, strict=True)
            if n and span
        ]
        found.append(needed_agents(loads, target.share, target.within))
    return tuple(found)
