"""What is varied: a setting in turn, or a range of numbers."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from churnsim.experiment.inverse.lever import Lever
from churnsim.records import Floats

POLICIES = "policies"  # the factor that varies which policies are compared


class Level(NamedTuple):
    """One setting of a factor."""

    setting: str  # as `--set` takes it
    number: float  # in the measure's own unit; the place in the list of texts
    text: str  # for people, and for the store where settings are no numbers


class Numbered(NamedTuple):
    """One setting of a range; it is spelt out only where somebody asks."""

    lever: Lever
    number: float  # in the measure's own unit

    @property
    def setting(self) -> str:
        """Return it as `--set` takes it."""
        return self.lever.setting(self.number)

    @property
    def text(self) -> str:
        """Return it for people."""
        return self.lever.text(self.number)


AnyLevel = Level | Numbered


class Factor(NamedTuple):
    """A setting that is varied."""

    field: str  # as `--set` spells it; the name of the store's column
    values: tuple[str, ...] = ()  # the settings in turn; none of a range
    low: float = math.nan  # of a range, in the measure's own unit
    high: float = math.nan
    is_log: bool = False  # the logarithm is what is even
    lever: Lever | None = None  # where each setting is one number
    levels: tuple[Level, ...] = ()  # of the values

    @property
    def is_range(self) -> bool:
        """Return whether any value between two ends is a setting."""
        return not self.values

    def level(self, u: float) -> AnyLevel:
        """Return the setting at a place in [0, 1)."""
        if not self.is_range:
            return self.levels[min(int(u * len(self.levels)), len(self.levels) - 1)]
        return self.at(self._drawn(u))

    def number(self, u: float) -> float:
        """Return the number of the setting at a place in [0, 1)."""
        if not self.is_range:
            return self.level(u).number
        return self._exact(self._drawn(u))

    def numbers(self, u: Floats) -> Floats:
        """Return the numbers of the settings at places in [0, 1), as `number` does."""
        if not self.is_range:
            known = np.array([level.number for level in self.levels])
            found: Floats = known[
                np.minimum((u * len(known)).astype(int), len(known) - 1)
            ]
            return found
        if self.is_log:  # numpy's own logarithms and powers differ in last bits
            return np.array([self.number(place) for place in u.tolist()])
        half = 0.5 if self._is_in_steps else 0.0
        low, high = self.low - half, self.high + half
        found = np.minimum(high, low + u * (high - low))
        found = np.minimum(self.high, np.maximum(self.low, found))
        return np.rint(found) if self._is_in_whole else found

    def at(self, number: float) -> Numbered:
        """Return the setting of a number of a range."""
        if self.lever is None:
            raise ValueError("a range is of numbers")
        return Numbered(self.lever, self._exact(number))

    def steps(self, n: int) -> tuple[AnyLevel, ...]:
        """Return `n` settings of a range from end to end, each once."""
        places = [i / (n - 1) for i in range(n)] if n > 1 else [0.0]
        ends = {0.0: self.low, 1.0: self.high}
        found = [
            self.at(ends.get(u, _between(self.low, self.high, u, is_log=self.is_log)))
            for u in places
        ]
        return tuple({level.setting: level for level in found}.values())

    def _drawn(self, u: float) -> float:
        """Return the number at a place, before it is rounded.

        Whole numbers have a half on either side, the ends too: else those would be
        drawn half as often as the others.
        """
        half = 0.5 if self._is_in_steps else 0.0
        found = _between(self.low - half, self.high + half, u, is_log=self.is_log)
        return min(self.high, max(self.low, found))

    def _exact(self, number: float) -> float:
        """Return the nearest number that the setting can have."""
        return float(round(number)) if self._is_in_whole else number

    @property
    def _is_in_steps(self) -> bool:
        return self.lever is not None and self.lever.is_whole

    @property
    def _is_in_whole(self) -> bool:
        lever = self.lever
        return lever is not None and (lever.is_integer or lever.is_whole)


def _between(low: float, high: float, u: float, *, is_log: bool) -> float:
    if not is_log:
        return min(high, low + u * (high - low))
    found = math.exp(math.log(low) + u * (math.log(high) - math.log(low)))
    return min(high, max(low, found))
