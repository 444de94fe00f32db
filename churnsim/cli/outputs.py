"""What each command prints with `--json`: the documents that are not results, and all.

Errors are never part of a document: they go to standard error, as without `--json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from churnsim.cli.console import say

if TYPE_CHECKING:
    from churnsim.errors import Problem

# In the order of `documents`, which loads more; a test compares them.
COMMANDS = (
    *(
        "run",
        "extend",
        "explain",
        "counterfactuals",
        "story",
        "breakeven",
        "staff",
        "sweep",
        "status",
        "merge",
        "export",
        "sensitivity",
        "discover",
        "surface",
        "calibrate",
    ),
    *("list", "show", "init", "validate", "fit", "verify", "report", "plot"),
)


class ReadyFile(TypedDict):
    """A ready scenario or policy."""

    name: str  # as it is typed
    title: str  # "" where it has none


class ListDocument(TypedDict):
    """What `churnsim list --json` prints."""

    scenarios: list[ReadyFile]  # that are ready, by name
    policies: list[ReadyFile]  # that are ready, by name


class Grounds(TypedDict):
    """What a value rests on."""

    grade: str  # "A", "B", "C" or "D"
    text: str  # the source, or the reason


class ShowDocument(TypedDict):
    """What `churnsim show --json` prints."""

    kind: Literal["scenario", "policy"]  # of file
    name: str  # of its file, without the suffix
    title: str  # or its name where it has none
    digest: str | None  # SHA-256 of all that a scenario means; null of a policy
    settings: dict[str, Any]  # with defaults, as in a file (see churnsim schema)
    evidence: dict[str, Grounds]  # by dotted key


class ProblemDocument(TypedDict):
    """One thing that is wrong."""

    rule: str  # what must hold
    file: str  # "" where it is in none
    line: int | None  # counted from 1
    field: str  # dotted
    value: str | None  # what was found, as it would stand in a file
    hint: str  # the cure


class CheckedFile(TypedDict):
    """A file that was checked."""

    name: str  # as it was given
    kind: Literal["scenario", "policy"] | None  # null: it cannot be told
    is_valid: bool  # no problem was found
    policies: list[str]  # of a scenario
    warnings: list[str]  # what is allowed but rarely meant
    problems: list[ProblemDocument]  # all of them


class ValidateDocument(TypedDict):
    """What `churnsim validate --json` prints."""

    is_valid: bool  # all files
    files: list[CheckedFile]  # in the order given


class FittedModel(TypedDict):
    """A model fitted by maximum likelihood."""

    params: dict[str, float]  # by the names that the models' authors gave them
    standard_errors: dict[str, float | None]  # null: not known
    log_likelihood: float  # at the maximum
    customers: int  # behind the fit
    converged: bool  # the gradient is zero but for rounding


class FitDocument(TypedDict):
    """What `churnsim fit --json` prints."""

    file: str  # as it was given
    sha256: str  # of the file
    end: str  # last day learnt from
    customers: int  # in the log
    repeat_purchases: int  # of all of them
    currency: str  # symbol of amounts
    bgnbd: FittedModel  # how often, and for how long; times in weeks
    gamma_gamma: FittedModel  # how much [currency]
    correlation: float | None  # of frequency and spend; the model supposes 0
    market: str  # the [market] table as TOML
    warnings: list[str]  # what is unusual about the log
    written: list[str]  # files


class VerifyDocument(TypedDict):
    """What `churnsim verify --json` prints."""

    folder: str  # as it was given
    is_same: bool  # all files and numbers, to the last bit
    is_stopped: bool  # interrupted before all was compared
    runs: int  # in the folder
    runs_checked: int  # made again
    differences: list[str]  # each breaks the promise
    notes: list[str]  # each may explain a difference


class WrittenDocument(TypedDict):
    """What `churnsim init`, `export`, `report` and `plot` print with `--json`."""

    written: list[str]  # files


def say_json(document: Mapping[str, Any]) -> None:
    """Write a document to standard output."""
    say(json.dumps(document, indent=2, allow_nan=False))


def problem_document(problem: Problem) -> ProblemDocument:
    """Return a problem for JSON."""
    from churnsim.errors import shown

    return {
        "rule": problem.rule,
        "file": problem.file,
        "line": problem.line,
        "field": problem.field,
        "value": None if problem.value is None else shown(problem.value),
        "hint": problem.hint,
    }


def documents() -> dict[str, type]:
    """Return the type of each command's document, in the order of the commands."""
    from churnsim.analysis import documents as analyses
    from churnsim.calibration import documents as calibrations
    from churnsim.experiment import documents as results
    from churnsim.sweep import documents as sweeps

    return {
        "run": results.RunDocument,
        "extend": results.RunDocument,
        "explain": results.ExplainDocument,
        "counterfactuals": results.CounterfactualsDocument,
        "story": results.StoryDocument,
        "breakeven": results.BreakevenDocument,
        "staff": results.StaffDocument,
        "sweep": sweeps.SweepDocument,
        "status": sweeps.StatusDocument,
        "merge": sweeps.StatusDocument,
        "export": WrittenDocument,
        "sensitivity": analyses.SensitivityDocument,
        "discover": analyses.DiscoveryDocument,
        "surface": analyses.SurfaceDocument,
        "calibrate": calibrations.CalibrationDocument,
        "list": ListDocument,
        "show": ShowDocument,
        "init": WrittenDocument,
        "validate": ValidateDocument,
        "fit": FitDocument,
        "verify": VerifyDocument,
        "report": WrittenDocument,
        "plot": WrittenDocument,
    }
