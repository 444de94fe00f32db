"""Results as notebooks show them: a sentence, tables with intervals, warnings.

Every text is escaped, since names and titles are the user's. No mean stands without
its interval, or without saying that there is none.
"""

from __future__ import annotations

import html
import importlib.util
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from churnsim.errors import InputError, Problem
from churnsim.experiment.intervals import Estimate

if TYPE_CHECKING:
    import pyarrow as pa

NO_DATA = "no data"
NO_INTERVAL = "one replication, no interval"
PER_YEAR = "a year per 1,000 customers"


class Grid(NamedTuple):
    """A table: its first row and its first column are headings."""

    head: tuple[str, ...]
    rows: Sequence[Sequence[str]]


def notebook_html(
    sentence: str,
    grids: Sequence[Grid],
    warnings: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> str:
    """Return a sentence, tables, warnings and notes as HTML."""
    tables = "".join(_table(grid) for grid in grids if grid.rows)
    below = [*(f"warning: {text}" for text in warnings), *notes]
    paragraphs = "".join(f"<p>{html.escape(text)}</p>" for text in below)
    return f"<p>{html.escape(sentence)}</p>{tables}{paragraphs}"


def estimate_text(value: Estimate, text: Callable[[float], str]) -> str:
    """Return a mean with its 95 % interval: "$12 ($10 to $14)".

    Args:
        value: What is shown.
        text: Writes one number.
    """
    if value.mean is None:
        return NO_DATA
    if value.low is None or value.high is None:
        return f"{text(value.mean)} ({NO_INTERVAL})"
    return f"{text(value.mean)} ({text(value.low)} to {text(value.high)})"


def share_text(share: float) -> str:
    """Return a share as a percentage with one decimal."""
    percent = f"{100.0 * share:.1f} %"
    return "0.0 %" if percent == "-0.0 %" else percent


def one_line(kind: str, text: str) -> str:
    """Return what a record is on one line, whatever its names hold."""
    return f"<{kind}: {' '.join(text.split())}>"


def dataframe(table: pa.Table) -> Any:
    """Return a table as a pandas data frame.

    Raises:
        InputError: pandas is not installed.
    """
    if importlib.util.find_spec("pandas") is None:
        rule = "data frames need pandas, which is not installed"
        hint = 'type: pip install "churnsim[notebook]", or use to_arrow()'
        raise InputError(Problem(rule, hint=hint))
    return table.to_pandas()


def _table(grid: Grid) -> str:
    head = "".join(f'<th scope="col">{html.escape(text)}</th>' for text in grid.head)
    rows = "".join(
        f'<tr><th scope="row">{html.escape(first)}</th>'
        f"{''.join(f'<td>{html.escape(cell)}</td>' for cell in rest)}</tr>"
        for first, *rest in grid.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
