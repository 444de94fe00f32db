"""The ends of a search: as given, or as far as a setting can go at all."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

from churnsim.errors import InputError, Problem
from churnsim.experiment.bound import mistake_shares
from churnsim.experiment.inverse.lever import (
    Found,
    number_of,
    setting_of,
    usual_range,
)
from churnsim.scenario import Scenario, load_scenario

End = str | float | int | None
STEPS = 1000  # of a share: as closely as the end of a range of its own is searched


class Setting(NamedTuple):
    """What is searched, and in which scenario."""

    origin: Scenario | str | Path  # what settings are laid over
    settings: dict[str, str]  # that lie over the file's, the same at every value
    field: str  # as it was asked for
    key: str  # as `--set` spells it


def ends_of(
    setting: Setting, here: Found | None, given: tuple[End, End]
) -> list[Found]:
    """Return the setting at both ends of its range.

    A share's own range is from 0 to 1, or as far towards them, in thousandths, as the
    scenario lets it go: probabilities that sum to at most 1 leave less room.

    Args:
        setting: What is searched.
        here: Its value in the scenario; None where there is no such setting.
        given: The ends as asked for; None: its own.

    Raises:
        InputError: A value that there cannot be, or a setting without a range.
    """
    usual = usual_range(here) or (None, None)
    ends: list[Found | None] = []
    for name, text, own in zip(("low", "high"), given, usual, strict=True):
        if text is not None:
            ends.append(_given(setting, name, str(text)))
        elif own is not None and here is not None:
            ends.append(_furthest(setting, name, own, here))
        elif here is None:
            # 0 tells of an unknown key before the range is asked for.
            _given(setting, name, "0")
    known = [end for end in ends if end is not None]
    if len(known) < len(given):
        rule = "must be given with their units: only a share has a range of its own"
        hint = f"for {setting.field}"
        raise InputError(Problem(rule, field="low and high", hint=hint))
    if given == (None, None) and known[0].value == known[1].value:
        raise _stuck(setting)
    return known


def _at(setting: Setting, text: str) -> Found | None:
    """Return the setting at a value.

    Raises:
        InputError: The scenario cannot be so, or observed churn rules it out.
    """
    there = {**setting.settings, setting.key: text}
    scenario = load_scenario(setting.origin, overrides=there)
    mistake_shares(scenario)
    return setting_of(scenario.spec, setting.key)


def _given(setting: Setting, name: str, text: str) -> Found | None:
    try:
        return _at(setting, text)
    except InputError as error:
        raise _refused(setting, name, text, error) from None


def _furthest(setting: Setting, name: str, own: str, here: Found) -> Found | None:
    """Return a share at the end of its range, or as near to it as it can be."""
    try:
        return _at(setting, own)
    except InputError as error:
        refused = error
    value = STEPS * float(number_of(here.value) or 0.0)
    end = STEPS * int(own)
    start, step = (math.ceil(value), 1) if end > value else (math.floor(value), -1)
    found = None
    low, high = 0, abs(end - start)  # steps: below are allowed, from there on refused
    while low < high:
        middle = (low + high) // 2
        try:
            found = _at(setting, str((start + step * middle) / STEPS))
            low = middle + 1
        except InputError:
            high = middle
    if found is None:
        raise _refused(setting, name, own, refused)
    return found


def _refused(setting: Setting, name: str, text: str, error: InputError) -> InputError:
    """Return an error that names the setting and its range, not what nobody typed."""
    problems = []
    for problem in error.problems:
        if problem.file.startswith("--set "):
            problems.append(problem._replace(file=""))
            continue
        rule = (
            f"must be a value that {setting.field} can have; there {_broken(problem)}"
        )
        hint = "narrow the range"
        problems.append(Problem(rule, field=name, value=text, hint=hint))
    return InputError(*problems)


def _stuck(setting: Setting) -> InputError:
    """Return the error about a share that no other value can be given by itself."""
    rule = "must be able to change by itself"
    for text in ("0", "1"):
        try:
            _at(setting, text)
        except InputError as error:
            rule += f"; at {text}, {_broken(error.problems[0])}"
    return InputError(Problem(rule, field="lever", value=setting.field))


def _broken(problem: Problem) -> str:
    return f"{problem.field}: {problem.rule}" if problem.field else problem.rule
