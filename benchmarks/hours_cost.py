"""Measure what opening hours cost the kernel.

    python -m benchmarks.hours_cost [--customers 20000] [--rounds 8]

Each policy is run as it is, and with fourteen changes of staffing a week at both desks
that change nothing: the same customers do the same, so only the bookkeeping differs.
The two alternate, and the least of each is compared.
"""

import numpy as np

from benchmarks.common import compare_cost
from churnsim.records import Floats, Plan


def with_changes(plan: Plan) -> Plan:
    """Return the plan with fourteen changes a week that change nothing."""
    policy, market = plan.policy, plan.market
    return plan._replace(
        policy=policy._replace(
            front_roster=same_week(policy.agents),
            back_roster=same_week(policy.supervisors),
        ),
        market=market._replace(when_closed=2),
    )


def same_week(number: int) -> Floats:
    """Return a roster with two changes a day, to the same number."""
    return np.array([[half / 2.0, number] for half in range(14)], dtype=np.float64)


if __name__ == "__main__":
    compare_cost(__doc__, with_changes, "hours")
