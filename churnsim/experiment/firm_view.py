"""The firm's view beside the truth: what its dashboard shows, what is so, and the gap.

The gap is taken replication by replication, so that its interval is that of a paired
difference, and it is below zero where the dashboard shows less than there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from churnsim.experiment.intervals import Estimate
from churnsim.experiment.plain import plain
from churnsim.experiment.summary import FIGURES, Summary

if TYPE_CHECKING:
    from churnsim.experiment.comparison import Comparison


class View(NamedTuple):
    """A figure as the firm's dashboard shows it, and as it is."""

    name: str
    title: str
    seen: str  # one of FIGURES
    true: str
    seen_title: str
    true_title: str

    @property
    def unit(self) -> str:
        """Return the unit of both figures: "count" or "share"."""
        return FIGURES[self.seen].unit


class Gap(NamedTuple):
    """One figure of one policy, both ways."""

    policy: str
    view: str  # name of one of VIEWS
    unit: str
    seen: Estimate
    true: Estimate
    gap: Estimate  # seen less true


VIEWS = (
    View(
        "mistakes",
        "Mistakes",
        "voiced",
        "mistakes_made",
        "complaints received",
        "mistakes made, unanswered contacts among them",
    ),
    View(
        "service_level",
        "Service level",
        "front_service_level",
        "service_level_of_all",
        "handled within 20 s of joining the line, of those who joined it",
        "of all who came to the door: some gave up before, or found it closed",
    ),
    View(
        "settled",
        "Cases settled",
        "resolution_recorded",
        "share_settled",
        "of the contacts recorded; a lie is recorded as settled",
        "of all mistakes, settled indeed",
    ),
    View(
        "satisfaction",
        "Satisfaction",
        "satisfaction_surveyed",
        "satisfaction",
        "of those surveyed as the firm closed their case",
        "after all mistakes",
    ),
    View(
        "lost",
        "Customers lost over mistakes",
        "lost_after_complaint",
        "lost_over_mistakes",
        "lost after they complained",
        "lost over a mistake, heard of or not",
    ),
)


def gaps_of(comparison: Comparison) -> tuple[Gap, ...]:
    """Return every figure of VIEWS under each policy."""
    return tuple(
        Gap(
            name,
            view.name,
            view.unit,
            policy.figures[view.seen],
            policy.figures[view.true],
            comparison.replications.estimate(
                [_gap(row, view) for row in comparison.replications.of(name)]
            ),
        )
        for view in VIEWS
        for name, policy in comparison.policies.items()
    )


def firm_view_of(comparison: Comparison) -> list[Any]:
    """Return what `gaps_of` does, for JSON."""
    return [plain(gap) for gap in gaps_of(comparison)]


def _gap(row: Summary, view: View) -> float | None:
    seen, true = row.figures[view.seen], row.figures[view.true]
    return None if seen is None or true is None else seen - true
