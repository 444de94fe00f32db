"""Records in which nothing pushes anybody, to be replaced field by field."""

import math

import numpy as np

from churnsim import variates
from churnsim.records import Kind, Market, Policy, Relationship


def neutral_market() -> Market:
    """A market in which nothing pushes anybody."""
    nothing = variates.constant(0.0)
    return Market(
        relationship=int(Relationship.PURCHASE),
        period=30.0,
        exit_at_renewal=0,
        mistake_probability=0.1,
        lock_in=0.0,
        stated_to_actual=1.0,
        drift=0.0,
        delight=0.0,
        spend_sensitivity=0.0,
        spend_cap=1.0,
        open_spend=0.0,
        ordinary_rate=0.0,
        ordinary_per_occasion=0.0,
        unanswered_sting=nothing,
        memory=nothing,
        double=2.0,
        bonding=2.0,
        buffer=0.0,
        betrayed_bond=0.0,
        disclosure=0.0,
        voice_delay=nothing,
        patience=nothing,
        endurance=nothing,
        return_delay=nothing,
        retry=0.0,
        hoop_sting=0.0,
        wait_sting=0.0,
        contact_sting=0.3,
        apology=0.1,
        apology_repeat=0.2,
        blame_sting=0.0,
        truth_stretch=1.0,
        excuse_believed=0.5,
        excuse_credit=0.4,
        excuse_sting=0.7,
        placated=0.5,
        discovery=0.5,
        lie_sting=1.0,
        betrayal=0.25,
        distributive=0.45,
        follow_up_credit=0.0,
        max_attempts=3,
        told_bad=0,
        told_good=0,
        news_period=1.0,
        news_decay=0.1,
        influence=1.0,
        conversion=0.8,
        discount=0.0,
        follow_up_price=0,
        acquisition_cost=0,
    )


def generous_policy() -> Policy:
    """A policy that settles everything on the spot, without an apology."""
    nothing = variates.constant(0.0)
    return Policy(
        hoops=np.zeros((0, 4)),
        voice_ease=0.0,
        notice=0.0,
        agents=1,
        handle=nothing,
        supervisors=1,
        approval=nothing,
        repair=nothing,
        limit=math.inf,
        leakage=0.02,
        guidelines=variates.constant(1.0),
        truth=0.5,
        truth_or_excuse=0.8,
        fob_off=0.0,
        promise=nothing,
        contest=0.0,
        apology=0,
        compensation=1.0,
        follow_up=0.0,
        mistakes=1.0,
        manners=1.0,
    )


def minor_kind() -> Kind:
    """The minor kind of the repurchase table: heard, settled, quick in log-odds."""
    return Kind(0.0, -0.4, 0.5, 0.37, 1.01, 2.10, 1.0, 2.0, 0.0)
