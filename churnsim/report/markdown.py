"""A comparison as Markdown: the printed table, its sentence, what to keep in mind."""

from __future__ import annotations

from collections.abc import Sequence

from churnsim.experiment import Comparison
from churnsim.experiment.posterior.ignorance import ignorance_sentence
from churnsim.experiment.store.markdown import escaped, markdown_table
from churnsim.report.attributions import lever_rows, lever_title
from churnsim.report.framing import (
    Commands,
    assumption_lines,
    heading_lines,
    origin_lines,
)
from churnsim.report.grid import Row
from churnsim.report.results import result_rows

ONE_LINE = 10**6  # columns
UNDER = "·"  # before what is part of the row above


def results_markdown(comparison: Comparison, commands: Commands) -> str:
    """Return the printed table of a comparison as a page of Markdown.

    Args:
        comparison: What came out.
        commands: What the text tells the reader to type.
    """
    lines = [f"# {escaped(comparison.scenario.title)}", ""]
    for line in heading_lines(comparison, ONE_LINE):
        lines += [escaped(line), ""]
    lines += [f"**{escaped(comparison.sentence())}**", ""]
    if ignorance := ignorance_sentence(comparison):
        lines += [escaped(ignorance), ""]
    lines.append(_table(list(comparison.policies), list(result_rows(comparison))))
    attribution = comparison.attribution
    if attribution is not None:
        if attribution.levers:
            title = escaped(lever_title(attribution))
            lines += [f"## {title}", "", _table(*lever_rows(attribution))]
        lines += [escaped(attribution.sentence()), ""]
    if comparison.warnings:
        lines += [f"- warning: {escaped(text)}" for text in comparison.warnings]
        lines.append("")
    for line in (
        *assumption_lines(comparison, commands.show, ONE_LINE),
        *origin_lines(comparison, commands.again, ONE_LINE),
    ):
        lines += [_command(line) if line.startswith("  ") else escaped(line), ""]
    return "\n".join(lines)


def _command(line: str) -> str:
    """Return what is to be typed, as it is: a block of code."""
    return "    " + line.strip().replace("\n", "\n    ")


def _table(names: Sequence[str], rows: Sequence[Row]) -> str:
    """Return a grid as a table; without gaps, and what is indented under a point."""
    none = ("",) * len(names)
    cells = [
        (row.label.replace("  ", f"{UNDER} ", 1), *(row.cells or none))
        for row in rows
        if row.label
    ]
    return markdown_table(("", *names), cells, [True, *(False for _ in names)])
