"""The JSON documents of analyses, key by key: what `to_json_dict` returns."""

from __future__ import annotations

from typing import Literal, TypedDict

from churnsim.analysis.resampling import Index
from churnsim.experiment.intervals import Estimate


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


class RestrictionDocument(TypedDict):
    """What a box says of one factor."""

    factor: str  # its dotted name
    low: float | None  # lowest value inside, in the measure's unit; null: no lower end
    high: float | None  # highest value inside
    without: list[str]  # settings that are outside, of a list of texts
    quasi_p: float  # chance that luck makes the box as dense
    text: str  # in words


class BoxDocument(TypedDict):
    """A box of assumptions."""

    text: str  # in words
    coverage: float  # share of all points of interest that are inside
    density: float  # share of those inside that are of interest
    mass: float  # share of all points that are inside
    points: int  # inside
    unsure: int | None  # of them, on either side by their intervals; null: no intervals
    restrictions: list[RestrictionDocument]  # the surest first


class PeelDocument(TypedDict):
    """A box on the way from all points to the smallest."""

    coverage: float
    density: float
    mass: float
    points: int  # inside
    restricted: int  # factors with an end


class DiscoveryDocument(Analysis):
    """What `churnsim discover --json` prints."""

    verdict: Literal["found", "nowhere", "everywhere", "none", "few"]
    threshold: float  # in the response's unit
    side: Literal["below", "above"]  # that is of interest
    cases: int  # points of interest
    unsure: int | None  # points on either side by their intervals; null: no intervals
    boxes: list[BoxDocument]  # each of the points that those before left
    peels: list[PeelDocument]  # of the first box, from all points to the smallest
    chosen: int | None  # which of the peels the first box was made from


class SideDocument(TypedDict):
    """How one factor is cut into places."""

    factor: str  # its dotted name
    low: list[float]  # where each place begins, or its level, in the measure's unit
    high: list[float]  # where each place ends
    text: list[str]  # each place in words


class CellDocument(TypedDict):
    """The response in one place on both sides."""

    x: int  # place along the x side, from 0
    y: int  # place along the y side, from 0
    value: Estimate  # in the response's unit
    is_sure: bool  # the interval is on one side of zero
    points: int  # behind it


class SurfaceDocument(Analysis):
    """What `churnsim surface --json` prints."""

    x: SideDocument  # from left to right
    y: SideDocument  # from the bottom up
    cells: list[CellDocument]  # those with points
