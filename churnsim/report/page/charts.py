"""Charts as Vega-Lite, made by Altair: bars, stacks, lines and dots.

Channels are objects throughout: a text costs Altair a search through all its classes.
Each takes rows of plain values, a drawing (what its axes and legend say) and a palette.
A chart with a legend has a parameter `hidden`: the keys that are not drawn. The page
sets it where a reader clicks.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt

from churnsim.report.page.blocks import LegendItem, Spec
from churnsim.report.page.theme import PAGE, Palette, config, diluted

Rows = Sequence[dict[str, Any]]

BAR_HEIGHT = 40  # pixels a policy
LINE_HEIGHT = 260
FILE_WIDTH = 680  # of a chart that is a file
FILE_PADDING = 24  # about it: where it is seen, letters may be wider than measured
SPLIT = "split(datum.label, '\\n')"  # a label in several lines
VISIBLE = "indexof(hidden, datum.key) < 0"
ROWS = alt.NamedData("rows")  # put in when all else stands: Altair copies data often
WHOLE = ",~f"  # d3's, of counts: 1,400 and 0.5, not 1.4k and 500m
LETTER = 7  # pixels, of text written into bars


class Drawing(NamedTuple):
    """What a chart's axes and legend say."""

    y_title: str = ""
    x_title: str = ""
    domain: tuple[float, float] | None = None  # of the quantity
    form: str = ""  # d3's, of the quantity; "" as Vega chooses
    ticks: tuple[tuple[float, str], ...] = ()  # of a logarithmic x axis: place, label
    x_form: str = "d"  # d3's, of a line's x axis; "d" has ticks at whole numbers only
    is_stepped: bool = False  # a line keeps its height until the next point
    of: str = "policy"  # what a label names, to whoever points at it
    order: tuple[str, ...] = ()  # labels from top to bottom
    legend: tuple[LegendItem, ...] = ()


def bars(rows: Rows, drawing: Drawing, palette: Palette) -> Spec:
    """Return bars with the interval of each and the mean beside it.

    Rows have `label`, `value`, `low` and `high` (None: no interval), `end` (where the
    text goes), `text`, `shown` and `colour` (a place in the palette).
    """
    base = alt.Chart(ROWS).encode(
        y=_labels(drawing), tooltip=_told("policy", drawing.x_title, drawing.of)
    )
    bar = base.mark_bar(height={"band": 0.55}).encode(
        x=_across("value", drawing), color=_painted()
    )
    layers = alt.layer(bar, *_with_intervals(base, palette))
    return finished(layers, _paint(rows, palette), _height(drawing), palette)


def waterfall(rows: Rows, drawing: Drawing, palette: Palette) -> Spec:
    """Return bars that each begin where the one above ends, with intervals.

    Rows are as in `bars`, with `from` (where a bar begins, at `value` it ends) and
    `next` (the label below, None at the last step); `low` and `high` are about the end.
    """
    base = alt.Chart(ROWS).encode(
        y=_labels(drawing), tooltip=_told("label", drawing.x_title, "lever")
    )
    bar = base.mark_bar(height={"band": 0.55}).encode(
        x=_across("from", drawing), x2=alt.X2("value:Q"), color=_painted()
    )
    link = (
        base.transform_filter("datum.next !== null")
        .mark_rule(strokeDash=[3, 3], color=palette.muted)
        .encode(x=alt.X("value:Q"), y2=alt.Y2("next:N"))
    )
    layers = alt.layer(link, bar, *_with_intervals(base, palette))
    return finished(layers, _paint(rows, palette), _height(drawing), palette)


def stack(rows: Rows, drawing: Drawing, palette: Palette) -> Spec:
    """Return stacked bars, from the left in the order of the legend.

    Rows have `label`, `key` and `name` of the part, `value`, `rank` (its place in the
    legend), `words` (written into it where there is room), `text` (otherwise, or
    nothing) and `shown`.
    """
    reach = drawing.domain[1] if drawing.domain else 1.0
    room = f"datum.value * width / {reach:.17g} / {LETTER}"
    fitting = (
        f"{room} > length(datum.words) ? datum.words : "
        f"{room} > length(datum.text) ? datum.text : ''"
    )
    base = hiding().encode(
        y=_labels(drawing),
        x=_across("value", drawing).stack("zero"),
        order=alt.Order("rank:Q"),
        tooltip=[
            alt.Tooltip("name:N", title="lost"),
            *_told("policy", drawing.x_title, drawing.of),
        ],
    )
    bar = base.mark_bar(
        height={"band": 0.7}, stroke=palette.surface, strokeWidth=1.2
    ).encode(color=colour(drawing, palette))
    keys = [item.key for item in drawing.legend]
    letters = alt.Scale(
        domain=keys, range=[palette.on[i.colour] for i in drawing.legend]
    )
    text = (
        base.transform_calculate(fitting=fitting)
        .mark_text(fontSize=11)
        .encode(
            x=alt.X("value:Q", bandPosition=0.5).stack("zero"),
            text=alt.Text("fitting:N"),
            color=alt.Color("key:N", scale=letters, legend=None),
        )
    )
    layers = alt.layer(bar, text).resolve_scale(color="independent")
    return finished(layers, rows, _height(drawing), palette)


