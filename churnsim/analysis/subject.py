"""What every analysis says of the sweep that it is of."""

from __future__ import annotations

from collections.abc import Iterable

from churnsim.analysis.documents import Analysis
from churnsim.analysis.finished import Factor, Sweep
from churnsim.analysis.responses import Responses, Unit, missing_lines
from churnsim.experiment.sentences import CENTS_BELOW, replications_text
from churnsim.records import MICRO
from churnsim.units import format_duration, format_money

ONE = (
    "one replication: what luck does cannot be told from what factors do, and is"
    " counted as theirs"
)
INDEPENDENT = (
    "points have luck of their own, so that their differences are less sure than with"
    ' draws = "common"'
)

UNEVEN = (
    "points of the design {} lie along lines, not evenly: shares of points are not"
    " shares of the space"
)


def is_uneven(sweep: Sweep) -> bool:
    """Return whether points are no fair sample of the space, one by one."""
    return sweep.design.name in {"saltelli", "morris"}


def amount_text(value: float, unit: Unit) -> str:
    """Return a response for people, without what it is of."""
    if unit.kind == "money":
        rounded = round(value) if abs(value) >= CENTS_BELOW else value
        return format_money(round(rounded * MICRO), unit.currency)
    if unit.kind == "share":
        return f"{100.0 * value:.3g} %"
    if unit.kind == "days":
        sign = "-" if value < 0.0 else ""
        return f"{sign}{format_duration(abs(value))}" if value else "0 s"
    return f"{value:,.1f}" if abs(value) < 100.0 else f"{value:,.0f}"


def per_text(unit: Unit) -> str:
    """Return what an amount is of, after a blank; "" where that needs no words."""
    return f" {unit.per}" if unit.per else ""


def number_text(factor: Factor, number: float) -> str:
    """Return a level of a factor for people, with its unit."""
    if factor.lever is not None:
        return factor.lever.text(number)
    levels = factor.levels
    place = round(number)
    return levels[place].text if 0 <= place < len(levels) else f"{number:.3g}"


def about_text(factor: Factor) -> str:
    """Return a factor with what it is, in words."""
    about = factor.lever.about if factor.lever else ""
    return f"{factor.field} ({about[0].lower()}{about[1:]})" if about else factor.field


def usual_warnings(sweep: Sweep, responses: Responses) -> list[str]:
    """Return what to keep in mind of any analysis."""
    told = missing_lines(responses)
    if sweep.replications == 1:
        told.append(ONE)
    elif sweep.draws != "common":
        told.append(INDEPENDENT)
    return told


def extent_text(sweep: Sweep, responses: Responses) -> str:
    """Return what was run: points, replications and design."""
    n, used = responses.n_points, len(responses.points)
    points = f"{used:,} of {n:,} points" if used < n else f"{n:,} points"
    design = sweep.design.name.replace("_", " ")
    return (
        f"{sweep.title or sweep.name}: {points} ({design}),"
        f" {replications_text(sweep.replications)} each, {len(sweep.factors)}"
        f" factor{'' if len(sweep.factors) == 1 else 's'}"
    )


def analysis_document(
    sweep: Sweep, responses: Responses, sentence: str, warnings: Iterable[str]
) -> Analysis:
    """Return the keys that all analyses have."""
    question, unit = responses.question, responses.unit
    used = len(responses.points)
    return {
        "sweep": sweep.name,
        "sweep_digest": sweep.digest,
        "title": sweep.title or sweep.name,
        "currency": unit.currency,
        "design": sweep.design.name,
        "draws": sweep.draws,
        "outcome": question.outcome,
        "policy": question.policy,
        "against": question.against,
        "response": question.text,
        "unit": unit.kind,
        "per": unit.per,
        "replications": sweep.replications,
        "points": responses.n_points,
        "points_used": used,
        "points_unfinished": responses.n_unfinished,
        "points_failed": responses.n_failed,
        "points_absent": responses.n_absent,
        "is_partial": used < responses.n_points,
        "sentence": sentence,
        "warnings": list(warnings),
    }
