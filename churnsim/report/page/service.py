"""Sections on both desks, and on what the firm sees of all this."""

from __future__ import annotations

import functools
from typing import Any

from churnsim.experiment.firm_view import VIEWS, View
from churnsim.report.page import charts
from churnsim.report.page.blocks import Chart, LegendItem, Section, Table
from churnsim.report.page.charts import Drawing
from churnsim.report.page.figures import Results
from churnsim.report.page.months import policy_legend
from churnsim.report.page.theme import STRONG
from churnsim.units import format_duration

SECONDS = 86_400.0  # in a day
DESKS = {"front": "front desk", "back": "back desk"}
MESSAGES = {"messages": "messages"}
FIGURES_OF_DESK = {
    "mean_wait": "mean wait",
    "wait_90": "90 % wait at most",
    "abandonment": "gave up in line",
    "utilisation": "share of time busy",
}
CLASSES = (
    "Waits are counted in classes, each 9 % longer than the one before, and all up to a"
    " second in one. So the wait of 90 % is known no better than its class, and its"
    " interval is never narrower than that."
)
OCTAVE = 4  # places of the waits told between one row of the table and the next
TICKS = (
    (1.0, "1 s"),
    (10.0, "10 s"),
    (60.0, "1 min"),
    (600.0, "10 min"),
    (3600.0, "1 h"),
    (21600.0, "6 h"),
    (86400.0, "1 day"),
    (604800.0, "1 week"),
    (2592000.0, "30 days"),
)


SEEN = LegendItem("seen", "the firm's dashboard", 1, mark="square")
TRUE = LegendItem("true", "the truth", STRONG, mark="dot")


def waits_and_desks(results: Results) -> Section:
    """Return how long people waited at both desks, and how busy these were."""
    desks = DESKS | (MESSAGES if results.has_messages else {})
    rows = [
        (
            f"{title}, {what}",
            *(shown.whole for shown in results.shown_figure(f"{desk}_{figure}")),
        )
        for desk, title in desks.items()
        for figure, what in FIGURES_OF_DESK.items()
    ]
    served = results.shown_figure("front_service_level")
    rows.insert(
        len(FIGURES_OF_DESK),
        ("front desk, handled within 20 s", *(shown.whole for shown in served)),
    )
    table = Table(
        "Waits and use of both desks: mean and 95 % interval",
        ("figure", *results.labels),
        tuple(rows),
        note=CLASSES,
    )
    drawn = [_wait_chart(results, desk) for desk in DESKS]
    texts = [
        (
            "The front desk answers everybody. The back desk decides on what the"
            " front desk may not settle itself; where nothing is handed on, it has"
            " no data. The lines show how many waited longer than a time."
        )
    ]
    if results.has_messages:
        texts.append(
            "Waits at the front desk are those of customers who call. Messages are"
            " answered there too, or, where that desk's time is told, by people of"
            " their own."
        )
    return Section(
        "desks",
        "Waits and desks",
        texts=tuple(texts),
        charts=tuple(chart for chart in drawn if chart),
        tables=(table,),
    )


def perception_gap(results: Results) -> Section:
    """Return the firm's own dashboard beside what is so, and the gap."""
    return Section(
        "perception-gap",
        "What the firm sees of it",
        texts=(
            (
                "What the firm's own dashboard would show, beside what is so. It"
                " counts complaints, not mistakes; of those who call, it knows only who"
                " joined the line; a case closed with a lie is closed;"
                " whoever left without a word fills in no survey. The gap is what the"
                " dashboard shows less what is so, of shares in percentage points"
                " (pp)."
            ),
        ),
        charts=tuple(_gap_chart(results, view) for view in VIEWS),
    )


