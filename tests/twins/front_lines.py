"""Random setups of the front line: with hours, agents who are people, and messages.

Each changes setups of all sorts in what it is about.
"""

import math

import numpy as np
from hypothesis import strategies as st

from churnsim.mechanisms.hours import WEEK
from churnsim.records import FRONT_DESK, Floats, KindColumn, Strain, WhenClosed
from churnsim.variates import Law, constant, exponential, lognormal
from tests.twins.strategies import (
    CVS,
    WORD_MAX,
    Setup,
    Span,
    setups_within,
    spans,
)


def roster_of(rng: np.random.Generator, span: Span, into_week: float) -> Floats:
    """Return a roster of up to a dozen changes, all of them within the run if short.

    Numbers fall and rise by more than one; half of the rosters have a closed time.
    """
    width = min(span.whole, WEEK)
    parts = width * rng.random(rng.choice((2, 3, 1, 5, 12)))
    if span.grid > 0.0:
        parts = span.grid * np.floor(parts / span.grid)
    since = np.unique((into_week + parts) % WEEK)
    is_closing = rng.random() < 0.5 and len(since) > 1
    staffed = rng.integers(0 if is_closing else 1, 5, len(since))
    busiest = int(rng.integers(len(since)))
    staffed[busiest] = rng.integers(1, 7)
    if is_closing:
        staffed[busiest - 1] = 0
    return np.array([since, staffed], dtype=np.float64).T.copy()


def profile_of(rng: np.random.Generator, span: Span) -> Floats:
    """Return a profile whose first changes lie within the run if it is short.

    Some of its hours are empty; busy time is kept in steps, as that of a scenario is.
    """
    cuts = min(span.whole, WEEK) * rng.random(rng.choice((1, 2, 4, 9)))
    since = np.unique(np.append(0.0, cuts))
    weights = rng.choice((0.0, 0.5, 1.0, 3.0), len(since))
    weights[rng.integers(len(since))] = 1.0
    upto = np.append(0.0, np.cumsum(weights * np.diff(np.append(since, WEEK))))
    busy = np.round(upto * (WEEK / upto[-1]) * 2.0**30) / 2.0**30
    slopes = np.diff(busy) / np.diff(np.append(since, WEEK))
    return np.array([since, slopes, busy[:-1]], dtype=np.float64).T.copy()


@st.composite
def setups_with_hours(
    draw: st.DrawFn, some_spans: st.SearchStrategy[Span] | None = None
) -> Setup:
    """Return setups of all sorts in which at least one desk keeps hours.

    In half of them some hours are busier than others.
    """
    span = draw(spans() if some_spans is None else some_spans)
    setup = draw(setups_within(st.just(span)))
    into_week = draw(st.sampled_from((0.0, 3.375, 6.9, 2.0 / 3.0)))
    if span.grid > 0.0:
        into_week = span.grid * math.floor(into_week / span.grid)
    rng = np.random.default_rng(draw(st.integers(0, WORD_MAX)))
    has_front, has_back = rng.choice(((1, 1), (1, 0), (0, 1)))
    policy = setup.plan.policy
    if has_front:
        policy = policy._replace(front_roster=roster_of(rng, span, into_week))
    if has_back:
        policy = policy._replace(back_roster=roster_of(rng, span, into_week))
    when_closed = int(rng.choice([code.value for code in WhenClosed]))
    if span.is_rushed and when_closed == WhenClosed.GIVE_UP:
        when_closed = WhenClosed.RETURN.value  # else turning up takes no time: no end
    market = setup.plan.market._replace(when_closed=when_closed)
    if rng.random() < 0.5:
        market = market._replace(profile=profile_of(rng, span))
    plan = setup.plan._replace(market=market, policy=policy, into_week=into_week)
    return setup._replace(plan=plan)


