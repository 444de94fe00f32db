"""Time the kernel beside SimPy: the same model, and an ordinary program of its kind.

    python benchmarks/engine_speed.py [--customers 100000] [--years 1] [--rounds 3]

Three engines, one core, turn by turn in one process:

- kernel: compiled.
- reference: the same model in SimPy, bit for bit (fewer customers: it is slow).
- plain: `plain_simpy.py`, the program that a practitioner would write. It visits every
  occasion, which the other two need not, and keeps far fewer figures.

Before anything is timed, the first two are compared bit by bit, and the third with them
in law. Times are processor times without drawing the population; speeds are in years of
customers' lives per second. Cold and warm start: fresh processes, from the command to
the first result, with an empty and a filled cache of compiled code.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from statistics import median
from time import perf_counter, process_time

import numpy as np
from common import (
    SCENARIOS,
    customer_years,
    insist,
    n_kept,
    peak_memory,
    people_of,
    scenario_of,
    timed,
)
from plain_simpy import PlainFirm, Results

from churnsim.engines.books import Account, Tally
from churnsim.engines.kernel.run import run_kernel
from churnsim.engines.outcome import totals_of
from churnsim.engines.reference.run import run_reference
from churnsim.records import MICRO, Plan, Population
from churnsim.simulation import rates_of

POLICY = "slow_and_dishonest"  # the one with the longest episodes
TARGET = 200  # times the plain program
CHECK_CUSTOMERS = 1_000
CHECK_YEARS = 2
CHECK_REPLICATIONS = 16
T_MAX = 5.2  # two-sided false alarm 1e-4 at 15 degrees of freedom
REFERENCE_CUSTOMERS = 5_000
KERNEL_RUNS = 5  # per round, as each is short


def figures(plan: Plan, people: Population, replication: int) -> list[float]:
    """Return the kernel's figures that the plain program also counts."""
    books = timed(run_kernel, plan, people, replication).books
    return [
        float(books.accounts[:, Account.REVENUE].sum()) / MICRO,
        n_kept(books),
        float(books.accounts[:, Account.MAKE_GOOD].sum()) / MICRO,
        customer_years(books, people, plan.horizon),
        int(books.tally[Tally.MISTAKES]),
        int(books.tally[Tally.CONTACTS]),
        int(books.tally[Tally.ORDINARY_CONTACTS]),
    ]


def plain_figures(results: Results) -> list[float]:
    """Return the same figures of the plain program."""
    return [
        results.revenue / MICRO,
        results.kept,
        results.make_good / MICRO,
        results.customer_years,
        results.counts["mistakes"],
        results.counts["contacts"],
        results.counts["ordinary_contacts"],
    ]


def check_plain(name: str) -> None:
    """Insist that the plain program agrees with the kernel in law, and say how well."""
    scenario = scenario_of(name, CHECK_CUSTOMERS, CHECK_YEARS)
    plan = scenario.plan(POLICY, CHECK_CUSTOMERS)
    pairs = []
    for replication in range(CHECK_REPLICATIONS):
        people = people_of(scenario, replication)
        results = PlainFirm(plan, people, replication).run()
        pairs.append((figures(plan, people, replication), plain_figures(results)))
    ours, theirs = np.array(pairs, float).swapaxes(0, 1)
    apart = theirs - ours
    error = apart.std(axis=0, ddof=1) / CHECK_REPLICATIONS**0.5
    t = apart.mean(axis=0) / error
    words = ("revenue", "kept", "make-good", "years", "mistakes", "contacts", "others")
    said = ", ".join(
        f"{word} {100 * d / o:+.1f} % (t {x:+.1f})"
        for word, d, o, x in zip(
            words, apart.mean(axis=0), ours.mean(axis=0), t, strict=True
        )
    )
    print(f"{name}: plain against kernel, {CHECK_REPLICATIONS} pairs: {said}")
    insist(bool(np.all(np.abs(t) < T_MAX)), "the plain program is another model")


def check_reference(name: str) -> float:
    """Insist that the reference gives the kernel's bits; return years per second."""
    scenario = scenario_of(name, REFERENCE_CUSTOMERS, 1)
    plan = scenario.plan(POLICY, REFERENCE_CUSTOMERS)
    people = people_of(scenario)
    told = timed(run_reference, plan, people)
    books = timed(run_kernel, plan, people).books
    is_equal = all(
        np.array_equal(values, told.books._asdict()[field])
        for field, values in books._asdict().items()
    )
    insist(is_equal, "the reference differs from the kernel")
    return customer_years(books, people, plan.horizon) / told.seconds


