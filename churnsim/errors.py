"""What can go wrong in front of a user, as one tree.

    ChurnsimError
    ├── InputError        2  what the user gave is refused
    │   └── UnitError        a duration, rate or amount that cannot be read
    ├── ResourceError     3  refused before it would exhaust the machine
    ├── StorageError      4  results cannot be written or read
    ├── PartialError      5  some tasks of a run failed
    └── InterruptedRun  130  stopped by the user

Each carries the problems found, one line of text each, and the command's exit code.
"""

from __future__ import annotations

import json
from enum import IntEnum
from typing import ClassVar, NamedTuple

__all__ = [
    "ExitCode",
    "Problem",
    "ChurnsimError",
    "InputError",
    "UnitError",
    "ResourceError",
    "StorageError",
    "PartialError",
    "InterruptedRun",
    "shown",
]

_SHOWN_CHARACTERS = 60  # of a value: enough to recognise it, short of a second line
_SHOWN_PROBLEMS = 50  # of one error: more would scroll the first ones away


class ExitCode(IntEnum):
    """What the command returns to the shell."""

    OK = 0
    BUG = 1  # churnsim itself is wrong
    INPUT = 2
    RESOURCES = 3
    STORAGE = 4
    PARTIAL = 5
    INTERRUPTED = 130


class Problem(NamedTuple):
    """One thing that is wrong: the rule, and where known the place, value and cure."""

    rule: str  # what must hold
    file: str = ""  # as the user would open it
    line: int | None = None  # counted from 1
    field: str = ""  # dotted
    value: object = None  # what was found; None: nothing to show
    hint: str = ""  # the cure

    def __str__(self) -> str:
        """Return `file:line: field: rule; got value; hint`, on one line."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        found = "" if self.value is None else f"got {shown(self.value)}"
        what = "; ".join(part for part in (self.rule, found, self.hint) if part)
        parts = (_printable(where), _printable(self.field), _printable(what))
        return ": ".join(part for part in parts if part)


class ChurnsimError(Exception):
    """Something that the user can mend; its text is ready to be printed."""

    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(self, *problems: Problem | str) -> None:
        super().__init__(*problems)
        self.problems = tuple(
            Problem(problem) if isinstance(problem, str) else problem
            for problem in problems
        )

    def __str__(self) -> str:
        """Return one line for each problem, and a count of those left out."""
        lines = [str(problem) for problem in self.problems[:_SHOWN_PROBLEMS]]
        n_left = len(self.problems) - len(lines)
        return "\n".join([*lines, f"and {n_left} more"] if n_left else lines)


class InputError(ChurnsimError):
    """What the user gave is refused."""

    exit_code = ExitCode.INPUT


class UnitError(InputError, ValueError):
    """A duration, rate, share or amount that cannot be read."""


class ResourceError(ChurnsimError):
    """The request is refused before it would exhaust the machine."""

    exit_code = ExitCode.RESOURCES


class StorageError(ChurnsimError):
    """Results cannot be written or read."""

    exit_code = ExitCode.STORAGE


class PartialError(ChurnsimError):
    """Some tasks of a run failed; the others' results are kept."""

    exit_code = ExitCode.PARTIAL


class InterruptedRun(ChurnsimError):  # noqa: N818 - nothing is in error
    """The user stopped the run."""

    exit_code = ExitCode.INTERRUPTED


def shown(value: object) -> str:
    """Return a value as it would stand in a file: short, on one line, printable."""
    if isinstance(value, str):
        text = json.dumps(value[: _SHOWN_CHARACTERS + 1], ensure_ascii=False)
    elif isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, dict):
        text = "a table"
    elif isinstance(value, list):
        text = f"an array of {len(value)}"
    elif isinstance(value, int) and value.bit_length() > 200:
        text = "a number of more than 60 digits"
    else:
        text = str(value)
    if len(text) > _SHOWN_CHARACTERS:
        text = f"{text[:_SHOWN_CHARACTERS]}…"
    return _printable(text)


def _printable(text: str) -> str:
    """Return text in which what a terminal would obey is spelled out instead."""
    return "".join(
        mark if mark.isprintable() else mark.encode("unicode_escape").decode("ascii")
        for mark in text
    )
