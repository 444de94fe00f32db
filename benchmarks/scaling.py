"""How the kernel's speed depends on the size and kind of the question.

    python -m benchmarks scaling [--max-customers 10000000] [--out docs]

Seven curves of the telecom scenario, each point the median of rounds in which all
points of its curve take their turn:

- customers: events per second of one run of a year;
- native: times as fast as the plain C++ loop, by customers, if there is a compiler;
- memory: peak of a process of its own that runs one of a year;
- threads: replications per second of the kernel, eight of them, by the clock;
- mistakes: events per second, by mistakes per customer and year;
- load: events per second, by what is offered to the front desk over what it can do;
- policies: times as long as with one policy, of a whole comparison on one thread.

Each run's events are counted, and must be the same in every round.
"""

import argparse
import json
import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from textwrap import wrap
from time import perf_counter

import numpy as np

from benchmarks import native_loop
from benchmarks.common import (
    KEY,
    customer_years,
    insist,
    people_of,
    scenario_of,
    timed,
)
from benchmarks.curves import Curve, Measured, Point, Runs, chart_of, curve_of, figure
from benchmarks.measuring import machine
from benchmarks.memory import measured
from churnsim import load_scenario
from churnsim.engines.books import MICROSECONDS, Tally
from churnsim.engines.kernel.run import run_kernel
from churnsim.experiment import compare
from churnsim.experiment.replications import Execution
from churnsim.experiment.store.markdown import markdown_table
from churnsim.records import Plan, Population
from churnsim.report.page.writing import write_chart, write_text
from churnsim.variates import LawKind

SCENARIO, POLICY = "telecom", "slow_and_dishonest"
REPLICATIONS = 8  # that threads share
CUSTOMERS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
MISTAKES = (0.1, 0.3, 1.0, 3.0, 10.0)  # a customer and year
LOADS = (0.5, 0.7, 0.9, 1.0, 1.1, 1.2)
POLICIES = (1, 2, 4, 5, 8, 16, 32)
OCCASIONS = 12.0  # a customer and year, in the scenario
NATIVE_ROUNDS = 2  # at most: its ten million customers take minutes
SHORT = 0.1  # together, runs of a point in a round take longer [s]
CROWD = 10**6  # agents, so that all that is offered is done


def by_customers(most: int, n_rounds: int) -> Curve:
    """Return events per second by the number of customers."""
    runs: Runs = {}
    for n in (n for n in CUSTOMERS if n <= most):
        runs[n] = partial(_rate, *_world(n))
    return curve_of(("customers", "customers", "events a second"), runs, n_rounds)


def by_native(most: int, n_rounds: int) -> Curve | None:
    """Return how many times as fast as the C++ loop it is; None without a compiler."""
    if (reason := native_loop.available()) is not None:
        print(f"left out: native: {reason}")
        return None
    runs: Runs = {}
    for n in (n for n in CUSTOMERS if n <= most):
        runs[n] = partial(_against_native, *_world(n))
    titles = ("native", "customers", "times as fast as C++")
    return curve_of(titles, runs, min(n_rounds, NATIVE_ROUNDS))


def by_memory(most: int) -> Curve:
    """Return the peak of a process of its own by the number of customers."""
    points = []
    for n in (n for n in CUSTOMERS if n <= most):
        peak = measured(SCENARIO, n, 1.0)[-1] / 1e6
        points.append(Point(n, peak, peak, peak, 0))
    return Curve("memory", "customers", "megabytes at the peak", points)


def by_threads(n_customers: int, n_rounds: int) -> Curve:
    """Return replications per second by the number of threads."""
    scenario = scenario_of(SCENARIO, n_customers, 1.0)
    plan = scenario.plan(POLICY, n_customers)
    worlds = [(plan, people_of(scenario, i), i) for i in range(REPLICATIONS)]

    def run(threads: int) -> Measured:
        with ThreadPoolExecutor(threads) as pool:
            start = perf_counter()
            runs = list(pool.map(lambda world: timed(run_kernel, *world), worlds))
            seconds = perf_counter() - start
        return REPLICATIONS / seconds, sum(run.n_events for run in runs)

    runs: Runs = {n: partial(run, n) for n in range(1, (os.cpu_count() or 1) + 1)}
    titles = ("threads", "threads", "replications a second")
    return curve_of(titles, runs, n_rounds, is_log=False)


