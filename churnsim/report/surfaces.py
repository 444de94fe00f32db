"""A surface as text and as a chart: a response over two factors."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from churnsim.analysis.subject import amount_text
from churnsim.analysis.surface import Cell, Surface
from churnsim.report.analyses import closing_lines, heading_lines, sentence_of_chart
from churnsim.report.columns import paragraph
from churnsim.report.grid import Row, grid
from churnsim.report.page.blocks import Chart, LegendItem, Table
from churnsim.report.page.charts import Drawing
from churnsim.report.page.theme import GAIN, LOSS, STRONG

UNSURE = "?"  # beside a mean whose sign is not certain
NONE = "–"
HATCHES = 4  # lines through a cell
SHARE_MIN, SHARE_MAX = 0.08, 0.6  # of a cell's colour: letters on it stay legible
MARKED = (
    f"{UNSURE} marks a mean whose sign is not certain; {NONE} stands where there are no"
    " points. Means are over all other factors."
)


def surface_text(found: Surface, again: str, width: int) -> str:
    """Return everything that the command shows of a surface.

    Args:
        found: What came out.
        again: The command that makes the same numbers.
        width: Columns to fit into.
    """
    lines = heading_lines(found.sweep, found.responses, width)
    lines += ["", paragraph(f"{_title(found)}{found.per}", width)]
    across = f"{found.x.factor.field} from left to right"
    down = f"{found.y.factor.field} from the top down"
    lines += [paragraph(f"{across}, {down}", width), ""]
    names, rows = _means(found)
    lines += grid(names, [Row(row[0], row[1:]) for row in rows], width)
    lines += ["", paragraph(MARKED, width), "", paragraph(found.sentence(), width)]
    lines += closing_lines(found.sweep, found.warnings, again, width)
    return "\n".join(lines)


def surface_table(found: Surface) -> Table:
    """Return the table of a page: a row for each level of y, means with their sign."""
    names, rows = _means(found)
    corner = f"{found.y.factor.field} \\ {found.x.factor.field}"
    return Table(
        f"{_title(found)}{found.per}", (corner, *names), tuple(rows), note=MARKED
    )


def surface_chart(found: Surface) -> Chart:
    """Return the field of cells: coloured by sign and size, hatched where unsure."""
    legend = _legend(found)
    rows = [row for cell in found.cells for row in _rows(found, cell)]
    drawing = Drawing(
        x_title=found.x.factor.field,
        y_title=found.y.factor.field,
        of="mean",
        legend=legend,
    )
    from churnsim.report.page import sweep_charts

    field = sweep_charts.Field(
        found.x.marks, found.y.marks, (len(found.x.texts), len(found.y.texts))
    )
    said = (
        f"{found.x.factor.field} from left to right, {found.y.factor.field} from the"
        " bottom up."
    )
    alt = sentence_of_chart("Heat map", [said, found.sentence()])
    build = functools.partial(sweep_charts.cells, rows, field, drawing)
    return Chart("surface", _title(found), alt, build, surface_table(found), legend)


def _title(found: Surface) -> str:
    text = found.responses.question.text
    return f"{text[0].upper()}{text[1:]}"


def _means(found: Surface) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return the columns' names, and for each level of y its name and means."""
    known = {(cell.x, cell.y): cell for cell in found.cells}
    rows = []
    for j, label in enumerate(found.y.texts):
        cells = [known.get((i, j)) for i in range(len(found.x.texts))]
        rows.append((label, *(_mean(found, cell) for cell in cells)))
    return list(found.x.texts), rows


def _mean(found: Surface, cell: Cell | None) -> str:
    if cell is None:
        return NONE
    mark = "" if cell.is_sure else f" {UNSURE}"
    return f"{found.amount(cell)}{mark}"


def _legend(found: Surface) -> tuple[LegendItem, ...]:
    question = found.responses.question
    above, below = "above zero", "below zero"
    if question.is_loss:
        above, below = f"{question.policy} loses", f"{question.policy} gains"
    return (
        LegendItem("above", above, LOSS, mark="block", share=SHARE_MAX),
        LegendItem("below", below, GAIN, mark="block", share=SHARE_MAX),
        LegendItem("unsure", "sign not certain (hatched)", STRONG, mark="block"),
    )


def _rows(found: Surface, cell: Cell) -> Iterator[dict[str, Any]]:
    """Yield the rows of one cell: itself, and the lines through it."""
    mean = cell.value.mean or 0.0
    largest = max(abs(c.value.mean or 0.0) for c in found.cells) or 1.0
    unit = found.responses.unit
    reach = "no interval"
    if cell.value.low is not None and cell.value.high is not None:
        low, high = (
            amount_text(cell.value.low, unit),
            amount_text(cell.value.high, unit),
        )
        reach = f"{low} to {high}"
    points = f"{cell.n:,} point{'' if cell.n == 1 else 's'}"
    yield {
        "part": "cell",
        "key": "below" if mean < 0.0 else "above",
        "x": cell.x,
        "x2": cell.x + 1,
        "y": cell.y,
        "y2": cell.y + 1,
        "share": SHARE_MIN + (1.0 - SHARE_MIN) * abs(mean) / largest,
        "text": found.amount(cell),
        "shown": f"{found.amount(cell)} ({reach}), {points}",
        "at_x": found.x.texts[cell.x],
        "at_y": found.y.texts[cell.y],
    }
    if cell.is_sure:
        return
    for i in range(2 * HATCHES - 1):  # parallels from side to side of a square
        shift = (i + 1) / HATCHES - 1.0
        start, end = max(0.0, shift), min(1.0, 1.0 + shift)
        yield {
            "part": "hatch",
            "key": "unsure",
            "x": cell.x + start,
            "x2": cell.x + end,
            "y": cell.y + start - shift,
            "y2": cell.y + end - shift,
        }
