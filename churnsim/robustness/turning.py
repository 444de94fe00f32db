"""One assumption at a time: how far it has to go until a conclusion's sign turns.

On common draws the mean loss at a value is the same number however often it is asked
for, so the turn is searched along the range like the root of any function.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import NamedTuple

from churnsim.experiment.intervals import Estimate
from churnsim.experiment.inverse.crossing import Span, turning_point
from churnsim.robustness.points import Losses, Outcome, Points, sign_of
from churnsim.robustness.varied import Varied

TOLERANCE = 0.01  # of a turn, as a share of the range
SAFE = 0.5  # share of the loss that is left at an end from which no middle is tried
HALVINGS = 3  # of the way to an end that there cannot be

_At = Callable[[float], Outcome]


class Turn(NamedTuple):
    """Where a policy's loss becomes a gain, or the other way round."""

    policy: str
    place: float  # in the range, from 0 to 1
    distance: float  # from the value that is assumed, in shares of the range
    value: str  # for people
    is_sure: bool  # at the end of the range the other sign can be told from zero


class Line(NamedTuple):
    """What moving one assumption through its range does to each policy's loss."""

    varied: Varied
    low: Losses  # at the lower end, or as near to it as there can be a point
    high: Losses
    ends: tuple[float, float]  # where those are, from 0 to 1
    turns: tuple[Turn, ...]  # at most one a policy, the nearest

    @property
    def is_cut(self) -> bool:
        """Return whether an end of the range contradicts other settings."""
        return self.ends != (0.0, 1.0)


def line_of(points: Points, varied: Varied, stated: Losses) -> Line:
    """Return what moving an assumption through its range does.

    Args:
        points: Simulates.
        varied: The assumption; all others stay as they are.
        stated: What is lost at the value that is assumed.
    """
    known: dict[float, Losses] = {varied.here: stated}

    def at(place: float) -> Outcome:
        if place not in known:
            found = points.at(varied.settings(varied.level(place)))
            if not isinstance(found, dict):
                return found
            known[place] = found
        return known[place]

    ends = tuple(_reached(at, varied.here, end) for end in (0.0, 1.0))
    turns: dict[str, Turn] = {}
    for end in ends:
        for policy, loss in stated.items():
            turn = _turn(at, varied, end, (policy, loss))
            known_turn = turns.get(policy)
            if turn and (known_turn is None or turn.distance < known_turn.distance):
                turns[policy] = turn
    return Line(
        varied,
        known[ends[0]],
        known[ends[1]],
        (ends[0], ends[1]),
        tuple(turns.values()),
    )


def _reached(at: _At, here: float, end: float) -> float:
    """Return the end of a range, or as near to it as there can be a point."""
    for _ in range(HALVINGS + 1):
        if end == here or isinstance(at(end), dict):
            return end
        end = 0.5 * (here + end)
    return here


def _turn(
    at: _At, varied: Varied, end: float, asked: tuple[str, Estimate]
) -> Turn | None:
    """Return where a policy's sign turns on the way to an end of the range."""
    policy, stated = asked
    sign = sign_of(stated)
    here = varied.here
    if sign == 0 or end == here:
        return None
    usual = abs(stated.mean or 0.0)

    def kept(place: float) -> float:
        """Return the loss, above zero while it has the sign that is stated."""
        found = at(place)
        # Between two points that there are, one that there is not turns nothing.
        return sign * (found[policy].mean or 0.0) if isinstance(found, dict) else usual

    places = [here, end]
    if kept(end) < SAFE * usual:
        places.insert(1, 0.5 * (here + end))
    for inner, outer in itertools.pairwise(places):
        if kept(outer) > 0.0:
            continue
        bracket = (min(inner, outer), max(inner, outer))
        place = turning_point(kept, bracket, Span(0.0, 1.0, 2, TOLERANCE))
        last = at(end)
        is_sure = isinstance(last, dict) and sign_of(last[policy]) == -sign
        text = varied.level(place).text
        return Turn(policy, place, abs(place - here), text, is_sure)
    return None


def nearest(lines: tuple[Line, ...]) -> Mapping[str, tuple[Line, Turn]]:
    """Return of each policy the assumption that turns its sign soonest."""
    found: dict[str, tuple[Line, Turn]] = {}
    for line in lines:
        for turn in line.turns:
            known = found.get(turn.policy)
            if known is None or turn.distance < known[1].distance:
                found[turn.policy] = (line, turn)
    return found