def lines(rows: Rows, drawing: Drawing, palette: Palette) -> Spec:
    """Return a line for each key with the band of its interval.

    Rows have `key`, `name`, `x`, `value`, `low` and `high` (None: no interval), `when`
    and `shown`.
    """
    whole = {"tickMinStep": 1} if drawing.x_form == "d" else {}
    axis = alt.Axis(title=drawing.x_title, grid=False, format=drawing.x_form, **whole)
    # Said, since bands without an interval would have no extent.
    places = sorted(row["x"] for row in rows) or [0.0, 1.0]
    reach = [places[0], places[-1]]
    scale = alt.Scale(nice=False, zero=False, domain=reach)
    if drawing.ticks:
        named = " : ".join(f"datum.value == {x:g} ? '{t}'" for x, t in drawing.ticks)
        axis = alt.Axis(
            title=drawing.x_title,
            grid=False,
            values=[x for x, _ in drawing.ticks],
            labelExpr=f"{named} : ''",
        )
        scale = alt.Scale(type="log", nice=False, domain=reach)
    base = hiding().encode(x=alt.X("x:Q", axis=axis, scale=scale))
    scale_y = _scale(drawing)
    height = alt.Y("value:Q", title=drawing.y_title, scale=scale_y, axis=_axis(drawing))
    painted = colour(drawing, palette)
    band = (
        base.transform_filter("datum.low !== null")
        .mark_area(opacity=0.16, interpolate="linear")
        .encode(
            y=alt.Y("low:Q", title=drawing.y_title, scale=scale_y, axis=_axis(drawing)),
            y2=alt.Y2("high:Q"),
            color=painted,
        )
    )
    keys = [item.key for item in drawing.legend]
    dashes = [list(item.dash) for item in drawing.legend]
    course = "step-after" if drawing.is_stepped else "linear"
    line = base.mark_line(strokeWidth=2.2, interpolate=course).encode(
        y=height,
        color=painted,
        strokeDash=alt.StrokeDash(
            "key:N",
            scale=alt.Scale(domain=keys, range=dashes),
            legend=_legend(drawing, palette),
        ),
    )
    # Larger than the line, so that a pointer finds them; seen only where there is one.
    points = base.mark_point(size=120, filled=True, opacity=0).encode(
        y=height,
        color=painted,
        tooltip=[
            alt.Tooltip("name:N", title=drawing.of),
            alt.Tooltip("when:N", title=drawing.x_title),
            alt.Tooltip("shown:N", title=drawing.y_title),
        ],
    )
    return finished(alt.layer(band, line, points), rows, LINE_HEIGHT, palette)


def dots(rows: Rows, drawing: Drawing, palette: Palette) -> Spec:
    """Return for each label two marks and the gap between them as a line.

    Rows have `label`, `key` (of the legend), `name`, `value`, `from` and `to` (the two
    values) and `shown`.
    """
    base = alt.Chart(ROWS).encode(y=_labels(drawing))
    gap = base.mark_rule(strokeWidth=2, color=palette.muted).encode(
        x=alt.X("from:Q"), x2=alt.X2("to:Q")
    )
    keys = [item.key for item in drawing.legend]
    shapes = [
        "square" if item.mark == "square" else "circle" for item in drawing.legend
    ]
    mark = base.mark_point(size=110, filled=True, opacity=1).encode(
        x=_across("value", drawing),
        color=colour(drawing, palette),
        shape=alt.Shape(
            "key:N",
            scale=alt.Scale(domain=keys, range=shapes),
            legend=_legend(drawing, palette),
        ),
        tooltip=[
            alt.Tooltip("name:N", title="seen by"),
            *_told("policy", drawing.x_title, drawing.of),
        ],
    )
    return finished(alt.layer(gap, mark), rows, _height(drawing), palette)


