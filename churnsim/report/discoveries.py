"""A discovery as text and as a chart: boxes of assumptions, and how they were found."""

from __future__ import annotations

import functools
from typing import Any

from churnsim.analysis.boxes import Box
from churnsim.analysis.discovery import Discovery
from churnsim.report.analyses import closing_lines, heading_lines, sentence_of_chart
from churnsim.report.columns import paragraph
from churnsim.report.grid import Row, grid
from churnsim.report.page.blocks import Chart, LegendItem, Table
from churnsim.report.page.charts import Drawing
from churnsim.report.page.theme import DASHES, STRONG

SMALL = 0.001  # quasi-p-value; smaller ones are not told apart
ABOUT = (
    "Coverage: how much of what is looked for a box holds. Density: how much of the box"
    " is such. Mass: how much of all points it holds. The quasi-p-value says how likely"
    " luck alone makes a box as dense without that side; the side was chosen, so take"
    " it as a rough guide."
)


def discovery_text(found: Discovery, again: str, width: int) -> str:
    """Return everything that the command shows of a discovery.

    Args:
        found: What came out.
        again: The command that makes the same numbers.
        width: Columns to fit into.
    """
    lines = heading_lines(found.sweep, found.responses, width)
    lines += ["", paragraph(f"Boxes in which {_what(found)}", width)]
    for i, box in enumerate(found.boxes, 1):
        lines += ["", paragraph(f"Box {i}: {box.text}", width, "", "  ")]
        lines.append(paragraph(_measures(box), width, "  ", "  "))
    if found.boxes:
        names, rows = _restrictions(found)
        table = [Row(row[0], row[1:]) for row in rows]
        lines += ["", *grid(names, table, width), "", paragraph(ABOUT, width)]
    lines += ["", paragraph(found.sentence(), width)]
    lines += closing_lines(found.sweep, found.warnings, again, width)
    return "\n".join(lines)


def discovery_table(found: Discovery) -> Table | None:
    """Return the table of a page: a row for each side of each box."""
    if not found.boxes:
        return None
    names, rows = _restrictions(found)
    caption = f"Boxes in which {_what(found)}"
    return Table(caption, ("factor", *names), tuple(rows), note=ABOUT)


def discovery_chart(found: Discovery) -> Chart | None:
    """Return coverage and mass by density, peel by peel; None where none was made."""
    if not found.peels or found.chosen is None:
        return None
    legend = (
        LegendItem("coverage", "coverage", 0, DASHES[0]),
        LegendItem("density", "density", 1, DASHES[1]),
        LegendItem("mass", "mass", 2, DASHES[2]),
    )
    rows: list[dict[str, Any]] = [
        {
            "key": item.key,
            "name": item.label,
            "x": i,
            "value": getattr(peel, item.key),
            "low": None,
            "high": None,
            "when": f"{i:,}",
            "shown": f"{100.0 * getattr(peel, item.key):.0f} %",
        }
        for item in legend
        for i, peel in enumerate(found.peels)
    ]
    drawing = Drawing(
        y_title="share",
        x_title="slices peeled off",
        domain=(0.0, 1.0),
        form="~%",
        legend=legend,
        of="measure",
    )
    chosen = found.peels[found.chosen]
    said = (
        f"The box is made from that after {found.chosen:,} peels, where coverage is"
        f" {100.0 * chosen.coverage:.0f} % and density {100.0 * chosen.density:.0f} %."
    )
    from churnsim.report.page import sweep_charts

    build = functools.partial(
        sweep_charts.trajectory, rows, found.chosen, drawing, STRONG
    )
    title = "How the first box was found, slice by slice"
    alt = sentence_of_chart("Line chart", [found.sentence(), said])
    return Chart("discovery", title, alt, build, discovery_table(found), legend)


def _what(found: Discovery) -> str:
    return f"the {found.responses.question.text} is {found.target_text}"


def _measures(box: Box) -> str:
    unsure = ""
    if box.n_unsure:
        unsure = f", {box.n_unsure:,} of them on either side by their intervals"
    return (
        f"coverage {100.0 * box.coverage:.0f} %, density {100.0 * box.density:.0f} %,"
        f" mass {100.0 * box.mass:.0f} % ({box.n:,} points{unsure})"
    )


def _restrictions(found: Discovery) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return the columns' names, and for each side its factor and cells."""
    names = ["box", "inside", "quasi-p", "coverage", "density", "mass"]
    rows = []
    for i, box in enumerate(found.boxes, 1):
        shares = [f"{100.0 * x:.0f} %" for x in (box.coverage, box.density, box.mass)]
        for restriction in box.restrictions:
            p = restriction.quasi_p
            field = restriction.factor.field
            inside = restriction.text.removeprefix(f"{field} is ")
            chance = f"under {SMALL}" if p < SMALL else f"{p:.3f}"
            rows.append((field, f"{i}", inside, chance, *shares))
    return names, rows
