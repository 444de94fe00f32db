"""The fewest agents by shift such that every shift meets the target.

Shifts are searched side by side, each between a number that failed and one that met.
They are not independent: a line that one shift leaves behind is the next one's. So what
was found is tried as a whole, and then without one agent of each shift in turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

Agents = tuple[int, ...]  # by shift
Meets = Callable[[Agents], tuple[bool, ...]]  # whether each shift meets the target


class Sought(NamedTuple):
    """What a search came to."""

    agents: Agents | None  # None: a shift failed at the most there can be
    failed: frozenset[int] = frozenset()  # the shifts that did


class _Side(NamedTuple):
    """How far a shift's search has come."""

    low: int  # failed; 0 needs no trial: nobody is there
    high: int | None  # met
    step: int  # the next, while there is only one end

    def after(self, tried: int, is_met: bool) -> _Side:
        """Return it after a trial; a failure outweighs what met beside other shifts."""
        if is_met:
            return self._replace(high=tried)
        high = None if self.high is None or self.high <= tried else self.high
        return self._replace(low=tried, high=high)

    def next(self, top: int) -> tuple[int, _Side]:
        """Return what to try next: by steps that double, then by halves."""
        low, high, step = self
        if high is None:
            return min(top, low + step), self._replace(step=2 * step)
        if high - low == 1:
            return high, self
        if low == 0:
            return max(1, high - step), self._replace(step=2 * step)
        return (low + high) // 2, self


def fewest(meets: Meets, start: Agents, top: int) -> Sought:
    """Return the fewest agents with which every shift meets the target.

    With one agent fewer in any one shift, some shift no longer does.

    Args:
        meets: Tries a staffing; asked twice, it answers the same.
        start: First tried, at least 1 in each shift.
        top: The most that any shift may have.
    """
    sides = [_Side(0, None, 1)] * len(start)
    agents = start
    while True:
        is_met = meets(agents)
        both = zip(sides, agents, is_met, strict=True)
        sides = [side.after(n, met) for side, n, met in both]
        stuck = frozenset(i for i, side in enumerate(sides) if side.low >= top)
        if stuck:
            return Sought(None, stuck)
        following = [side.next(top) for side in sides]
        sides = [side for _, side in following]
        if all(is_met) and agents == tuple(n for n, _ in following):
            return Sought(_spared(meets, agents))
        agents = tuple(n for n, _ in following)


def one_fewer(agents: Agents, shift: int) -> Agents:
    """Return a staffing with one agent fewer in a shift."""
    return (*agents[:shift], agents[shift] - 1, *agents[shift + 1 :])


def _spared(meets: Meets, agents: Agents) -> Agents:
    """Return a staffing that meets the target, without agents that it can spare."""
    shift = 0
    kept = 0  # shifts in a row that cannot spare one
    while kept < len(agents):
        fewer = one_fewer(agents, shift)
        if fewer[shift] > 0 and all(meets(fewer)):
            agents, kept = fewer, 0
        else:
            shift, kept = (shift + 1) % len(agents), kept + 1
    return agents
