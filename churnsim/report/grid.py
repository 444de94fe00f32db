"""A grid of figures as text: one column a policy, split where it is too wide."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

GAP = 2  # blanks between columns


class Row(NamedTuple):
    """A line of the grid; without cells it is a heading, without a label a gap."""

    label: str
    cells: tuple[str, ...] = ()


def grid(names: Sequence[str], rows: Sequence[Row], width: int) -> list[str]:
    """Return the lines of a grid whose columns are named.

    Columns that do not fit into the width are put in further grids below.

    Args:
        names: Of the columns; a long one is broken at blanks and after "_".
        rows: Each with a cell for every column, or none.
        width: To fit into, as far as one column does.
    """
    label_size = max((len(row.label) for row in rows), default=0)
    heads = [_broken(name) for name in names]
    cells = [row.cells for row in rows if row.cells]
    sizes = [
        max(map(len, [*heads[i], *(line[i] for line in cells)]))
        for i in range(len(names))
    ]
    lines: list[str] = []
    for block in _blocks(sizes, width - label_size):
        if lines:
            lines.append("")
        lines += _head(heads, sizes, block, label_size)
        lines += [_line(row, sizes, block, label_size) for row in rows]
    return lines


def _blocks(sizes: Sequence[int], room: int) -> Iterator[range]:
    """Yield which columns stand beside each other, at least one each time."""
    start = 0
    while start < len(sizes):
        end, used = start, 0
        while end < len(sizes) and (end == start or used + GAP + sizes[end] <= room):
            used += GAP + sizes[end]
            end += 1
        yield range(start, end)
        start = end


def _head(
    heads: Sequence[Sequence[str]], sizes: Sequence[int], block: range, label_size: int
) -> list[str]:
    """Return the names of the columns, their last lines at one height."""
    height = max(len(heads[i]) for i in block)
    padded = {i: [""] * (height - len(heads[i])) + list(heads[i]) for i in block}
    names = [
        Row("", tuple(padded.get(i, [""] * height)[line] for i in range(len(heads))))
        for line in range(height)
    ]
    rule = "-" * (label_size + sum(GAP + sizes[i] for i in block))
    return [*(_line(row, sizes, block, label_size) for row in names), rule]


def _line(row: Row, sizes: Sequence[int], block: range, label_size: int) -> str:
    text = row.label.ljust(label_size)
    if row.cells:
        text += "".join(" " * GAP + row.cells[i].rjust(sizes[i]) for i in block)
    return text.rstrip()


def _broken(name: str) -> list[str]:
    """Return a name in lines of about ten letters, broken at blanks and after "_"."""
    lines = [""]
    for part in re.findall(r"[^_ ]*[_ ]|[^_ ]+", name):
        if len((lines[-1] + part).rstrip()) <= 10 or not lines[-1]:
            lines[-1] += part
        else:
            lines.append(part)
    return [line.rstrip() for line in lines]
