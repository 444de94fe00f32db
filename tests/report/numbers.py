"""Reading a page's tables back as numbers, and what they must be by the JSON.

Nothing here uses what writes the page: figures are read as a reader reads them, and
held against the document with the precision that is shown.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

NUMBER = re.compile(
    r"(under )?(-?)[$]?(\d[\d,]*(?:\.\d+)?(?:e[+-]\d+)?)(?: (%|M\b|[a-z]+))?"
)
UNITS = {"M": 1e6, "bn": 1e9, "%": 0.01, "pp": 0.01}
PER_DAY = {"s": 86400.0, "min": 1440.0, "h": 24.0, "day": 1.0, "days": 1.0}
PER_DAY |= {"week": 1 / 7, "weeks": 1 / 7, "month": 12 / 365.25, "months": 12 / 365.25}
PER_DAY |= {"year": 1 / 365.25, "years": 1 / 365.25}
ROUNDED = 0.00501  # of a duration, which has three digits
ENDS = ("mean", "low", "high")
OCTAVE = 4  # places of the document's waits between two rows of the page's table
CAUSES = (
    *("natural", "silent", "gave_up", "abandoned", "refused"),
    *("slow", "betrayed", "placated", "settled", "exhausted"),
)
SPENT = ("make_good", "cost", "wages", "training", "prevention")
DESK = ("mean_wait", "wait_90", "abandonment", "utilisation")
AGENTS = (
    *("wrath", "quits", "turnover"),
    *("vacant_share", "newcomer_share", "hiring_cost"),
)
SERIES = {
    "Share of the starting customers": "survival",
    "Customers at the end of each month": "active",
    "Revenue in each month": "revenue",
    "Cases open": "backlog",
}
VIEWS = {
    "Mistakes:": ("mistakes", "voiced", "mistakes_made"),
    "Service level:": ("service_level", "front_service_level", "service_level_of_all"),
    "Cases settled:": ("settled", "resolution_recorded", "share_settled"),
    "Satisfaction:": ("satisfaction", "satisfaction_surveyed", "satisfaction"),
    "Customers lost over": ("lost", "lost_after_complaint", "lost_over_mistakes"),
}

Estimates = list[dict[str, Any]]
Cells = list[list[float]]  # the numbers of each cell that has any


class Shown(NamedTuple):
    """A number as it is read, and how far the truth may be from it."""

    value: float
    reach: float


def numbers(text: str) -> list[Shown]:
    """Return every number in a cell, in order."""
    found = []
    for under, sign, digits, unit in (m.groups() for m in NUMBER.finditer(text)):
        value = float(sign + digits.replace(",", ""))
        decimals = digits.partition(".")[2]
        reach = 0.501 * 10.0 ** -len(decimals)
        if unit in PER_DAY:
            value /= PER_DAY[unit]
            half = value / 2.0
            reach = ROUNDED * abs(value) + 1e-12
            found.append(Shown(half, half) if under else Shown(value, reach))
        else:
            scale = UNITS.get(unit, 1.0)
            found.append(Shown(value * scale, reach * scale))
    return found


def whole(estimates: Estimates) -> Cells:
    """Return cells of a mean and its bounds; what there is not is no number."""
    return _cells([e[end] for end in ENDS] for e in estimates)


def parted(estimates: Estimates) -> Cells:
    """Return cells of a mean, each followed by one of its bounds."""
    return _cells(c for e in estimates for c in ([e["mean"]], [e["low"], e["high"]]))


def _cells(found: Iterable[Iterable[float | None]]) -> Cells:
    """Return cells without what there is not; those left with nothing are none."""
    known = [[x for x in cell if x is not None] for cell in found]
    return [cell for cell in known if cell]


def expected(caption: str, document: dict[str, Any]) -> Cells | None:
    """Return the document's numbers for the table of a caption; None if it has none."""
    for kind in (_losses, _figures, _money, _months, _week, _views, _levers):
        found = kind(caption, document)
        if found is not None:
            return found
    return None


def _losses(caption: str, document: dict[str, Any]) -> Cells | None:
    if not caption.startswith("Revenue lost against "):
        return None
    is_flawless = caption.endswith(" flawless")
    against = "flawless" if is_flawless else "baseline"
    return parted(
        [
            loss[name]
            for loss in document["losses"]
            if (loss["against"], loss["measure"]) == (against, "revenue")
            and loss["policy"] != "flawless"
            for name in ("total", "yearly")
        ]
    )


def _figures(caption: str, document: dict[str, Any]) -> Cells | None:
    if caption.startswith("Customers lost, by"):
        names = ["lost", *(f"lost_{cause}" for cause in CAUSES)]
        names = [n for n in names if any(e["mean"] for e in figure(document, n))]
        names.append("mistake_share_of_lost")
    elif caption.startswith("Waits and use of both desks"):
        names = [*(f"front_{name}" for name in DESK), "front_service_level"]
        names += [f"back_{name}" for name in DESK]
        if any(joined["mean"] for joined in figure(document, "messages_joined")):
            names += [f"messages_{name}" for name in DESK]
    elif caption.startswith("How the agents of the front desk fare"):
        names = list(AGENTS)
    else:
        return None
    return [cell for name in names for cell in whole(figure(document, name))]


