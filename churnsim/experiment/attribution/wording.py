"""Where a loss comes from, in one sentence.

"Of the $448,256 of revenue that slow and dishonest recovery loses in 3 years against
empowered recovery (95 % CI $438,407 to $458,224), $400,000 (95 % CI …) is honesty."
"""

from __future__ import annotations

from typing import NamedTuple

from churnsim.experiment.intervals import Estimate
from churnsim.experiment.sentences import (
    Extent,
    bounds_text,
    interval_text,
    left_out,
    measure_text,
    money_text,
    negative,
    replications_text,
    subject,
)
from churnsim.units import format_duration

# What the part of `people` means, where agents are people.
PEOPLE_TEXT = (
    "People: what the loss has beyond that of agents who never tire, quit or learn. It"
    " holds what all levers do by way of them, and what a policy does for them; the"
    " other parts are those of agents who never tire."
)


class Finding(NamedTuple):
    """What a sentence tells."""

    source: str  # the policy that loses
    target: str  # what it is compared with
    measure: str  # one of MEASURES
    horizon: float  # [days]
    total: Estimate  # lost per run [units of currency]
    shares: tuple[tuple[str, Estimate], ...]  # levers, and what each loses per run
    n_orders: int | None = None  # sampled; None: the shares are exact


def lever_text(lever: str) -> str:
    """Return a lever in words."""
    return lever.replace("_", "-")


def sampled_text(n_orders: int | None) -> str:
    """Return from how many orders, to put behind a title; "" of exact shares."""
    return "" if n_orders is None else f", from {n_orders:,} sampled orders"


def sampled_warning(n_levers: int, n_orders: int) -> str:
    """Return how much of what there is to know of the levers' parts was looked at."""
    return (
        f"{n_orders:,} orders of {n_levers} levers were sampled, so the levers' parts "
        "are estimates; their 95 % intervals hold that error too. "
        f"Method(exact_max={n_levers}) runs all {2**n_levers:,} mixtures, larger "
        "`orders` narrows the intervals"
    )


def sentence_of_finding(finding: Finding, extent: Extent) -> str:
    """Return where a loss comes from, or that there is none."""
    total = finding.total
    if not finding.shares:
        text = (
            f"{subject(finding.source)} and {subject(finding.target)} do not differ in "
            "any lever: there is nothing to explain."
        )
    elif _is_zero(total):
        text = _no_difference(finding, extent)
    elif total.covers_zero:
        text = _undecided(finding, extent)
    elif (total.mean or 0.0) > 0.0:
        text = _of_which(finding, extent, "loses")
    else:
        gains = tuple((lever, negative(value)) for lever, value in finding.shares)
        gained = finding._replace(total=negative(total), shares=gains)
        text = _of_which(gained, extent, "gains")
    if finding.n_orders is not None:
        text += f" The levers' parts are estimates{sampled_text(finding.n_orders)}."
    return f"{text[0].upper()}{text[1:]}{left_out(extent)}"


def _of_which(finding: Finding, extent: Extent, verb: str) -> str:
    """Return the levers' parts of an amount above zero, largest first."""
    ranked = sorted(finding.shares, key=lambda share: -(share[1].mean or 0.0))
    sure = [share for share in ranked if not share[1].covers_zero and share[1].mean]
    causes = [share for share in sure if (share[1].mean or 0.0) > 0.0]
    against = [share for share in reversed(sure) if share not in causes]
    parts = []
    if causes:
        parts.append(_joined([_part(*share, "is", extent) for share in causes]))
    back = [
        _part(lever, negative(value), "is made up for by", extent)
        for lever, value in against
    ]
    if back:
        parts.append(_joined(back))
    doubtful = [share for share in ranked if share not in sure]
    idle = [lever_text(lever) for lever, value in doubtful if _is_zero(value)]
    unsure = [lever_text(lever) for lever, value in doubtful if not _is_zero(value)]
    if unsure:
        parts.append(f"the part of {_joined(unsure)} cannot be told from zero")
    if idle:
        change = "changes" if len(idle) == 1 else "change"
        parts.append(f"{_joined(idle)} {change} nothing")
    return (
        f"of the {money_text(finding.total.mean, extent)} of "
        f"{measure_text(finding.measure)} that {subject(finding.source)} {verb} in "
        f"{format_duration(finding.horizon)} against {subject(finding.target)} "
        f"({interval_text(finding.total, extent)}), {'; '.join(parts)}."
    )


def _part(lever: str, value: Estimate, verb: str, extent: Extent) -> str:
    amount = money_text(value.mean, extent)
    return f"{amount} ({bounds_text(value, extent)}) {verb} {lever_text(lever)}"


def _undecided(finding: Finding, extent: Extent) -> str:
    return (
        f"what {subject(finding.source)} loses of {measure_text(finding.measure)} in "
        f"{format_duration(finding.horizon)} against {subject(finding.target)} cannot "
        f"be told from zero with {replications_text(finding.total.n)}: "
        f"{money_text(finding.total.mean, extent)} "
        f"({interval_text(finding.total, extent)})."
    )


def _no_difference(finding: Finding, extent: Extent) -> str:
    n = extent.n_finished
    each = "in the one replication" if n == 1 else f"in each of {replications_text(n)}"
    return (
        f"{subject(finding.source)} makes no difference to this firm's "
        f"{measure_text(finding.measure)} against {subject(finding.target)}: it was "
        f"the same {each}."
    )


def _is_zero(value: Estimate) -> bool:
    """Return whether it was exactly zero in every replication."""
    return value[:3] in {(0.0, 0.0, 0.0), (0.0, None, None)}


def _joined(texts: list[str]) -> str:
    """Return "a, b and c"."""
    *others, last = texts
    return f"{', '.join(others)} and {last}" if others else last
