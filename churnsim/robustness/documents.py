"""The shape of the document that `churnsim robust --json` prints."""

from __future__ import annotations

from typing import TypedDict

from churnsim.experiment.intervals import Estimate


class TallyDocument(TypedDict):
    """What a conclusion came to over the points of the ranges."""

    points: int  # that there can be, and that were run
    kept: int  # the sign is as stated, surely
    turned: int  # the other sign, surely
    unsure: int  # it cannot be told from zero
    turned_mean: int  # of all points: the mean has the other sign, surely or not
    share: float | None  # kept of points; null: no points
    low: float | None  # of its 95 % interval
    high: float | None  # of its 95 % interval


class ConclusionDocument(TypedDict):
    """What one policy loses, and whether that survives, with one word of mouth."""

    word_of_mouth: str  # name of the setting
    told_bad: float  # people told by one who leaves after a mistake
    told_good: float  # people told by one who stays delighted
    is_own: bool  # the scenario says so itself
    policy: str
    stated: Estimate  # lost at the values assumed
    sign: int  # 1: a sure loss; -1: a sure gain; 0: it cannot be told
    tally: TallyDocument | None  # null: nothing is concluded
    box: str | None  # assumptions that turn it together, in words


class TurnDocument(TypedDict):
    """Where one assumption, moved by itself, turns a conclusion's sign."""

    policy: str
    value: str  # of the assumption, with its unit
    distance: float  # from the value assumed, in shares of the range
    is_sure: bool  # at the range's end the other sign can be told from zero


class AssumptionDocument(TypedDict):
    """What moving one assumption through its range does."""

    field: str  # the first of its settings
    keys: list[str]  # all of them, which move together
    grade: str  # "A" to "D"; "": no file grades it
    value: str  # that is assumed, with its unit
    low: str  # where the line begins, with its unit
    high: str  # where it ends
    is_cut: bool  # an end of the range contradicts other settings
    is_log: bool  # distances are of logarithms
    lost_at_low: dict[str, Estimate]  # by policy
    lost_at_high: dict[str, Estimate]  # by policy
    turns: list[TurnDocument]  # at most one a policy, the nearest


class RobustDocument(TypedDict):
    """What `churnsim robust --json` prints."""

    scenario: str  # name
    title: str
    digest: str  # of the scenario
    currency: str
    baseline: str  # that losses are measured against
    measure: str  # what is lost: "revenue" or "contribution"
    per: str  # what an amount is of
    grades: str  # letters of those that are varied
    seed: int
    replications: int  # at each point
    customers: int  # at the start
    points: int  # over the ranges, as asked for
    points_finished: int  # with every word of mouth
    points_refused: dict[str, int]  # that there cannot be, by the rule they break
    points_failed: list[str]  # errors
    is_stopped: bool  # interrupted before all was done
    sentences: list[str]  # the answer, one for each policy
    conclusions: list[ConclusionDocument]  # by word of mouth, the scenario's own first
    assumptions: list[AssumptionDocument]  # moved one at a time
    without_range: list[str]  # settings that could not be varied
    idle: list[str]  # settings that change costs alone
    warnings: list[str]
    command: str  # that makes the same numbers
