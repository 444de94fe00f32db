"""A comparison as text: one table, one sentence, and what to keep in mind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from churnsim.experiment.comparison import Comparison
from churnsim.experiment.losses import Loss
from churnsim.experiment.summary import FIGURES
from churnsim.report.amounts import (
    Value,
    count_cells,
    duration_cells,
    money_cells,
    range_cells,
    scale_of,
    share_cells,
)
from churnsim.report.columns import aligned, paragraph
from churnsim.report.grid import Row, grid
from churnsim.scenario.model import FLAWLESS
from churnsim.streams import STREAM_VERSION
from churnsim.units import format_duration

DIGEST_DIGITS = 12  # of 64: enough to tell scenarios apart by eye
ASSUMPTIONS_SHOWN = 8

# Why customers leave, in the order in which it can happen to them.
CAUSES = {
    "natural": "  nothing was wrong",
    "silent": "  mistake, left in silence",
    "gave_up": "  gave up at the door",
    "abandoned": "  gave up waiting in line",
    "refused": "  claim refused or fought",
    "slow": "  repair took too long",
    "betrayed": "  found out a lie",
    "placated": "  put off with a lie",
    "settled": "  left though settled",
    "exhausted": "  asked too often",
}


def results_text(comparison: Comparison, width: int) -> str:
    """Return everything that the command shows of a comparison.

    Args:
        comparison: What came out.
        width: Columns to fit into.
    """
    lines = [*_heading(comparison, width), ""]
    lines += grid(list(comparison.policies), list(_rows(comparison)), width)
    lines += ["", paragraph(comparison.sentence(), width)]
    if comparison.warnings:
        lines.append("")
        lines += [paragraph(w, width, "warning: ", "  ") for w in comparison.warnings]
    lines += ["", *_assumptions(comparison, width), *_origin(comparison, width)]
    return "\n".join(lines)


def _heading(comparison: Comparison, width: int) -> list[str]:
    scenario = comparison.scenario
    customers = comparison.runs[0].n_customers
    n = comparison.n_finished
    text = (
        f"{scenario.title}: {customers:,} customers,"
        f" {format_duration(scenario.horizon)},"
        f" mean of {n:,} replication{'' if n == 1 else 's'}"
    )
    lines = [paragraph(text, width)]
    if comparison.is_stopped:
        partial = f"PARTIAL: stopped after {n:,} of {comparison.n_asked:,} replications"
        lines.append(partial)
    elif comparison.is_partial:
        n_failed = len(comparison.failures)
        lines.append(f"PARTIAL: {n_failed:,} of {comparison.n_asked:,} replications failed")
    return lines


def _rows(comparison: Comparison) -> Iterator[Row]:
    """Yield the table, from what comes in to what is lost."""
    for name in ("revenue", "contribution"):
        yield _figure_row(comparison, name, FIGURES[name].title)
    yield Row("")
    yield _figure_row(comparison, "kept", "Customers at the end")
    yield _figure_row(comparison, "lost", "Customers lost")
    for cause, label in CAUSES.items():
        row = _figure_row(comparison, f"lost_{cause}", label)
        if any(_means(comparison, f"lost_{cause}")):
            yield row
    yield _figure_row(comparison, "mistake_share_of_lost", "  share due to mistakes")
    yield Row("")
    yield _figure_row(comparison, "front_mean_wait", "Mean wait in line")
    yield _figure_row(comparison, "front_abandonment", "Gave up in line")
    yield _figure_row(comparison, "front_utilisation", "Front desk busy")
    for against in ("baseline", "flawless"):
        yield from _loss_rows(comparison, against)


def _figure_row(comparison: Comparison, name: str, label: str) -> Row:
    means = _means(comparison, name)
    unit = FIGURES[name].unit
    if unit == "money":
        return Row(label, money_cells(means, comparison.scenario.currency))
    cells: dict[str, Callable[[Sequence[Value]], tuple[str, ...]]] = {
        "count": count_cells,
        "share": share_cells,
        "days": duration_cells,
    }
    return Row(label, cells[unit](means))


def _means(comparison: Comparison, name: str) -> list[Value]:
    return [policy.figures[name].mean for policy in comparison.policies.values()]


def _loss_rows(comparison: Comparison, against: str) -> Iterator[Row]:
    """Yield the revenue lost against another policy, and how sure that is."""
    found = {
        loss.policy: loss
        for loss in comparison.losses
        if loss.against == against and loss.measure == "revenue"
    }
    if not found:
        return
    losses = [found.get(name) for name in comparison.policies]
    known = [loss.total for loss in losses if loss]
    scale = scale_of(x for total in known for x in total[:3])
    other = comparison.scenario.baseline if against == "baseline" else FLAWLESS
    currency = comparison.scenario.currency
    yield Row("")
    means = money_cells([_mean(loss) for loss in losses], currency, scale)
    yield Row(f"Revenue lost against {other}", _dashed(losses, means))
    if any(total.low is not None for total in known):
        lows = [loss.total.low if loss else None for loss in losses]
        highs = [loss.total.high if loss else None for loss in losses]
        ranges = range_cells(lows, highs, scale)
        yield Row("  95 % interval, paired", _dashed(losses, ranges))


def _mean(loss: Loss | None) -> Value:
    return loss.total.mean if loss else None


def _dashed(losses: Sequence[Loss | None], cells: Sequence[str]) -> tuple[str, ...]:
    """Return cells with a dash where a policy would be compared with itself."""
    pairs = zip(losses, cells, strict=True)
    return tuple("–" if loss is None else cell for loss, cell in pairs)


def _assumptions(comparison: Comparison, width: int) -> list[str]:
    """Return the influential figures that nobody has measured."""
    assumed = comparison.assumptions
    if not assumed:
        return []
    rows = [(item.key, item.value, item.reason) for item in assumed]
    lines = ["These settings matter much, and no source gives them (grade D):"]
    lines += aligned(rows[:ASSUMPTIONS_SHOWN], width, indent=2)
    n_left = len(rows) - ASSUMPTIONS_SHOWN
    if n_left > 0:
        lines.append(f"  and {n_left} more: churnsim show {comparison.scenario.name}")
    return [*lines, ""]


def _origin(comparison: Comparison, width: int) -> list[str]:
    """Return what the same numbers can be made from again."""
    text = (
        f"seed {comparison.seed}, scenario"
        f" {comparison.scenario.digest[:DIGEST_DIGITS]}, random streams version"
        f" {STREAM_VERSION}, engine {comparison.engine}: the same again gives the same"
        " numbers"
    )
    return [paragraph(text, width)]
