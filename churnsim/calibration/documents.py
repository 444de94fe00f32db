"""The keys of a calibration's documents, which the type checker holds writers to."""

from __future__ import annotations

from typing import Literal, TypedDict


class ParameterDocument(TypedDict):
    """A parameter as it was fitted; numbers in its unit."""

    field: str  # as `--set` spells it
    unit: str  # of the numbers
    range: list[float]  # low and high end
    prior: Literal["uniform", "log-uniform"]  # over the range
    value: float  # that fits best
    setting: str  # the same as `--set` takes it
    median: float  # of the posterior
    low: float  # of the 95 % interval
    high: float
    left: float  # of the prior's standard deviation, at most 1
    is_idle: bool  # not a single run changed with it


class TargetDocument(TypedDict):
    """A target beside what the best values come to; numbers in its unit."""

    figure: str  # as in the file of targets
    outcome: str | None  # of repurchase
    unit: str  # of the numbers
    source: str  # free text
    observed: float
    error: float  # standard error of the observation
    simulated: float  # at the best values
    simulated_error: float  # Monte Carlo
    z: float  # how many errors, of both, they are apart
    low: float  # 95 % of what the posterior comes to
    high: float


class DirectionDocument(TypedDict):
    """A direction in the cube of ranges, and how well the targets know it."""

    parts: list[float]  # by parameter; their squares add up to 1
    precision: float  # errors that targets move along the whole side of the cube
    left: float  # of the prior's standard deviation, in [0, 1]
    is_determined: bool
    fields: list[str]  # parameters that cannot be told apart along it


class CalibrationDocument(TypedDict):
    """What `churnsim calibrate --json` prints, and calibration.json holds."""

    scenario: str
    title: str
    scenario_digest: str  # SHA-256, with the values as they were
    policy: str  # under which targets were observed
    seed: int
    replications: int  # at each of the values
    values: int  # of all parameters together that were simulated
    runs: int  # in all
    is_partial: bool  # stopped before all were simulated
    sentence: str
    confidence: float  # of all intervals
    draws: int  # of the posterior
    parameters: list[ParameterDocument]
    targets: list[TargetDocument]
    chi_square: float  # of all targets at the best values
    is_determined: bool  # every parameter, apart from the others
    identifiability: list[str]  # in words
    directions: list[DirectionDocument]  # the best determined first
    slopes: list[list[float]]  # errors of each target over each range, whitened
    correlation: list[list[float]]  # of the posterior
    warnings: list[str]


class PosteriorParameter(TypedDict):
    """A parameter of a posterior."""

    field: str
    unit: str


class PosteriorDocument(TypedDict):
    """What posterior.json holds."""

    churnsim: str  # version
    kind: Literal["posterior"]
    scenario: str
    digest: str  # of the scenario that it was fitted on
    policy: str
    parameters: list[PosteriorParameter]
    draws: list[list[str]]  # each a value of every parameter, as `--set` takes it
    weights: list[float] | None  # null: all alike
