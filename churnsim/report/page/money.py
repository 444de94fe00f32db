"""The section on money that comes in and goes out, and on how well it is known."""

from __future__ import annotations

from typing import Any

from churnsim.experiment.intervals import Estimate
from churnsim.experiment.sentences import control_text, times_text
from churnsim.report.amounts import NOTHING
from churnsim.report.page.blocks import Section, Table
from churnsim.report.page.figures import Results
from churnsim.scenario.model import FLAWLESS

# Rows below revenue: a figure and what it is called here.
LESS = {
    "make_good": "less make-good paid",
    "cost": "less acquisition and follow-up",
    "wages": "less wages",
    "training": "less training",
    "prevention": "less prevention",
}


def money(results: Results) -> Section:
    """Return revenue and what is left of it, and what common luck is worth."""
    control = results.document["control"]
    table = Table(
        "Money over the time simulated: mean and 95 % interval",
        ("figure", *results.labels),
        (
            _row(results, "revenue", "revenue"),
            *([_controlled(results)] if control else []),
            *(_row(results, f, title) for f, title in LESS.items() if _any(results, f)),
            _row(results, "contribution", "contribution"),
        ),
    )
    pairs = _pairs(results)
    worth = None
    if control:
        factors = _factors(control["estimates"])
        worth = control_text(control["expected"], factors, results.currency)
    return Section(
        "money",
        "Money, and how well it is known",
        texts=(
            (
                "What customers pay, and what is left of it: contribution is the margin"
                " on revenue, less what stands between the two."
            ),
            *([worth] if worth else []),
        ),
        tables=(table, *([pairs] if pairs.rows else [])),
    )


def _factors(estimates: list[dict[str, Any]]) -> list[float]:
    """Return how many times as many replications the control is worth, by policy."""
    return [item["variance_factor"] for item in estimates if item["is_used"]]


def _controlled(results: Results) -> tuple[str, ...]:
    control = results.document["control"]
    known = control["expected"]
    values = {
        item["policy"]: Estimate(**item["value"])
        for item in control["estimates"]
        if item["is_used"]
    }
    values[FLAWLESS] = Estimate(known, known, known, results.n)
    shown = results.shown([values[name] for name in results.names], "money")
    return ("revenue, with control variate", *(text.whole for text in shown))


def _pairs(results: Results) -> Table:
    """Return how alike the luck of compared policies was, and what that saves."""
    rows = []
    for against in ("baseline", "flawless"):
        for name in results.names:
            loss = results.loss(name, against)
            if loss is None:
                continue
            title = f"{results.label(name)} against {results.label(loss['other'])}"
            alike, factor = loss["correlation"], loss["variance_factor"]
            if alike is None and factor is None:
                continue
            rows.append(
                (
                    title,
                    NOTHING if alike is None else f"{alike:.2f}",
                    NOTHING if factor is None else times_text(factor),
                )
            )
    return Table(
        "Losses, paired by replication: what meeting the same customers is worth",
        (
            "loss of revenue",
            "correlation",
            "times as many replications without pairing",
        ),
        tuple(rows),
    )


def _row(results: Results, figure: str, title: str) -> tuple[str, ...]:
    return (title, *(shown.whole for shown in results.shown_figure(figure)))


def _any(results: Results, figure: str) -> bool:
    return any(value.mean for value in results.figure(figure))
