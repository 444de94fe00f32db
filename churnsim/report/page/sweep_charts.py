"""Charts of what a sweep says, as Vega-Lite: marks with intervals, and fields of cells.

Rows, drawings and palettes are as in `charts`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

import altair as alt

from churnsim.report.page.blocks import Spec
from churnsim.report.page.charts import (
    BAR_HEIGHT,
    SPLIT,
    Drawing,
    Rows,
    colour,
    finished,
    hiding,
    lines,
)
from churnsim.report.page.theme import Palette

CELL_HEIGHT = 34  # pixels
CELLS_WITH_TEXT = 8  # columns; in narrower cells numbers would not fit
DENSEST = 0.6  # of a cell's colour: letters on it stay legible
APART = 0.22  # of a row: how far the marks of one label are from each other


def marks(rows: Rows, drawing: Drawing, palette: Palette) -> Spec:
    """Return for each label one mark a key, with its interval, above each other.

    Rows have `label`, `key` (of the legend), `name`, `value`, `low` and `high` (None:
    no interval), `shown` and `place` (of the key in the legend).
    """
    n = max(1, len(drawing.legend))
    offset = alt.YOffset("key:N", scale=alt.Scale(domain=_keys(drawing)))
    base = hiding().encode(
        y=alt.Y(
            "label:N",
            title=None,
            sort=list(drawing.order),
            scale=alt.Scale(domain=list(drawing.order), paddingInner=2 * APART),
            axis=alt.Axis(
                labelExpr=SPLIT, ticks=False, domain=False, labelOverlap=False
            ),
        ),
        color=colour(drawing, palette),
        yOffset=offset,
    )
    # A prefix at zero ("0k") says nothing.
    label = "datum.value === 0 ? '0' : datum.label"
    axis = alt.Axis(tickCount=5, labelFlush=False, format=drawing.form, labelExpr=label)
    reach = base.transform_filter("datum.low !== null")
    line = reach.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"))
    tick = reach.mark_tick(thickness=1.8, size=9, opacity=1)
    ends = [tick.encode(x=alt.X(f"{end}:Q")) for end in ("low", "high")]
    shapes = ["square" if i.mark == "square" else "circle" for i in drawing.legend]
    zero = (
        alt.Chart(alt.InlineData([{}]))
        .mark_rule(color=palette.muted)
        .encode(x=alt.datum(0.0))
    )
    point = base.mark_point(size=90, filled=True, opacity=1).encode(
        x=alt.X("value:Q", title=drawing.x_title, axis=axis),
        shape=alt.Shape(
            "key:N", scale=alt.Scale(domain=_keys(drawing), range=shapes), legend=None
        ),
        tooltip=[
            alt.Tooltip("name:N", title=drawing.of),
            alt.Tooltip("what:N", title="measure"),
            alt.Tooltip("shown:N", title=drawing.x_title),
        ],
    )
    layers = alt.layer(zero, line, *ends, point)
    height = max(BAR_HEIGHT, 20 * n + 6) * max(1, len(drawing.order))
    return finished(layers, rows, height, palette)


class Field(NamedTuple):
    """What a field of cells says along its two sides."""

    x_labels: tuple[str, ...]  # from left to right, of places or of their edges
    y_labels: tuple[str, ...]  # from the bottom up
    size: tuple[int, int]  # places along x and along y; an edge more than places


def cells(rows: Rows, field: Field, drawing: Drawing, palette: Palette) -> Spec:
    """Return a field of cells, coloured by sign and size, hatched where unsure.

    Vega has no patterns to fill with: lines are drawn through the cell.

    Rows with `part` "cell" have `x` and `y` (places from 0), `x2`, `y2`, `key` (of the
    legend), `share` (of the colour), `text`, `shown`, `at_x` and `at_y`; those with
    `part` "hatch" have `x`, `y`, `x2`, `y2` and the key of what is hatched.
    """
    n_x, n_y = field.size
    base = hiding()
    only = base.transform_filter("datum.part === 'cell'")
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[0, n_x], nice=False),
        axis=_labelled(field.x_labels, n_x, drawing.x_title, "greedy"),
    )
    y = alt.Y(
        "y:Q",
        scale=alt.Scale(domain=[0, n_y], nice=False),
        axis=_labelled(field.y_labels, n_y, drawing.y_title, overlap=False),
    )
    tooltip = [
        alt.Tooltip("at_x:N", title=drawing.x_title),
        alt.Tooltip("at_y:N", title=drawing.y_title),
        alt.Tooltip("shown:N", title=drawing.of),
    ]
    cell = only.mark_rect(stroke=palette.surface, strokeWidth=1).encode(
        x=x,
        x2=alt.X2("x2:Q"),
        y=y,
        y2=alt.Y2("y2:Q"),
        color=colour(drawing, palette),
        opacity=alt.Opacity("share:Q", scale=None, legend=None),
        tooltip=tooltip,
    )
    hatch = (
        base.transform_filter("datum.part === 'hatch'")
        .mark_rule(strokeWidth=1.2, opacity=0.75)
        .encode(
            x=x,
            x2=alt.X2("x2:Q"),
            y=y,
            y2=alt.Y2("y2:Q"),
            color=colour(drawing, palette),
        )
    )
    layers = [cell, hatch]
    if n_x <= CELLS_WITH_TEXT:
        text = (
            only.transform_calculate(mx="datum.x + 0.5", my="datum.y + 0.5")
            .mark_text(fontSize=11, color=palette.ink)
            .encode(x=alt.X("mx:Q"), y=alt.Y("my:Q"), text=alt.Text("text:N"))
        )
        layers.append(text)
    return finished(alt.layer(*layers), rows, CELL_HEIGHT * max(3, n_y), palette)


def _labelled(
    labels: Sequence[str], n: int, title: str, overlap: str | bool
) -> alt.Axis:
    """Return an axis whose labels stand at the middle of each place, or at edges."""
    shift = 0.5 if len(labels) == n else 0.0
    return alt.Axis(
        title=title,
        grid=False,
        values=[i + shift for i in range(len(labels))],
        labelExpr=f"{json.dumps(list(labels))}[floor(datum.value)]",
        labelOverlap=overlap,
        labelFlush=False,
        labelLimit=180,
        ticks=shift == 0.0,
    )


def _keys(drawing: Drawing) -> list[str]:
    return [item.key for item in drawing.legend]


def trajectory(
    rows: Rows, chosen: int, drawing: Drawing, place: int, palette: Palette
) -> Spec:
    """Return lines by step, with one step marked.

    Args:
        rows: As those of `charts.lines`.
        chosen: The step that is marked.
        drawing: What axes and legend say.
        place: Of the mark's colour in the palette.
        palette: Of the chart.
    """
    spec = lines(rows, drawing, palette)
    mark = {"type": "rule", "color": palette.series[place], "strokeWidth": 2}
    rule = {
        "data": {"values": [{}]},
        "mark": mark,
        "encoding": {"x": {"datum": chosen}},
    }
    return {**spec, "layer": [*spec["layer"], rule]}
