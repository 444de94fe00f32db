"""Charts of what `explain`, `counterfactuals`, `breakeven`, `staff`, `story` return."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from churnsim import units
from churnsim.experiment import (
    Attribution,
    Breakeven,
    Counterfactuals,
    Estimate,
    ShiftStaffing,
    Staffing,
    Story,
)
from churnsim.experiment.attribution.wording import lever_text, sampled_text
from churnsim.experiment.counterfactuals.wording import moment_text
from churnsim.experiment.inverse.lever import Lever
from churnsim.experiment.sentences import measure_text
from churnsim.records import MICRO
from churnsim.report.amounts import scale_of
from churnsim.report.page import charts
from churnsim.report.page.blocks import Chart, LegendItem, Spec
from churnsim.report.page.charts import Drawing
from churnsim.report.page.figures import broken, shown_estimates
from churnsim.report.page.theme import DASHES, STRONG, Palette
from churnsim.report.results import CAUSES
from churnsim.scenario.measures import (
    read_annual,
    read_duration,
    read_money,
    read_pay,
    read_prospects,
    read_rate,
    read_share,
)

TEXT_ROOM = 0.3  # of a chart of bars, for what stands beside the longest


class Bar(NamedTuple):
    """One bar: what it is called, and how long."""

    label: str
    value: Estimate
    colour: int = 0  # place in the palette's series


class Axis(NamedTuple):
    """How the values of a lever are put on an axis."""

    factor: float  # from the engine's unit
    unit: str  # in words; "" where the numbers say it
    form: str  # d3's


def of_attribution(found: Attribution) -> list[Chart]:
    """Return the levers' parts of the loss, and their sum; nothing if none differs."""
    if not found.shares:
        return []
    bars = [Bar(lever_text(share.lever), share.total) for share in found.shares]
    measure = measure_text(found.measure)
    a, b = _named(found.source), _named(found.target)
    title = f"{measure.capitalize()} that {a} loses against {b}, by lever"
    return [
        _bars(
            ("levers", f"{title}{sampled_text(found.n_orders)}"),
            [*bars, Bar("together", found.loss.total, STRONG)],
            Drawing(x_title=f"{measure} lost", of="lever"),
            found.scenario.currency,
        )
    ]


def of_counterfactuals(found: Counterfactuals) -> list[Chart]:
    """Return by cause the share of those lost whom the other policy keeps."""
    if found.necessary.mean is None or found.source == found.target:
        return []
    a, b = _named(found.source), _named(found.target)
    causes = found.necessary_by_cause().items()
    bars = [Bar(CAUSES[c.name.lower()].strip(), share) for c, share in causes]
    title = f"Of the customers lost under {a}, those kept under {b}"
    return [
        _bars(
            ("kept_by_the_other", title),
            [Bar("all", found.necessary, STRONG), *bars],
            Drawing(x_title="share kept by the other policy", form="%", of="lost by"),
        )
    ]


def of_breakeven(found: Breakeven) -> list[Chart]:
    """Return what is lost by the lever's value, and the breakeven with its interval."""
    yearly = [found.extent.a_year(point) for point in found.points]
    if all(value.mean is None for value in yearly):
        return []
    currency = found.scenario.currency
    scale = scale_of(bound for value in yearly for bound in value[:3])
    shown = shown_estimates(yearly, "money", currency, scale)
    axis = _axis(found.lever, found.span.high)
    measure = measure_text(found.measure)
    key = LegendItem("lost", f"{measure} lost, 95 % interval", 0, DASHES[0])
    rows: list[dict[str, Any]] = [
        {
            "key": key.key,
            "name": point.text,
            "x": point.value * axis.factor,
            **_scaled(value, scale.unit),
            "when": point.text,
            "shown": text.whole,
        }
        for point, value, text in zip(found.points, yearly, shown, strict=True)
        if value.mean is not None
    ]
    drawing = Drawing(
        y_title=f"lost {found.extent.per} ({currency}{scale.suffix})",
        x_title=f"{found.lever.field}{f' [{axis.unit}]' if axis.unit else ''}",
        form="~s" if scale.unit == 1.0 else "",
        legend=(key,),
        x_form=axis.form,
        of="value",
    )
    a, b = _named(found.policy), _named(found.against)
    title = f"{measure.capitalize()} that {a} loses against {b}, by {found.lever.field}"
    build = functools.partial(_with_breakeven, found, axis.factor, rows, drawing)
    return [Chart("breakeven", title, _sentence(found.sentence()), build, None)]


