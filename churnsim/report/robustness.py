"""Whether a conclusion survives its assumptions, as text and as a chart."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

from churnsim.experiment.intervals import Estimate
from churnsim.experiment.sentences import PER
from churnsim.report.amounts import Scale, money_cells
from churnsim.report.analyses import DIGEST_DIGITS, broken_field, sentence_of_chart
from churnsim.report.columns import paragraph
from churnsim.report.grid import Row, grid
from churnsim.report.page.blocks import Chart, LegendItem, Table
from churnsim.report.page.charts import Drawing
from churnsim.robustness.record import Conclusion, Robustness, Share, turn_of
from churnsim.robustness.turning import Line
from churnsim.units import format_duration

SHOWN_MAX = 12  # assumptions, those that move a loss most
NAMED_MAX = 8  # settings without a range; more than that nobody reads
COLUMNS = ("lost as assumed", "points", "keeps its sign", "turns", "unsure")
ONE_BY_ONE = ("assumed", "range", "lost at its low end", "at its high end", "turns at")
WHOLE = Scale(1.0, "", 0)


class Swing(NamedTuple):
    """An assumption, and what it does to one policy's loss."""

    line: Line
    low: float  # lost at the lower end
    high: float

    @property
    def size(self) -> float:
        """Return how far the loss moves."""
        return abs(self.high - self.low)


def robustness_text(found: Robustness, again: str, show: str, width: int) -> str:
    """Return everything that the command shows.

    Args:
        found: What came out.
        again: The command that makes the same numbers.
        show: The command that tells what each figure rests on.
        width: Columns to fit into.
    """
    lines = list(_heading(found, width))
    lines += ["", *_conclusions(found, width)]
    for policy in _policies(found):
        lines += ["", paragraph(found.sentence(policy), width)]
    for conclusion in found.conclusions:
        if conclusion.box is not None:
            told = (
                f"Where {conclusion.world.title}, it turns for {conclusion.policy}"
                f" mostly where {conclusion.box.text}: that holds"
                f" {conclusion.box.coverage:.0%} of the points that turn, and"
                f" {conclusion.box.density:.0%} of the points there do."
            )
            lines += ["", paragraph(told, width)]
    dearest = headline_policy(found)
    if dearest is not None and found.lines:
        lines += ["", *_one_by_one(found, dearest, width)]
    lines += ["", *_missing(found, width)]
    extent = found.extent
    origin = (
        f"seed {extent.seed}, scenario {found.scenario.digest[:DIGEST_DIGITS]},"
        " common draws; what each figure rests on, and the same again, with:"
    )
    return "\n".join([*lines, paragraph(origin, width), f"  {show}", f"  {again}"])


def robustness_chart(found: Robustness) -> Chart | None:
    """Return the loss over each assumption's range, widest first; None without any."""
    policy = headline_policy(found)
    swings = swings_of(found, policy) if policy is not None else []
    if policy is None or not swings:
        return None
    stated = _stated(found, policy)
    key = "range"
    legend = (LegendItem(key, "over its range", 0, mark="dot"),)
    names = [swing.line.varied.field for swing in swings[:SHOWN_MAX]]
    labels = {name: broken_field(name) for name in names}
    rows = [_row(found, swing, stated, labels) for swing in swings[:SHOWN_MAX]]
    drawing = Drawing(
        x_title=f"{found.extent.measure} lost ({found.scenario.currency} {PER})",
        form="~s",
        of="assumption",
        order=tuple(labels.values()),
        legend=legend,
    )
    from churnsim.report.page import sweep_charts

    said = "; ".join(f"{row['name']}: {row['shown']}" for row in rows)
    alt = sentence_of_chart("Chart of ranges", [found.sentence(policy), f"{said}."])
    title = f"What {policy} loses over the range of each assumption"
    build = functools.partial(sweep_charts.marks, rows, drawing)
    cells = tuple((row["name"], row["shown"]) for row in rows)
    table = Table(title, ("assumption", "lost from low end to high"), cells)
    return Chart("robustness", title, alt, build, table, legend)


def headline_policy(found: Robustness) -> str | None:
    """Return the policy with the largest loss or gain in the scenario's own world.

    One whose sign is sure, if there is one; None where there is no policy.
    """
    own = [c for c in found.conclusions if c.world.is_own]
    sure = [c for c in own if c.sign] or own
    largest = max(sure, key=lambda c: abs(c.stated.mean or 0.0), default=None)
    return largest.policy if largest else None


def swings_of(found: Robustness, policy: str) -> list[Swing]:
    """Return what each assumption does to a policy's loss, the widest swing first."""
    swings = [
        Swing(line, line.low[policy].mean or 0.0, line.high[policy].mean or 0.0)
        for line in found.lines
    ]
    return sorted((s for s in swings if s.size), key=lambda s: -s.size)


def _heading(found: Robustness, width: int) -> Iterator[str]:
    """Yield what was run, and whether all of it was."""
    extent, scenario = found.extent, found.scenario
    n = len(found.choice.varied)
    yield paragraph(
        f"{scenario.title}: {extent.n_customers:,} customers,"
        f" {format_duration(scenario.horizon)}; {n} assumptions varied over their"
        f" ranges, all at once at {extent.n_points:,} points and each by itself;"
        f" {extent.replications} replications each",
        width,
    )
    if extent.is_stopped:
        yield paragraph(
            f"PARTIAL: stopped after {extent.n_finished:,} of {extent.n_points:,}"
            f" points and {found.n_lines:,} of {n:,} assumptions",
            width,
        )


