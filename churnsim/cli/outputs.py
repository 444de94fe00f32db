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
        "assumptions",
        "robust",
        "sweep",
        "status",
        "merge",
        "export",
        "sensitivity",
        "discover",
        "surface",
        "calibrate",
    ),
    *("list", "show", "init", "validate", "fit", "targets"),
    *("verify", "report", "plot", "bench", "warmup"),
)


class ReadyFile(TypedDict):
    """A ready scenario or policy."""

    name: str  # as it is typed
    title: str  # "" where it has none


class ListDocument(TypedDict):
    """What `churnsim list --json` prints."""

    scenarios: list[ReadyFile]  # that are ready, by name
    policies: list[ReadyFile]  # that are ready, by name


class WarmupDocument(TypedDict):
    """What `churnsim warmup --json` prints."""

    folder: str  # that holds machine code of this version for this machine
    was_ready: bool  # nothing had to be compiled
    seconds: float  # taken; nearly none where it was ready


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
    derived: dict[str, Any]  # settings that follow from others, by dotted key


class GroundDocument(TypedDict):
    """A figure, and what it rests on."""

    keys: list[str]  # settings that it stands in, as `--set` spells them
    value: str  # as a file has it
    grade: str  # "A", "B", "C" or "D"
    basis: str  # "seen": somebody observed it; "assumed": nobody did
    text: str  # the source or the reason in a few words
    sources: list[str]  # in full
    range_of: str  # part of a law or list that the range is of; "": all of it
    low: str | None  # of the plausible range, as `--set` takes it; null: no range
    high: str | None  # its other end
    range_by: str | None  # who gives it: "source" or "ours"
    fixed: str | None  # why there is none: "definition", "choice" or "rest"


class AssumptionsDocument(TypedDict):
    """What `churnsim assumptions --json` prints."""

    scenario: str  # name of its file, without the suffix
    title: str  # or its name where it has none
    digest: str  # SHA-256 of all that it means
    figures: list[GroundDocument]  # the weakest first


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


class FigureDocument(TypedDict):
    """A figure that must come out, and what did."""

    group: str  # as --only names it
    what: str  # is compared
    source: str  # of what is expected
    rule: Literal["near", "within", "above", "at least", "at most"]  # that decides
    expected: float
    allowed: float | None  # largest distance; null: chance alone decides, or the rule
    found: float | None  # null: skipped, or nothing that is a number came out
    standard_error: float | None  # of what was found; 0: no chance in it
    z: float | None  # distance in standard errors; null: it decides nothing
    sample: int  # customers, cases, events or replications; 0: there is none
    unit: str  # of expected, allowed and found; "" where they have none
    verdict: Literal["pass", "fail", "skipped"]
    reason: str  # why it was skipped, or what went wrong


class PackDocument(TypedDict):
    """What the validation pack found."""

    sentence: str  # in words
    is_stopped: bool  # interrupted before all was looked at
    passed: int  # figures
    failed: int  # figures
    skipped: int  # figures
    figures: list[FigureDocument]  # all of them


class ValidateDocument(TypedDict):
    """What `churnsim validate --json` prints."""

    is_valid: bool  # all files, or all figures of the pack
    files: list[CheckedFile]  # in the order given
    pack: PackDocument | None  # null without --all


class FittedModel(TypedDict):
    """A model fitted by maximum likelihood."""

    params: dict[str, float]  # by the names that the models' authors gave them
    standard_errors: dict[str, float | None]  # null: not known
    log_likelihood: float  # at the maximum
    customers: int  # behind the fit
    converged: bool  # the gradient is zero but for rounding


class ExpectedPurchases(TypedDict):
    """What the Pareto/NBD model expects."""

    alive: float  # customers still there at the end
    coming: float  # purchases of all of them in the year after
    held_out: float  # and from the end to the log's last day
    new_alive: float  # share of new customers still there after a year
    new_coming: float  # repeat purchases of a new customer in a year
    new_discounted: float  # and in all, discounted
    discount: float  # what a year takes off


