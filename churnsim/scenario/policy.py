"""A policy: the seven groups of settings that say what the firm does about mistakes.

Every setting is required once a policy is resolved; files give only what differs from
the policy they extend.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, StrictBool, model_validator

from churnsim.scenario.fields import (
    Factor,
    Leakage,
    LogOdds,
    MoneyOrInf,
    Multiple,
    Pay,
    Share,
    Spread0,
    StaffField,
)
from churnsim.scenario.laws import Closed, DurationLaw
from churnsim.scenario.market import Text
from churnsim.scenario.measures import (
    refuse,
)

HOOPS_MAX = 128  # each has random numbers of its own
SUM_TOLERANCE = 1e-9


class Hoop(Closed):
    """Something to get past before a person answers."""

    time: DurationLaw = Field(description="How long it takes.")
    give_up: Share = Field(description="Probability of giving up at it.")


class Reach(Closed):
    """How easily customers reach the firm."""

    hoops: Annotated[tuple[Hoop, ...], Field(max_length=HOOPS_MAX)] = Field(
        description="What stands before a person answers, in order."
    )
    voice_ease: LogOdds = Field(description="Added to speaking up [log-odds].")
    notice: Share = Field(
        description="Share of mistakes that the firm finds first and owns up to."
    )


class Speed(Closed):
    """Staffing and times of both desks."""

    agents: StaffField = Field(
        description="People at the front desk: round the clock, or in shifts such as"
        ' ["Mon-Fri 09:00-17:00: 12"]; "per 1000" is rounded up, and 0 is nobody.'
    )
    handle: DurationLaw = Field(description="Time of one contact.")
    message_agents: StaffField | None = Field(
        None,
        description="People who answer messages, and nothing else, as `agents`; absent:"
        " the front desk does, in one line with those who call.",
    )
    message_handle: DurationLaw | None = Field(
        None, description="Time of answering one message; default `handle`."
    )
    supervisors: StaffField = Field(description="People at the back desk, as `agents`.")
    approval: DurationLaw = Field(description="A supervisor's time for one case.")
    repair: DurationLaw = Field(description="From approval to settled.")


class Authority(Closed):
    """What agents may settle alone, and what that costs."""

    limit: MoneyOrInf = Field(
        description="Largest stake that an agent settles alone; inf: any."
    )
    leakage: Leakage = Field(
        description="Share of make-good lost to unfounded claims and over-paying."
    )
    guidelines: Spread0 = Field(
        description="cv of what agents pay around the compensation; 0: by rule."
    )
    training: Pay = Field(description="Per agent, such as $500/year.")


class Honesty(Closed):
    """What staff say when they cannot settle a case now; the shares sum to 1."""

    truth: Share = Field(description="Share told the truth.")
    excuse: Share = Field(description="Share given an excuse.")
    lie: Share = Field(description="Share lied to.")
    fob_off: Share = Field(
        description="Share of cases within authority that are lied to all the same."
    )
    promise: DurationLaw = Field(description="How far ahead a lie promises.")

    @model_validator(mode="after")
    def _sum_to_one(self) -> Honesty:
        total = self.truth + self.excuse + self.lie
        if abs(total - 1.0) > SUM_TOLERANCE:
            refuse(f"truth, excuse and lie must sum to 1; they sum to {total:.12g}")
        return self


class Accountability(Closed):
    """Whether the firm fights and whether it apologises."""

    contest: Share = Field(
        description="Probability that a claim of a customer at fault is fought."
    )
    apology: StrictBool = Field(description="Whether staff apologise.")


class MakeGood(Closed):
    """What a settlement gives."""

    compensation: Multiple = Field(description="Multiple of the stake, 0 to 1.5.")
    follow_up: Share = Field(description="Share of settled cases called back.")


class Prevention(Closed):
    """How far mistakes are avoided and softened."""

    mistakes: Factor = Field(description="Multiplier of the rate of mistakes.")
    manners: Factor = Field(description="Multiplier of every sting.")
    cost: Pay = Field(description="What that costs, such as $20000/year.")
    personality: Share = Field(
        0.0,
        description="With [strain]: share of curt agents in whose place accommodating"
        " ones are hired.",
    )
    personality_cost: Pay = Field(
        0, description="What hiring for personality costs, such as $20000/year."
    )
    recovery_training: Share = Field(
        0.0,
        description="With [strain]: share of the effect of wrath that training in"
        " recovery takes off.",
    )
    recovery_training_cost: Pay = Field(
        0, description="What that training costs, such as $20000/year."
    )


class People(Closed):
    """What the policy itself means for those who carry it out; only with [strain]."""

    quitting: Factor = Field(1.0, description="Multiplier of the hazard of quitting.")


class Policy(Closed):
    """What the firm does about mistakes."""

    title: Text = Field("", description="Free text, shown.")
    reach: Reach = Field(description="How easily customers reach the firm.")
    speed: Speed = Field(description="Staffing and times of both desks.")
    authority: Authority = Field(description="What agents may settle alone.")
    honesty: Honesty = Field(description="What staff say when they cannot settle.")
    accountability: Accountability = Field(description="Contest and apology.")
    make_good: MakeGood = Field(description="What a settlement gives.")
    prevention: Prevention = Field(description="Fewer and softer mistakes.")
    people: People = Field(
        default_factory=People, description="Only with [strain]: agents and the policy."
    )


LEVERS = tuple(name for name in Policy.model_fields if name != "title")
PEOPLE = "people"  # the group that matters only where agents are people
# Settings of prevention that act on agents alone: of that group, too.
OF_PEOPLE = (
    "personality",
    "personality_cost",
    "recovery_training",
    "recovery_training_cost",
)


def mixture(source: Policy, target: Policy, levers: Sequence[str]) -> Policy:
    """Return a policy with some of its levers as another has them.

    What prevention does for agents (`OF_PEOPLE`) goes with `people`.
    """
    parts = {
        name: getattr(target if name in levers else source, name) for name in LEVERS
    }
    agents = (target if PEOPLE in levers else source).prevention
    own = {key: getattr(agents, key) for key in OF_PEOPLE}
    parts["prevention"] = parts["prevention"].model_copy(update=own)
    return source.model_copy(update=parts)
