"""Results as dictionaries for JSON, and as rows of a table for notebooks."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any, NamedTuple


def plain(value: NamedTuple) -> dict[str, Any]:
    """Return a record and the records in it as dictionaries."""
    return {
        name: plain(item) if hasattr(item, "_asdict") else item
        for name, item in value._asdict().items()
    }


def number_text(value: float | None) -> str:
    """Return a number without decimals."""
    return "no data" if value is None else f"{value:,.0f}"


def html_row(cells: Sequence[str], tag: str) -> str:
    """Return a row of an HTML table; each cell is escaped."""
    return f"<tr>{''.join(f'<{tag}>{html.escape(c)}</{tag}>' for c in cells)}</tr>"