def of_staffing(found: Staffing) -> list[Chart]:
    """Return by shift the service level now, with one agent fewer, and as needed."""
    bars = [bar for shift in found.shifts for bar in _levels(shift)]
    if not bars:
        return []
    within = units.format_duration(found.target.within)
    title = f"Contacts handled within {within} by {_named(found.policy)}, by agents"
    drawing = Drawing(x_title=f"handled within {within}", form="%", of="agents")
    return [_bars(("service_level", title), bars, drawing)]


def of_story(told: Story) -> list[Chart]:
    """Return the customer's grievance in both lives, moment by moment."""
    names = dict.fromkeys(life.policy for life in told.lives)
    legend = tuple(
        LegendItem(name, _named(name), i, DASHES[i]) for i, name in enumerate(names)
    )
    lives = {life.policy: life for life in told.lives}
    rows = [
        {
            "key": life.policy,
            "name": _named(life.policy),
            "x": moment.time,
            "value": moment.grievance,
            "low": None,
            "high": None,
            "when": moment_text(moment.time),
            "shown": moment.text,
        }
        for life in lives.values()
        for moment in life.moments
        if moment.event != "leaving"  # its number is a day
    ]
    drawing = Drawing(
        y_title="grievance as last logged [log-odds]",
        x_title="day",
        legend=legend,
        is_stepped=True,
        of="under",
    )
    title = f"Customer {told.person.customer:,} under two policies"
    build = functools.partial(charts.lines, rows, drawing)
    return [Chart("grievance", title, _sentence(told.sentence()), build, None)]


def _levels(shift: ShiftStaffing) -> Iterator[Bar]:
    """Yield the levels of a shift that are known, by its number of agents."""
    known = {shift.present: (f"{shift.present:,} now", shift.present_level)}
    if shift.agents is not None and shift.level is not None:
        if shift.fewer_level is not None:
            fewer = shift.agents - 1
            known.setdefault(fewer, (f"{fewer:,}", shift.fewer_level))
        is_now = shift.agents == shift.present
        text = f"{shift.agents:,} {'now, and needed' if is_now else 'needed'}"
        known[shift.agents] = (text, shift.level)
    for n_agents, (text, level) in sorted(known.items()):
        if level.mean is not None:
            strong = STRONG if n_agents == shift.agents else 0
            yield Bar(f"{shift.hours}: {text}", level, strong)


def _bars(
    names: tuple[str, str], bars: Sequence[Bar], drawing: Drawing, currency: str = ""
) -> Chart:
    """Return bars with intervals.

    Args:
        names: Of the chart, and its title.
        bars: From top to bottom.
        drawing: What the axis says.
        currency: Of amounts; without one, the bars are shares.
    """
    values = [bar.value for bar in bars]
    scale = scale_of(bound for value in values for bound in value[:3])
    unit = scale.unit if currency else 1.0
    kind = "money" if currency else "share"
    shown = shown_estimates(values, kind, currency, scale if currency else None)
    labels = [broken(bar.label) for bar in bars]
    rows: list[dict[str, Any]] = []
    for bar, label, text in zip(bars, labels, shown, strict=True):
        row = _scaled(bar.value, unit)
        ends = [0.0, *(x for x in (row["value"], row["high"]) if x is not None)]
        rows.append(
            {
                "policy": bar.label,
                "label": label,
                **row,
                "end": max(ends),
                "text": text.mean if text.low else text.whole,
                "shown": text.whole,
                "colour": bar.colour,
            }
        )
    lows = [x for row in rows for x in (row["low"], row["value"]) if x is not None]
    low, high = min([0.0, *lows]), max(row["end"] for row in rows)
    room = TEXT_ROOM * (high - low) or 1.0
    drawing = drawing._replace(
        domain=(low - (0.05 * room if low else 0.0), high + room), order=tuple(labels)
    )
    if currency:
        title = f"{drawing.x_title} ({currency}{scale.suffix})"
        form = "~s" if scale.unit == 1.0 else ""
        drawing = drawing._replace(x_title=title, form=form)
    pairs = zip(bars, shown, strict=True)
    said = "; ".join(f"{bar.label}: {text.whole}" for bar, text in pairs)
    name, title = names
    build = functools.partial(charts.bars, rows, drawing)
    return Chart(name, title, f"Bar chart. {title}: {said}.", build, None)


