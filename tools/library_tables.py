"""Make the tables of docs/scenarios_library.md again, from the ready scenarios.

    python tools/library_tables.py [TABLE...]

A table follows `<!-- table: NAME -->` and ends before the next empty line. The first
three are read off the files; `churn`, `outcomes`, `sold_out` and `breakevens` are
simulated, which takes some minutes.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from churnsim.experiment import Comparison, Estimate, Search, breakeven, compare
from churnsim.experiment.series import months_of
from churnsim.experiment.store.markdown import markdown_table
from churnsim.scenario import load_scenario
from churnsim.scenario.assumptions import Foundation, foundations_of
from churnsim.scenario.model import FLAWLESS
from churnsim.units import format_money, year_days

PAGE = Path(__file__).resolve().parent.parent / "docs" / "scenarios_library.md"
TABLE = re.compile(r"(<!-- table: (\w+) -->\n\n)(.*?)(?=\n\n|\n\Z)", re.DOTALL)
MARKETS = ("telecom", "bank", "saas", "hotel", "ecommerce")
SOLD_OUT = "sold_out_hotel"
TODAY = "slow"  # the policy whose churn is that of firms as they are
LIES = "dishonest"
REPLICATIONS = 20  # for a breakeven: the fewest whose interval is not rough
CLOSE = 0.002  # how near a breakeven is found
MICRO = 1_000_000

Table = list[tuple[str, ...]]  # the names of its columns come first


def main() -> None:
    """Write the tables that are named, or all."""
    text = PAGE.read_text(encoding="utf-8")
    wanted = set(sys.argv[1:] or TABLES)
    unknown = wanted - TABLES.keys()
    if unknown:
        sys.exit(f"no such table: {', '.join(sorted(unknown))}")

    def made(found: re.Match[str]) -> str:
        return found[1] + text_of(found[2]) if found[2] in wanted else found[0]

    PAGE.write_text(TABLE.sub(made, text), encoding="utf-8")


def text_of(name: str) -> str:
    """Return a table as Markdown."""
    head, *rows = TABLES[name]()
    is_text = [i == 0 or name in READ for i in range(len(head))]
    return markdown_table(head, rows, is_text).rstrip("\n")


def differing() -> Table:
    """Return the figures that markets do not share, each with its grade."""
    known = {name: _graded(name) for name in MARKETS}
    rows: Table = [("figure", *MARKETS)]
    for key in _keys(known):
        cells = [_cell(known[name].get(key)) for name in MARKETS]
        if len(set(cells)) > 1:
            rows.append((key, *cells))
    return rows


def common() -> Table:
    """Return the figures that all markets share, with grade and source."""
    known = {name: _graded(name) for name in MARKETS}
    rows: Table = [("figure", "value", "grade", "source, or reason")]
    for key in _keys(known):
        found = known[MARKETS[0]].get(key)
        if found and len({_cell(known[name].get(key)) for name in MARKETS}) == 1:
            rows.append((key, found.value, found.grade, found.source))
    return rows


def mistakes() -> Table:
    """Return what can go wrong in each market, and how often."""
    rows: Table = [("scenario", "mistake", "of 1,000 occasions", "sting", "mean stake")]
    for name in (*MARKETS, SOLD_OUT):
        known = _graded(name)
        for kind in load_scenario(name).spec.mistakes:
            of = f"mistakes.{kind.name}"
            often, sting, stake = (
                known[f"{of}.{key}"] for key in ("probability", "sting", "stake")
            )
            cost = stake.value.split(", ")[1].removeprefix("mean ")
            rows.append(
                (
                    name,
                    kind.name,
                    f"{1000.0 * kind.probability:.3g} ({often.grade})",
                    f"{sting.value.removeprefix('constant, mean ')} ({sting.grade})",
                    f"{cost} ({stake.grade})",
                )
            )
    return rows


def churn() -> Table:
    """Return churn and the part of it that mistakes drive, for the firm of today."""
    rows: Table = [
        ("scenario", "churn a year", "share due to mistakes", "estimated before a run")
    ]
    for name in MARKETS:
        found = compared(name)
        share = found.policies[TODAY].figures["mistake_share_of_lost"].mean
        before = next(item for item in found.mistake_shares if item.policy == TODAY)
        shares = (_churn(found, TODAY), share, before.share)
        rows.append((name, *map(_percent, shares)))
    return rows


def outcomes() -> Table:
    """Return how busy the baseline's desk is, and what the policies come to."""
    others = ("slow", LIES, "slow_and_dishonest")
    rows: Table = [
        (
            "scenario",
            "busy",
            "unanswered",
            "churn: empowered",
            *others,
            *(f"lost: {name}" for name in others),
            "gained if flawless",
        )
    ]
    for name in MARKETS:
        found = compared(name)
        figures = found.policies[found.scenario.baseline].figures
        tallies = [run.tally for run in found.replications.of(found.scenario.baseline)]
        unanswered = sum(t["unanswered"] for t in tallies)
        contacts = sum(t["ordinary_contacts"] for t in tallies)
        rows.append(
            (
                name,
                _percent(figures["front_utilisation"].mean, 0),
                _percent(unanswered / contacts),
                *(_percent(_churn(found, p)) for p in ("empowered", *others)),
                *(_lost(found, p, "baseline") for p in others),
                _lost(found, found.scenario.baseline, FLAWLESS),
            )
        )
    return rows


