"""The section on what is not known of the firm, where settings are drawn."""

from __future__ import annotations

from typing import Any

from churnsim.report.amounts import money_cells, scale_of, share_cells
from churnsim.report.page.blocks import Section, Table
from churnsim.report.page.figures import Results
from churnsim.report.settings import meaning_of
from churnsim.scenario.model import FLAWLESS

MEANT = (
    "Ignorance is how much the answer depends on which of the draws the firm is; only"
    " more or better data make it smaller. Monte Carlo is how far the average over the"
    " replications may be off; more replications make it smaller. Both are standard"
    " deviations, and add up in their squares."
)


def what_is_not_known(results: Results) -> Section | None:
    """Return how much of each loss's uncertainty is ignorance; None: none is drawn."""
    found: dict[str, Any] | None = results.document.get("posterior")
    if found is None:
        return None
    settings = Table(
        "What is drawn",
        ("what it is", "unit"),
        tuple((meaning_of(p["field"]), p["unit"]) for p in found["parameters"]),
        is_text=True,
        keys=tuple(p["field"] for p in found["parameters"]),
    )
    n, used = found["draws"], found["draws_used"]
    fitted = (
        f"The posterior has {n:,} draws, fitted to what was seen of {found['scenario']}"
        f" under {found['policy']}; the replications here use {used:,} of them."
    )
    return Section(
        "not-known",
        "What is not known of the firm",
        texts=(found["sentence"], MEANT, fitted),
        tables=(*_losses(results, found["losses"]), settings),
    )


def _losses(results: Results, losses: list[dict[str, Any]]) -> list[Table]:
    """Return a table for each policy that losses are held against."""
    tables = []
    for against in ("baseline", "flawless"):
        rows = [
            loss
            for loss in losses
            if (loss["against"], loss["measure"]) == (against, "revenue")
            and loss["policy"] != FLAWLESS
            and loss["total"] is not None
        ]
        if not rows:
            continue
        told = [row["total"] for row in rows]
        parts = ("ignorance", "monte_carlo", "total")
        scale = scale_of(value[part] for value in told for part in parts)
        columns = [
            money_cells([value[part] for value in told], results.currency, scale)
            for part in parts
        ]
        shares = share_cells([value["ignorance_share"] for value in told])
        other = results.label(rows[0]["other"])
        tables.append(
            Table(
                f"Revenue lost against {other}: where its uncertainty comes from",
                (
                    "policy",
                    "ignorance",
                    "Monte Carlo",
                    "both",
                    "ignorance, share",
                ),
                tuple(
                    (results.label(row["policy"]), *cells)
                    for row, *cells in zip(rows, *columns, shares, strict=True)
                ),
            )
        )
    return tables
