"""What a check is: what must come out, what did, and the rule that decides.

A figure's verdict comes from its rule alone. Where chance plays a part the distance is
also told in standard errors, z: seeds are fixed, so a verdict is the same everywhere,
but a limit of 4 keeps all figures together from failing a right engine by bad luck.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Z_NEAR = 4.0  # most standard errors that a figure may be off
Z_ABOVE = 3.0  # fewest by which one figure must exceed another

Verdict = Literal["pass", "fail", "skipped"]


class Rule(Enum):
    """When a figure passes."""

    NEAR = "near"  # |found − expected| ≤ allowed, and |z| ≤ 4 where chance plays a part
    WITHIN = "within"  # |found − expected| ≤ allowed: a survey or a model, not its like
    ABOVE = "above"  # found exceeds expected by more than 3 standard errors
    AT_LEAST = "at least"  # found ≥ expected
    AT_MOST = "at most"  # found ≤ expected


class Figure(NamedTuple):
    """One thing that must come out."""

    what: str  # is compared, in words
    expected: float
    allowed: float = math.inf  # largest distance; infinite: chance alone decides
    digits: int = 4  # after the point, where it is shown
    unit: str = ""  # written after it
    rule: Rule = Rule.NEAR


class Seen(NamedTuple):
    """What came out."""

    value: float
    error: float = 0.0  # standard error; 0: no chance in it
    n: int = 0  # size of the sample behind it; 0: there is none


class Check(NamedTuple):
    """Figures that one look at the engine gives."""

    group: str  # one of GROUPS of the pack
    source: str  # where what is expected comes from
    figures: tuple[Figure, ...]
    look: Callable[[], Sequence[Seen]]  # one for each figure
    cost: float = 0.0  # processor seconds, roughly: long ones are begun first


class Finding(NamedTuple):
    """A figure and its verdict."""

    group: str
    source: str
    figure: Figure
    seen: Seen | None  # None: not looked at
    verdict: Verdict
    reason: str = ""  # why it was skipped, or what went wrong

    @property
    def z(self) -> float | None:
        """Return by how many standard errors it is off; None where none counts."""
        is_judged = self.figure.rule in {Rule.NEAR, Rule.ABOVE}
        if self.seen is None or self.seen.error == 0.0 or not is_judged:
            return None
        return (self.seen.value - self.figure.expected) / self.seen.error


class AbsentError(Exception):
    """A check cannot be made here; its text is the reason."""


def findings_of(check: Check) -> list[Finding]:
    """Return what a check finds, a finding for each figure.

    Whatever goes wrong in it is a failed check: a broken engine may break in any way.
    """
    try:
        seen = check.look()
    except AbsentError as absent:
        return skipped(check, str(absent))
    except Exception as error:  # noqa: BLE001 - told as the reason
        reason = f"{type(error).__name__}: {error}"
        return [
            Finding(*check[:2], figure, None, "fail", reason) for figure in check[2]
        ]
    return [
        _finding(check, figure, found)
        for figure, found in zip(check.figures, seen, strict=True)
    ]


def skipped(check: Check, reason: str) -> list[Finding]:
    """Return the findings of a check that was not made."""
    return [Finding(*check[:2], figure, None, "skipped", reason) for figure in check[2]]


def verdict_of(figure: Figure, seen: Seen) -> Verdict:
    """Return whether what came out is what must."""
    distance = seen.value - figure.expected
    passes = {
        Rule.NEAR: abs(distance) <= min(figure.allowed, _reach(seen)),
        Rule.WITHIN: abs(distance) <= figure.allowed,
        Rule.ABOVE: distance > Z_ABOVE * seen.error,
        Rule.AT_LEAST: distance >= 0.0,
        Rule.AT_MOST: distance <= 0.0,
    }
    return "pass" if passes[figure.rule] else "fail"


def share(successes: int, n: int) -> Seen:
    """Return a share and its standard error, which is never 0."""
    smoothed = (successes + 0.5) / (n + 1.0)
    return Seen(successes / n, math.sqrt(smoothed * (1.0 - smoothed) / n), n)


def mean(values: Sequence[float] | NDArray[np.float64]) -> Seen:
    """Return a mean and its standard error."""
    array = np.asarray(values, dtype=np.float64)
    error = float(array.std(ddof=1)) / math.sqrt(len(array))
    return Seen(float(array.mean()), error, len(array))


def difference(more: Seen, less: Seen) -> Seen:
    """Return the difference of two independent figures, of the smaller sample."""
    error = math.hypot(more.error, less.error)
    return Seen(more.value - less.value, error, min(more.n, less.n))


def _finding(check: Check, figure: Figure, seen: Seen) -> Finding:
    if not (math.isfinite(seen.value) and math.isfinite(seen.error)):
        reason = f"came out as {seen.value}, with an error of {seen.error}"
        return Finding(*check[:2], figure, None, "fail", reason)
    return Finding(*check[:2], figure, seen, verdict_of(figure, seen))


def _reach(seen: Seen) -> float:
    """Return how far off chance may bring a figure."""
    return Z_NEAR * seen.error if seen.error > 0.0 else math.inf
