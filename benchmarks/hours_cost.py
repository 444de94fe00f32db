"""Measure what opening hours cost the kernel.

    python benchmarks/hours_cost.py [--customers 20000] [--rounds 8]

Each policy is run as it is, and with fourteen changes of staffing a week at both desks
that change nothing: the same customers do the same, so only the bookkeeping differs.
The two alternate, and the least of each is compared.
"""

import argparse

import numpy as np
from common import SCENARIOS, insist, people_of, scenario_of, timed

from churnsim.engines.kernel.run import run_kernel
from churnsim.records import Floats, Plan

POLICY = "slow"
LIMIT = 1.5  # times as long as without
YEARS = 3.0


def main() -> None:
    """Print both times of each scenario, and insist on the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=8)
    options = parser.parse_args()
    for name in SCENARIOS:
        scenario = scenario_of(name, options.customers, YEARS)
        people = people_of(scenario)
        plain = scenario.plan(POLICY, people.n_customers)
        plans = (plain, with_changes(plain))
        rounds = []
        for _ in range(options.rounds + 1):  # the first one warms up
            runs = [timed(run_kernel, plan, people) for plan in plans]
            same = runs[0].books.accounts.tobytes() == runs[1].books.accounts.tobytes()
            insist(same, "changes that change nothing must not change a result")
            rounds.append([run.seconds for run in runs])
        off, on = np.min(rounds[1:], axis=0).tolist()
        verdict = "met" if on <= LIMIT * off else "MISSED"
        print(
            f"{name}: {1000 * off:.1f} ms without hours, {1000 * on:.1f} ms with:"
            f" {on / off:.2f} times as long; at most {LIMIT}: {verdict}"
        )


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
    main()
