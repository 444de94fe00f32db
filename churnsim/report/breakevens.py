"""A breakeven as text: the values that were tried, and one sentence."""

from __future__ import annotations

from churnsim.experiment import Breakeven
from churnsim.experiment.sentences import measure_text
from churnsim.report.amounts import money_cells, scale_of
from churnsim.report.columns import paragraph
from churnsim.report.framing import (
    Commands,
    assumption_lines,
    heading_lines,
    origin_lines,
    warning_lines,
)
from churnsim.report.grid import Row, grid


def breakeven_text(found: Breakeven, commands: Commands, width: int) -> str:
    """Return everything that the command shows of a breakeven.

    Args:
        found: What came out.
        commands: What the text tells the reader to type.
        width: Columns to fit into.
    """
    title = (
        f"{measure_text(found.measure).capitalize()} that {found.policy} loses against "
        f"{found.against} {found.extent.per}, by {found.lever.field}"
    )
    n = len(found.points)
    lines = heading_lines(found, width, f"{n} value{'' if n == 1 else 's'}")
    lines += ["", paragraph(title, width), "", *_points(found, width)]
    lines += ["", paragraph(found.sentence(), width)]
    if worth := found.worth_sentence():
        lines += ["", paragraph(worth, width)]
    lines += [
        *warning_lines(found, width),
        "",
        *assumption_lines(found, commands.show, width),
        *origin_lines(found, commands.again, width),
    ]
    return "\n".join(lines)


def _points(found: Breakeven, width: int) -> list[str]:
    """Return a row for each value that was tried: what is lost, and the interval."""
    yearly = [found.extent.a_year(point) for point in found.points]
    has_interval = any(value.low is not None for value in yearly)
    n_columns = 3 if has_interval else 1
    scale = scale_of(x for value in yearly for x in value[:n_columns])
    columns = [
        money_cells([value[i] for value in yearly], found.scenario.currency, scale)
        for i in range(n_columns)
    ]
    names = ["lost", "95 % from", "95 % to"]
    if not has_interval:
        names = ["lost", "95 % interval"]
        columns.append(("none",) * len(yearly))
    rows = [
        Row(point.text, tuple(column[i] for column in columns))
        for i, point in enumerate(found.points)
    ]
    return grid(names, rows, width)
