"""Time two commands as a user types them: explaining five levers, and writing a page.

    python -m benchmarks.commands [--threads 2]

- explain: all 32 mixtures of two telecom policies that differ in five levers, 30
  replications of 20,000 customers over 3 years; to be told in 60 s on two cores.
- report: the page of kept results of 30 replications, levers included; to be written in
  3 s, also where the scripts of its charts are not kept from an earlier time.

Each is a fresh process, timed from the command to its end by the clock on the wall, so
whatever else the machine does counts too. The kernel is compiled before, once, and not
timed: that is what `churnsim bench` does. What comes out is checked: all mixtures ran,
the levers' parts add up to the loss, the page ends where a page does.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from benchmarks.common import insist
from churnsim.scenario import load_scenario

EXPLAIN_TARGET = 60.0  # [s], on two cores
REPORT_TARGET = 3.0  # [s]
LEVERS = 5
REPLICATIONS = 30
CUSTOMERS = 20_000
POLICY = "slow_and_dishonest"
EXPLAIN = (
    *("explain", "telecom", "--from", POLICY, "--to", "empowered"),
    *("--set", f"policy.{POLICY}.accountability.contest=0.5"),
    *("--set", f"policy.{POLICY}.make_good.compensation=0.3"),
)
FEW = ("--replications", "1", "--set", "population.customers=20")
# A page is of one size, however many customers stand behind it.
KEPT = ("run", "telecom", "--explain", "--set", "population.customers=500")


class Timed(NamedTuple):
    """What a command answered, and how long it took."""

    out: str
    seconds: float  # by the clock on the wall


def typed(*words: str, cache: str | None = None) -> Timed:
    """Return what a command answers in a fresh process; stop where it fails."""
    moved = {"CHURNSIM_CACHE_DIR": cache} if cache else {}
    began = perf_counter()
    done = subprocess.run(  # noqa: S603 - churnsim itself
        [sys.executable, "-m", "churnsim", *words],
        env={**os.environ, **moved},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = perf_counter() - began
    insist(done.returncode == 0, f"churnsim {words[0]} failed: {done.stderr}")
    return Timed(done.stdout, seconds)


def verdict(what: str, seconds: float, target: float) -> str:
    """Return a line with the time and whether it is within its target."""
    word = "met" if seconds <= target else "MISSED"
    return f"{what}: {seconds:.1f} s; target {target:.0f} s {word}"


def explained(threads: int) -> float:
    """Return how long it takes to explain five levers [s]."""
    typed(*EXPLAIN, *FEW)
    found = typed(*EXPLAIN, "--threads", str(threads), "--json")
    document = json.loads(found.out)
    n_people = load_scenario("telecom").spec.population.customers
    insist(n_people == CUSTOMERS, "telecom has another number of customers")
    insist(len(document["levers"]) == LEVERS, "the policies differ in other levers")
    insist(document["replications_finished"] == REPLICATIONS, "other replications")
    insist(document["runs"] == 2**LEVERS * REPLICATIONS, "not all mixtures were run")
    loss = document["loss"]
    parts = sum(share["micro"] for share in loss["shares"])
    insist(parts == loss["micro"], "the levers do not add up to the loss")
    return found.seconds


def reported() -> tuple[float, float]:
    """Return how long a page takes, without and with the scripts kept [s]."""
    with tempfile.TemporaryDirectory() as place:
        folder, page = f"{place}/kept", Path(place, "page.html")
        typed(*KEPT, "--replications", str(REPLICATIONS), "--out", folder)
        cache = f"{place}/cache"
        times = []
        for _ in range(2):
            words = ("report", folder, "--out", str(page), "--force")
            times.append(typed(*words, cache=cache).seconds)
            text = page.read_text(encoding="utf-8")
            insist(text.rstrip().endswith("</html>"), "the page is not whole")
    first, again = times
    return first, again


def main() -> None:
    """Print each command's time beside its target."""
    parser = argparse.ArgumentParser(description="Time two commands.")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    what = (
        f"explain, {LEVERS} levers, {REPLICATIONS} replications, {CUSTOMERS:,} people"
    )
    seconds = explained(given.threads)
    print(verdict(f"{what}, {given.threads} threads", seconds, EXPLAIN_TARGET))
    first, again = reported()
    print(verdict("report, scripts of charts made anew", first, REPORT_TARGET))
    print(verdict("report, scripts of charts kept", again, REPORT_TARGET))


if __name__ == "__main__":
    main()