def by_mistakes(n_customers: int, n_rounds: int) -> Curve:
    """Return events per second by mistakes per customer and year."""
    plan, people = _world(n_customers)
    runs: Runs = {}
    for mistakes in MISTAKES:
        market = plan.market._replace(mistake_probability=mistakes / OCCASIONS)
        runs[mistakes] = partial(_rate, plan._replace(market=market), people)
    titles = ("mistakes", "mistakes a customer and year", "events a second")
    return curve_of(titles, runs, n_rounds)


def by_load(n_customers: int, n_rounds: int) -> Curve:
    """Return events per second by the load of the front desk.

    What is offered is measured where nobody waits. Contacts then take so much longer,
    or shorter, that they are the asked share of what the desk can do.
    """
    plan, people = _world(n_customers)
    policy = plan.policy
    idle = plan._replace(policy=policy._replace(agents=CROWD))
    books = timed(run_kernel, idle, people).books
    busy = int(books.tally[Tally.FRONT_BUSY]) / MICROSECONDS / plan.horizon
    insist(policy.handle.kind == LawKind.LOGNORMAL, "contacts must be lognormal")
    runs: Runs = {}
    for load in LOADS:
        longer = math.log(load * policy.agents / busy)
        handle = policy.handle._replace(a=policy.handle.a + longer)
        loaded = plan._replace(policy=policy._replace(handle=handle))
        runs[load] = partial(_rate, loaded, people)
    titles = ("load", "load of the front desk", "events a second")
    return curve_of(titles, runs, n_rounds, is_log=False)


def by_policies(n_customers: int, n_rounds: int, most: int = POLICIES[-1]) -> Curve:
    """Return how much longer comparisons of more policies take, on one thread."""
    runs: Runs = {n: partial(_compared, n, n_customers) for n in POLICIES if n <= most}
    titles = ("policies", "policies", "times as long as with one")
    found = curve_of(titles, runs, n_rounds)
    one = found.points[0].value
    points = [
        Point(p.x, p.value / one, p.low / one, p.high / one, p.events)
        for p in found.points
    ]
    return found._replace(points=points)


def page_of(curves: Sequence[Curve], n_customers: int) -> str:
    """Return the curves as tables of Markdown, and where they were measured."""
    here = machine()
    versions = ", ".join(f"{name} {is_of}" for name, is_of in here["versions"].items())
    about = (
        f"Measured on {here['processor']}, {here['cores']} cores, {here['system']};"
        f" {versions}. The scenario is `{SCENARIO}` under `{POLICY}` over a year, with"
        f" {n_customers:,} customers where their number is not what varies. Each point"
        " is the median of rounds in which all points of its curve take their turn:"
        f" {NATIVE_ROUNDS} at most beside C++, 1 of memory."
    )
    alt = "speed by customers, mistakes, load, threads and policies; peak memory"
    lines = ["# How speed scales", "", "<!-- made by: python benchmarks/scaling.py -->"]
    lines += ["", *wrap(about, 88), "", f"![{alt}](scaling.svg)", ""]
    for curve in curves:
        rows = [
            (figure(p.x), figure(p.value), f"{figure(p.low)} to {figure(p.high)}")
            for p in curve.points
        ]
        names = (curve.x_title, curve.unit, "least to largest")
        lines += [f"## {curve.unit[0].upper()}{curve.unit[1:]}, by {curve.x_title}", ""]
        lines.append(markdown_table(names, rows, [False] * 3))
    return "\n".join(lines)


