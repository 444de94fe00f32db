"""A comparison's document as figures ready to be shown, by policy.

Numbers are written by the functions that write the text table's.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from churnsim.experiment.intervals import Estimate
from churnsim.experiment.summary import FIGURES
from churnsim.report.amounts import (
    NOTHING,
    UNDER,
    Scale,
    Value,
    count_cells,
    duration_cells,
    money_cells,
    point_cells,
    scale_of,
    share_cells,
)
from churnsim.scenario.model import FLAWLESS

NO_INTERVAL = "no interval"
# Said once on a page, of figures whose interval would only repeat them.
NARROW = (
    "Where a figure stands without an interval, the interval is narrower than the"
    " digits shown."
)
LABEL_WIDTH = 20  # letters of a line beside a chart

_CELLS: dict[str, Callable[[Sequence[Value]], tuple[str, ...]]] = {
    "count": count_cells,
    "share": share_cells,
    "days": duration_cells,
    "points": point_cells,
}


class Shown(NamedTuple):
    """An estimate as text."""

    mean: str
    low: str  # "" where there is no interval
    high: str

    @property
    def interval(self) -> str:
        """Return both bounds, or that there are none."""
        if self.mean == NOTHING:
            return NOTHING
        return f"{self.low} to {self.high}" if self.low else NO_INTERVAL

    @property
    def is_narrow(self) -> bool:
        """Return whether the bounds say no more than the mean does."""
        return self.mean == self.high and self.mean in {self.low, UNDER}

    @property
    def whole(self) -> str:
        """Return the mean with its interval, where that says more than the mean."""
        if self.mean == NOTHING or self.is_narrow:
            return self.mean
        return f"{self.mean} ({self.interval})"


class Results:
    """The document of a comparison, asked by name."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.currency: str = document["currency"]
        self.baseline: str = document["baseline"]
        self.names: tuple[str, ...] = tuple(document["policies"])
        self.n: int = document["replications_finished"]

    @property
    def labels(self) -> tuple[str, ...]:
        """Return what each policy is called, no two alike."""
        plain = tuple(name.replace("_", " ") for name in self.names)
        return plain if len(set(plain)) == len(plain) else self.names

    def label(self, policy: str) -> str:
        """Return what a policy is called."""
        return self.labels[self.names.index(policy)]

    def broken(self, policy: str) -> str:
        """Return what a policy is called, in lines that fit beside a chart."""
        return broken(self.label(policy)) or policy

    def figure(self, name: str) -> list[Estimate]:
        """Return a figure of each policy."""
        policies = self.document["policies"].values()
        return [Estimate(**policy["figures"][name]) for policy in policies]

    @property
    def has_people(self) -> bool:
        """Return whether agents are people; no document of before tells of them."""
        policies = self.document["policies"].values()
        return any(policy["figures"].get("quits", {}).get("n") for policy in policies)

    @property
    def has_messages(self) -> bool:
        """Return whether customers write; no document of before tells of messages."""
        policies = self.document["policies"].values()
        told = (policy["figures"].get("messages_joined", {}) for policy in policies)
        return any(joined.get("mean") for joined in told)

    def shown_figure(self, name: str) -> list[Shown]:
        """Return a figure of each policy as the text table shows it, with bounds."""
        return self.shown(self.figure(name), FIGURES[name].unit)

    def gaps(self, view: str) -> list[Estimate]:
        """Return of each policy what the firm's dashboard shows less what is so.

        Nothing where the document is of a version that did not tell.
        """
        told = self.document.get("firm_view", ())
        return [Estimate(**gap["gap"]) for gap in told if gap["view"] == view]

    def loss(self, policy: str, against: str) -> dict[str, Any] | None:
        """Return what a policy loses in revenue, or None against itself."""
        for loss in self.document["losses"]:
            key = (loss["policy"], loss["against"], loss["measure"])
            if key == (policy, against, "revenue") and policy != FLAWLESS:
                found: dict[str, Any] = loss
                return found
        return None

    def series(self, place: dict[str, Any], *path: str) -> list[list[Estimate]]:
        """Return a series of each policy: an estimate at each place."""
        found = []
        for name in self.names:
            lists: Any = place["policies"][name]
            for key in path:
                lists = lists[key]
            triples = zip(lists["mean"], lists["low"], lists["high"], strict=True)
            found.append([Estimate(*triple, self.n) for triple in triples])
        return found

    def shown(
        self, values: Sequence[Estimate], unit: str, scale: Scale | None = None
    ) -> list[Shown]:
        """Return estimates as text, in one unit along them.

        Args:
            values: Money is in units of currency, durations are in days.
            unit: "money", "count", "share", "days", or "points": shares apart.
            scale: Of money; that of the means where absent.
        """
        return shown_estimates(values, unit, self.currency, scale)

    def shown_losses(self, values: Sequence[Estimate]) -> list[Shown]:
        """Return losses as the text table shows them: one unit for means and bounds."""
        scale = scale_of(bound for value in values for bound in value[:3])
        return self.shown(values, "money", scale)


def broken(label: str) -> str:
    """Return a label in lines that fit beside a chart."""
    return "\n".join(textwrap.wrap(label, LABEL_WIDTH))


def shown_estimates(
    values: Sequence[Estimate], unit: str, currency: str, scale: Scale | None = None
) -> list[Shown]:
    """Return estimates as text, in one unit along them; see `Results.shown`."""
    means = [value.mean for value in values]
    bounds = [bound for value in values for bound in value[1:3]]
    if unit == "money":
        scale = scale or scale_of(means)
        mean_cells = money_cells(means, currency, scale)
        bound_cells = money_cells(bounds, currency, scale)
    else:
        mean_cells, bound_cells = _CELLS[unit](means), _CELLS[unit](bounds)
    pairs = zip(bound_cells[::2], bound_cells[1::2], strict=True)
    return [
        Shown(mean, low, high) if value.low is not None else Shown(mean, "", "")
        for value, mean, (low, high) in zip(values, mean_cells, pairs, strict=True)
    ]