def sold_out() -> Table:
    """Return what warmth and authority are worth on a fully booked night."""
    found = compared(SOLD_OUT)
    others = [p for p in found.scenario.policy_names if p != FLAWLESS]
    rows: Table = [("policy", "revenue lost", "contribution lost")]
    rows += [
        (p, _lost(found, p, "baseline"), _lost(found, p, "baseline", "contribution"))
        for p in others
        if p != found.scenario.baseline
    ]
    return rows


def breakevens() -> Table:
    """Return from which share of lies found out on the dishonest lose against slow."""
    rows: Table = [("scenario", "of revenue", "of contribution")]
    for name in MARKETS:
        cells = []
        for measure in ("revenue", "contribution"):
            how = Search(measure, REPLICATIONS, tolerance=CLOSE)
            found = breakeven(name, "market.discovery", LIES, TODAY, search=how)
            root = found.crossing
            if root is None:
                cells.append(f"{found.verdict} loses")
            else:
                value = Estimate(root.value, root.low, root.high, found.n_finished)
                cells.append(_percent_with_interval(value))
        rows.append((name, *cells))
    return rows


READ: dict[str, Callable[[], Table]] = {
    "differing": differing,
    "common": common,
    "mistakes": mistakes,
}
TABLES: dict[str, Callable[[], Table]] = {
    **READ,
    "churn": churn,
    "outcomes": outcomes,
    "sold_out": sold_out,
    "breakevens": breakevens,
}


@functools.cache
def compared(name: str) -> Comparison:
    """Return what `churnsim run NAME` simulates."""
    return compare(name)


def _graded(name: str) -> dict[str, Foundation]:
    """Return the settings of a scenario's own whose grade is known, by dotted key."""
    return {found.key: found for found in foundations_of(load_scenario(name))}


def _keys(known: dict[str, dict[str, Foundation]]) -> Iterator[str]:
    """Yield the keys of the market and of money, in the order of the files."""
    keys = dict.fromkeys(key for found in known.values() for key in found)
    for table in ("population", "market", "unanswered", "costs"):
        yield from (key for key in sorted(keys) if key.startswith(f"{table}."))


def _cell(found: Foundation | None) -> str:
    return "–" if found is None else f"{found.value} ({found.grade})"


def _churn(found: Comparison, policy: str) -> float:
    """Return customers lost per customer-year, from the months' ends."""
    months = months_of(found)
    series = months["policies"][policy]
    start = found.replications.of(policy)[0].n_customers
    active = [float(start), *(x or 0.0 for x in series["active"]["mean"])]
    ends = [0.0, *months["ends"]]
    there = sum(
        (b - a) * (before + after) / 2.0
        for a, b, before, after in zip(ends, ends[1:], active, active[1:], strict=False)
    )
    lost = found.policies[policy].figures["lost"].mean or 0.0
    return lost * year_days() / there


def _lost(
    found: Comparison, policy: str, against: str, measure: str = "revenue"
) -> str:
    """Return what a policy loses a year and 1,000 customers, to three digits."""
    loss = next(
        item
        for item in found.losses
        if (item.policy, item.against, item.measure) == (policy, against, measure)
    )
    value = loss.yearly.mean or 0.0
    rounded = round(float(f"{value:.3g}"))
    return format_money(rounded * MICRO, found.scenario.currency)


def _percent(share: float | None, digits: int = 1) -> str:
    return "no data" if share is None else f"{100.0 * share:.{digits}f} %"


def _percent_with_interval(value: Estimate) -> str:
    low, high = (
        end if bound is None else f"{100.0 * bound:.0f}"
        for bound, end in ((value.low, "0"), (value.high, "100"))
    )
    return f"{100.0 * (value.mean or 0.0):.0f} % ({low} to {high} %)"


if __name__ == "__main__":
    main()
