"""How many times as fast as its twin in SimPy the kernel is, and whether that fell.

Kernel and twin take turns, so that how fast the machine is falls out of their ratio. A
ratio of another machine or other versions says nothing, so none is committed: it is
held against one that was measured here before, with the kernel as it was then.

The rule: the kernel has become slower if the median ratio fell by more than half of a
slowdown of 25 %, on a logarithmic scale. Rounds go on until the median is known well
enough for that, and where it never is, nothing is said. Where times scatter by 5 %, one
verdict in five hundred is wrong, at most, either way; by 10 %, one in a hundred; by
20 % there is none (tests/benchmarks/test_guard_ratio.py).
"""

import math
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any, NamedTuple

from benchmarks.agreement import agreement
from benchmarks.common import people_of, scenario_of
from benchmarks.contestants import Contestant, kernel, others
from benchmarks.measuring import machine, spread_of
from churnsim.cli.bench_documents import MachineDocument, SpreadDocument
from churnsim.errors import InputError, PartialError, Problem

SCENARIO, POLICY, YEARS = "telecom", "slow_and_dishonest", 1.0
KERNEL_CUSTOMERS, TWIN_CUSTOMERS = 10_000, 500
KERNEL_RUNS = 3  # before the twin's, and again after it
ROUNDS, ROUNDS_MAX = 15, 100
BETWEEN_LOOKS = 5  # rounds: each look is a chance to stop too early
SLOWDOWN = 0.25  # that must not pass
BOUND = math.log1p(SLOWDOWN) / 2.0
ERROR_MAX = 0.025  # of the logarithm of a median: a ninth of the slowdown
MEDIAN_ERROR = math.sqrt(math.pi / 2.0)  # of a median, over that of a mean
QUARTILES_APART = 1.349  # standard deviations, of a normal law
MEASURED = "churnsim"  # the one version that may differ

Pair = tuple[float, float]  # seconds of the kernel and of the twin, for their work


class Ratio(NamedTuple):
    """What was measured."""

    machine: MachineDocument
    kernel_seconds: list[float]  # of processor time, by round
    twin_seconds: list[float]
    kernel_years: float  # of customers' lives
    twin_years: float
    spread: SpreadDocument  # of the ratios of speed


class Verdict(NamedTuple):
    """What a ratio says beside an older one."""

    is_slower: bool
    change: float  # now over then, less 1: negative is slower
    why: str  # in words


def measure(
    say: Callable[[str], None], ours: Contestant | None = None, rounds: int = ROUNDS
) -> Ratio:
    """Return how many times as fast as its twin the kernel is.

    Args:
        say: Told what is being done.
        ours: The kernel, or what is to stand for it.
        rounds: At least.

    Raises:
        ChurnsimError: The two differ in a bit.
        PartialError: No time was measured, or the machine is too busy for it.
    """
    ours = kernel() if ours is None else ours
    (twin,) = (one for one in others(TWIN_CUSTOMERS)[0] if one.name == "reference")
    say("comparing answers: the kernel and its twin")
    sizes = ((ours, KERNEL_CUSTOMERS), (twin, TWIN_CUSTOMERS))
    scenarios = [scenario_of(SCENARIO, n, YEARS) for _, n in sizes]
    plans = [s.plan(POLICY, n) for s, (_, n) in zip(scenarios, sizes, strict=True)]
    people = [people_of(scenario) for scenario in scenarios]
    agreement(ours, twin, [(plans[1], people[1], 0)])
    years = [
        one.run(plan, persons, 0).answers["years"]
        for (one, _), plan, persons in zip(sizes, plans, people, strict=True)
    ]

    def take_turns() -> Pair:
        def of_kernel() -> list[float]:
            runs = range(KERNEL_RUNS)
            return [ours.run(plans[0], people[0], 0).seconds for _ in runs]

        before = of_kernel()
        seconds = twin.run(plans[1], people[1], 0).seconds
        return median([*before, *of_kernel()]), seconds

    say("timing the kernel and its twin in turns")
    pairs, spread = steady(take_turns, years[0] / years[1], rounds)
    ours_took, twin_took = (list(some) for some in zip(*pairs, strict=True))
    return Ratio(machine(), ours_took, twin_took, years[0], years[1], spread)