def hiding() -> alt.Chart:
    """Return a chart of the rows whose keys are not hidden."""
    hidden = alt.param(name="hidden", value=[])
    return alt.Chart(ROWS).add_params(hidden).transform_filter(VISIBLE)


def _labels(drawing: Drawing) -> alt.Y:
    return alt.Y(
        "label:N",
        sort=list(drawing.order),
        scale=alt.Scale(domain=list(drawing.order)),
        axis=alt.Axis(
            title=None,
            labelExpr=SPLIT,
            ticks=False,
            domain=False,
            labelOverlap=False,
            labelPadding=9,
        ),
    )


def _across(field: str, drawing: Drawing) -> alt.X:
    return alt.X(
        f"{field}:Q",
        title=drawing.x_title,
        scale=_scale(drawing),
        axis=_axis(drawing),
    )


def _axis(drawing: Drawing) -> alt.Axis:
    # Moved inwards, the last label could reach the one before it.
    still: dict[str, Any] = {"tickCount": 5, "labelFlush": False}
    if not drawing.form:
        return alt.Axis(**still)
    # A prefix at zero ("0k") says nothing.
    label = "datum.value === 0 ? '0' : datum.label" if drawing.form == "~s" else ""
    more = {"labelExpr": label} if label else {}
    return alt.Axis(format=drawing.form, **still, **more)


def _scale(drawing: Drawing) -> alt.Scale:
    if drawing.domain is None:
        return alt.Scale(zero=True)
    return alt.Scale(domain=list(drawing.domain), nice=False)


def colour(drawing: Drawing, palette: Palette) -> alt.Color:
    """Return the colour of each key, with a legend where the chart is a file."""
    keys = [item.key for item in drawing.legend]
    colours = [diluted(palette, item.colour, item.share) for item in drawing.legend]
    return alt.Color(
        "key:N",
        scale=alt.Scale(domain=keys, range=colours),
        legend=_legend(drawing, palette),
    )


def _legend(drawing: Drawing, palette: Palette) -> alt.Legend | None:
    """Return the legend of a chart that is a file; a page has buttons instead."""
    if palette is PAGE or not drawing.legend:
        return None
    labels = json.dumps({item.key: item.label for item in drawing.legend})
    # Else a line's sign would be drawn as its band's, pale and round.
    line: dict[str, Any] = {"symbolType": "stroke"}
    more = line if drawing.legend[0].mark == "line" else {}
    label = f"({labels})[datum.label]"
    return alt.Legend(title=None, labelExpr=label, symbolOpacity=1.0, **more)


def _told(field: str, title: str, called: str) -> list[alt.Tooltip]:
    """Return what a pointer is told: whose mark it is, and its amount."""
    return [
        alt.Tooltip(f"{field}:N", title=called),
        alt.Tooltip("shown:N", title=title),
    ]


def _with_intervals(base: alt.Chart, palette: Palette) -> list[alt.Chart]:
    """Return the interval of each bar and the amount beside it."""
    reach = base.transform_filter("datum.low !== null")
    line = reach.mark_rule(strokeWidth=1.8, color=palette.ink)
    tick = reach.mark_tick(thickness=1.8, size=11, color=palette.ink)
    text = base.mark_text(align="left", dx=7).encode(
        x=alt.X("end:Q"), text=alt.Text("text:N")
    )
    return [
        line.encode(x=alt.X("low:Q"), x2=alt.X2("high:Q")),
        *(tick.encode(x=alt.X(f"{end}:Q")) for end in ("low", "high")),
        text,
    ]


def _paint(rows: Rows, palette: Palette) -> Rows:
    """Return rows with the colour that each has a place of."""
    return [{**row, "paint": palette.series[row["colour"]]} for row in rows]


def _painted() -> alt.Color:
    return alt.Color("paint:N", scale=None, legend=None)


def _height(drawing: Drawing) -> int:
    return BAR_HEIGHT * max(1, len(drawing.order))


def finished(chart: alt.LayerChart, rows: Rows, height: int, palette: Palette) -> Spec:
    """Return a chart's specification, as wide as its place or as a file is."""
    spec: Spec = chart.to_dict(validate=False)  # the tests check it
    if palette is not PAGE:
        spec["padding"] = FILE_PADDING
    return {
        **spec,
        "width": "container" if palette is PAGE else FILE_WIDTH,
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "datasets": {"rows": list(rows)},
        "config": config(palette),
    }
