"""Whose fate turns on the policy, as text: fates, causes, two probabilities."""

from __future__ import annotations

from collections.abc import Sequence

from churnsim.experiment import Counterfactuals, Estimate, Turn
from churnsim.report.amounts import count_cells, share_cells
from churnsim.report.columns import paragraph
from churnsim.report.framing import (
    Commands,
    assumption_lines,
    heading_lines,
    origin_lines,
    warning_lines,
)
from churnsim.report.grid import Row, grid
from churnsim.report.results import CAUSES

NOT_COMPARED = "–"


def counterfactuals_text(found: Counterfactuals, commands: Commands, width: int) -> str:
    """Return everything that the command shows of counterfactuals.

    Args:
        found: What came out.
        commands: What the text tells the reader to type.
        width: Columns to fit into.
    """
    lines = [*heading_lines(found, width), "", *_fates(found, width)]
    for lost_under, loser, keeper in (
        ("from", found.source, found.target),
        ("to", found.target, found.source),
    ):
        turns = [turn for turn in found.turns if turn.lost_under == lost_under]
        if turns and loser != keeper:
            lines += ["", *_causes(found, turns, (loser, keeper), width)]
    if found.source != found.target:
        lines += ["", *_probabilities(found, width)]
    lines += ["", paragraph(found.sentence(), width)]
    lines += [
        *warning_lines(found, width),
        "",
        *assumption_lines(found, commands.show, width),
        *origin_lines(found, commands.again, width),
    ]
    return "\n".join(lines)


def _fates(found: Counterfactuals, width: int) -> list[str]:
    """Return kept and lost under one policy × kept and lost under the other."""
    fates = found.fates
    kept = (fates.kept_kept, fates.kept_lost)
    lost = (fates.lost_kept, fates.lost_lost)
    both = tuple(a + b for a, b in zip(kept, lost, strict=True))
    rows = [(*row, sum(row)) for row in (kept, lost, both)]
    cells = _means(found, [n for row in rows for n in row])
    labels = [f"kept under {found.source}", f"lost under {found.source}", "together"]
    names = [f"kept under {found.target}", f"lost under {found.target}", "together"]
    lines = [paragraph("Customers in both worlds, by the horizon", width), ""]
    lines += grid(
        names,
        [Row(label, cells[3 * i : 3 * i + 3]) for i, label in enumerate(labels)],
        width,
    )
    if any(found.won_once):
        a, b = _means(found, found.won_once)
        text = (
            f"Left out: prospects won under {found.source} only ({a}) and under "
            f"{found.target} only ({b})."
        )
        lines += ["", paragraph(text, width)]
    return lines


def _causes(
    found: Counterfactuals, turns: Sequence[Turn], names: tuple[str, str], width: int
) -> list[str]:
    """Return by cause who is lost under one policy, and how many the other keeps."""
    loser, keeper = names
    lost = _means(found, [turn.lost for turn in turns])
    kept = _means(found, [turn.kept_by_other for turn in turns])
    shares = share_cells([turn.share for turn in turns])
    rows = [
        Row(CAUSES[turn.cause].strip(), cells)
        for turn, cells in zip(turns, zip(lost, kept, shares, strict=True), strict=True)
    ]
    title = f"Lost under {loser}, by cause, and how many of them {keeper} keeps"
    heads = ["lost", "kept by the other policy", "share"]
    return [paragraph(title, width), "", *grid(heads, rows, width)]


def _probabilities(found: Counterfactuals, width: int) -> list[str]:
    """Return the probabilities that the policy is necessary, sufficient, and both."""
    a, b = found.source, found.target
    rows = [
        Row("necessary", _cells(found.necessary)),
        Row("sufficient", _cells(found.sufficient)),
        Row("both", _cells(found.both)),
    ]
    text = (
        f"{a} as the cause of a loss. Necessary: of those lost under {a}, the share "
        f"kept under {b}. Sufficient: of those kept under {b}, the share lost under "
        f"{a}. Both: of all, the share lost under {a} and kept under {b}."
    )
    names = ["share", "95 % from", "95 % to"]
    return [paragraph(text, width), "", *grid(names, rows, width)]


def _cells(value: Estimate) -> tuple[str, ...]:
    cells = (share_cells([x])[0] for x in value[1:3])
    bounds = cells if value.low is not None else (NOT_COMPARED, NOT_COMPARED)
    return (share_cells([value.mean])[0], *bounds)


def _means(found: Counterfactuals, counts: Sequence[int]) -> tuple[str, ...]:
    """Return counts over all replications as means of one."""
    return count_cells([count / found.n_finished for count in counts])
