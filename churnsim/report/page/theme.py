"""Colours and dashes: safe for the colour-blind, and never the only difference.

The series are Okabe and Ito's without their yellow, which white paper swallows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
SIZE = 12
DASHES: tuple[tuple[int, ...], ...] = (
    (1, 0),
    (7, 3),
    (2, 2),
    (9, 3, 2, 3),
    (14, 4),
    (5, 2, 1, 2, 1, 2),
)
N_SERIES = 7
NEUTRAL = N_SERIES  # place of the grey that stands for what no policy changes
LOSS, GAIN = 1, 0  # places of the colours of what loses money and what brings it back
STRONG = N_SERIES + 1  # place of the colour of what must not be overlooked


class Palette(NamedTuple):
    """The colours of a chart."""

    series: tuple[str, ...]  # N_SERIES of them, then neutral and strong
    on: tuple[str, ...]  # of letters on each of them
    ink: str
    muted: str
    grid: str
    surface: str  # what is behind the chart


PAPER = Palette(
    (
        *("#0072b2", "#d55e00", "#009e73", "#b8548c", "#c98600", "#3a93c4"),
        "#5b5b5b",
        "#c9ced6",
        "#4b2e83",
    ),
    ("#fff", "#fff", "#fff", "#fff", "#1b1f24", "#1b1f24", "#fff", "#1b1f24", "#fff"),
    "#1b1f24",
    "#57606a",
    "#dfe3e8",
    "#ffffff",
)
NIGHT = Palette(
    (
        *("#56a8e0", "#ff8a3d", "#2cc79a", "#e79ac4", "#f0b840", "#9bd0f2"),
        "#b4b4b4",
        "#4a525c",
        "#b79cf0",
    ),
    (*["#14181d"] * N_SERIES, "#e8eaed", "#14181d"),
    "#e8eaed",
    "#a9b1ba",
    "#343b44",
    "#14181d",
)
# On a page the colours are those of its style sheet, which knows paper and night.
PAGE = Palette(
    tuple(f"var(--s{i})" for i in range(len(PAPER.series))),
    tuple(f"var(--on{i})" for i in range(len(PAPER.on))),
    "var(--ink)",
    "var(--muted)",
    "var(--grid)",
    "var(--surface)",
)


def config(palette: Palette) -> dict[str, Any]:
    """Return how Vega-Lite draws what a chart does not settle itself."""
    return {
        "background": "transparent" if palette is PAGE else palette.surface,
        "font": FONT,
        "aria": False,  # the page describes each chart as a whole
        "view": {"stroke": None},
        "axis": {
            "labelColor": palette.muted,
            "titleColor": palette.muted,
            "labelFontSize": SIZE,
            "titleFontSize": SIZE,
            "titleFontWeight": "normal",
            "titlePadding": 8,
            "gridColor": palette.grid,
            "domainColor": palette.grid,
            "tickColor": palette.grid,
            "labelOverlap": "greedy",
            "labelSeparation": 8,
        },
        "axisY": {"labelLimit": 150},
        "legend": {
            "labelColor": palette.ink,
            "titleColor": palette.muted,
            "labelFontSize": SIZE,
            "labelLimit": 400,
            "orient": "bottom",
            "columns": 3,
            "columnPadding": 30,  # letters may be wider than those measured
            "symbolStrokeWidth": 2.5,
            "symbolSize": 160,
        },
        "title": {"color": palette.ink, "anchor": "start", "fontSize": SIZE + 3},
        "text": {"color": palette.ink, "fontSize": SIZE},
    }


def diluted(palette: Palette, place: int, share: float) -> str:
    """Return a colour of the series with what is behind it showing through.

    Args:
        palette: Of the chart.
        place: Of the colour in the series.
        share: Of the colour, the rest is that behind the chart.
    """
    colour = palette.series[place]
    if share == 1.0:
        return colour
    if palette is PAGE:
        return f"color-mix(in srgb, {colour} {100.0 * share:.3g}%, {palette.surface})"
    pairs = zip(_channels(colour), _channels(palette.surface), strict=True)
    return "#" + "".join(
        f"{round(share * a + (1.0 - share) * b):02x}" for a, b in pairs
    )


def _channels(colour: str) -> tuple[int, ...]:
    """Return red, green and blue of "#rrggbb"."""
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def variables(palette: Palette) -> str:
    """Return a palette as the variables of a style sheet."""
    named = {f"s{i}": colour for i, colour in enumerate(palette.series)}
    named |= {f"on{i}": colour for i, colour in enumerate(palette.on)}
    named |= dict(zip(palette._fields[2:], palette[2:], strict=True))
    return " ".join(f"--{name}: {colour};" for name, colour in named.items())
