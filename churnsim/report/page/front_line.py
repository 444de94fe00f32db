"""The section on the front line as people: wrath, who quits, who is new."""

from __future__ import annotations

import functools
from typing import NamedTuple

from churnsim.report.page import charts
from churnsim.report.page.blocks import Chart, Section, Table
from churnsim.report.page.charts import Drawing
from churnsim.report.page.figures import Results, Shown
from churnsim.report.page.losing import bar_rows, reach_of

WRATH = (
    "Agents take the wrath of the customers they answer: a customer's grievance as the"
    " contact begins, in log-odds. The more of it, the sooner they quit. A seat then"
    " stands vacant until somebody is hired, and who is new takes longer. So the line"
    " grows, and with it the grievance of those who stand in it."
)
COUNTED = (
    "Turnover is how many agents quit in a year for each 100 seats. A newcomer is an"
    " agent who is still learning. A vacant seat costs no wages; hiring is what filling"
    " it costs."
)


class Told(NamedTuple):
    """A figure of the agents."""

    figure: str
    row: str  # what it is called in the table
    unit: str  # see `Results.shown`
    title: str = ""  # of its chart; "": it has none
    axis: str = ""


# In the order in which one leads to the next.
TOLD = (
    Told(
        "wrath",
        "wrath per seat and year, log-odds",
        "count",
        "Wrath that a seat takes in a year",
        "log-odds per seat and year",
    ),
    Told("quits", "agents who quit", "count"),
    Told(
        "turnover",
        "turnover, a year",
        "share",
        "Turnover",
        "agents who quit, of all seats, a year",
    ),
    Told(
        "vacant_share",
        "seats vacant, of the time on duty",
        "share",
        "Seats that stand vacant",
        "share of the time on duty",
    ),
    Told(
        "newcomer_share",
        "contacts answered by newcomers",
        "share",
        "Contacts answered by newcomers",
        "share of contacts",
    ),
    Told("hiring_cost", "hiring", "money"),
)


def agents(results: Results) -> Section | None:
    """Return how the agents fared; None where they are not people."""
    if not results.has_people:
        return None
    shown = {
        told.figure: results.shown(results.figure(told.figure), told.unit)
        for told in TOLD
    }
    table = Table(
        "How the agents of the front desk fare: mean and 95 % interval",
        ("figure", *results.labels),
        tuple((t.row, *(text.whole for text in shown[t.figure])) for t in TOLD),
        note=COUNTED,
    )
    return Section(
        "front-line",
        "The front line as people",
        texts=(WRATH,),
        charts=tuple(_chart(results, t, shown[t.figure]) for t in TOLD if t.title),
        tables=(table,),
    )


def _chart(results: Results, told: Told, shown: list[Shown]) -> Chart:
    values = results.figure(told.figure)
    rows = bar_rows(results, results.names, values, shown, 1.0)
    drawing = Drawing(
        x_title=told.axis,
        domain=reach_of(rows),
        form="~%" if told.unit == "share" else charts.WHOLE,
        order=tuple(results.broken(name) for name in results.names),
    )
    pairs = zip(results.labels, shown, strict=True)
    said = "; ".join(f"{label}: {text.whole}" for label, text in pairs)
    return Chart(
        f"agents_{told.figure}",
        told.title,
        f"Bar chart, a bar for each policy: {told.row}. {said}.",
        functools.partial(charts.bars, rows, drawing),
        None,
    )
