"""Measure what agents who are people cost the kernel.

    python benchmarks/strain_cost.py [--customers 20000] [--rounds 8]

Each policy is run as it is, and with agents who never quit, learn or differ: the same
customers do the same, so only the bookkeeping differs. The two alternate, and the least
of each is compared.
"""

import argparse

import numpy as np
from common import SCENARIOS, insist, people_of, scenario_of, timed

from churnsim.engines.kernel.run import run_kernel
from churnsim.records import NO_STRAIN, Plan
from churnsim.variates import constant

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
        plans = (plain, with_people(plain))
        rounds = []
        for _ in range(options.rounds + 1):  # the first one warms up
            runs = [timed(run_kernel, plan, people) for plan in plans]
            same = runs[0].books.accounts.tobytes() == runs[1].books.accounts.tobytes()
            insist(same, "agents who never change must not change a result")
            rounds.append([run.seconds for run in runs])
        off, on = np.min(rounds[1:], axis=0).tolist()
        verdict = "met" if on <= LIMIT * off else "MISSED"
        print(
            f"{name}: {1000 * off:.1f} ms without strain, {1000 * on:.1f} ms with:"
            f" {on / off:.2f} times as long; at most {LIMIT}: {verdict}"
        )


def with_people(plan: Plan) -> Plan:
    """Return the plan with agents who could change in every way, and never do."""
    calm = NO_STRAIN._replace(is_on=1, slope=1.0, newcomer=1.0, hiring=constant(30.0))
    return plan._replace(strain=calm)


if __name__ == "__main__":
    main()
