"""How many of the lost would have stayed, in one sentence; moments in plain words.

"Of 100 customers lost under slow_and_dishonest, 6.7 (95 % CI 6.5 to 6.9) stay under
empowered; most of them are customers who found out a lie."
"""

from __future__ import annotations

import math
from typing import NamedTuple

from churnsim.engines.books import Event
from churnsim.experiment.intervals import Estimate
from churnsim.experiment.sentences import MOST, Extent, leavers, left_out
from churnsim.records import Cause

MINUTES = 1440  # in a day

_WORDS = {
    Event.NOT_WON: "does not become a customer",
    Event.NOTICED: "the firm notices and calls",
    Event.VOICED: "speaks up",
    Event.TURNED_UP: "turns up at the firm's door",
    Event.JOINED_FRONT: "joins the front desk's line",
    Event.WROTE: "writes a message, and waits for the answer",
    Event.HANDLED: "reaches an agent",
    Event.PATIENCE_SPENT: "loses patience in line",
    Event.CONTACT_ENDED: "the contact ends",
    Event.LIED_TO: "is told a lie",
    Event.FOUND_OUT: "finds out the lie",
    Event.JOINED_BACK: "the case joins the back desk's line",
    Event.TAKEN_UP: "a supervisor takes up the case",
    Event.APPROVED: "the repair is approved",
    Event.SETTLED: "is settled",
    Event.FORGOT: "has forgotten it",
    Event.ORDINARY: "gets in touch, nothing being wrong",
}


class Finding(NamedTuple):
    """What a sentence tells."""

    source: str  # the policy that loses
    target: str  # what it is held against
    necessary: Estimate  # share of the lost whom the other policy keeps [-]
    by_cause: tuple[tuple[str, int], ...]  # those kept, by the cause of their loss


class Scene(NamedTuple):
    """What a moment's words are made from."""

    event: Event
    word: int  # of the event log: an episode's address, or a cause
    value: float  # of the event log: grievance, or when the customer will leave
    day: float
    sting: float  # how much the grievance grew [log-odds]
    kind: str  # of the mistake; "" where there is none


def words_of(scene: Scene) -> str:
    """Return a moment in plain words."""
    if scene.event == Event.ARRIVED:
        return "is a customer" if scene.day == 0.0 else "becomes a customer"
    if scene.event == Event.MISTAKE:
        return f"a mistake happens ({scene.kind}, sting {scene.sting:.1f})"
    if scene.event == Event.UNANSWERED:
        return f"gets no answer (sting {scene.sting:.1f})"
    if scene.event == Event.CLOSED:
        return f"the episode closes: {cause_text(scene.word)}"
    if scene.event == Event.LEFT:
        return f"leaves: {cause_text(scene.word)}"
    if scene.event == Event.LEAVING:
        when = moment_text(scene.value)
        return f"decides to leave on {when}: {cause_text(scene.word)}"
    return _WORDS[scene.event]


def cause_text(cause: int) -> str:
    """Return a cause's name in words."""
    return Cause(cause).name.lower().replace("_", " ")


def moment_text(day: float) -> str:
    """Return a moment as time since the start: "day 412, 09:35", cut to the minute."""
    whole = math.floor(day)
    minutes = math.floor((day - whole) * MINUTES)
    return f"day {whole:,}, {minutes // 60:02d}:{minutes % 60:02d}"


def sentence_of_turning(finding: Finding, extent: Extent) -> str:
    """Return how many of those lost under one policy the other one keeps."""
    source, target, found, _ = finding
    if source == target:
        text = f"{source} is held against itself: no customer's fate turns."
    elif found.mean is None:
        text = f"Nobody is lost under {source}."
    elif found.mean == 0.0:
        text = f"Nobody who is lost under {source} stays under {target}."
    else:
        text = (
            f"Of 100 customers lost under {source}, {_percent(found.mean)} "
            f"({bounds_of_share(found)}) stay under {target}{_mostly(finding)}."
        )
    return f"{text}{left_out(extent)}"


def bounds_of_share(found: Estimate) -> str:
    """Return the interval of a share in percent, for parentheses."""
    if found.low is None or found.high is None:
        return "one replication, so no interval"
    rough = f"rough, {found.n} replications: " if found.is_rough else ""
    return f"{rough}95 % CI {_percent(found.low)} to {_percent(found.high)}"


def _mostly(finding: Finding) -> str:
    """Return by what those who stay are lost, as the end of a sentence."""
    whole = sum(n for _, n in finding.by_cause)
    cause, most = max(finding.by_cause, key=lambda item: item[1])
    share = most / whole
    if share >= MOST:
        return f"; most of them are {leavers(cause)}"
    return f"; the largest part of them ({share:.0%}) are {leavers(cause)}"


def _percent(share: float) -> str:
    """Return a share in percent: one decimal, and two digits where it is small."""
    percent = 100.0 * share
    return f"{percent:.1f}" if abs(percent) >= 1.0 else f"{percent:.2g}"
