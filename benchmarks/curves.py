"""Curves of a benchmark: points that take turns, and how they are shown."""

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Any, NamedTuple

from benchmarks.common import insist
from churnsim.report.page.blocks import Chart
from churnsim.report.page.theme import Palette, config

THOUSAND = 1_000.0


class Point(NamedTuple):
    """One point of a curve."""

    x: float
    value: float  # in the curve's unit
    low: float  # least of the rounds
    high: float  # largest
    events: int  # of a run; 0: not counted


class Curve(NamedTuple):
    """How a figure depends on one thing."""

    name: str
    x_title: str
    unit: str
    points: list[Point]
    is_log: bool = True


Measured = tuple[float, int]  # in the curve's unit, and events
Runs = dict[float, Callable[[], Measured]]


def curve_of(
    titles: tuple[str, str, str], runs: Runs, n_rounds: int, *, is_log: bool = True
) -> Curve:
    """Return a curve whose points take turns; the first round only warms up.

    Args:
        titles: Name, what goes from left to right, unit.
        runs: What measures each point.
        n_rounds: Beside the first.
        is_log: The axis from left to right is.
    """
    told: dict[float, list[Measured]] = {x: [] for x in runs}
    for number in range(n_rounds + 1):
        for x, run in runs.items():
            found = run()
            if number:
                told[x].append(found)
    points = []
    for x, found_at in told.items():
        values, events = zip(*found_at, strict=True)
        insist(len(set(events)) == 1, f"{titles[0]} {x:g}: another count of events")
        insist(
            all(value > 0.0 for value in values),
            f"{titles[0]} {x:g}: nothing was measured",
        )
        point = Point(x, median(values), min(values), max(values), events[0])
        points.append(point)
    return Curve(*titles, points, is_log)


def figure(value: float) -> str:
    """Return a figure with four digits, and large ones whole."""
    return f"{value:,.0f}" if abs(value) >= THOUSAND else f"{value:.4g}"


def chart_of(name: str, title: str, curves: Sequence[Curve]) -> Chart:
    """Return the curves as one chart."""
    told = "; ".join(
        f"{c.unit} by {c.x_title}: "
        + ", ".join(f"{figure(p.value)} at {figure(p.x)}" for p in c.points)
        for c in curves
    )
    build = partial(_spec, curves)
    return Chart(name, title, told, build, None)


def _spec(curves: Sequence[Curve], palette: Palette) -> dict[str, Any]:
    panels = [
        {
            "data": {"values": [point._asdict() for point in curve.points]},
            "width": 260,
            "height": 160,
            "encoding": {
                "x": {
                    "field": "x",
                    "type": "quantitative",
                    "title": curve.x_title,
                    "scale": {
                        "type": "log" if curve.is_log else "linear",
                        "domain": [curve.points[0].x, curve.points[-1].x],
                        "nice": False,
                    },
                    "axis": {
                        "values": [point.x for point in curve.points],
                        "format": "~s" if curve.points[-1].x >= THOUSAND else "~g",
                        "labelFlush": False,
                        "labelOverlap": False,
                    },
                },
            },
            "layer": [
                {
                    "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.5},
                    "encoding": {
                        "y": {"field": "low", "type": "quantitative"},
                        "y2": {"field": "high"},
                    },
                },
                {
                    "mark": {"type": "line", "point": True},
                    "encoding": {
                        "y": {
                            "field": "value",
                            "type": "quantitative",
                            "title": curve.unit,
                            "scale": {"zero": True},
                        },
                    },
                },
            ],
        }
        for curve in curves
    ]
    return {
        "concat": panels,
        "columns": 2,
        "config": {**config(palette), "mark": {"color": palette.series[0]}},
    }