def _money(caption: str, document: dict[str, Any]) -> Cells | None:
    losses = [
        loss
        for against in ("baseline", "flawless")
        for loss in document["losses"]
        if (loss["against"], loss["measure"]) == (against, "revenue")
        and loss["policy"] != "flawless"
    ]
    if caption.startswith("How much surer"):
        named = [(loss["correlation"], loss["variance_factor"]) for loss in losses]
        return _cells([x] for pair in named for x in pair)
    revenue = figure(document, "revenue")
    control = document["control"]
    if control and caption.startswith("Revenue, corrected"):
        used = [e["value"] for e in control["estimates"] if e["is_used"]]
        return [*whole([*revenue, *used]), [control["expected"]]]
    if not caption.startswith("Money over the time"):
        return None
    spent = [n for n in SPENT if any(e["mean"] for e in figure(document, n))]
    rows = [figure(document, name) for name in (*spent, "contribution")]
    sold = []
    for earned, *others in zip(revenue, *rows, strict=True):
        left = sum(other["mean"] for other in others) / earned["mean"]
        sold.append({end: earned[end] and earned[end] * (1 - left) for end in ENDS})
    return [cell for row in (revenue, sold, *rows) for cell in whole(row)]


def _months(caption: str, document: dict[str, Any]) -> Cells | None:
    for start, name in SERIES.items():
        if caption.startswith(start):
            months = document["months"]["policies"].values()
            return list(_places([policy[name] for policy in months], 1))
    for desk in ("front", "back"):
        if caption.startswith(f"Waits at the {desk} desk"):
            waits = document["waits"][desk]["policies"].values()
            return list(_places(list(waits), OCTAVE))
    return None


def _places(series: list[dict[str, Any]], step: int) -> Iterator[list[float]]:
    """Yield what each row of a table has: the place's estimate under each policy."""
    for i in range(0, len(series[0]["mean"]), step):
        yield from whole([{end: of[end][i] for end in ENDS} for of in series])


def _week(caption: str, document: dict[str, Any]) -> Cells | None:
    if not caption.endswith("by hour of the week: mean and 95 % interval"):
        return None
    title, policy, _ = caption.split(", ")
    desk = document["hours"]["policies"][policy]["front"]

    def at(hour: int, name: str) -> dict[str, Any]:
        return {end: desk["figures"][name][end][hour] for end in ENDS}

    if title == "Mean wait":
        hours = [24 * day + hour for hour in range(24) for day in range(7)]
        return whole([at(hour, "mean_wait") for hour in hours])
    names = ("needed", "busy", "contacts", "gave_up")
    found: Cells = []
    for hour, staffed in enumerate(desk["staffed"]):
        if staffed or at(hour, "contacts")["mean"]:
            found += [[staffed], *whole([at(hour, name) for name in names])]
    return found


def _views(caption: str, document: dict[str, Any]) -> Cells | None:
    for start, (name, seen, true) in VIEWS.items():
        if caption.startswith(start):
            gaps = [g["gap"] for g in document["firm_view"] if g["view"] == name]
            rows = zip(
                figure(document, seen), figure(document, true), gaps, strict=True
            )
            return whole([e for row in rows for e in row])
    return None


def _levers(caption: str, document: dict[str, Any]) -> Cells | None:
    told = document["attribution"]
    if caption.startswith("Pairs of levers"):
        return parted([pair["total"] for pair in told["interactions"]])
    if caption.startswith("With which customers"):
        rows = [([[s["people"]]], parted([s["total"]])) for s in told["segments"]]
        return [cell for people, lost in rows for cell in (*people, *lost)]
    if not caption.startswith("What each lever loses"):
        return None
    shares = sorted(told["loss"]["shares"], key=lambda share: -share["micro"])
    found = []
    for part in [*shares, told["loss"]]:
        is_told = shares[0]["fraction"] is not None
        fraction = part.get("fraction", 1.0 if is_told else None)
        found += whole([part["total"]])
        found += [] if fraction is None else [[fraction]]
        found += whole([part["yearly"]])
    return found


def figure(document: dict[str, Any], name: str) -> Estimates:
    """Return a figure of each policy."""
    return [policy["figures"][name] for policy in document["policies"].values()]


def check(caption: str, cells: list[str], document: dict[str, Any]) -> int:
    """Hold a table's cells against the document; return how many numbers it has.

    A mean that stands alone stands for its bounds, too: they must read the same.
    """
    truth = expected(caption, document)
    if truth is None:
        return 0
    shown = [found for cell in cells if (found := numbers(cell))]
    assert len(shown) == len(truth), caption
    for reads, trues in zip(shown, truth, strict=True):
        is_alone = len(reads) == 1 and len(trues) == len(ENDS)
        pairs = zip(reads * len(ENDS) if is_alone else reads, trues, strict=True)
        for read, true in pairs:
            assert abs(read.value - true) <= read.reach, (caption, read, true)
    return sum(map(len, truth))
