"""The section on money that comes in and goes out, and on how well it is known."""

from __future__ import annotations

from churnsim.experiment.intervals import Estimate
from churnsim.experiment.sentences import HELPS_FROM, times_text
from churnsim.report.amounts import NOTHING, money_cells
from churnsim.report.page.blocks import Section, Table
from churnsim.report.page.figures import Results
from churnsim.scenario.model import FLAWLESS

# Rows between revenue and contribution: a figure and what it is called here.
LESS = {
    "make_good": "less make-good paid",
    "cost": "less acquisition and follow-up",
    "wages": "less wages",
    "training": "less training",
    "prevention": "less prevention",
}
WITH_HIRING = "less acquisition, follow-up and hiring"  # where agents are people
SOLD = "less cost of what is sold"
PPM_DIGITS = 6  # of a share in parts per million
ABOUT = (
    "What customers pay, what the firm pays out of it, and what is left: the"
    " contribution. Each column adds up, but for rounding. The cost of what is sold is"
    " the share of revenue that the margin does not keep."
)
SAME_LUCK = (
    "Every policy met the same customers, the same mistakes and the same luck, so most"
    " of that luck cancels out in a loss. Likeness goes up to 1 (correlation): there,"
    " what is luck for one policy is the same luck for the other. The last column says"
    " how many times as many replications would make a loss as sure if each policy had"
    " been simulated with customers of its own."
)


def money(results: Results) -> Section:
    """Return revenue and what is left of it, and what is known of its luck."""
    less = LESS | ({"cost": WITH_HIRING} if results.has_people else {})
    table = Table(
        "Money over the time simulated: mean and 95 % interval",
        ("figure", *results.labels),
        (
            _row(results, "revenue", "revenue"),
            *_cost_of_sales(results),
            *(_row(results, f, title) for f, title in less.items() if _any(results, f)),
            _row(results, "contribution", "contribution"),
        ),
    )
    tables = [table, _controlled(results), _pairs(results)]
    return Section(
        "money",
        "Money, and how well it is known",
        texts=(ABOUT,),
        tables=tuple(found for found in tables if found and found.rows),
    )


def _cost_of_sales(results: Results) -> list[tuple[str, ...]]:
    """Return the row of what the margin takes off revenue; none where that is nothing.

    It is a share of revenue, in whole parts per million, and so is its interval.
    """
    others = [results.figure(name) for name in (*LESS, "contribution")]
    costs = []
    for revenue, *rest in zip(results.figure("revenue"), *others, strict=True):
        if not revenue.mean:
            costs.append(revenue)
            continue
        left = sum(value.mean or 0.0 for value in rest)
        costs.append(revenue.scaled(round(1.0 - left / revenue.mean, PPM_DIGITS)))
    shown = [text.whole for text in results.shown(costs, "money")]
    return [(SOLD, *shown)] if any(cost.mean for cost in costs) else []


def _controlled(results: Results) -> Table | None:
    """Return revenue with the luck of these replications taken out, if it is known."""
    control = results.document["control"]
    used = [item for item in control["estimates"] if item["is_used"]] if control else []
    if not used:
        return None
    known = control["expected"]
    values = {item["policy"]: Estimate(**item["value"]) for item in used}
    values[FLAWLESS] = Estimate(known, known, known, results.n)
    shown = results.shown([values[name] for name in results.names], "money")
    return Table(
        "Revenue, corrected for the luck of these replications: mean and 95 % interval",
        ("figure", *results.labels),
        (
            _row(results, "revenue", "as simulated"),
            ("corrected for luck", *(text.whole for text in shown)),
        ),
        note=_worth(results, known, [item["variance_factor"] for item in used]),
    )


def _worth(results: Results, known: float, factors: list[float]) -> str:
    """Return where the correction comes from, and what it is worth."""
    (amount,) = money_cells([known], results.currency)
    told = (
        f"What a firm without mistakes is to earn, {amount}, follows from the scenario"
        " by calculation, without chance. How far it earned something else here tells"
        " how lucky these replications were, and every policy met that luck (control"
        " variate)."
    )
    if max(factors) < HELPS_FROM:
        return f"{told} Here the correction does not make revenue any surer."
    ends = dict.fromkeys((times_text(min(factors)), times_text(max(factors))))
    return (
        f"{told} Corrected, revenue is as sure as from {' to '.join(ends)} times as"
        " many replications. Losses are not corrected: the same luck is on both sides."
    )


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
        "How much surer losses are for meeting the same customers",
        ("revenue lost", "likeness of luck", "times as many replications otherwise"),
        tuple(rows),
        note=SAME_LUCK,
    )


def _row(results: Results, figure: str, title: str) -> tuple[str, ...]:
    return (title, *(shown.whole for shown in results.shown_figure(figure)))


def _any(results: Results, figure: str) -> bool:
    return any(value.mean for value in results.figure(figure))
