"""The section on the week: how long who waits at which hour, and who is there then."""

from __future__ import annotations

import bisect
import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from churnsim.experiment.intervals import Estimate
from churnsim.report.amounts import NOTHING
from churnsim.report.page import charts, week_charts
from churnsim.report.page.blocks import Chart, LegendItem, Section, Table
from churnsim.report.page.charts import Drawing
from churnsim.report.page.figures import Results, Shown
from churnsim.report.page.theme import NEUTRAL, STRONG
from churnsim.scenario.week import DAYS
from churnsim.units import format_duration

SECONDS = 86_400.0  # in a day
HOURS_IN_DAY = 24
# Upper ends of the classes of waits [s].
CLASSES = (
    *(5.0, 20.0, 60.0, 180.0, 600.0, 1800.0, 3600.0),
    *(4 * 3600.0, 12 * 3600.0, 86400.0, 3 * 86400.0, 7 * 86400.0),
)
N_CLASSES = 6  # told apart at most; shorter waits are in the first
PALEST = 0.15  # how dark the first class is; the last is 1
STAFFED = LegendItem("agents_staffed", "staffed", NEUTRAL, mark="block")
BUSY = LegendItem("agents_busy", "busy", 0, mark="block")
NEEDED = LegendItem("agents_needed", "needed", 1, (1, 0))
AGENTS = (STAFFED, BUSY, NEEDED)


class Week(NamedTuple):
    """The front desk under a policy, by hour of the week."""

    policy: str
    label: str
    staffed: list[float]
    figures: dict[str, list[Estimate]]


def hour_by_hour(results: Results) -> Section | None:
    """Return waits and staffing by hour of the week; None where no desk ever closes."""
    weeks = _weeks(results)
    if not weeks:
        return None
    classes = _classes(weeks)
    return Section(
        "week",
        "The week, hour by hour",
        texts=(
            (
                "The front desk in the hours of the week, under each policy with"
                " opening hours. The stronger the colour, the longer the mean wait;"
                " hours in a clear frame are staffed. A customer counts in the hour in"
                " which they join the line, however"
                " long they then wait."
            ),
            (
                "Busy is how many agents the contacts of an hour occupy on average:"
                " more than are staffed where they are handled later. Needed is a rule"
                " of thumb: the load of the hour (its contacts times the mean handle"
                " time) and its square root on top, rounded up. With so many agents a"
                " fifth to a quarter of the customers find none free. Where fewer are"
                " staffed than needed, people wait and give up; where many more are,"
                " agents sit idle."
            ),
        ),
        charts=(
            *(
                _heat_chart(results, week, classes, i)
                for i, week in enumerate(weeks, 1)
            ),
            *(_staffing_chart(results, week, i) for i, week in enumerate(weeks, 1)),
        ),
    )


def _weeks(results: Results) -> list[Week]:
    told = results.document.get("hours", {"policies": {}})["policies"]
    found = []
    for name, desks in told.items():
        front = desks["front"]
        figures = {
            figure: [
                Estimate(mean, low, high, results.n)
                for mean, low, high in zip(
                    series["mean"], series["low"], series["high"], strict=True
                )
            ]
            for figure, series in front["figures"].items()
        }
        found.append(Week(name, results.label(name), front["staffed"], figures))
    return found


def _classes(weeks: Sequence[Week]) -> tuple[LegendItem, ...]:
    """Return the classes of mean waits, from the shortest to the longest there is."""
    waits = [
        value.mean * SECONDS
        for week in weeks
        for value in week.figures["mean_wait"]
        if value.mean is not None
    ]
    last = bisect.bisect_left(CLASSES, max(waits, default=0.0))
    first = max(0, last - N_CLASSES + 1)
    places = range(first, last + 1)
    return tuple(
        LegendItem(
            f"wait_{place}",
            (
                f"up to {format_duration(CLASSES[place] / SECONDS)}"
                if place < len(CLASSES)
                else f"over {format_duration(CLASSES[-1] / SECONDS)}"
            ),
            STRONG,
            mark="block",
            share=(PALEST + (1.0 - PALEST) * (place - first) / max(1, last - first)),
        )
        for place in places
    )


def _class_of(wait: float | None, classes: Sequence[LegendItem]) -> str | None:
    """Return the key of the class that a mean wait [days] is in."""
    if wait is None:
        return None
    place = bisect.bisect_left(CLASSES, wait * SECONDS)
    keys = {item.key for item in classes}
    return f"wait_{place}" if f"wait_{place}" in keys else classes[0].key


