"""The front line as people: wrath, quitting, learning and style (7.11).

The longest-idle agent takes the next customer. A seat is an agent's place at the front
desk: one who quits leaves it vacant until the next is hired.
"""

from typing import NamedTuple

from churnsim.jit import mechanism
from churnsim.mechanisms.hours import change_moment, next_change, staffed_from
from churnsim.primitives import exp
from churnsim.records import Floats, Plan, Policy, Strain
from churnsim.streams import Key, Purpose, uniforms
from churnsim.variates import quantile

STEPS = 256  # of a block number, between attempts
QUITTING = Purpose.QUITTING.value
STYLE = Purpose.STYLE.value
EXPERIENCED = 2**62  # contacts handled by agents who are there at time 0


class Contact(NamedTuple):
    """What of a customer's contact concerns the agent."""

    customer: int
    replication: int
    word: int  # of the episode or the ordinary contact
    attempt: int
    grievance: float  # as the contact begins [log-odds]


@mechanism
def wrath_of(grievance: float) -> float:
    """Return what an agent takes of a customer's grievance, γ⁺ [log-odds]."""
    return grievance if grievance > 0.0 else 0.0


@mechanism
def quit_probability(strain: Strain, policy: Policy, grievance: float) -> float:
    """Return the probability that an agent quits after a contact [-].

    1 − exp(−h), h = quitting·exp(slope·γ⁺): the policy scales the first, composure
    takes its share off the slope.

    Args:
        strain: Uses `quitting` and `slope`.
        policy: Uses `quitting` and `composure`.
        grievance: γ, as the contact begins [log-odds].
    """
    slope = strain.slope * (1.0 - policy.composure)
    hazard = strain.quitting * policy.quitting * exp(slope * wrath_of(grievance))
    return 1.0 - exp(-hazard)


@mechanism
def quits(plan: Plan, key: Key, contact: Contact) -> bool:
    """Return whether an agent quits as a contact ends."""
    u, _ = _uniforms(key, contact)
    return u < quit_probability(plan.strain, plan.policy, contact.grievance)


@mechanism
def hired_at(plan: Plan, key: Key, contact: Contact, now: float) -> float:
    """Return when the seat is filled of one who quits `now` after a contact [days]."""
    _, u = _uniforms(key, contact)
    return now + quantile(plan.strain.hiring, u)


@mechanism
def _uniforms(key: Key, contact: Contact) -> tuple[float, float]:
    block = QUITTING + STEPS * contact.attempt
    return uniforms(key, contact.customer, contact.replication, contact.word, block)


@mechanism
def slowness(strain: Strain, handled: int) -> float:
    """Return the factor on an agent's handle time after so many contacts [-].

    1 + newcomer·exp(−n/learning): the experienced need no more than the usual.
    """
    return 1.0 + strain.newcomer * exp(-handled / strain.learning)


@mechanism
def is_newcomer(strain: Strain, handled: int) -> bool:
    """Return whether an agent still is to handle the first `learning` contacts."""
    return handled < strain.learning


@mechanism
def warmth(plan: Plan, key: Key, replication: int, seat: int, hiring: int) -> float:
    """Return the factor of an agent's style on the quick credit of a settlement [-].

    Args:
        plan: Uses the shares of agents who are accommodating, as usual and by hiring
            for personality, and what either style is worth.
        key: From the scenario's seed.
        replication: Its number.
        seat: The agent's place, from 0.
        hiring: How many have been hired for it before.
    """
    strain = plan.strain
    usual = strain.accommodating
    share = usual + (1.0 - usual) * plan.policy.personality
    u, _ = uniforms(key, seat, replication, hiring, STYLE)
    return strain.warm if u < share else strain.curt


@mechanism
def duty_time(
    roster: Floats, into_week: float, seat: int, since: float, until: float
) -> float:
    """Return for how long a seat is on duty within a time [days].

    Seats come on duty in the order of their numbers, each from a change of staffing
    by which there are more servers than its number.

    Args:
        roster: Of the desk.
        into_week: Of time 0 [days].
        seat: Its number, from 0.
        since, until: The time [days].
    """
    if roster.shape[0] == 0:
        return until - since
    number, total = next_change(roster, into_week, since), 0.0
    while since < until:
        at = change_moment(roster, into_week, number)
        at = at if at < until else until
        if staffed_from(roster, number - 1) > seat:
            total += at - since
        number, since = number + 1, at
    return total
