"""A comparison as text: one table, one sentence, and what to keep in mind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from churnsim.experiment.comparison import Comparison
from churnsim.experiment.firm_view import VIEWS
from churnsim.experiment.intervals import Estimate
from churnsim.experiment.losses import Loss
from churnsim.experiment.posterior.ignorance import ignorance_sentence
from churnsim.experiment.sentences import control_text, pairing_of
from churnsim.experiment.summary import FIGURES
from churnsim.report.amounts import (
    Value,
    count_cells,
    duration_cells,
    money_cells,
    scale_of,
    share_cells,
)
from churnsim.report.attributions import short_lines
from churnsim.report.columns import paragraph
from churnsim.report.framing import (
    Commands,
    assumption_lines,
    heading_lines,
    origin_lines,
    warning_lines,
)
from churnsim.report.grid import Row, grid
from churnsim.scenario.model import FLAWLESS

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


def results_text(comparison: Comparison, commands: Commands, width: int) -> str:
    """Return everything that the command shows of a comparison.

    Args:
        comparison: What came out.
        commands: What the text tells the reader to type.
        width: Columns to fit into.
    """
    lines = [*heading_lines(comparison, width), *_sites_lines(comparison, width), ""]
    lines += grid(list(comparison.policies), list(result_rows(comparison)), width)
    lines += ["", paragraph(comparison.sentence(), width)]
    headline = comparison.headline()
    pairing = pairing_of(headline) if headline else None
    if pairing:
        lines += ["", paragraph(pairing, width)]
    ignorance = ignorance_sentence(comparison)
    lines += ["", paragraph(ignorance, width)] if ignorance else []
    control = comparison.control
    if control:
        factors = [item.variance_factor for item in control.used]
        currency = comparison.scenario.currency
        worth = control_text(control.expected, factors, currency)
        lines += ["", paragraph(worth, width)] if worth else []
    if comparison.attribution:
        lines += ["", *short_lines(comparison.attribution, width)]
    lines += warning_lines(comparison, width)
    lines += [
        "",
        *assumption_lines(comparison, commands.show, width),
        *origin_lines(comparison, commands.again, width),
    ]
    return "\n".join(lines)


def _sites_lines(comparison: Comparison, width: int) -> Iterator[str]:
    """Yield how the sites of a firm came to know what the others tell."""
    sites = comparison.sites
    if sites is None:
        return
    text = "All amounts are of all sites together."
    if sites.passes == 1:
        yield paragraph(f"{text} Nothing told at one site reached another.", width)
        return
    yield paragraph(
        f"{text} What is told at one is heard at all: up to {sites.passes} passes,"
        f" {sites.runs_per_site:.2g} runs of each site on average.",
        width,
    )


def result_rows(comparison: Comparison) -> Iterator[Row]:
    """Yield the table, from what comes in to what is lost."""
    yield _figure_row(comparison, "revenue", FIGURES["revenue"].title)
    yield from _controlled_rows(comparison)
    yield _figure_row(comparison, "contribution", FIGURES["contribution"].title)
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
    yield from _message_rows(comparison)
    yield from _people_rows(comparison)
    yield from _firm_rows(comparison)
    for against in ("baseline", "flawless"):
        yield from _loss_rows(comparison, against)


def _message_rows(comparison: Comparison) -> Iterator[Row]:
    """Yield how those fared who write, where some do."""
    if not any(_means(comparison, "messages_joined")):
        return
    yield _figure_row(comparison, "messages_mean_wait", "Mean wait for an answer")
    yield _figure_row(comparison, "messages_abandonment", "Gave up on the answer")
    if any(_means(comparison, "messages_utilisation")):
        yield _figure_row(comparison, "messages_utilisation", "Message desk busy")


def _people_rows(comparison: Comparison) -> Iterator[Row]:
    """Yield how the agents fared, where they are people."""
    if comparison.scenario.spec.strain is None:
        return
    yield Row("")
    yield _figure_row(comparison, "quits", "Agents who quit")
    yield _figure_row(comparison, "turnover", "  per seat and year")
    yield _figure_row(comparison, "vacant_share", "Seats vacant")
    yield _figure_row(comparison, "newcomer_share", "Contacts by newcomers")
    yield _figure_row(comparison, "wrath", "Wrath per seat and year, log-odds")
    yield _figure_row(comparison, "hiring_cost", "Hiring")


def _firm_rows(comparison: Comparison) -> Iterator[Row]:
    """Yield what the firm's dashboard shows, and below each line what is so."""
    yield Row("")
    yield Row("What the firm's dashboard shows")
    for view in VIEWS:
        yield _figure_row(comparison, view.seen, f"  {view.title}")
        yield _figure_row(comparison, view.true, "    in truth")


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
    # What flawless earns more than the baseline stands under flawless already.
    named = [name for name in found if name != FLAWLESS]
    losses = [found[name] if name in named else None for name in comparison.policies]
    currency = comparison.scenario.currency
    other = comparison.scenario.baseline if against == "baseline" else FLAWLESS
    yield Row("")
    totals = [loss.total if loss else None for loss in losses]
    labels = (f"Revenue lost against {other}", "  95 % interval from", "  to")
    yield from _estimate_rows(totals, labels, currency)
    if all(found.low is None for found in totals if found):
        cells = ["none"] * len(totals)
        yield Row("  95 % interval", _dashed(totals, cells))
    extent = comparison.extent
    yield from _ignorance_rows(comparison, losses)
    yearly = [extent.a_year(loss) if loss else None for loss in losses]
    yield from _estimate_rows(yearly, (f"  {extent.per}",), currency)