def _heat_chart(
    results: Results, week: Week, classes: tuple[LegendItem, ...], number: int
) -> Chart:
    waits = week.figures["mean_wait"]
    shown = [text.whole for text in results.shown(waits, "days")]
    contacts = results.shown(week.figures["contacts"], "count")
    rows = [
        {
            "day": DAYS[hour // HOURS_IN_DAY],
            "from": hour % HOURS_IN_DAY,
            "to": hour % HOURS_IN_DAY + 1,
            "key": _class_of(wait.mean, classes),
            "is_open": week.staffed[hour] > 0.0,
            "when": _span(hour),
            "shown": shown[hour] if wait.mean is not None else "nobody came",
            "contacts": contacts[hour].whole,
            "staffed": _plain(week.staffed[hour]),
        }
        for hour, wait in enumerate(waits)
    ]
    title = f"Mean wait, {week.label}"
    drawing = Drawing(
        y_title="mean wait", x_title="hour of the day", order=DAYS, legend=classes
    )
    return Chart(
        f"week_waits_{number}",
        title,
        f"Heat map of seven days by 24 hours. {_longest(week, shown)}",
        functools.partial(week_charts.weekdays, rows, drawing),
        _wait_table(title, waits, shown),
        classes,
    )


def _longest(week: Week, shown: Sequence[str]) -> str:
    """Return in words when people wait longest, for those who cannot see it."""
    known = {
        hour: value.mean
        for hour, value in enumerate(week.figures["mean_wait"])
        if value.mean is not None
    }
    if not known:
        return "Nobody came at any hour."
    longest = sorted(known, key=lambda hour: -known[hour])[:3]
    told = "; ".join(f"{_span(hour)}: {shown[hour]}" for hour in longest)
    return f"Longest mean waits under {week.label}: {told}."


def _wait_table(title: str, waits: Sequence[Estimate], shown: Sequence[str]) -> Table:
    hours = [
        hour
        for hour in range(HOURS_IN_DAY)
        if any(value.mean is not None for value in waits[hour::HOURS_IN_DAY])
    ]
    return Table(
        f"{title}, by hour of the week: mean and 95 % interval",
        ("from", *DAYS),
        tuple((f"{hour:02d}:00", *shown[hour::HOURS_IN_DAY]) for hour in hours),
    )


def _staffing_chart(results: Results, week: Week, number: int) -> Chart:
    staffed = [Estimate(agents, None, None, 0) for agents in week.staffed]
    needed = [_whole(value) for value in week.figures["needed"]]
    busy = results.shown(week.figures["busy"], "count")
    lines = (
        (STAFFED, staffed, [_plain(agents) for agents in week.staffed]),
        (NEEDED, week.figures["needed"], [text.whole for text in needed]),
        (BUSY, week.figures["busy"], [text.whole for text in busy]),
    )
    rows: list[dict[str, Any]] = [
        {
            "key": item.key,
            "name": item.label,
            "x": hour,
            "value": value.mean,
            "low": value.low,
            "high": value.high,
            "when": _span(hour),
            "shown": text,
        }
        for item, values, texts in lines
        for hour, (value, text) in enumerate(zip(values, texts, strict=True))
        if value.mean is not None
    ]
    highest = max(
        (row[end] for row in rows for end in ("value", "high") if row[end] is not None),
        default=0.0,
    )
    drawing = Drawing(
        y_title="agents",
        x_title="from Monday to Sunday, each day from midnight",
        domain=(0.0, 1.06 * highest or 1.0),
        form=charts.WHOLE,
        ticks=tuple((float(HOURS_IN_DAY * i), day) for i, day in enumerate(DAYS)),
        legend=AGENTS,
    )
    title = f"Agents staffed and needed, {week.label}"
    return Chart(
        f"week_staffing_{number}",
        title,
        f"Bar chart of agents by hour of the week. {_short(week)}",
        functools.partial(week_charts.agents, rows, drawing),
        _staffing_table(results, week, title, needed, busy),
        AGENTS,
        is_wide=True,
    )


def _short(week: Week) -> str:
    """Return in words at which hours fewer are staffed than needed."""
    pairs = zip(week.staffed, week.figures["needed"], strict=True)
    lacking = [
        hour
        for hour, (agents, needed) in enumerate(pairs)
        if agents > 0.0 and (needed.mean or 0.0) > agents
    ]
    n_open = sum(agents > 0.0 for agents in week.staffed)
    return (
        f"Under {week.label} fewer are staffed than needed in {len(lacking)} of the"
        f" {n_open} hours that are staffed."
    )


def _staffing_table(
    results: Results,
    week: Week,
    title: str,
    needed: Sequence[Shown],
    busy: Sequence[Shown],
) -> Table:
    contacts = results.shown(week.figures["contacts"], "count")
    gave_up = results.shown(week.figures["gave_up"], "share")
    hours = [
        hour
        for hour, (agents, value) in enumerate(
            zip(week.staffed, week.figures["contacts"], strict=True)
        )
        if agents > 0.0 or value.mean
    ]
    return Table(
        f"{title}, by hour of the week: mean and 95 % interval",
        ("hour", "staffed", "needed", "busy", "contacts", "gave up in line"),
        tuple(
            (
                _span(hour),
                _plain(week.staffed[hour]),
                *(text[hour].whole for text in (needed, busy, contacts, gave_up)),
            )
            for hour in hours
        ),
    )


def _span(hour: int) -> str:
    """Return an hour of the week in words."""
    day, begin = divmod(hour, HOURS_IN_DAY)
    return f"{DAYS[day]} {begin:02d}:00"


def _plain(agents: float) -> str:
    return f"{agents:,.4g}"


def _whole(value: Estimate) -> Shown:
    """Return a number of agents that is whole, with whole bounds."""
    if value.mean is None or value.low is None or value.high is None:
        return Shown(NOTHING if value.mean is None else f"{value.mean:,.0f}", "", "")
    return Shown(*(f"{x:,.0f}" for x in (value.mean, value.low, value.high)))
