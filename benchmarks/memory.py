"""Measure the kernel's memory per customer against what is predicted.

    python -m benchmarks.memory [--customers 1000000] [--years 1]

A fresh process per size reports its size before a population is drawn, and the peak
with the population ready and after the run. The prediction is that of
`churnsim.memory`, which refuses comparisons that would not fit: what is
taken beyond the size before.
"""

import argparse

from benchmarks.common import (
    SCENARIOS,
    fresh,
    insist,
    peak_memory,
    people_of,
    scenario_of,
    timed,
)
from churnsim.engines.kernel.run import run_kernel
from churnsim.memory import bytes_per_person, need_of

POLICY = "slow_and_dishonest"
CLOSE = 0.10  # of the prediction
BASE_CUSTOMERS = 1_000


def alone(name: str, n_customers: int, years: float) -> None:
    """Run once; print people, and sizes before, when drawn and after [bytes]."""
    scenario = scenario_of(name, n_customers, years)
    before = peak_memory()
    plan, people = scenario.plan(POLICY, n_customers), people_of(scenario)
    drawn = peak_memory()
    run = timed(run_kernel, plan, people)
    insist(int(run.books.is_won.sum()) >= n_customers, "somebody never came")
    print(len(people.arrival), before, drawn, peak_memory())


def measured(name: str, n_customers: int, years: float) -> list[int]:
    """Return people, and sizes before, when drawn and after, of a fresh process."""
    told = fresh("memory", "--alone", name, str(n_customers), str(years))
    return [int(word) for word in told.split()]


def main() -> None:
    """Print measured and predicted bytes."""
    parser = argparse.ArgumentParser(description="Measure memory per customer.")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--years", type=float, default=1.0)
    parser.add_argument("--alone", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        name, n_customers, years = given.alone
        alone(name, int(n_customers), float(years))
        return
    for name in SCENARIOS:
        few, _, _, base = measured(name, BASE_CUSTOMERS, given.years)
        many, before, drawn, whole = measured(name, given.customers, given.years)
        scenario = scenario_of(name, given.customers, given.years)
        kept = bytes_per_person(scenario.plan(POLICY, given.customers))
        need = before + need_of(scenario, "kernel", 1, 1).total
        print(
            f"{name}, {many:,} people: peak {whole / 1e6:,.0f} MB, "
            f"{base / 1e6:,.0f} MB with {few:,} people; while drawing "
            f"{drawn / 1e6:,.0f} MB\n"
            f"  measured {(whole - base) / (many - few):.0f} bytes a person; the "
            f"kernel's own records {kept}; predicted need {need / 1e6:,.0f} MB, "
            f"off by {need / whole - 1:+.1%}"
        )
        is_close = abs(need / whole - 1) <= CLOSE
        insist(is_close, f"the prediction is off by more than {CLOSE:.0%}")


if __name__ == "__main__":
    main()
