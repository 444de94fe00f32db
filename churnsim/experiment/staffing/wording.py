"""A staffing in sentences that claim no more than is so."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from churnsim.experiment.intervals import Estimate
from churnsim.experiment.notebook import NO_DATA
from churnsim.experiment.sentences import (
    interval_text,
    money_text,
    negative,
    replications_text,
    subject,
)
from churnsim.units import format_duration

if TYPE_CHECKING:
    from churnsim.experiment.staffing.record import ShiftStaffing, Staffing
    from churnsim.experiment.staffing.target import Target

NAMED_MAX = 3  # shifts; more than that a sentence does not bear


def sentence_of(staffing: Staffing) -> str:
    """Return the answer in a sentence or two."""
    text = {
        "stopped": _stopped,
        "idle": _idle,
        "unreachable": _unreachable,
        "found": _found,
    }[staffing.verdict](staffing)
    n = len(staffing.failures)
    failed = f" {n} of {replications_text(staffing.n_asked)} failed." if n else ""
    return f"{text[0].upper()}{text[1:]}{failed}"


def money_sentence(staffing: Staffing) -> str:
    """Return what the staffing found costs and brings; "" where none was found."""
    present, found = staffing.present, staffing.found
    if found is None or staffing.revenue is None or staffing.contribution is None:
        return ""
    if found.agents == present.agents:
        wages = money_text(found.wages, staffing.extent)
        return f"It is the present staffing, for wages of {wages} a year."
    before, after = (
        money_text(trial.wages, staffing.extent) for trial in (present, found)
    )
    parts = [
        _gain_clause(staffing, staffing.contribution.yearly, "contribution"),
        _gain_clause(staffing, staffing.revenue.yearly, "revenue"),
    ]
    return (
        f"Wages of the front desk are then {after} a year instead of {before}. Against"
        f" the present staffing it {' and '.join(parts)}."
    )


def level_text(target: Target, level: Estimate) -> str:
    """Return a service level with how sure it is."""
    if level.mean is None:
        return NO_DATA
    if level.low is None or level.high is None:
        return f"{target.percent(level.mean)} (one replication, so no interval)"
    rough = f"rough, {replications_text(level.n)}: " if level.is_rough else ""
    bounds = f"95 % CI {target.percent(level.low)} to {target.percent(level.high)}"
    return f"{target.percent(level.mean)} ({rough}{bounds})"


def agents_text(n_agents: int) -> str:
    """Return a number of agents in words."""
    return f"{n_agents:,} agent{'' if n_agents == 1 else 's'}"


def shift_warnings(staffing: Staffing) -> Iterator[str]:
    """Yield what is not sure about a shift."""
    target = staffing.target
    for shift in staffing.shifts:
        level, agents = shift.level, shift.agents
        if level is None or agents is None:
            continue
        if level.mean is None:
            yield f"{shift.hours}: nobody joins the line then; 1 agent keeps it open"
        elif level.low is not None and level.low < target.share:
            yield (
                f"{shift.hours}: that {agents_text(agents)} are enough is not sure,"
                f" {level_text(target, level)}; more replications tell"
            )
        if shift.missed not in {None, shift.hours}:
            missed = f"{shift.missed} misses the target"
            yield f"{shift.hours}: with one agent fewer, {missed}"


def _found(staffing: Staffing) -> str:
    shifts = staffing.shifts
    level = functools.partial(level_text, staffing.target)
    told = f"with {subject(staffing.policy)} the front desk needs {_numbers(shifts)}"
    told += f" to handle {staffing.target}"
    if len(shifts) > 1:
        known = [(s.level, s.hours) for s in shifts if s.level and s.level.mean]
        lowest = ""
        if known:
            least, hours = min(known, key=lambda found: found[0].mean or 0.0)
            lowest = f" The lowest level is {level(least)}, {hours}."
        fewer = " With one agent fewer in any shift the target is missed."
        is_told = any(shift.fewer_level is not None for shift in shifts)
        return f"{told} in every shift.{lowest}{fewer if is_told else ''}"
    (shift,) = shifts
    is_one = shift.agents == 1
    fewer = "with one fewer nobody would be there"
    if shift.fewer_level is not None:
        fewer = f"with one fewer it would be {level(shift.fewer_level)}"
    with_them = level(shift.level) if shift.level else NO_DATA
    verb = "it handles" if is_one else "they handle"
    return f"{told}: {verb} {with_them}; {fewer}."


def _numbers(shifts: Sequence[ShiftStaffing]) -> str:
    """Return how many agents each shift needs, and has."""
    if len(shifts) > NAMED_MAX:
        numbers = [shift.agents or 0 for shift in shifts]
        return (
            f"from {min(numbers):,} to {agents_text(max(numbers))} in its"
            f" {len(shifts)} shifts"
        )
    named = [
        f"{agents_text(shift.agents or 0)} {shift.hours} ({shift.present:,} now)"
        for shift in shifts
    ]
    return " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))


def _unreachable(staffing: Staffing) -> str:
    what = str(staffing.target)
    if not staffing.failed:
        now = level_text(staffing.target, staffing.present.level)
        return (
            f"no staffing is sure to handle {what}: however many agents there are,"
            f" chance may bring more contacts at once. The present one handles {now}."
            " Ask for less, such as 99 %."
        )
    last = staffing.trials[-1]
    place = staffing.failed[0]
    hours = staffing.shifts[place].hours
    return (
        f"with {subject(staffing.policy)} no staffing that was tried handles {what}:"
        f" {agents_text(last.agents[place])} {hours}, as many as there are people,"
        f" handle {level_text(staffing.target, last.levels[place])}."
    )


def _idle(staffing: Staffing) -> str:
    time = format_duration(staffing.scenario.horizon)
    return (
        f"with {subject(staffing.policy)} nobody joins the line of the front desk in"
        f" {time}, so there is nothing to staff it for."
    )


def _stopped(staffing: Staffing) -> str:
    n = len(staffing.trials)
    return (
        f"stopped early: {n} staffing{'' if n == 1 else 's'} of the front desk"
        f" {'was' if n == 1 else 'were'} finished, and the fewest agents are not known"
        " yet."
    )


def _gain_clause(staffing: Staffing, value: Estimate, what: str) -> str:
    """Return what is earned more or less a year, with its interval."""
    extent = staffing.extent
    if value.mean is None:
        return f"earns no {what} that is known"
    if value[:3] in ((0.0, 0.0, 0.0), (0.0, None, None)):
        return f"makes no difference to {what}"
    verb = "earns" if value.mean >= 0.0 else "loses"
    value = value if verb == "earns" else negative(value)
    told = f"{money_text(value.mean, extent)} ({interval_text(value, extent)})"
    more = " more" if verb == "earns" else ""
    unsure = ", which cannot be told from zero" if value.covers_zero else ""
    return f"{verb} {told}{more} of {what} a year{unsure}"