def strain_of(rng: np.random.Generator, span: Span) -> Strain:
    """Return strain under which agents quit within the run, learn, and differ."""
    hiring = exponential(float(rng.choice((0.03, 0.2, 1.0))) * span.whole)
    if span.grid > 0.0:
        hiring = constant(span.grid * float(rng.choice((0, 1, 2, 8))))
    return Strain(
        is_on=1,
        quitting=float(rng.choice((0.05, 0.3, 0.0, 2.0))),
        slope=float(rng.choice((0.0, 0.5, 2.0, -0.3))),
        hiring=hiring,
        hiring_cost=int(rng.choice((0, 15_000_000, 1))),
        newcomer=float(rng.choice((0.0, 1.0, 3.0))),
        learning=float(rng.choice((0.5, 3.0, 40.0))),
        accommodating=float(rng.choice((0.5, 0.0, 1.0))),
        warm=float(rng.choice((2.0, 1.0))),
        curt=float(rng.choice((0.0, 1.0))),
    )


@st.composite
def setups_with_people(
    draw: st.DrawFn, some_spans: st.SearchStrategy[Span] | None = None
) -> Setup:
    """Return setups of all sorts in which agents are people; half keep hours."""
    span = draw(spans() if some_spans is None else some_spans)
    has_hours = draw(st.booleans())
    kept = (setups_with_hours if has_hours else setups_within)(st.just(span))
    setup = draw(kept)
    rng = np.random.default_rng(draw(st.integers(0, WORD_MAX)))
    policy = setup.plan.policy._replace(
        quitting=float(rng.choice((1.0, 0.5, 3.0))),
        personality=float(rng.choice((0.0, 0.5, 1.0))),
        composure=float(rng.choice((0.0, 0.6, 1.0))),
    )
    plan = setup.plan._replace(policy=policy, strain=strain_of(rng, span))
    return setup._replace(plan=plan)


@st.composite
def setups_with_messages(
    draw: st.DrawFn, some_spans: st.SearchStrategy[Span] | None = None
) -> Setup:
    """Return setups of all sorts in which some customers write instead of calling.

    Some of them keep hours, in some the agents are people; half have a message desk.
    """
    span = draw(spans() if some_spans is None else some_spans)
    sorts = (setups_within, setups_with_hours, setups_with_people)
    setup: Setup = draw(draw(st.sampled_from(sorts))(st.just(span)))
    rng = np.random.default_rng(draw(st.integers(0, WORD_MAX)))
    market, policy, kinds = (
        setup.plan.market,
        setup.plan.policy,
        setup.plan.kinds.copy(),
    )
    kinds[:, KindColumn.MESSAGE_SHARE] = rng.choice((0.5, 0.0, 0.2, 1.0), len(kinds))
    market = market._replace(
        message_share=float(rng.choice((0.5, 0.1, 1.0))),
        message_patience=law_of(rng, span, (0.03, 0.3, 0.01, 2.0)),
    )
    policy = policy._replace(
        message_agents=int(rng.choice((FRONT_DESK, FRONT_DESK, 1, 2, 0))),
        message_handle=law_of(rng, span, (0.01, 0.03, 0.001, 0.1)),
    )
    if policy.message_agents > 0 and rng.random() < 0.5:
        roster = roster_of(rng, span, setup.plan.into_week)
        policy = policy._replace(message_roster=roster)
    plan = setup.plan._replace(market=market, policy=policy, kinds=kinds)
    return setup._replace(plan=plan)


def law_of(rng: np.random.Generator, span: Span, parts: tuple[float, ...]) -> Law:
    """Return a law of durations above 0: parts of the horizon, or steps of the grid."""
    if span.grid > 0.0:
        return constant(span.grid * float(rng.choice((1, 2, 3, 5, 8))))
    mean = float(rng.choice(parts)) * span.whole
    is_even = rng.random() < 0.5
    return exponential(mean) if is_even else lognormal(mean, float(rng.choice(CVS)))