class FittedPeriod(TypedDict):
    """A line of a survival table."""

    period: int  # 0 is the start
    survivors: int  # as given
    fitted: float  # share left
    residual_lifetime: float  # of one left, the next renewal first [periods]


class FittedCohort(TypedDict):
    """The sBG model of a survival table."""

    model: FittedModel  # of who renews
    periods: list[FittedPeriod]  # from the start on
    lifetime: float  # of a new customer, discounted [periods]
    discount: float  # what a period takes off


class FittedLaw(TypedDict):
    """A law of durations fitted by maximum likelihood."""

    law: Literal["weibull", "lognormal"]  # as a scenario names it
    mean: float | None  # [days]; null: too large
    cv: float | None  # standard deviation over mean; null: too large
    mean_error: float | None  # standard error [days]
    cv_error: float | None  # standard error
    params: dict[str, float]  # shape and scale, or median and sigma [days]
    standard_errors: dict[str, float | None]  # null: not known
    log_likelihood: float  # at the maximum
    aic: float  # the law with less fits better
    beyond: float  # share of the law above all durations: extrapolated
    converged: bool  # the gradient is zero but for rounding


class LastingShare(TypedDict):
    """The share that lasts longer than a time."""

    days: float  # the time
    share: float  # Kaplan-Meier: no law supposed
    low: float  # of its 95 % interval
    high: float  # of its 95 % interval
    by_law: list[float]  # in the order of the laws


class FittedDurations(TypedDict):
    """Both laws of durations, the better one first."""

    durations: int  # that say anything
    seen: int  # of them to their end
    laws: list[FittedLaw]  # the better one first
    is_sure: bool  # the order is more than luck
    aic_difference: float  # of the other law over the first
    weight: float  # Akaike's, of the first
    z: float  # Vuong's statistic for the first
    p_value: float  # of z, two-sided
    curve: list[LastingShare]  # where it falls to 90, 75, 50, 25, 10 %


class FitDocument(TypedDict):
    """What `churnsim fit --json` prints; null is what the model has not."""

    file: str  # as it was given
    sha256: str  # of the file
    model: Literal["bg-nbd", "pareto-nbd", "sbg", "durations"]  # that was asked for
    end: str | None  # last day learnt from
    customers: int | None  # in the log, or at the start of the table
    repeat_purchases: int | None  # of all of them
    currency: str | None  # symbol of amounts
    bgnbd: FittedModel | None  # how often, and for how long; times in weeks
    gamma_gamma: FittedModel | None  # how much [currency]
    correlation: float | None  # of frequency and spend; the model supposes 0
    pareto_nbd: FittedModel | None  # as bgnbd, of those who leave at any moment
    expected: ExpectedPurchases | None  # what pareto_nbd expects
    sbg: FittedCohort | None  # who renews
    durations: FittedDurations | None  # how long something takes
    market: str | None  # the [market] table as TOML
    setting: str | None  # or a line of a scenario; null also where it takes none such
    warnings: list[str]  # what is unusual about the data
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
    from churnsim.cli.bench_documents import BenchDocument
    from churnsim.data import documents as evidence
    from churnsim.experiment import documents as results
    from churnsim.robustness import documents as robustness
    from churnsim.sweep import documents as sweeps

    return {
        "run": results.RunDocument,
        "extend": results.RunDocument,
        "explain": results.ExplainDocument,
        "counterfactuals": results.CounterfactualsDocument,
        "story": results.StoryDocument,
        "breakeven": results.BreakevenDocument,
        "staff": results.StaffDocument,
        "assumptions": AssumptionsDocument,
        "robust": robustness.RobustDocument,
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
        "targets": evidence.TargetsDocument,
        "verify": VerifyDocument,
        "report": WrittenDocument,
        "plot": WrittenDocument,
        "bench": BenchDocument,
        "warmup": WarmupDocument,
    }
