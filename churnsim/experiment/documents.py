"""The JSON documents of results, key by key: what `to_json_dict` returns.

These types are the one list of keys. The type checker holds `to_json_dict` to them, and
the schema that `churnsim schema --output` prints is made from them and their comments.
"""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, TypedDict

from churnsim.experiment.attribution.record import Interaction, Segment
from churnsim.experiment.bound import MistakeShare
from churnsim.experiment.control import Controlled
from churnsim.experiment.counterfactuals.record import Fates, Turn
from churnsim.experiment.firm_view import Gap
from churnsim.experiment.intervals import Estimate
from churnsim.experiment.inverse.record import Point, Verdict, Worth
from churnsim.experiment.losses import Loss
from churnsim.experiment.posterior.ignorance import LossUncertainty
from churnsim.experiment.staffing.record import (
    Gain,
    ShiftStaffing,
    Trial,
)
from churnsim.experiment.staffing.record import Verdict as StaffVerdict
from churnsim.experiment.staffing.target import Target
from churnsim.scenario.assumptions import Assumption, Foundation

Pairing = TypedDict(
    "Pairing",
    {
        "from": Annotated[str, "the policy that loses"],
        "to": Annotated[str, "what it is compared with"],
    },
)
WonOnce = TypedDict(
    "WonOnce",
    {
        "from": Annotated[int, "won under it only, over all replications"],
        "to": Annotated[int, "won under it only, over all replications"],
    },
)
Range = TypedDict(
    "Range",
    {
        "from": Annotated[float, "lowest value, in the engine's unit"],
        "to": Annotated[float, "highest value, in the engine's unit"],
    },
)


class Subject(TypedDict):
    """What every result is of."""

    scenario: str  # its name
    scenario_digest: str  # SHA-256 of all that it means
    title: str  # its free text, or its name
    currency: str  # symbol of amounts
    horizon_days: float  # how long is simulated
    seed: int  # of all randomness
    engine: str  # "kernel", "interpreted" or "reference"
    sentence: str  # the answer


class Experiment(Subject):
    """What every result of replications says."""

    replications_asked: int  # or planned, where precision or time decide
    replications_finished: int  # that stand behind all figures
    is_stopped: bool  # interrupted before all was done
    is_rough: bool  # fewer than 20 replications
    assumptions: list[Assumption]  # influential settings of grade D
    warnings: list[str]  # what to keep in mind
    failures: list[str]  # replications that failed, and why


class PolicyDocument(TypedDict):
    """How a policy did."""

    title: str  # in words
    figures: dict[str, Estimate]  # by name; money in units of currency, times in days


class Series(TypedDict):
    """An estimate at each of several places."""

    mean: list[float | None]  # null: no replication has data
    low: list[float | None]  # of the 95 % interval; null: one replication
    high: list[float | None]


class Months(TypedDict):
    """Monthly series of each policy."""

    ends: list[float]  # of the months [days]
    policies: dict[str, dict[str, Series]]  # by policy, then by what is counted


class Waits(TypedDict):
    """The share of people at a desk that waited longer than each of some times."""

    longer_than: list[float]  # [days]
    policies: dict[str, Series]  # by name


class HoursOfDesk(TypedDict):
    """A desk in each of the 168 hours of the week, from Monday 00:00."""

    staffed: list[float]  # people on duty on average, by the schedule
    figures: dict[str, Series]  # of those who joined then; empty of the back desk


class Hours(TypedDict):
    """Both desks by hour of the week, under each policy with opening hours."""

    policies: dict[str, dict[str, HoursOfDesk]]  # by policy, then "front" and "back"


class Origin(TypedDict):
    """What the numbers were made with."""

    results_digest: str  # SHA-256 of all runs
    stream_version: int  # of the random streams
    versions: dict[str, str]  # of libraries


class Sites(TypedDict):
    """How a firm of several sites was run."""

    count: int
    passes: int  # of news between them, the most in any run; 1: nobody had to listen
    runs_per_site: float  # on average, in all passes


class DrawnSetting(TypedDict):
    """A setting that a posterior tells."""

    field: str  # dotted, as --set spells it
    unit: str  # of its values, in words; "1": none


class PosteriorDocument(TypedDict):
    """What is drawn, and how much of each loss's uncertainty that is."""

    scenario: str  # name of what was fitted
    digest: str  # of what was fitted
    policy: str  # under which the firm was observed
    parameters: list[DrawnSetting]
    changed: list[str]  # settings that are not those of the fit
    draws: int  # of the posterior
    draws_effective: float  # of equal weight that tell as much
    draws_used: int  # different ones
    drawn: list[int]  # number of each finished replication's draw, from 1
    sentence: str  # of the dearest loss
    losses: list[LossUncertainty]  # in the order of `losses`


