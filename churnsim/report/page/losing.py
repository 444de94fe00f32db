"""Sections on money and customers lost: by policy, and by what made them go."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from churnsim.experiment.intervals import Estimate
from churnsim.report.amounts import scale_of
from churnsim.report.page import charts
from churnsim.report.page.blocks import Chart, LegendItem, Section, Table
from churnsim.report.page.charts import Drawing
from churnsim.report.page.figures import NARROW, Results, Shown
from churnsim.report.page.theme import N_SERIES, NEUTRAL, STRONG
from churnsim.report.results import CAUSES
from churnsim.scenario.model import FLAWLESS

COMPARED = (
    "What each policy earns less than another one does with the same customers, the"
    " same mistakes and the same luck. The thin line is the 95 % interval of the mean:"
    " how sure the simulation is of its own average, given its assumptions."
)
DRAWN = (
    "What each policy earns less than another one does with the same customers, the"
    " same mistakes and the same luck. The thin line is the 95 % interval of what is to"
    " be expected of this firm: what is not known of it is in the line."
)
ROOM = 0.05  # of the bars' reach, for each letter beside them
# What is written into a part of a bar where it is wide.
SHORT = {"natural": "nothing was wrong", "silent": "in silence"}


def revenue_lost(results: Results) -> Section:
    """Return what each policy loses in revenue, against both that it is held to."""
    found = [_loss_chart(results, against) for against in ("baseline", "flawless")]
    known = [chart for chart in found if chart]
    compared = DRAWN if "posterior" in results.document else COMPARED
    about = compared if known else "There is no other policy to compare with."
    return Section(
        "revenue-lost",
        "Revenue lost",
        texts=(about, NARROW) if results.n > 1 else (about,),
        charts=tuple(known),
    )


def where_customers_go(results: Results) -> Section:
    """Return the customers lost by cause, those who go without a word by name."""
    causes = [
        cause
        for cause in CAUSES
        if any(value.mean for value in results.figure(f"lost_{cause}"))
    ]
    table = Table(
        "Customers lost, by what made them go: mean and 95 % interval",
        ("cause", *results.labels),
        (
            _row(results, "all", "lost"),
            *(_row(results, cause_title(cause), f"lost_{cause}") for cause in causes),
            _row(results, "share due to mistakes", "mistake_share_of_lost"),
        ),
    )
    return Section(
        "customers-lost",
        "Where customers go",
        texts=(
            (
                "Customers lost within the time simulated, by what made them go. Those"
                " who left in silence had something go wrong, told nobody and went: no"
                " complaint statistic shows them."
            ),
        ),
        charts=(_cause_chart(results, causes, table),) if causes else (),
        tables=() if causes else (table,),
    )


def cause_title(cause: str) -> str:
    """Return what a cause of leaving is called."""
    return CAUSES[cause].strip()


def _row(results: Results, title: str, figure: str) -> tuple[str, ...]:
    return (title, *(shown.whole for shown in results.shown_figure(figure)))


def _loss_chart(results: Results, against: str) -> Chart | None:
    losses = {
        name: loss for name in results.names if (loss := results.loss(name, against))
    }
    if not losses:
        return None
    other = results.label(results.baseline if against == "baseline" else FLAWLESS)
    totals = [Estimate(**loss["total"]) for loss in losses.values()]
    yearly = [Estimate(**loss["yearly"]) for loss in losses.values()]
    shown = results.shown_losses(totals)
    a_year = results.shown_losses(yearly)
    labels = [results.label(name) for name in losses]
    table = Table(
        f"Revenue lost against {other}",
        ("policy", "in all", "95 % interval", "a year per 1,000 customers", "95 %"),
        tuple(
            (label, total.mean, total.interval, year.mean, year.interval)
            for label, total, year in zip(labels, shown, a_year, strict=True)
        ),
    )
    scale = scale_of(bound for total in totals for bound in total[:3])
    rows = bar_rows(results, list(losses), totals, shown, scale.unit)
    unit = f"{results.currency}{scale.suffix}".strip()
    drawing = Drawing(
        x_title=f"revenue lost ({unit})",
        domain=reach_of(rows),
        form="~s" if scale.unit == 1.0 else "",
        order=tuple(results.broken(name) for name in losses),
    )
    said = "; ".join(
        f"{label}: {total.whole}" for label, total in zip(labels, shown, strict=True)
    )
    return Chart(
        f"revenue_lost_against_{against}",
        f"Revenue lost against {other}",
        f"Bar chart of the revenue that each policy loses against {other}. {said}.",
        functools.partial(charts.bars, rows, drawing),
        table,
    )


def bar_rows(
    results: Results,
    names: Sequence[str],
    values: Sequence[Estimate],
    shown: Sequence[Shown],
    unit: float,
) -> list[dict[str, Any]]:
    """Return the rows of `charts.bars`: a figure of each policy.

    Args:
        results: Says what policies are called, and their colours.
        names: The policies.
        values: Their figures.
        shown: The same as text.
        unit: By which figures are divided.
    """
    rows = []
    for name, value, text in zip(names, values, shown, strict=True):
        mean, low, high = (None if x is None else x / unit for x in value[:3])
        known = [0.0, *(x for x in (mean, high) if x is not None)]
        rows.append(
            {
                "policy": results.label(name),
                "label": results.broken(name),
                "value": mean,
                "low": low,
                "high": high,
                "end": max(known),
                "text": text.mean if text.low else text.whole,
                "shown": text.whole,
                "colour": results.names.index(name) % N_SERIES,
            }
        )
    return rows


def reach_of(rows: list[dict[str, Any]]) -> tuple[float, float]:
    """Return how far the axis of bars goes, with room for the amounts beside them.

    Args:
        rows: With `value`, `low`, `high`, `text` and, in a waterfall, `from`.
    """
    places = [
        row[name]
        for row in rows
        for name in ("from", "value", "low", "high")
        if row.get(name) is not None
    ]
    low, high = min([0.0, *places]), max([0.0, *places])
    n_letters = max(len(row["text"]) for row in rows)
    return (low, high + (ROOM * n_letters * (high - low) or 1.0))


def _cause_chart(results: Results, causes: list[str], table: Table) -> Chart:
    legend = _cause_legend(causes)
    lost = [value.mean or 0.0 for value in results.figure("lost")]
    widest = max(lost)
    rows: list[dict[str, Any]] = []
    silent = ""
    for rank, cause in enumerate(causes):
        figure = f"lost_{cause}"
        shown = results.shown_figure(figure)
        if cause == "silent":
            pairs = zip(results.labels, shown, strict=True)
            silent = "; ".join(f"{label}: {text.whole}" for label, text in pairs)
        values = zip(results.names, results.figure(figure), shown, strict=True)
        for name, value, text in values:
            rows.append(
                {
                    "policy": results.label(name),
                    "label": results.broken(name),
                    "key": cause,
                    "name": cause_title(cause),
                    "rank": rank,
                    "value": value.mean or 0.0,
                    "words": f"{SHORT.get(cause, '')} {text.mean}".strip(),
                    "text": text.mean,
                    "shown": text.whole,
                }
            )
    drawing = Drawing(
        x_title="customers lost",
        domain=(0.0, widest * 1.03),
        form=charts.WHOLE,
        order=tuple(results.broken(name) for name in results.names),
        legend=legend,
    )
    parts = ", ".join(item.label for item in legend)
    said = f" Left in silence: {silent}." if silent else ""
    return Chart(
        "customers_lost_by_cause",
        "Customers lost, by what made them go",
        f"Stacked bars of the customers each policy loses, by cause: {parts}.{said}",
        functools.partial(charts.stack, rows, drawing),
        table,
        legend,
    )


def _cause_legend(causes: list[str]) -> tuple[LegendItem, ...]:
    """Return the causes: silence in the strong colour, what was no mistake in grey."""
    known = {"natural": NEUTRAL, "silent": STRONG}
    # Of those that are drawn, so that no two are alike while there are colours.
    others = [cause for cause in causes if cause not in known]
    known |= {cause: i % N_SERIES for i, cause in enumerate(others)}
    return tuple(
        LegendItem(
            cause,
            cause_title(cause),
            known[cause],
            mark="block",
        )
        for cause in causes
    )
