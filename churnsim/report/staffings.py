"""A staffing as text: a row for each shift, a sentence, and what it costs."""

from __future__ import annotations

from churnsim.experiment import Estimate, ShiftStaffing, Staffing
from churnsim.report.amounts import NOTHING
from churnsim.report.columns import paragraph
from churnsim.report.framing import (
    Commands,
    assumption_lines,
    heading_lines,
    origin_lines,
    warning_lines,
)
from churnsim.report.grid import Row, grid


def staffing_text(found: Staffing, commands: Commands, width: int) -> str:
    """Return everything that the command shows of a staffing.

    Args:
        found: What came out.
        commands: What the text tells the reader to type.
        width: Columns to fit into.
    """
    title = f"Front desk of {found.policy}, to handle {found.target}"
    n = len(found.trials)
    done = f"{n} staffing{'' if n == 1 else 's'}"
    lines = heading_lines(found, width, done)
    lines += ["", paragraph(title, width), "", *_shifts(found, width)]
    lines += ["", paragraph(found.sentence(), width)]
    if money := found.money_sentence():
        lines += ["", paragraph(money, width)]
    if setting := found.setting:
        lines += ["", "As a setting:", f"  {setting}"]
    lines += [
        *warning_lines(found, width),
        "",
        *assumption_lines(found, commands.show, width),
        *origin_lines(found, commands.again, width),
    ]
    return "\n".join(lines)


def _shifts(found: Staffing, width: int) -> list[str]:
    """Return a row for each shift: what it has, what it needs, and the levels."""
    has_interval = found.n_finished > 1
    names = ["agents, now", "in time, now", "agents, Erlang A", "agents, needed"]
    names += ["in time", *(["95 % from", "to"] if has_interval else ["95 % interval"])]
    names += ["in time, one fewer"]
    rows = [Row(shift.hours, _cells(shift, found)) for shift in found.shifts]
    return grid(names, rows, width)


def _cells(shift: ShiftStaffing, found: Staffing) -> tuple[str, ...]:
    level = shift.level or Estimate(None, None, None, 0)

    def percent(share: float | None) -> str:
        return NOTHING if share is None else found.target.percent(share)

    bounds = (percent(level.low), percent(level.high))
    fewer = None if shift.fewer_level is None else shift.fewer_level.mean
    return (
        f"{shift.present:,}",
        percent(shift.present_level.mean),
        _count(shift.start),
        _count(shift.agents),
        percent(level.mean),
        *(bounds if found.n_finished > 1 else ("none",)),
        percent(fewer) if shift.agents != 1 else "nobody",
    )


def _count(n: int | None) -> str:
    return NOTHING if n is None else f"{n:,}"