def _wait_chart(results: Results, desk: str) -> Chart | None:
    waits = results.document["waits"][desk]
    times: list[float] = waits["longer_than"]
    if not times:
        return None
    series = results.series(waits)
    shown = [results.shown(values, "share") for values in series]
    rows: list[dict[str, Any]] = [
        {
            "key": name,
            "name": results.label(name),
            "x": time * SECONDS,
            "value": value.mean,
            "low": value.low,
            "high": value.high,
            "when": format_duration(time),
            "shown": text.whole,
        }
        for name, values, texts in zip(results.names, series, shown, strict=True)
        for time, value, text in zip(times, values, texts, strict=True)
        if value.mean is not None
    ]
    title = f"Waits at the {DESKS[desk]}"
    places = range(0, len(times), OCTAVE)
    table = Table(
        f"{title}: share that waited longer, mean and 95 % interval",
        ("longer than", *results.labels),
        tuple(
            (format_duration(times[i]), *(column[i].whole for column in shown))
            for i in places
        ),
    )
    legend = policy_legend(results)
    means = results.shown_figure(f"{desk}_mean_wait")
    pairs = zip(results.labels, means, strict=True)
    said = "; ".join(f"{label}: {text.whole}" for label, text in pairs)
    ticks = tuple(tick for tick in TICKS if tick[0] <= times[-1] * SECONDS)
    drawing = Drawing(
        y_title="share that waited longer",
        x_title="wait",
        domain=(0.0, 1.0),
        form="%",
        ticks=ticks,
        legend=legend,
    )
    return Chart(
        f"waits_{desk}",
        title,
        "Line chart of the share of people that waited longer than a time, a line for"
        f" each policy. Mean waits: {said}.",
        functools.partial(charts.lines, rows, drawing),
        table,
        legend,
    )


def _gap_chart(results: Results, view: View) -> Chart:
    seen, true = results.figure(view.seen), results.figure(view.true)
    texts = {
        "seen": results.shown_figure(view.seen),
        "true": results.shown_figure(view.true),
    }
    rows: list[dict[str, Any]] = []
    for i, name in enumerate(results.names):
        ends = (seen[i].mean, true[i].mean)
        for item, value in zip((SEEN, TRUE), ends, strict=True):
            if value is not None:
                rows.append(
                    {
                        "policy": results.label(name),
                        "label": results.broken(name),
                        "key": item.key,
                        "name": item.label,
                        "value": value,
                        "from": ends[0] if ends[0] is not None else value,
                        "to": ends[1] if ends[1] is not None else value,
                        "shown": texts[item.key][i].whole,
                    }
                )
    largest = max((row["value"] for row in rows), default=0.0)
    # Shares fill their axis, counts get some room; all begin at zero.
    reach = 1.0 if view.unit == "share" and largest <= 1.0 else largest * 1.06 or 1.0
    drawing = Drawing(
        x_title=_lowered(view.title),
        domain=(0.0, reach),
        form="%" if view.unit == "share" else charts.WHOLE,
        order=tuple(results.broken(name) for name in results.names),
        legend=(SEEN, TRUE),
    )
    pairs = zip(results.labels, texts["seen"], texts["true"], strict=True)
    said = "; ".join(
        f"{label}: {a.whole} seen, {b.whole} true" for label, a, b in pairs
    )
    return Chart(
        f"perception_{view.name}",
        view.title,
        f"Dot chart. Seen: {view.seen_title}. True: {view.true_title}. {said}.",
        functools.partial(charts.dots, rows, drawing),
        _gap_table(results, view),
        (SEEN, TRUE),
    )


def _gap_table(results: Results, view: View) -> Table:
    columns = [
        ("dashboard", results.shown_figure(view.seen)),
        ("the truth", results.shown_figure(view.true)),
    ]
    gaps = results.gaps(view.name)
    if gaps:
        unit = "points" if view.unit == "share" else view.unit
        columns.append(("the gap", results.shown(gaps, unit)))
    cells = zip(*([text.whole for text in texts] for _, texts in columns), strict=True)
    return Table(
        f"{view.title}: {view.seen_title}; the truth: {view.true_title}",
        ("policy", *(title for title, _ in columns)),
        tuple((label, *row) for label, row in zip(results.labels, cells, strict=True)),
    )


def _lowered(title: str) -> str:
    return f"{title[:1].lower()}{title[1:]}"