class ControlDocument(TypedDict):
    """What is known of a firm without mistakes, and what follows for the others."""

    expected: float  # its revenue per run in closed form [units of currency]
    estimates: list[Controlled]  # revenue of each policy, and what it loses


class ExplainDocument(Experiment, Pairing):
    """What `churnsim explain --json` prints."""

    measure: str
    replications: list[int]  # those behind the figures, by number
    runs: int  # combinations of levers times replications
    is_exact: bool  # all combinations were run, not a sample
    orders: int | None  # of the levers, sampled; null where all combinations were run
    levers: list[str]  # that differ
    loss: Segment  # everybody's
    interactions: list[Interaction]  # largest first
    segments: list[Segment]


class RunDocument(Experiment):
    """What `churnsim run` and `churnsim extend` print with `--json`."""

    document_version: int  # another one where a reader would go wrong
    command: str  # makes the same numbers again; "" where there is none
    baseline: str  # the policy that losses are measured against
    sentences: dict[str, str]  # by policy
    policies: dict[str, PolicyDocument]  # by name
    losses: list[Loss]  # against baseline and flawless, of each measure
    control: ControlDocument | None  # null: too few replications, or no closed form
    attribution: ExplainDocument | None  # of the dearest loss; null: nobody asked
    firm_view: list[Gap]  # what the firm's dashboard shows, and what is so
    mistake_shares: list[MistakeShare]  # estimated before any run
    foundations: list[Foundation]  # settings whose grade is known
    customers: int  # at the start, in the first run
    sites: NotRequired[Sites]  # only of a firm of several
    posterior: NotRequired[PosteriorDocument]  # only where settings are drawn
    months: Months  # customers, revenue and more, month by month
    waits: dict[str, Waits]  # by desk
    hours: NotRequired[Hours]  # only where a desk has opening hours
    origin: Origin  # what to compare where numbers differ


class CounterfactualsDocument(Experiment, Pairing):
    """What `churnsim counterfactuals --json` prints."""

    fates: Fates  # over all replications
    won_once: WonOnce
    causes: list[Turn]
    necessary: Estimate  # of those lost under "from", the share kept under "to"
    sufficient: Estimate  # of those kept under "to", the share lost under "from"
    necessary_and_sufficient: Estimate  # of all


class EventDocument(TypedDict):
    """An event in a life."""

    days: float  # since the start
    hours: float  # since the start
    when: str  # in words
    event: str
    episode: int  # its address, or the number of a cause
    grievance: float  # as logged [log-odds]
    text: str  # in words


class LifeDocument(TypedDict):
    """A person in one world."""

    policy: str
    is_won: bool  # is or was a customer
    departure_days: float | None  # null: still a customer, or never one
    cause: str  # "none": still a customer, or never one
    micro_revenue: int  # [micro-units]
    micro_make_good: int  # [micro-units]
    episodes: int
    events: list[EventDocument]


class StoryDocument(Subject, Pairing):
    """What `churnsim story --json` prints."""

    customer: int
    replication: int
    is_same: bool  # both lives, in money too
    parted_at_days: float | None  # null: never
    parted_at_event: int | None  # its place in the lives, from 0
    other_course_at_days: float | None  # null: never
    other_course_at_event: int | None  # its place in the lives, from 0
    micro_difference: int  # revenue under "to" less that under "from" [micro-units]
    lives: list[LifeDocument]  # under "from", and under "to"


class BreakevenDocument(Experiment, Range):
    """What `churnsim breakeven --json` prints."""

    policy: str  # that may lose
    against: str
    measure: str
    lever: str  # as it was asked for
    key: str  # as --set spells it
    about: str  # what the lever is
    is_whole: bool  # only whole numbers are values
    tolerance: float  # of what is found, as a share of the range
    verdict: Verdict
    value: float | None  # the breakeven in the engine's unit; null: there is none
    low: float | None  # of its 95 % interval; null: as far down as was searched
    high: float | None  # null: as far up as was searched
    setting: str | None  # the breakeven as --set takes it
    others: list[list[float]]  # between which the loss changes its sign again
    points: list[Point]  # values tried, in order
    worth: Worth | None  # of the whole range; null: its ends were not finished


class StaffDocument(Experiment):
    """What `churnsim staff --json` prints."""

    policy: str  # whose front desk is staffed
    target: Target
    verdict: StaffVerdict
    setting: str | None  # the staffing found as --set takes it; null: there is none
    shifts: list[ShiftStaffing]  # in the order of the roster
    present: Trial  # the staffing as the scenario has it
    found: Trial | None  # the fewest agents; null: there are none, or not known
    revenue: Gain | None  # of the staffing found against the present one
    contribution: Gain | None  # of the staffing found against the present one
    trials: list[Trial]  # all staffings that were run, in that order


def as_dict(document: Any) -> dict[str, Any]:
    """Return a document as a plain dictionary."""
    return {**document}