def _ignorance_rows(
    comparison: Comparison, losses: Sequence[Loss | None]
) -> Iterator[Row]:
    """Yield where the uncertainty of losses comes from, where settings are drawn."""
    ignorance = comparison.ignorance
    if ignorance is None:
        return
    told = [ignorance.of(loss).total if loss else None for loss in losses]
    known = [value for value in told if value]
    if not known:
        return
    scale = scale_of(x for value in known for x in value[:3])
    for label, part in (("Monte Carlo", "monte_carlo"), ("ignorance", "ignorance")):
        values = [getattr(value, part) if value else None for value in told]
        cells = money_cells(values, comparison.scenario.currency, scale)
        yield Row(f"  {label}, standard deviation", _dashed(losses, cells))
    shares = [value.ignorance_share if value else None for value in told]
    yield Row("  ignorance, of the variance", _dashed(losses, share_cells(shares)))


def _controlled_rows(comparison: Comparison) -> Iterator[Row]:
    """Yield the revenues with the control variate, if there is one."""
    control = comparison.control
    if control is None or not control.used:
        return
    known = control.expected
    found = {item.policy: item.value for item in control.used}
    # It has a closed form, so that its interval has no width.
    found[FLAWLESS] = Estimate(known, known, known, comparison.n_finished)
    labels = ("  with control variate", "    95 % interval from", "    to")
    values = [found.get(name) for name in comparison.policies]
    yield from _estimate_rows(values, labels, comparison.scenario.currency)


def _estimate_rows(
    estimates: Sequence[Estimate | None], labels: Sequence[str], currency: str
) -> Iterator[Row]:
    """Yield a row for each label: the mean, then the bounds of the interval."""
    known = [found for found in estimates if found]
    scale = scale_of(x for found in known for x in found[: len(labels)])
    for i in range(len(labels)):
        values = [found[i] if found else None for found in estimates]
        if any(found[i] is not None for found in known):
            cells = money_cells(values, currency, scale)
            yield Row(labels[i], _dashed(estimates, cells))


def _dashed(
    estimates: Sequence[Estimate | Loss | None], cells: Sequence[str]
) -> tuple[str, ...]:
    """Return cells with a dash where a policy would be compared with itself."""
    pairs = zip(estimates, cells, strict=True)
    return tuple("–" if found is None else cell for found, cell in pairs)
