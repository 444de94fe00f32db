"""What a page is made of: sections, each with texts, tables and charts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from churnsim.report.page.theme import Palette

Spec = dict[str, Any]  # of Vega-Lite


class Table(NamedTuple):
    """A table whose first column and first row are headings."""

    caption: str
    columns: tuple[str, ...]  # the first is over the row headings
    rows: tuple[tuple[str, ...], ...]  # each begins with its heading
    is_text: bool = False  # cells are sentences, not figures
    is_folded: bool = False  # shown at a click
    note: str = ""  # what its reader has to know, below it
    keys: tuple[str, ...] = ()  # what files call each row's heading


class LegendItem(NamedTuple):
    """What a colour, a dash or a shape stands for; a click hides it."""

    key: str  # as in the chart's data
    label: str
    colour: int  # place in the palette's series
    dash: tuple[int, ...] = ()
    mark: str = "line"  # "line", "block", "dot" or "square"
    share: float = 1.0  # of a block's colour; the rest is what is behind it


class Chart(NamedTuple):
    """A chart, the words for those who cannot see it, and its numbers."""

    name: str  # of its file: letters and "_"
    title: str
    alt: str
    build: Callable[[Palette], Spec]
    table: Table | None  # behind a click; None: the table beside it holds the numbers
    legend: tuple[LegendItem, ...] = ()
    is_wide: bool = False  # as wide as the page


class Section(NamedTuple):
    """A part of the page under one heading."""

    name: str  # its anchor
    title: str
    texts: tuple[str, ...] = ()  # paragraphs
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    items: tuple[str, ...] = ()  # a list
    command: str = ""  # to be typed
