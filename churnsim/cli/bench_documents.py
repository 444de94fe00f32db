"""What `churnsim bench` prints with `--json`."""

from __future__ import annotations

from typing import Literal, TypedDict


class SpreadDocument(TypedDict):
    """What repeats of one measurement gave."""

    low: float  # least
    lower: float  # quartile
    median: float
    upper: float  # quartile
    high: float  # largest
    n: int  # repeats


class MachineDocument(TypedDict):
    """What was measured on."""

    system: str  # kernel and kind of processor
    processor: str  # as the system names it; "" where it does not
    cores: int  # this process may use
    versions: dict[str, str]  # of Python, churnsim and what takes part, by name


class BenchSettings(TypedDict):
    """What was asked for."""

    scenario: str  # as it was given
    policy: str  # its name
    customers: int  # of the contestants that are fast
    years: float  # simulated
    rounds: int  # in which the contestants take turns
    checks: int  # replications that answers are compared over
    quick: bool  # nothing is started anew


class AgreementDocument(TypedDict):
    """How the answers of a contestant compare with those of churnsim's kernel."""

    contestant: str  # its name
    rule: Literal["bits", "equal", "law"]  # all arrays, all answers, or all means
    customers: int  # simulated for it
    replications: int  # compared
    events: int | None  # counted by both; null: it counts other ones
    answers: list[str]  # that were compared
    distances: list[float]  # of law: in standard errors, by answer
    bound: float  # of law: more would be another model


class ContestantDocument(TypedDict):
    """How fast a contestant is."""

    name: str
    title: str  # in words
    part: Literal["model", "desk"]  # what it computes
    customers: int  # of the part "model"; callers of the other
    work: float  # years of customers' lives, or calls
    events: int | None  # null: it counts other ones
    seconds: SpreadDocument  # of processor time for all of the work
    speed: SpreadDocument  # work per second
    events_per_second: SpreadDocument | None
    times_kernel: SpreadDocument | None  # kernel's speed over its own, round by round


class StartDocument(TypedDict):
    """A fresh process, from the command to the first result."""

    contestant: str  # its name
    what: Literal["cold", "warm", "empty"]  # nothing compiled, compiled, one customer
    seconds: float  # of the clock
    peak_bytes: int  # resident


class LeftOutDocument(TypedDict):
    """What was not measured."""

    name: str  # of the contestant or measurement
    reason: str


class RatioDocument(TypedDict):
    """A ratio then and now."""

    contestant: str  # its name
    part: Literal["model", "desk"]  # what it computes
    old: float  # how many times as fast the kernel was
    new: float  # how many times as fast it is
    ratio: float  # new over old: above 1 the kernel gained
    low: float  # if both quartiles were against it
    high: float  # if both were for it


class ComparisonDocument(TypedDict):
    """An older document beside this one."""

    file: str  # as it was given
    warnings: list[str]  # why the two may not be comparable
    ratios: list[RatioDocument]  # of the contestants in both


class BenchDocument(TypedDict):
    """What `churnsim bench --json` prints, and keeps as `bench.json`."""

    document_version: int
    sentence: str  # the answer in words
    machine: MachineDocument
    settings: BenchSettings
    agreement: list[AgreementDocument]  # found before anything was timed
    contestants: list[ContestantDocument]  # the kernel first in each part
    starts: list[StartDocument]
    left_out: list[LeftOutDocument]
    comparison: ComparisonDocument | None  # null without --compare
