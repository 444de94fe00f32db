"""What stands around every table of results: what was run, and what it rests on."""

from __future__ import annotations

from typing import NamedTuple

from churnsim.experiment import (
    Attribution,
    Breakeven,
    Comparison,
    Counterfactuals,
    Staffing,
)
from churnsim.report.columns import paragraph
from churnsim.streams import STREAM_VERSION
from churnsim.units import format_duration

NAMED_MAX = 8  # assumptions; more than that nobody reads
DIGEST_DIGITS = 12  # of 64: enough to tell scenarios apart by eye

ONE = "one replication: no intervals, and chance may have made any figure"

Experiment = Comparison | Attribution | Counterfactuals | Breakeven | Staffing


class Commands(NamedTuple):
    """What a reader of results may type next."""

    again: str  # makes the same numbers
    show: str  # shows every setting and what it rests on


def heading_lines(result: Experiment, width: int, done: str = "") -> list[str]:
    """Return what was simulated, and whether all of it was.

    Args:
        result: What came out.
        width: Columns to fit into.
        done: What of a search is finished, in words; replications where absent.
    """
    lines = [extent_line(result, width)]
    if result.is_stopped:
        done = done or f"{result.n_finished:,} of {result.n_asked:,} replications"
        lines.append(f"PARTIAL: stopped after {done}")
    elif result.failures:
        n_failed = len(result.failures)
        lines.append(f"PARTIAL: {n_failed:,} of {result.n_asked:,} replications failed")
    return lines


def extent_line(result: Experiment, width: int) -> str:
    """Return what was simulated: how many customers, how long, how often."""
    scenario = result.scenario
    n = result.n_finished
    sites = f" at {scenario.sites:,} sites" if scenario.sites > 1 else ""
    text = (
        f"{scenario.title}: {result.n_customers:,} customers{sites},"
        f" {format_duration(scenario.horizon)},"
        + (f" mean of {n:,} replications" if n != 1 else f" {ONE}")
    )
    return paragraph(text, width)


def warning_lines(result: Experiment, width: int) -> list[str]:
    """Return what to keep in mind, after an empty line."""
    if not result.warnings:
        return []
    return ["", *(paragraph(w, width, "warning: ", "  ") for w in result.warnings)]


def assumption_lines(result: Experiment, show: str, width: int) -> list[str]:
    """Return the influential figures that nobody has measured, the first by name."""
    named: dict[str, str] = {}
    for item in result.assumptions:
        section, _, key = item.key.rpartition(".")
        is_kind = section.startswith("mistakes.")
        text = f"{key} of mistakes" if is_kind else f"{key} ({item.value})"
        if item.acts:
            named.setdefault(f"mistakes.*.{key}" if is_kind else item.key, text)
    if not named:
        return []
    first = list(named.values())[:NAMED_MAX]
    lines = [
        paragraph(
            "Assumed, not measured (grade D), and the results hang on it, most on what"
            f" comes first: {'; '.join(first)}. Try others with --set.",
            width,
        )
    ]
    if n_more := len(named) - len(first):
        verb = "is" if n_more == 1 else "are"
        lines += [f"{n_more} more {verb} among those marked D by:", f"  {show}"]
    return [*lines, ""]


def origin_lines(result: Experiment, command: str, width: int) -> list[str]:
    """Return what the same numbers can be made from again."""
    digest = result.scenario.digest[:DIGEST_DIGITS]
    text = (
        f"seed {result.seed}, scenario {digest}, random streams version"
        f" {STREAM_VERSION}, engine {result.engine}; the same numbers again with:"
    )
    return [paragraph(text, width), f"  {command}"]
