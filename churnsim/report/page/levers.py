"""The section on why money is lost: the levers that differ, as steps of a waterfall."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any

from churnsim.experiment.attribution.wording import PEOPLE_TEXT, lever_text
from churnsim.experiment.intervals import Estimate
from churnsim.records import MICRO
from churnsim.report.amounts import count_cells, scale_of, share_cells
from churnsim.report.attributions import KINDS, NOT_COMPARED, TOGETHER
from churnsim.report.page import charts
from churnsim.report.page.blocks import Chart, Section, Table
from churnsim.report.page.charts import Drawing
from churnsim.report.page.figures import Results, Shown
from churnsim.report.page.losing import reach_of
from churnsim.report.page.theme import GAIN, LOSS, STRONG
from churnsim.scenario import PEOPLE

PARTS = (
    "A lever's part is what changing it brings, with the same customers and luck. What"
    " it brings depends on which others are changed already, so it is taken on average"
    " over all orders in which one could change them. The parts add up to the loss"
    " exactly; what is shown is rounded. A bar that goes back makes up for some of the"
    " loss."
)
SAMPLED = (
    "Too many levers differ for all of their mixtures: orders were sampled. The table"
    " says how far a part may be off for want of more of them (standard error)."
)
METHOD = (
    "Method: Shapley values, from {}; exact in whole numbers of a millionth of the"
    " currency."
)
PAIRS = (
    "Pairs of levers: what changing both brings beyond what each brings by itself;"
    " below zero, one makes up for the other"
)

Found = dict[str, Any]  # an attribution's document


def why(results: Results) -> Section:
    """Return which lever loses the money, or which command finds that out."""
    title = "Why it is lost, lever by lever"
    found: Found | None = results.document.get("attribution")
    if found is None:
        return Section("levers", title, **_missing(results))
    if not found["levers"]:
        return Section("levers", title, texts=(found["sentence"],))
    texts = [found["sentence"], PARTS]
    if PEOPLE in found["levers"]:
        texts.append(PEOPLE_TEXT)
    if not found["is_exact"]:
        texts.append(SAMPLED)
    done, there = found["replications_finished"], results.n
    if done < there:
        texts.append(
            f"Only {done:,} of the {there:,} replications were told by lever, so the"
            " loss here is not quite the one above."
        )
    tables = (_pairs(results, found), _segments(results, found))
    return Section(
        "levers",
        title,
        texts=tuple(texts),
        charts=(_waterfall(results, found),),
        tables=tuple(table for table in tables if table.rows),
    )


def _missing(results: Results) -> dict[str, Any]:
    """Return what is said where the document holds no attribution."""
    if len(results.names) < 2:
        return {"texts": ("There is no other policy to compare with.",)}
    text = "These results do not say which lever loses the money."
    command = results.document["command"]
    if not command:
        hint = " In Python, Comparison.explained() adds it."
        return {"texts": (text + hint,)}
    texts = (text + " A page that does is written by:",)
    return {"texts": texts, "command": f"{command} --report report.html"}


def _waterfall(results: Results, found: Found) -> Chart:
    loss = found["loss"]
    shares = sorted(loss["shares"], key=lambda share: -share["micro"])
    parts = [*shares, loss]
    labels = [*(lever_text(share["lever"]) for share in shares), TOGETHER]
    totals = [Estimate(**part["total"]) for part in parts]
    shown = results.shown_losses(totals)
    scale = scale_of(bound for total in totals for bound in total[:3])
    # From whole numbers, so that the last step ends where the loss does.
    ends = list(itertools.accumulate(share["micro"] for share in shares))
    unit = MICRO * loss["total"]["n"] * scale.unit
    steps = [*itertools.pairwise([0, *ends]), (0, loss["micro"])]
    rows = [
        _step(label, part, (start / unit, end / unit), total.scaled(1.0 / scale.unit))
        | {"text": text.mean if text.low else text.whole, "shown": text.whole}
        for label, part, (start, end), total, text in zip(
            labels, parts, steps, totals, shown, strict=True
        )
    ]
    for row, after in itertools.pairwise(rows):
        row["next"] = after["label"]
    source, target = (results.label(found[end]) for end in ("from", "to"))
    title = f"Revenue that {source} loses against {target}, by lever"
    said = "; ".join(
        f"{label}: {text.whole}" for label, text in zip(labels, shown, strict=True)
    )
    money = f"{results.currency}{scale.suffix}".strip()
    drawing = Drawing(
        x_title=f"revenue lost ({money})",
        domain=reach_of(rows),
        form="~s" if scale.unit == 1.0 else "",
        order=tuple(labels),
    )
    return Chart(
        "revenue_lost_by_lever",
        title,
        f"Waterfall chart: each lever's part of the loss, then all together. {said}.",
        functools.partial(charts.waterfall, rows, drawing),
        _table(results, found, parts, labels, shown),
    )


def _step(
    label: str, part: Found, ends: tuple[float, float], total: Estimate
) -> dict[str, Any]:
    """Return a bar from one end to the other; its interval is about the second."""
    start, end = ends
    low, high = (None if x is None else start + x for x in total[1:3])
    is_sum = label == TOGETHER
    known = [x for x in (start, end, low, high) if x is not None]
    colour = STRONG if is_sum else LOSS if end >= start else GAIN
    return {
        "label": label,
        "micro": str(part["micro"]),  # beyond what a script's numbers hold exactly
        "from": start,
        "value": end,
        "low": low,
        "high": high,
        "end": max(known),
        "colour": colour,
        "next": None,
    }


def _table(
    results: Results,
    found: Found,
    parts: Sequence[Found],
    labels: Sequence[str],
    shown: Sequence[Shown],
) -> Table:
    yearly = results.shown_losses([Estimate(**part["yearly"]) for part in parts])
    of_shares = [share["fraction"] for share in parts[:-1]]
    is_told = any(fraction is not None for fraction in of_shares)
    fractions = [*of_shares, 1.0 if is_told else None]
    columns = ["lever", "lost", "of the loss", "a year per 1,000 customers"]
    errors: list[tuple[str, ...]] = [() for _ in parts]
    if not found["is_exact"]:
        columns.append("sampling error")
        known = [Estimate(p["sampling_error"], None, None, 0) for p in parts[:-1]]
        means = [error.mean for error in results.shown_losses(known)]
        errors = [(mean,) for mean in (*means, NOT_COMPARED)]
    rows = zip(labels, shown, fractions, yearly, errors, strict=True)
    of = "all mixtures" if found["is_exact"] else "sampled orders"
    return Table(
        "What each lever loses: mean and 95 % interval",
        tuple(columns),
        tuple(
            (name, lost.whole, _share(part), year.whole, *error)
            for name, lost, part, year, error in rows
        ),
        note=METHOD.format(f"{of} of the levers"),
    )


def _pairs(results: Results, found: Found) -> Table:
    pairs = found["interactions"]
    shown = results.shown_losses([Estimate(**pair["total"]) for pair in pairs])
    names = [" × ".join(map(lever_text, pair["levers"])) for pair in pairs]
    rows = zip(names, shown, strict=True)
    return Table(
        PAIRS,
        ("pair", "lost", "95 % interval"),
        tuple((name, text.mean, text.interval) for name, text in rows),
        is_folded=True,
    )


def _segments(results: Results, found: Found) -> Table:
    segments = found["segments"]
    shown = results.shown_losses([Estimate(**segment["total"]) for segment in segments])
    people = count_cells([segment["people"] for segment in segments])
    rows = []
    for segment, text, n in zip(segments, shown, people, strict=True):
        is_firm = segment["by"] == "firm"
        kind = KINDS[segment["by"]]
        name = kind if is_firm else f"{kind.lower()}: {segment['name']}"
        rows.append((name, n, text.mean, text.interval))
    return Table(
        "With which customers the money is lost",
        ("segment", "people", "lost", "95 % interval"),
        tuple(rows),
        is_folded=True,
    )


def _share(fraction: float | None) -> str:
    return NOT_COMPARED if fraction is None else share_cells([fraction])[0]
