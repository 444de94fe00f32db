"""What the benchmarks share: scenarios, one run with its time, and how to insist."""

import argparse
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import process_time
from typing import NamedTuple

import numpy as np

from churnsim.engines.books import Books, open_books
from churnsim.engines.kernel.run import run_kernel
from churnsim.records import Plan, Population
from churnsim.scenario import Scenario, load_scenario
from churnsim.simulation import make_population
from churnsim.streams import Key, key_from_seed

ROOT = Path(__file__).resolve().parents[1]  # that `benchmarks` is imported from
SEED = 2026
KEY = key_from_seed(SEED)
YEAR = 365.25
COST_POLICY = "slow"
COST_YEARS = 3.0
COST_LIMIT = 1.5  # times as long as without
SCENARIOS = {
    "telecom": "telecom",
    "e-commerce": str(Path(__file__).with_name("ecommerce.toml")),
}
Engine = Callable[[Plan, Population, Key, int, Books], int]


class Run(NamedTuple):
    """One run: what came out, and what it took."""

    books: Books
    n_events: int
    seconds: float  # of processor time


def insist(holds: bool, otherwise: str) -> None:
    """Stop with the message if a check does not hold."""
    if not holds:
        raise SystemExit(otherwise)


def scenario_of(name: str, n_customers: int, years: float) -> Scenario:
    """Return a benchmark's scenario, a ready one or a file, at a size."""
    size = (f"population.customers={n_customers}", f'horizon="{years} years"')
    return load_scenario(SCENARIOS.get(name, name), overrides=size)


def people_of(scenario: Scenario, replication: int = 0) -> Population:
    """Return a replication's customers and prospects."""
    return make_population(scenario, seed=SEED, replication=replication)


def timed(engine: Engine, plan: Plan, people: Population, replication: int = 0) -> Run:
    """Return one run of an engine; the time includes the engine's own set-up."""
    books = open_books(plan, len(people.arrival), 0)
    start = process_time()
    n_events = engine(plan, people, KEY, replication, books)
    return Run(books, n_events, process_time() - start)


def fresh(module: str, *words: str, environment: Mapping[str, str] = {}) -> str:
    """Return what a module of this package prints in a process of its own.

    Args:
        module: Its name.
        words: Of its command line.
        environment: What is to differ from here.
    """
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    path = os.pathsep.join(filter(None, paths))
    done = subprocess.run(  # noqa: S603 - this package itself
        [sys.executable, "-m", f"benchmarks.{module}", *words],
        env={**os.environ, "PYTHONPATH": path, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def peak_memory() -> int:
    """Return this process's peak resident size [bytes].

    Linux's own count starts anew with each program; that of `getrusage` starts at the
    size of whoever started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        text = status.read_text(encoding="utf-8")
        (line,) = [x for x in text.splitlines() if x.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024)


def customer_years(books: Books, people: Population, horizon: float) -> float:
    """Return the years that customers were customers, summed."""
    is_won = books.is_won == 1
    until = np.minimum(books.departure, horizon)
    return float((until - people.arrival)[is_won].sum()) / YEAR


def n_kept(books: Books) -> int:
    """Return the customers left at the horizon."""
    return int(np.count_nonzero(np.isinf(books.departure) & (books.is_won == 1)))


def compare_cost(about: str, change: Callable[[Plan], Plan], what: str) -> None:
    """Print how much longer the kernel takes under a change that alters no result.

    The plan as it is and as changed alternate, the least of each is compared, and the
    first round only warms up. It insists that each customer's account stays the same.

    Args:
        about: Of the command line.
        change: What is paid for: bookkeeping that no customer notices.
        what: Its name.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=8)
    options = parser.parse_args()
    for name in SCENARIOS:
        scenario = scenario_of(name, options.customers, COST_YEARS)
        people = people_of(scenario)
        plain = scenario.plan(COST_POLICY, people.n_customers)
        plans = (plain, change(plain))
        rounds = []
        for _ in range(options.rounds + 1):
            runs = [timed(run_kernel, plan, people) for plan in plans]
            same = runs[0].books.accounts.tobytes() == runs[1].books.accounts.tobytes()
            insist(same, f"{what} that change nothing must not change a result")
            rounds.append([run.seconds for run in runs])
        off, on = np.min(rounds[1:], axis=0).tolist()
        verdict = "met" if on <= COST_LIMIT * off else "MISSED"
        print(
            f"{name}: {1000 * off:.1f} ms without {what}, {1000 * on:.1f} ms with:"
            f" {on / off:.2f} times as long; at most {COST_LIMIT}: {verdict}"
        )
