"""What a calibration may move: settings, each within a range of its own."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from churnsim.errors import InputError, Problem
from churnsim.experiment.inverse.ends import Setting, ends_of
from churnsim.experiment.inverse.lever import (
    key_of,
    lever_of,
    not_a_number,
    number_of,
    setting_of,
)
from churnsim.given import names
from churnsim.records import Floats
from churnsim.scenario import Scenario
from churnsim.sweep.factors import AnyLevel, Factor
from churnsim.sweep.overlapping import is_overlapping, path_of

_WRITTEN = re.compile(r"\s*([^=]*?)\s*=\s*(.+?)\s*\.\.\s*(.+?)(\s+log)?\s*")
OWN = ("baseline", "currency", "horizon", "policies", "replications", "seed", "sites")
PARAMETERS_MAX = 10


def parameters_of(
    written: Sequence[str], scenario: Scenario, policy: str
) -> tuple[Factor, ...]:
    """Return the parameters that are meant.

    Args:
        written: Each as "market.lock_in=2..5", with units as in a file; "log" behind
            it makes the logarithm even instead of the value.
        scenario: Whose settings they are.
        policy: Whose settings are meant where none is named.

    Raises:
        InputError: No such setting, or a range that it cannot have.
    """
    written = names("parameter", written)
    if not written:
        rule = "needs at least one, such as market.lock_in=2..5"
        raise InputError(Problem(rule, field="parameter"))
    if len(written) > PARAMETERS_MAX:
        rule = f"must be at most {PARAMETERS_MAX}: more cannot be told from few figures"
        raise InputError(Problem(rule, field="parameter", value=f"{len(written)}"))
    found = tuple(_parameter(text, scenario, policy) for text in written)
    for i, one in enumerate(found):
        for other in found[:i]:
            paths = [path_of(scenario.spec, factor.field) for factor in (one, other)]
            if one.field == other.field or is_overlapping(*paths):
                rule = f"must not be given twice; {other.field} sets it, too"
                raise InputError(Problem(rule, field="parameter", value=written[i]))
    return found


def levels_at(parameters: Sequence[Factor], place: Floats) -> dict[str, AnyLevel]:
    """Return the settings at a place of the unit cube, by field."""
    return {
        factor.field: factor.level(min(float(u), math.nextafter(1.0, 0.0)))
        for factor, u in zip(parameters, place, strict=True)
    }


def numbers_at(parameters: Sequence[Factor], place: Floats) -> list[float]:
    """Return the numbers at a place of the unit cube, in the settings' own units."""
    return [f.number(float(u)) for f, u in zip(parameters, place, strict=True)]


def number_text(factor: Factor, number: float) -> str:
    """Return a parameter's value for people, with its unit."""
    return factor.at(number).text


def unit_of(factor: Factor) -> str:
    """Return what a parameter's numbers are counted in."""
    lever = factor.lever
    if lever is None:
        return "1"
    kind = lever.measure.read.__name__
    units = {
        "read_duration": "days",
        "read_rate": "/day",
        "read_prospects": "/day",
        "read_money": f"{lever.currency}/1000000",
        "read_pay": f"{lever.currency}/1000000/day",
        "read_annual": "/year",
    }
    return units.get(kind, "1")


def _parameter(written: str, scenario: Scenario, policy: str) -> Factor:
    match = _WRITTEN.fullmatch(written)
    if match is None:
        rule = "must be FIELD=LOW..HIGH, such as market.lock_in=2..5"
        raise InputError(Problem(rule, field="parameter", value=written))
    field, low, high, log = match.groups()
    try:
        return _factor(field, (low, high), log is not None, (scenario, policy))
    except InputError as error:
        told = [problem._replace(file="", line=None) for problem in error.problems]
        raise InputError(
            *(_told(problem, written, field) for problem in told)
        ) from None


def _told(problem: Problem, written: str, field: str) -> Problem:
    """Return a problem with the field that it is about, and the text as typed."""
    where = {"low": "low end: ", "high": "high end: "}.get(problem.field, "")
    rule = f"{field}: {where}{problem.rule}"
    return Problem(rule, field="parameter", value=written, hint=problem.hint)


def _factor(
    field: str, ends: tuple[str, str], is_log: bool, asked: tuple[Scenario, str]
) -> Factor:
    scenario, policy = asked
    if field.partition(".")[0] in OWN:
        rule = "must not be calibrated: it is no property of the firm or its customers"
        raise InputError(Problem(rule, hint="choose a setting such as market.lock_in"))
    key = key_of(field, policy)
    here = setting_of(scenario.spec, key)
    if here is not None and here.value is not None and number_of(here.value) is None:
        raise not_a_number(field)
    setting = Setting(scenario, {}, field, key)
    found = ends_of(setting, here, ends)
    lever, low, high = lever_of(field, key, found, scenario.currency)
    if is_log and low <= 0.0:
        rule = "must be above 0, where the logarithm is even"
        raise InputError(Problem(rule, field="low"))
    return Factor(key, low=low, high=high, is_log=is_log, lever=lever)
