"""A week as Vega-Lite: how long who waits in each hour, and how many are there.

Both take rows of plain values, a drawing and a palette, as the other charts do.
"""

from __future__ import annotations

import altair as alt

from churnsim.report.page.blocks import Spec
from churnsim.report.page.charts import (
    ROWS,
    WHOLE,
    Drawing,
    Rows,
    colour,
    finished,
    hiding,
)
from churnsim.report.page.theme import Palette

HOURS_IN_DAY = 24
CELL_HEIGHT = 26  # pixels a day
AGENTS_HEIGHT = 220
EVERY = 6  # hours between two labels of a day's axis
INSET = 0.28  # of an hour's width, on each side of those who are busy


def weekdays(rows: Rows, drawing: Drawing, palette: Palette) -> Spec:
    """Return a heat map: a row a day, a column an hour.

    A class is told by how strong its colour is, the same for all, so that nobody needs
    to tell colours apart. Rows have `day`, `from` and `to` [hours of the day], `key`
    (the class; None: no data), `is_open` (framed), `when`, `shown`, `contacts` and
    `staffed`.
    """
    across = alt.X(
        "from:Q",
        title=drawing.x_title,
        scale=alt.Scale(domain=[0, HOURS_IN_DAY], nice=False),
        axis=alt.Axis(
            values=list(range(0, HOURS_IN_DAY + 1, EVERY)),
            grid=False,
            labelExpr="datum.value + ':00'",
            labelFlush=False,
        ),
    )
    down = alt.Y(
        "day:N",
        sort=list(drawing.order),
        scale=alt.Scale(domain=list(drawing.order), paddingInner=0.1),
        axis=alt.Axis(title=None, ticks=False, domain=False, labelPadding=6),
    )
    place = {"x": across, "x2": alt.X2("to:Q"), "y": down}
    cells = (
        hiding()
        .transform_filter("datum.key !== null")
        .mark_rect()
        .encode(color=colour(drawing, palette), **place)
    )
    base = alt.Chart(ROWS).encode(**place)
    closed = base.mark_rect(fill=None, stroke=palette.grid, strokeWidth=0.6)
    frames = base.transform_filter("datum.is_open").mark_rect(
        fill=None, stroke=palette.muted, strokeWidth=1
    )
    # Under the pointer wherever it is, so that an hour without data says so.
    touched = base.mark_rect(opacity=0.0).encode(
        tooltip=[
            alt.Tooltip("when:N", title="hour"),
            alt.Tooltip("shown:N", title=drawing.y_title),
            alt.Tooltip("contacts:N", title="contacts"),
            alt.Tooltip("staffed:N", title="agents staffed"),
        ]
    )
    layers = alt.layer(closed, cells, frames, touched)
    return finished(layers, rows, CELL_HEIGHT * len(drawing.order), palette)


def agents(rows: Rows, drawing: Drawing, palette: Palette) -> Spec:
    """Return for each hour of the week a bar of those staffed, and what it takes.

    In the bar stands a narrower one of those who are busy; a line across tells how many
    are needed, with the band of its interval. Rows have `key` ("agents_staffed",
    "agents_busy" or "agents_needed"), `name`, `x` (hours since Monday), `value`, `low`
    and `high` (None: no interval), `when` and `shown`.
    """
    across = alt.X(
        "from:Q",
        title=drawing.x_title,
        scale=alt.Scale(domain=[0, HOURS_IN_DAY * len(drawing.ticks)], nice=False),
        axis=alt.Axis(
            values=[place for place, _ in drawing.ticks],
            labelExpr=" : ".join(
                f"datum.value == {place:g} ? '{label}'"
                for place, label in drawing.ticks
            )
            + " : ''",
            labelFlush=False,
            labelAlign="left",
        ),
    )
    scale = alt.Scale(domain=list(drawing.domain or (0.0, 1.0)), nice=False)
    axis = alt.Axis(format=drawing.form or WHOLE, tickCount=5, tickMinStep=1)
    up = alt.Y("value:Q", title=drawing.y_title, scale=scale, axis=axis)
    painted = colour(drawing, palette)
    told = [
        alt.Tooltip("name:N", title="agents"),
        alt.Tooltip("when:N", title="hour"),
        alt.Tooltip("shown:N", title="how many"),
    ]

    def of(key: str, inset: float) -> alt.Chart:
        return (
            hiding()
            .transform_filter(f"datum.key === '{key}' && datum.value > 0")
            .transform_calculate(
                **{"from": f"datum.x + {inset:g}", "to": f"datum.x + {1.0 - inset:g}"}
            )
            .encode(x=across, x2=alt.X2("to:Q"), tooltip=told)
        )

    bars = (
        of(key, inset).mark_rect().encode(y=up, y2=alt.Y2(datum=0), color=painted)
        for key, inset in (("agents_staffed", 0.0), ("agents_busy", INSET))
    )
    needed = of("agents_needed", 0.0)
    band = (
        needed.transform_filter("datum.low !== null && datum.low < datum.high")
        .mark_rect(opacity=0.25)
        .encode(y=alt.Y("low:Q", scale=scale), y2=alt.Y2("high:Q"), color=painted)
    )
    line = needed.mark_rule(strokeWidth=2.4).encode(y=up, color=painted)
    layers = alt.layer(*bars, band, line)
    return finished(layers, rows, AGENTS_HEIGHT, palette)