def _world(n_customers: int) -> tuple[Plan, Population]:
    scenario = scenario_of(SCENARIO, n_customers, 1.0)
    return scenario.plan(POLICY, n_customers), people_of(scenario)


def _rate(plan: Plan, people: Population) -> Measured:
    """Return events per second of processor time, and events."""
    run = timed(run_kernel, plan, people)
    insist(customer_years(run.books, people, plan.horizon) > 0.0, "nobody was there")
    seconds = [run.seconds]
    while sum(seconds) < SHORT:  # a short run alone tells of the one before it
        seconds.append(timed(run_kernel, plan, people).seconds)
    return run.n_events / median(seconds), run.n_events


def _against_native(plan: Plan, people: Population) -> Measured:
    """Return how many times as fast as the C++ loop a run is, and events."""
    ratios: list[float] = []
    seconds = 0.0
    while seconds < SHORT:
        ours = timed(run_kernel, plan, people)
        theirs = native_loop.run(plan, people, KEY, 0)
        is_same = np.array_equal(ours.books.balance, theirs.books.balance)
        insist(is_same, "the C++ loop has other sums")
        insist(ours.n_events == theirs.n_events, "the C++ loop has other events")
        ratios.append(theirs.seconds / ours.seconds)
        seconds += ours.seconds
    return median(ratios), ours.n_events


def _compared(n_policies: int, n_customers: int) -> Measured:
    """Return seconds by the clock of a comparison of policies that all differ a little.

    Each refunds another share, so that customers of all meet the same mistakes.
    """
    names = [f"p{i}" for i in range(n_policies)]
    told = [
        (
            f'policy.{name}.extends="slow"',
            f"policy.{name}.make_good.compensation={share}",
        )
        for name, share in zip(names, np.linspace(0.5, 1.0, n_policies), strict=True)
    ]
    overrides = (
        f"population.customers={n_customers}",
        'horizon="1 year"',
        f"policies={json.dumps(names)}",
        f'baseline="{names[0]}"',
        *(text for pair in told for text in pair),
    )
    scenario = load_scenario(SCENARIO, overrides=overrides)
    start = perf_counter()
    found = compare(scenario, replications=2, execution=Execution(threads=1))
    seconds = perf_counter() - start
    insist(len(found.policies) >= n_policies, "a policy is missing")
    return seconds, 0


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the curves, print the tables, write page, chart and numbers."""
    parser = argparse.ArgumentParser(description="How the kernel's speed scales.")
    parser.add_argument("--customers", type=int, default=20_000, help="of other curves")
    parser.add_argument("--max-customers", type=int, default=CUSTOMERS[-1])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--max-policies", type=int, default=POLICIES[-1])
    parser.add_argument(
        "--out", type=Path, help="folder for scaling.md, .svg and .json"
    )
    given = parser.parse_args(arguments)
    insist(given.max_customers >= CUSTOMERS[0], f"at least {CUSTOMERS[0]:,} customers")
    insist(given.rounds >= 1, "at least one round")
    insist(given.max_policies >= 1, "at least one policy")
    native = by_native(given.max_customers, given.rounds)
    curves = [
        by_customers(given.max_customers, given.rounds),
        *([native] if native else []),
        by_memory(given.max_customers),
        by_threads(given.customers, given.rounds),
        by_mistakes(given.customers, given.rounds),
        by_load(given.customers, given.rounds),
        by_policies(given.customers, given.rounds, given.max_policies),
    ]
    page = page_of(curves, given.customers)
    print(page)
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
        numbers = [
            {**curve._asdict(), "points": [point._asdict() for point in curve.points]}
            for curve in curves
        ]
        document = {"machine": machine(), "curves": numbers}
        text = json.dumps(document, indent=2, allow_nan=False) + "\n"
        write_text(text, given.out / "scaling.json", force=True)
        write_text(page, given.out / "scaling.md", force=True)
        write_chart(
            chart_of("scaling", "How the kernel's speed scales", curves),
            given.out / "scaling.svg",
            force=True,
        )


if __name__ == "__main__":
    main()