def steady(
    take_turns: Callable[[], Pair], work: float, rounds: int = ROUNDS
) -> tuple[list[Pair], SpreadDocument]:
    """Return rounds, as many as it takes to know the median of their ratios.

    Args:
        take_turns: A round.
        work: What the kernel does in one, over what the twin does.
        rounds: At least.

    Raises:
        PartialError: No time was measured, or no median found in `ROUNDS_MAX` rounds.
    """
    pairs: list[Pair] = []
    while True:
        pairs.append(take_turns())
        if not all(0.0 < seconds < math.inf for seconds in pairs[-1]):
            rule = "must take time, or nothing is measured"
            raise PartialError(Problem(rule, field="the ratio", value=pairs[-1]))
        if len(pairs) < rounds or (len(pairs) - rounds) % BETWEEN_LOOKS:
            continue
        spread = spread_of([work * twin / ours for ours, twin in pairs])
        error = error_of(spread)
        if error <= ERROR_MAX:
            return pairs, spread
        if len(pairs) >= max(rounds, ROUNDS_MAX):
            rule = f"must be known to {ERROR_MAX:.1%} after {len(pairs)} rounds"
            hint = "let the machine do nothing else meanwhile"
            value = f"{error:.1%}"
            raise PartialError(Problem(rule, field="the ratio", value=value, hint=hint))


def error_of(spread: SpreadDocument) -> float:
    """Return the standard error of the logarithm of a median, from its quartiles.

    √(π/2) σ/√n with σ = (ln upper − ln lower)/1.349: outliers do not count.
    """
    deviation = math.log(spread["upper"] / spread["lower"]) / QUARTILES_APART
    return MEDIAN_ERROR * deviation / math.sqrt(spread["n"])


def verdict(then: SpreadDocument, now: SpreadDocument) -> Verdict:
    """Return whether the kernel has become slower.

    Args:
        then: Spread of the ratios before.
        now: Spread of the ratios of today.
    """
    moved = math.log(now["median"] / then["median"])
    error = math.hypot(error_of(then), error_of(now))
    least = math.exp(-BOUND)
    why = (
        f"{now['median']:,.4g} times as fast as its twin, {then['median']:,.4g} then:"
        f" {math.exp(moved):.3f} of it, known to {error:.1%}; at least {least:.3f}"
    )
    return Verdict(moved < -BOUND, math.expm1(moved), why)


def older(document: Any, file: str) -> tuple[SpreadDocument, Mapping[str, Any]]:
    """Return ratios that a document of the guard holds, and their machine.

    Args:
        document: As `--json` wrote it.
        file: Where it stands, for whoever reads what is wrong with it.

    Raises:
        InputError: It holds none, or they say too little.
    """
    try:
        kept = document["ratio"]
        spread = kept["spread"]
        error, n = error_of(spread), int(spread["n"])
        found = float(spread["median"])
        _ = kept["machine"]["processor"], dict(kept["machine"]["versions"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error_found:
        rule = "must hold the ratio of an earlier run of the guard"
        hint = "write one with --only ratio --json"
        raise InputError(Problem(rule, file, hint=hint)) from error_found
    if not (found > 0.0 and n >= ROUNDS and error <= ERROR_MAX):
        rule = f"must hold {ROUNDS} rounds or more, known to {ERROR_MAX:.1%}"
        raise InputError(Problem(rule, file, value=f"{n} rounds, {error:.1%}"))
    return spread, kept["machine"]


def incomparable(then: Mapping[str, Any], now: MachineDocument) -> list[str]:
    """Return what differs between two machines that ratios hang on."""
    found = []
    for name in ("system", "processor"):
        old, new = then.get(name), {**now}[name]
        if old != new:
            found.append(f"{name} was {old} and is {new}")
    versions = now["versions"]
    for name in sorted({*then["versions"], *versions} - {MEASURED}):
        old, new = then["versions"].get(name), versions.get(name)
        if old != new:
            found.append(f"{name} was {old} and is {new}")
    return found
