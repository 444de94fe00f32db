"""Tables as Markdown in which no text can break the table or become markup."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

# Entities mean their character and never structure, whatever reads the Markdown. An
# underscore inside a word is none either, nor is the sign before an amount.
_STRUCTURE = re.compile(
    r"[\\`*\[\]<>&|~#!]|\$(?!\d)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"
)
# What readers turn into links by themselves.
_LINKS = re.compile(r":(?=//)|@|(?<=www)\.", re.IGNORECASE)


def markdown_text(table: pa.Table) -> str:
    """Return a table as Markdown: the numbers of its CSV, columns of text at the left.

    Meant for tables of some hundred rows.
    """
    is_text = [pa.types.is_string(field.type) for field in table.schema]
    rows = [[_cell(value) for value in row.values()] for row in table.to_pylist()]
    return markdown_table(table.column_names, rows, is_text)


def markdown_table(
    names: Sequence[str], rows: Sequence[Sequence[str]], is_text: Sequence[bool]
) -> str:
    """Return texts as a table; columns of figures are flush right.

    Args:
        names: Of the columns.
        rows: Each with a text for every column.
        is_text: Which columns hold no figures.
    """
    rules = [":--" if left else "--:" for left in is_text]
    cells = [[escaped(text) or " " for text in row] for row in (names, *rows)]
    lines = [cells[0], rules, *cells[1:]]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def escaped(text: str) -> str:
    """Return a text for a line of Markdown that means nothing but itself."""
    words = " ".join(text.split())
    shown = "".join(mark for mark in words if mark.isprintable())
    for marks in (_STRUCTURE, _LINKS):
        shown = marks.sub(lambda found: f"&#{ord(found[0])};", shown)
    return shown


def _cell(value: object) -> str:
    return "" if value is None else str(value)
