"""Plain text in aligned columns, fitted to a width."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

GAP = 2  # blanks between columns
NARROWEST_TEXT = 20  # columns; a last column of text is never squeezed below it


def aligned(rows: Sequence[Sequence[str]], width: int, indent: int = 0) -> list[str]:
    """Return rows of text in columns; the last column wraps at the width.

    Trailing empty cells may be left out.
    """
    n_columns = max((len(row) for row in rows), default=0)
    full = [[*row, *[""] * (n_columns - len(row))] for row in rows]
    sizes = [max(len(row[i]) for row in full) for i in range(n_columns)]
    lines = []
    for row in full:
        head = " " * indent
        for text, size in zip(row[:-1], sizes[:-1], strict=True):
            head += text.ljust(size + GAP) if size else ""
        room = max(NARROWEST_TEXT, width - len(head))
        parts = textwrap.wrap(row[-1], room, break_on_hyphens=False) or [""]
        lines.append((head + parts[0]).rstrip())
        lines += [" " * len(head) + part for part in parts[1:]]
    return lines


def paragraph(text: str, width: int, first: str = "", rest: str = "") -> str:
    """Return a text wrapped at the width, its lines begun as given."""
    return textwrap.fill(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
