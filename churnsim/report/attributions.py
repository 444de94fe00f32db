"""An attribution as text: levers, pairs of them, segments, one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from churnsim.experiment import Attribution, Interaction, Segment, Share
from churnsim.experiment.attribution.wording import (
    PEOPLE_TEXT,
    lever_text,
    sampled_text,
)
from churnsim.experiment.intervals import Estimate
from churnsim.experiment.sentences import measure_text
from churnsim.report.amounts import count_cells, money_cells, scale_of, share_cells
from churnsim.report.columns import paragraph
from churnsim.report.framing import (
    Commands,
    assumption_lines,
    heading_lines,
    origin_lines,
    warning_lines,
)
from churnsim.report.grid import Row, grid
from churnsim.scenario import PEOPLE

PAIRS_MAX = 6  # shown; the JSON document has all
NOT_COMPARED = "–"
TOGETHER = "together"
# How segments are made, as headings.
KINDS = {
    "origin": "By origin",
    "spend": "By what they spend",
    "dropout": "By ordinary dropout",
    "firm": "Wages, training, prevention",
}


def attribution_text(attribution: Attribution, commands: Commands, width: int) -> str:
    """Return everything that the command shows of an attribution.

    Args:
        attribution: What came out.
        commands: What the text tells the reader to type.
        width: Columns to fit into.
    """
    if not attribution.levers:
        return paragraph(attribution.sentence(), width)
    lines = [*heading_lines(attribution, width), "", *_levers(attribution, width)]
    lines += _pairs(attribution, width)
    if attribution.segments:
        lines += ["", *_segments(attribution, width)]
    lines += ["", paragraph(attribution.sentence(), width)]
    lines += [
        *warning_lines(attribution, width),
        "",
        *assumption_lines(attribution, commands.show, width),
        *origin_lines(attribution, commands.again, width),
    ]
    return "\n".join(lines)


def short_lines(attribution: Attribution, width: int) -> list[str]:
    """Return an attribution inside a comparison's text: levers and the sentence."""
    sentence = paragraph(attribution.sentence(), width)
    if not attribution.levers:
        return [sentence]
    return [*_levers(attribution, width), "", sentence]


def lever_title(attribution: Attribution) -> str:
    """Return what a table of levers shows."""
    return (
        f"{measure_text(attribution.measure).capitalize()} that {attribution.source} "
        f"loses against {attribution.target}, by what is done differently"
        f"{sampled_text(attribution.n_orders)}"
    )


def lever_rows(attribution: Attribution) -> tuple[list[str], list[Row]]:
    """Return the columns' names, and a row for each lever and for their sum."""
    currency = attribution.scenario.currency
    shares, loss = attribution.shares, attribution.loss
    names, columns = _money_columns([*_totals(shares), loss.total], currency)
    yearly = [*(share.yearly.mean for share in shares), loss.yearly.mean]
    names += ["of the loss", "a year per 1,000"]
    whole = 1.0 if any(share.fraction is not None for share in shares) else None
    fractions = [*(share.fraction for share in shares), whole]
    columns += [_fraction_cells(fractions), money_cells(yearly, currency)]
    if not attribution.is_exact:
        names.append("sampling error")
        errors = [share.sampling_error for share in shares]
        columns.append((*money_cells(errors, currency), NOT_COMPARED))
    labels = [*(lever_text(share.lever) for share in shares), TOGETHER]
    return names, _rows(labels, columns)


def _levers(attribution: Attribution, width: int) -> list[str]:
    """Return what is lost: a heading, a row for each lever, and their sum."""
    title = paragraph(lever_title(attribution), width)
    lines = [title, "", *grid(*lever_rows(attribution), width)]
    if PEOPLE in attribution.levers:
        lines += ["", paragraph(PEOPLE_TEXT, width)]
    return lines


def _pairs(attribution: Attribution, width: int) -> list[str]:
    """Return the interactions that can be told from zero, the largest first."""
    pairs = [pair for pair in attribution.interactions if not pair.total.covers_zero]
    shown = pairs[:PAIRS_MAX]
    if not shown:
        return []
    currency = attribution.scenario.currency
    names, columns = _money_columns(_totals(shown), currency)
    columns.append(money_cells([pair.yearly.mean for pair in shown], currency))
    text = (
        "Pairs: what changing both brings beyond what each brings by itself; below "
        "zero, one makes up for the other"
    )
    labels = [" × ".join(map(lever_text, pair.levers)) for pair in shown]
    lines = ["", paragraph(text, width), ""]
    lines += grid([*names, "a year per 1,000"], _rows(labels, columns), width)
    n_left = len(attribution.interactions) - len(shown)
    if n_left:
        lines.append(f"{n_left} more, smaller or not to be told from zero: see --json")
    return lines


def _segments(attribution: Attribution, width: int) -> list[str]:
    """Return a row for each segment: people, what is lost, and mostly by what."""
    currency = attribution.scenario.currency
    segments = attribution.segments
    names, columns = _money_columns(_totals(segments), currency)
    whole = attribution.loss.total
    is_told = whole.low is not None and not whole.covers_zero
    base = whole.mean if is_told else None
    parts = [(s.total.mean or 0.0) / base if base else None for s in segments]
    people = count_cells([segment.people for segment in segments])
    columns = [
        people,
        *columns,
        _fraction_cells(parts),
        tuple(_mostly(segment) for segment in segments),
    ]
    names = ["people", *names, "of the loss", "mostly"]
    rows = []
    previous = ""
    for i, segment in enumerate(segments):
        if segment.by not in {previous, "firm"}:
            rows.append(Row(KINDS[segment.by]))
        previous = segment.by
        label = KINDS["firm"] if segment.by == "firm" else f"  {segment.name}"
        rows.append(Row(label, tuple(column[i] for column in columns)))
    return grid(names, rows, width)


def _mostly(segment: Segment) -> str:
    """Return the lever that loses most in a segment, if that can be told."""
    known = [share for share in segment.shares if share.fraction is not None]
    if not known:
        return NOT_COMPARED
    first = max(known, key=lambda share: share.fraction or 0.0)
    return f"{lever_text(first.lever)} {share_cells([first.fraction])[0]}"


def _money_columns(
    values: Sequence[Estimate], currency: str
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return what is lost and its interval, or that there is none: names and cells."""
    has_interval = any(value.low is not None for value in values)
    n_columns = 3 if has_interval else 1
    scale = scale_of(x for value in values for x in value[:n_columns])
    columns = [
        money_cells([value[i] for value in values], currency, scale)
        for i in range(n_columns)
    ]
    if has_interval:
        return ["lost", "95 % from", "95 % to"], columns
    return ["lost", "95 % interval"], [*columns, ("none",) * len(values)]


def _totals(items: Sequence[Share | Interaction | Segment]) -> list[Estimate]:
    return [item.total for item in items]


def _fraction_cells(fractions: Sequence[float | None]) -> tuple[str, ...]:
    return tuple(
        NOT_COMPARED if fraction is None else share_cells([fraction])[0]
        for fraction in fractions
    )


def _rows(labels: Sequence[str], columns: Sequence[Sequence[str]]) -> list[Row]:
    """Return the rows of a grid from its columns."""
    return [
        Row(label, tuple(cells)) for label, *cells in zip(labels, *columns, strict=True)
    ]
