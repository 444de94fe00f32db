"""Sections along time: how long customers stay, and the firm month by month."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from churnsim.experiment.intervals import Estimate
from churnsim.report.amounts import scale_of
from churnsim.report.page import charts
from churnsim.report.page.blocks import Chart, LegendItem, Section, Table
from churnsim.report.page.charts import Drawing
from churnsim.report.page.figures import Results
from churnsim.report.page.theme import DASHES, N_SERIES

SHORTEST_MONTH = 0.999  # of a month: below, the last one was cut by the horizon


class Line(NamedTuple):
    """A monthly series that is drawn."""

    column: str  # of the document's months
    title: str
    axis: str  # "" for money, whose axis names the unit
    unit: str
    form: str = ""  # of the axis
    from_zero: bool = True


SURVIVAL = Line(
    "survival",
    "Share of the starting customers still there",
    "share still there",
    "share",
    "%",
    from_zero=False,
)
MONTHLY = (
    Line(
        "active",
        "Customers at the end of each month",
        "customers",
        "count",
        charts.WHOLE,
        from_zero=False,
    ),
    Line("revenue", "Revenue in each month", "", "money", from_zero=False),
    Line(
        "backlog",
        "Cases open at the end of each month",
        "cases open",
        "count",
        charts.WHOLE,
    ),
)
ABOVE_ZERO = "The axes of customers and revenue do not begin at zero."


def policy_legend(results: Results) -> tuple[LegendItem, ...]:
    """Return a colour and a dash for each policy, the same on the whole page."""
    return tuple(
        LegendItem(name, label, i % N_SERIES, DASHES[i % len(DASHES)])
        for i, (name, label) in enumerate(
            zip(results.names, results.labels, strict=True)
        )
    )


def how_long_customers_stay(results: Results) -> Section:
    """Return the survival of the starting customers under each policy."""
    return Section(
        "survival",
        "How long customers stay",
        texts=(
            (
                "Of those who were customers at the start, the share who still are."
                " The shaded band is the 95 % interval of the mean; it is often too"
                " narrow to be seen. The axis does not begin at zero."
            ),
        ),
        charts=(_chart(results, SURVIVAL),),
    )


def month_by_month(results: Results) -> Section:
    """Return customers, revenue and open cases in each month."""
    ends: list[float] = results.document["months"]["ends"]
    texts = [
        (
            "Customers count prospects that were won. An open case is a mistake that"
            f" is not settled, refused, given up or otherwise closed yet. {ABOVE_ZERO}"
        )
    ]
    last = ends[-1] - (ends[-2] if len(ends) > 1 else 0.0)
    if last < SHORTEST_MONTH * (ends[0] if len(ends) > 1 else last):
        texts.append("The last month is shorter than the others: the time ends in it.")
    return Section(
        "months",
        "Month by month",
        texts=tuple(texts),
        charts=tuple(_chart(results, line) for line in MONTHLY),
    )


def _chart(results: Results, line: Line) -> Chart:
    months = results.document["months"]
    series = results.series(months, line.column)
    flat = [value for values in series for value in values]
    scale = scale_of(value.mean for value in flat)
    shown = [results.shown(values, line.unit, scale) for values in series]
    unit = scale.unit if line.unit == "money" else 1.0
    title = line.axis
    if line.unit == "money":
        title = f"revenue ({f'{results.currency}{scale.suffix}'.strip()})"
    rows: list[dict[str, Any]] = []
    for place, name in enumerate(results.names):
        if line is SURVIVAL:
            rows.append(_row(results, name, 0, _ALL))
            rows[-1]["shown"] = "100.0 %"
        for i, value in enumerate(series[place]):
            rows.append(_row(results, name, i + 1, _scaled(value, unit)))
            rows[-1]["shown"] = shown[place][i].whole
    table = Table(
        f"{line.title}: mean and 95 % interval",
        ("month", *results.labels),
        tuple(
            (str(i + 1), *(column[i].whole for column in shown))
            for i in range(len(months["ends"]))
        ),
    )
    legend = policy_legend(results)
    pairs = zip(results.labels, shown, strict=True)
    said = "; ".join(f"{label}: {texts[-1].whole}" for label, texts in pairs)
    return Chart(
        f"monthly_{line.column}" if line is not SURVIVAL else line.column,
        line.title,
        f"Line chart by month, a line for each policy. In the last month: {said}.",
        functools.partial(
            charts.lines,
            [row for row in rows if row["value"] is not None],
            Drawing(
                y_title=title,
                x_title="month",
                domain=_domain(rows, from_zero=line.from_zero),
                form=line.form,
                legend=legend,
            ),
        ),
        table,
        legend,
    )


_ALL = Estimate(1.0, None, None, 0)  # of those who are there at the start


def _row(results: Results, name: str, month: int, value: Estimate) -> dict[str, Any]:
    return {
        "key": name,
        "name": results.label(name),
        "x": month,
        "value": value.mean,
        "low": value.low,
        "high": value.high,
        "when": str(month),
    }


def _scaled(value: Estimate, unit: float) -> Estimate:
    return value if unit == 1.0 else value.scaled(1.0 / unit)


def _domain(rows: list[dict[str, Any]], *, from_zero: bool) -> tuple[float, float]:
    """Return how far the axis goes: with room around lines that start above zero."""
    values = [
        row[name]
        for row in rows
        for name in ("value", "low", "high")
        if row[name] is not None
    ]
    low, high = min(values, default=0.0), max(values, default=0.0)
    room = 0.06 * (high - low) or abs(high) * 0.06 or 1.0
    if from_zero:
        return (0.0, high + room)
    return (max(0.0, low - room) if low >= 0.0 else low - room, high + room)
