"""Measure what it takes that the sites of a firm hear each other.

    python -m benchmarks.sites [--sites 16] [--customers 20000] [--policy slow]

Passes, runs of each site and time, against one run of each site that hears nothing. The
same firm is then found the plain way: from silence, whoever hears anything new is run
again, until nobody does. Both must end in the same bits.
"""

import argparse
import time
from typing import NamedTuple

import numpy as np

from benchmarks.common import insist
from churnsim.firm import Exchange, SiteRow, run_site
from churnsim.records import Elsewhere
from churnsim.scenario import Scenario, load_scenario
from churnsim.simulation import SiteTask

SCENARIO = "telecom"
SEED = 1


class Found(NamedTuple):
    """How a firm was found."""

    digests: list[str]  # of the books, by site
    passes: list[int]  # sites that were run in each
    first: float  # time of the first pass [s]
    whole: float  # of all [s]


def exchanged(scenario: Scenario, policy: str) -> Found:
    """Return the firm as churnsim finds it."""
    exchange, passes, ends = Exchange(scenario.sites), [], [time.perf_counter()]
    while asked := exchange.next_pass():
        for site, elsewhere in asked.items():
            exchange.take(ran(scenario, policy, site, elsewhere))
        passes.append(len(asked))
        ends.append(time.perf_counter())
    digests = [row.digest for row in exchange.rows()]
    return Found(digests, passes, ends[1] - ends[0], ends[-1] - ends[0])


def plainly(scenario: Scenario, policy: str) -> Found:
    """Return the firm found from silence, running whoever hears anything new."""
    sites = range(scenario.sites)
    alone = ran(scenario, policy, 0, None)
    n_others = (scenario.sites - 1) * alone.sums.n_customers
    heard = [Elsewhere(np.zeros_like(alone.tellings), n_others) for _ in sites]
    rows: dict[int, SiteRow] = {}
    asked, passes, ends = list(sites), [], [time.perf_counter()]
    while asked:
        for site in asked:
            rows[site] = ran(scenario, policy, site, heard[site])
        passes.append(len(asked))
        ends.append(time.perf_counter())
        told = np.add.reduce([rows[site].tellings for site in sites])
        new = [Elsewhere(told - rows[site].tellings, n_others) for site in sites]
        asked = [
            site
            for site in sites
            if not np.array_equal(new[site].tellings, heard[site].tellings)
        ]
        heard = new
    digests = [rows[site].digest for site in sites]
    return Found(digests, passes, ends[1] - ends[0], ends[-1] - ends[0])


def ran(
    scenario: Scenario, policy: str, site: int, elsewhere: Elsewhere | None
) -> SiteRow:
    """Return what came of a site that hears something."""
    return run_site(SiteTask(scenario, policy, SEED, 0, site, elsewhere=elsewhere))


def main() -> None:
    """Print passes, runs and times of both ways."""
    parser = argparse.ArgumentParser(description="Measure the exchange of news.")
    parser.add_argument("--sites", type=int, default=16)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--policy", default="slow")
    given = parser.parse_args()
    sizes = [f"sites={given.sites}", f"population.customers={given.customers}"]
    scenario = load_scenario(SCENARIO, overrides=sizes)
    ran(scenario, given.policy, 0, None)  # compiles
    ways = {
        "choices": exchanged(scenario, given.policy),
        "plain": plainly(scenario, given.policy),
    }
    for name, found in ways.items():
        print(
            f"{name}: {len(found.passes)} passes ({', '.join(map(str, found.passes))}),"
            f" {sum(found.passes) / given.sites:.2f} runs a site, {found.whole:.1f} s,"
            f" {found.whole / found.first:.2f} times the first pass"
        )
    a, b = ways.values()
    insist(a.digests == b.digests, "the two ways end in different firms")


if __name__ == "__main__":
    main()
