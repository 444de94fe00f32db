"""The JSON documents of analyses, key by key: what `to_json_dict` returns."""

from __future__ import annotations

from typing import Literal, TypedDict

from churnsim.analysis.resampling import Index


class Analysis(TypedDict):
    """What every analysis of a sweep says."""

    sweep: str  # its name
    sweep_digest: str  # SHA-256 of all that it means
    title: str  # its free text, or its name
    currency: str  # symbol of amounts
    design: str  # "grid", "list", "latin_hypercube", "sobol", "morris" or "saltelli"
    draws: str  # "common" or "independent"
    outcome: str  # the response is of
    policy: str
    against: str | None  # null: the policy's own outcome is the response
    response: str  # in words
    unit: str  # of the response: "money", "count", "share" or "days"
    per: str  # what amounts are of: "a year per 1,000 customers", "a year", "a run"
    replications: int  # of each point
    points: int  # of the sweep
    points_used: int  # that have a response
    points_unfinished: int
    points_failed: int
    points_absent: int  # without the policies, or without data in a replication
    is_partial: bool  # not all points are behind the answer
    sentence: str  # the answer
    warnings: list[str]  # what to keep in mind


class FactorDocument(TypedDict):
    """How much a factor matters; null is what the design does not tell."""

    factor: str  # its dotted name
    about: str  # what it is
    first: Index | None  # Sobol index alone
    total: Index | None  # Sobol index with all interactions
    estimator: str | None  # of `first`: "saltelli", "grid", "levels" or "ranks"
    mu: Index | None  # mean elementary effect of the whole range [unit]
    mu_star: Index | None  # mean size of it
    sigma: Index | None  # how much it depends on where
    mu_star_noise: float | None  # mu_star that luck alone would make


class SensitivityDocument(Analysis):
    """What `churnsim sensitivity --json` prints."""

    method: Literal["saltelli", "morris", "given_data"]
    verdict: Literal["told", "constant", "noise", "few"]  # only "told" has indices
    mean: float  # of the response over points
    standard_deviation: float | None  # between points, without luck
    noise_share: float | None  # of the averages' variance; null: one replication
    units: int  # base blocks, trajectories or points behind the indices
    units_broken: int  # left out, since a point of theirs is missing
    factors: list[FactorDocument]  # the one that matters most first
