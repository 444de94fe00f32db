"""Draws of what is not known of a firm, and which one a replication is run under."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from typing import NamedTuple

IN_A_ROW = 2  # replications of one draw: with fewer luck could not be told from it
# The golden ratio's fraction of 2^64: its multiples are spread evenly over all draws,
# however many of them are taken.
STEP = 0x9E3779B97F4A7C15
HALF = 2**63
WHOLE = 2**64


class Parameter(NamedTuple):
    """A setting that is drawn."""

    field: str  # dotted, as `--set` takes it
    unit: str  # of its values, in words; "1": none


class Posterior(NamedTuple):
    """What a calibration knows of some settings: draws from their joint posterior."""

    scenario: str  # name of what was fitted
    digest: str  # of the scenario that was fitted
    policy: str  # under which the firm was observed
    parameters: tuple[Parameter, ...]
    draws: tuple[tuple[str, ...], ...]  # each a text for every parameter, for `--set`
    weights: tuple[float, ...] | None  # of the draws, above or at 0; None: all alike
    version: str = ""  # of the churnsim that wrote it

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the settings that are drawn."""
        return tuple(parameter.field for parameter in self.parameters)

    @property
    def effective(self) -> float:
        """Return how many draws of equal weight tell as much: (Σ w)²/Σ w²."""
        if self.weights is None:
            return float(len(self.draws))
        return math.fsum(self.weights) ** 2 / math.fsum(w * w for w in self.weights)

    def settings(self, draw: int) -> dict[str, str]:
        """Return a draw's settings by field."""
        return dict(zip(self.fields, self.draws[draw], strict=True))


class Lots(NamedTuple):
    """Which draw each replication is run under: a function of its number alone.

    So neither the order of work nor how many are asked for can change it, and results
    that are extended are those of the longer run.
    """

    upto: tuple[float, ...]  # weights of the draws added up, the last one their sum
    last: int  # the last draw that has any weight: no rounding leads beyond it

    def draw(self, replication: int) -> int:
        """Return the number of a replication's draw, counted from 0.

        Two in a row have the same one. The places of the pairs in the sum of weights
        are the multiples of the golden ratio from a half on: in any number of pairs a
        draw comes as often as its weight says, but for less than one or two.
        """
        place = (HALF + replication // IN_A_ROW * STEP) % WHOLE
        return bisect_right(self.upto, place / WHOLE * self.upto[-1], hi=self.last)


def lots_of(posterior: Posterior) -> Lots:
    """Return which draw of a posterior each replication is run under."""
    weights = posterior.weights or (1.0,) * len(posterior.draws)
    upto = tuple(itertools.accumulate(weights))
    return Lots(upto, upto.index(upto[-1]))
