"""One run of one contestant in a process of its own; prints the peak memory [bytes].

python -m benchmarks.alone kernel telecom slow 100000
"""

import sys

from benchmarks.common import insist, peak_memory, people_of, scenario_of
from benchmarks.contestants import KERNEL, kernel, others

REFERENCE_MAX = 10**9  # it has been asked for


def main() -> None:
    """Run the contestant that the command line names."""
    name, scenario_name, policy, n_customers = sys.argv[1:]
    found, _ = ([kernel()], []) if name == KERNEL else others(REFERENCE_MAX)
    (contestant,) = (one for one in found if one.name == name)
    scenario = scenario_of(scenario_name, int(n_customers), 1)
    plan = scenario.plan(policy, int(n_customers))
    told = contestant.run(plan, people_of(scenario), 0)
    insist(told.answers["revenue"] > 0, "no revenue")
    print(peak_memory())


if __name__ == "__main__":
    main()