def _with_breakeven(
    found: Breakeven,
    factor: float,
    rows: list[dict[str, Any]],
    drawing: Drawing,
    palette: Palette,
) -> Spec:
    """Return the line of what is lost, with zero and the breakeven marked."""
    spec = charts.lines(rows, drawing, palette)
    marks = [_mark({"type": "rule", "color": palette.muted}, {"y": 0.0})]
    crossing = found.crossing
    if crossing is not None:
        low = found.span.low if crossing.low is None else crossing.low
        high = found.span.high if crossing.high is None else crossing.high
        strong = palette.series[STRONG]
        band = {"type": "rect", "color": strong, "opacity": 0.15}
        if crossing.low is not None or crossing.high is not None:
            marks.append(_mark(band, {"x": low * factor, "x2": high * factor}))
        line = {"type": "rule", "color": strong, "strokeWidth": 2}
        middle = 0.5 * (found.span.low + found.span.high)
        side = ("right", -6) if crossing.value > middle else ("left", 6)
        words = f"breakeven {found.lever.text(crossing.value)}"
        text = {"type": "text", "color": strong, "text": words, "y": 8}
        text |= {"align": side[0], "dx": side[1]}
        at = {"x": crossing.value * factor}
        marks += [_mark(line, at), _mark(text, at)]
    return {**spec, "layer": [*marks, *spec["layer"]]}


def _mark(mark: dict[str, Any], places: dict[str, float]) -> Spec:
    """Return a mark of its own, which no row of the chart repeats."""
    encoding = {channel: {"datum": place} for channel, place in places.items()}
    return {"data": {"values": [{}]}, "mark": mark, "encoding": encoding}


def _axis(lever: Lever, reach: float) -> Axis:
    """Return how a lever's values are shown on an axis that reaches so far."""
    if lever.is_whole:
        return Axis(1.0, "", "d")
    year = units.year_days()
    read = lever.measure.read
    if read is read_prospects:
        grows = " per 1000 customers" if lever.is_per_thousand else ""
        return Axis(year, f"a year{grows}", "~s")
    if lever.is_per_thousand:
        return Axis(1.0, "per 1000 customers", "~g")
    if read in {read_share, read_annual}:
        return Axis(1.0, "" if read is read_share else "a year", "~%")
    if read is read_duration:
        lengths = {name: float(units.DAYS[name]) for name in ("day", "h", "min", "s")}
        unit = next((u for u, days in lengths.items() if reach >= 2 * days), "s")
        plural = "days" if unit == "day" else unit
        return Axis(1.0 / lengths[unit], plural, "~g")
    if read is read_rate:
        return Axis(year, "a year", "~s")
    if read in {read_money, read_pay}:
        per = "" if read is read_money else " a year"
        factor = 1.0 / MICRO if read is read_money else year / MICRO
        return Axis(factor, f"{lever.currency}{per}", "~s")
    return Axis(1.0, "", "~g")


def _scaled(value: Estimate, unit: float) -> dict[str, float | None]:
    """Return an estimate in a unit, as a chart's row has it."""
    mean, low, high = (None if x is None else x / unit for x in value[:3])
    return {"value": mean, "low": low, "high": high}


def _named(policy: str) -> str:
    """Return what a policy is called in a chart."""
    return policy.replace("_", " ")


def _sentence(text: str) -> str:
    """Return the words for those who cannot see a chart of lines."""
    return f"Line chart. {text}"
