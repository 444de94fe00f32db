"""Which points are run: rules such as `market.discovery < policy.slow.honesty.lie`.

A rule compares two factors, or a factor with a number. It is taken apart here, and
nothing of it is ever run as a program.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.records import Floats
from churnsim.scenario.nodes import Node

_RULE = re.compile(r"\s*(\S.*?)\s*(<=|>=|==|!=|<|>)\s*(\S.*?)\s*")
_AGAIN = re.compile(r"^=|[<>]|==|!=")  # 0 < a < 1 is two rules
_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

Side = int | float  # the place of a factor, or a number


class Filter(NamedTuple):
    """What holds at every point that is run."""

    text: str  # as it was written
    left: Side
    sign: str
    right: Side

    def holds(self, columns: Sequence[Floats]) -> NDArray[np.bool_]:
        """Return at which points it holds, given each factor's numbers there."""
        left = columns[self.left] if isinstance(self.left, int) else self.left
        right = columns[self.right] if isinstance(self.right, int) else self.right
        found: NDArray[np.bool_] = _COMPARE[self.sign](left, right)
        return found


class Parts(NamedTuple):
    """A rule taken apart, before its sides are known."""

    node: Node  # where it was written
    left: str
    sign: str
    right: str


def parts_of(rule: str) -> tuple[str, str, str] | None:
    """Return both sides of a rule and its sign, left first; None where it is none."""
    found = _RULE.fullmatch(rule)
    if found is None or _AGAIN.search(found[3]):
        return None
    return found[1], found[2], found[3]