def _conclusions(found: Robustness, width: int) -> list[str]:
    """Return the grid of conclusions under both settings for word of mouth."""
    caption = (
        f"{found.extent.measure.capitalize()} lost against"
        f" {found.scenario.baseline} [{PER}], and at how many points it keeps its sign"
    )
    lines = [paragraph(caption, width)]
    for world in found.worlds:
        own = " (as the scenario says)" if world.is_own else ""
        rows = [
            Row(c.policy, _cells(found, c))
            for c in found.conclusions
            if c.world == world
        ]
        title = f"{world.title[0].upper()}{world.title[1:]}{own}"
        lines += ["", title, "", *grid(COLUMNS, rows, width)]
    return lines


def _cells(found: Robustness, conclusion: Conclusion) -> tuple[str, ...]:
    stated = _estimate_text(conclusion.stated, found.scenario.currency)
    tally = conclusion.tally
    if tally is None:
        return (stated, "", "no sure sign", "", "")
    return (
        stated,
        f"{tally.n:,}",
        _share_text(tally.kept),
        f"{tally.n_turned:,}",
        f"{tally.n_unsure:,}",
    )


def _one_by_one(found: Robustness, policy: str, width: int) -> list[str]:
    """Return the grid of assumptions moved by themselves."""
    currency = found.scenario.currency
    swings = swings_of(found, policy)
    own = [c for c in found.conclusions if c.world.is_own and c.policy == policy]
    never = "never" if any(c.sign for c in own) else "no sure sign"
    first = [s for s in swings if turn_of(s.line, policy)]
    rest = [s for s in swings if s not in first][: max(0, SHOWN_MAX - len(first))]
    rows = []
    for swing in (*first, *rest):
        lever = swing.line.varied.factor.lever
        ends = [swing.line.varied.level(end).text for end in swing.line.ends]
        turn = turn_of(swing.line, policy)
        rows.append(
            Row(
                swing.line.varied.field,
                (
                    lever.text(swing.line.varied.value) if lever else "",
                    " to ".join(ends),
                    *money_cells([swing.low, swing.high], currency, WHOLE),
                    f"{turn.value} ({turn.distance:.0%})" if turn else never,
                ),
            )
        )
    caption = (
        f"What {policy} loses as each assumption is moved through its range by itself,"
        " the widest swing first; in brackets how far the turn is, in shares of the"
        " range"
    )
    lines = [paragraph(caption, width), "", *grid(ONE_BY_ONE, rows, width)]
    n_left = len(swings) - len(rows)
    if n_left:
        lines.append(f"and {n_left:,} more that move it less")
    n_idle = len(found.lines) - len(swings)
    if n_idle:
        lines.append(f"{n_idle:,} move nothing")
    return lines


def _missing(found: Robustness, width: int) -> Iterator[str]:
    """Yield what could not be run or varied, and what to keep in mind."""
    n = sum(found.refused.values())
    if n:
        reasons = "; ".join(f"{k:,}: {reason}" for reason, k in found.refused.items())
        told = f"{n:,} of {found.extent.n_points:,} points there cannot be ({reasons})."
        yield paragraph(told, width)
    if found.failed:
        told = f"{len(found.failed):,} points failed, the first: {found.failed[0]}"
        yield paragraph(told, width)
    cut = [line.varied.field for line in found.lines if line.is_cut]
    if cut:
        yield paragraph(
            f"An end of the range contradicts other settings: {', '.join(cut)}.", width
        )
    if without := found.choice.without_range:
        named = list(without[:NAMED_MAX])
        more = len(without) - len(named)
        tail = f" and {more:,} more" if more else ""
        told = (
            f"Not varied, since nobody gives a range: {', '.join(named)}{tail}. Give"
            " one: --parameter FIELD=LOW..HIGH."
        )
        yield paragraph(told, width)
    if idle := found.choice.idle:
        yield paragraph(
            f"Not varied, since they change costs alone: {', '.join(idle)}.", width
        )
    for text in found.warnings:
        yield paragraph(text, width, "warning: ", "  ")
    yield ""


def _row(
    found: Robustness, swing: Swing, stated: Estimate, labels: dict[str, str]
) -> dict[str, Any]:
    field = swing.line.varied.field
    ends = money_cells([swing.low, swing.high], found.scenario.currency, WHOLE)
    values = [swing.line.varied.level(end).text for end in swing.line.ends]
    return {
        "label": labels[field],
        "key": "range",
        "name": field,
        "what": "over its range",
        "value": stated.mean,
        "low": min(swing.low, swing.high),
        "high": max(swing.low, swing.high),
        "shown": f"{ends[0]} at {values[0]}, {ends[1]} at {values[1]}",
    }


def _stated(found: Robustness, policy: str) -> Estimate:
    return next(
        c.stated for c in found.conclusions if c.world.is_own and c.policy == policy
    )


def _policies(found: Robustness) -> list[str]:
    return list(dict.fromkeys(c.policy for c in found.conclusions))


def _estimate_text(value: Estimate, currency: str) -> str:
    mean, low, high = money_cells(value[:3], currency, WHOLE)
    return mean if value.low is None else f"{mean} ({low} to {high})"


def _share_text(share: Share | None) -> str:
    if share is None:
        return "no points"
    return f"{share.share:.0%} ({share.low:.0%} to {share.high:.0%})"