def compare(name: str, n_customers: int, years: float, n_rounds: int) -> None:
    """Time kernel and plain program turn by turn, and print a table."""
    scenario = scenario_of(name, n_customers, years)
    plan = scenario.plan(POLICY, n_customers)
    people = people_of(scenario)
    run = timed(run_kernel, plan, people)
    lived = customer_years(run.books, people, plan.horizon)
    ours, theirs = [], []
    for number in range(n_rounds):
        ours += [timed(run_kernel, plan, people).seconds for _ in range(KERNEL_RUNS)]
        start = process_time()
        results = PlainFirm(plan, people, number).run()
        theirs.append(process_time() - start)
        chance = n_kept(run.books) / len(people.arrival)
        error = (2 * len(people.arrival) * chance * (1 - chance)) ** 0.5
        apart = abs(results.kept - n_kept(run.books))
        insist(apart < 5 * error, f"customers kept differ by {apart}")
    kernel, plain = median(ours), median(theirs)
    reference = check_reference(name)
    ratio = plain / kernel
    print(f"\n{name}, {n_customers:,} customers, {years:g} years, policy {POLICY}")
    print("                    years/s, median     best")
    print(f"  kernel            {lived / kernel:15,.0f} {lived / min(ours):12,.0f}")
    print(f"  plain SimPy       {lived / plain:15,.0f} {lived / min(theirs):12,.0f}")
    print(
        f"  reference         {reference:15,.0f}   ({REFERENCE_CUSTOMERS:,} customers)"
    )
    print(
        f"  kernel: {lived:,.0f} years in {kernel:.3f} s, {run.n_events / kernel:,.0f} "
        f"events/s, {kernel / run.n_events * 1e9:.0f} ns each"
    )
    print(f"  kernel/plain {ratio:.0f} x: target of {TARGET} x {verdict(ratio)}")


def verdict(ratio: float) -> str:
    """Return whether the target is met, in a word."""
    return "met" if ratio >= TARGET else "missed"


def fresh(engine: str, name: str, n_customers: int, cache: str) -> tuple[float, float]:
    """Return seconds to the first result and peak memory [MB] of a fresh process."""
    command = [sys.executable, __file__, "--alone", engine, name, str(n_customers)]
    environment = {**os.environ, "CHURNSIM_CACHE_DIR": cache}
    start = perf_counter()
    done = subprocess.run(  # noqa: S603 - this script itself
        command, env=environment, check=True, capture_output=True, text=True
    )
    return perf_counter() - start, float(done.stdout)


def alone(engine: str, name: str, n_customers: int) -> None:
    """Run once and print the process's peak memory [MB]."""
    scenario = scenario_of(name, n_customers, 1)
    plan, people = scenario.plan(POLICY, n_customers), people_of(scenario)
    if engine == "plain":
        PlainFirm(plan, people, 0).run()
    else:
        run = run_kernel if engine == "kernel" else run_reference
        books = timed(run, plan, people).books
        rates = rates_of(scenario, POLICY, plan)
        insist(totals_of(books, plan, rates).revenue > 0, "no revenue")
    print(peak_memory() / 1e6)


def starts(name: str, n_customers: int) -> None:
    """Print cold and warm starts and peak memory."""
    with tempfile.TemporaryDirectory() as cache:
        cold, _ = fresh("kernel", name, n_customers, cache)
        warm, memory = fresh("kernel", name, n_customers, cache)
        _, empty = fresh("kernel", name, 1, cache)
        _, plain = fresh("plain", name, n_customers, cache)
    print(f"\n{name}, {n_customers:,} customers, 1 year, fresh processes")
    print(f"  cold start {cold:.1f} s, warm start {warm:.2f} s, population included")
    print(
        f"  peak memory: kernel {memory:.0f} MB, of which {empty:.0f} MB with one "
        f"customer; plain SimPy {plain:.0f} MB"
    )


def main() -> None:
    """Check, then time."""
    parser = argparse.ArgumentParser(description="Time the kernel beside SimPy.")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--years", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--alone", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        engine, name, n_customers = given.alone
        alone(engine, name, int(n_customers))
        return
    for name in SCENARIOS:
        check_plain(name)
    for name in SCENARIOS:
        compare(name, given.customers, given.years, given.rounds)
    starts("telecom", given.customers)


if __name__ == "__main__":
    main()
