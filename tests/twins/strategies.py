"""Random setups: small populations at crowded desks, over the whole space of settings.

Plans and populations are drawn as the engines read them, so that nothing is narrowed by
what a scenario file would allow. Populations are a handful of settings and a number to
start from, which keeps drawing fast and lets a failure shrink.
"""

import math
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from churnsim.mechanisms.clocks import budget
from churnsim.records import (
    Floats,
    Market,
    Plan,
    Policy,
    Population,
    Relationship,
)
from churnsim.streams import Key
from churnsim.variates import (
    Law,
    constant,
    exponential,
    lognormal,
    uniform,
    weibull,
)

# So fast that the gap to the next mistake is lost in rounding: it strikes at once.
AT_ONCE = 2.0**100  # [per day]
GRIDS = (1.0 / 1024.0, 1.0 / 8.0, 1.0)  # [days]
WORD_MAX = 2**32 - 1
NOBODY_WRITES = 0.0  # of those who speak up [-]

HORIZONS = (1.0, 7.0, 30.4375, 365.25, 730.5, 3652.5, 1 / 24, 0.25, 91.3125)
PARTS = (0.01, 0.03, 0.01, 0.03, 1e-3, 1e-5, 0.0, 0.1, 2.0)  # of the horizon [-]
LONG_PARTS = (0.1, 0.03, 0.01, 0.3, 1e-3, 0.0, 2.0, math.inf)
STEPS = (1, 1, 2, 3, 5, 8, 13)  # of a grid
CVS = (0.1, 0.5, 1.0, 3.0)
LIVELY = st.sampled_from((True, True, True, False))


class Setup(NamedTuple):
    """All that an engine is given, but for the books."""

    plan: Plan
    people: Population
    key: Key
    replication: int


class Span(NamedTuple):
    """How long a run lasts, and what kind of run it is."""

    horizon: float  # [days]
    grid: float  # on which all durations lie [days]; 0: none
    is_rushed: bool  # the next mistake or contact comes at once
    is_lively: bool  # no extreme setting shuts off a part of the model

    @property
    def whole(self) -> float:
        """Return the horizon, or a day where that is 0 [days]."""
        return self.horizon if self.horizon > 0.0 else 1.0


@st.composite
def spans(draw: st.DrawFn) -> Span:
    """Return spans: two thirds without a grid, one third with."""
    grid = draw(st.sampled_from((0.0,) * (2 * len(GRIDS)) + GRIDS))
    if grid > 0.0:
        return draw(tied_spans(grid))
    is_lively = draw(LIVELY)
    horizons = HORIZONS if is_lively else (0.0, *HORIZONS)
    return Span(draw(st.sampled_from(horizons)), 0.0, False, is_lively)


@st.composite
def tied_spans(draw: st.DrawFn, grid: float) -> Span:
    """Return spans on a grid, most of them rushed."""
    n_steps = draw(st.sampled_from((40, 24, 40, 10, 1)))
    is_rushed = draw(st.sampled_from((True, True, False)))
    return Span(n_steps * grid, grid, is_rushed, draw(LIVELY))


def shares(*usual: float) -> st.SearchStrategy[float]:
    """Return probabilities [-]: the usual ones half of the time, then any, 0 and 1."""
    some = st.sampled_from(usual or (0.5,))
    return some | some | st.floats(0.0, 1.0, width=32) | st.sampled_from((0.0, 1.0))


def gates(span: Span, *usual: float) -> st.SearchStrategy[float]:
    """Return probabilities [-] that shut off much at 0 or 1: not in a lively span."""
    return st.sampled_from(usual) if span.is_lively else shares(*usual)


def pushes() -> st.SearchStrategy[float]:
    """Return pushes on goodwill from 0 up, and a few below [log-odds]."""
    return st.sampled_from((0.0, 0.3, 1.0, -0.2)) | st.floats(0.0, 2.0, width=32)


@st.composite
def laws(draw: st.DrawFn, mean: float) -> Law:
    """Return the five laws with about this mean."""
    if mean in (0.0, math.inf):
        return constant(mean)
    cv = draw(st.sampled_from(CVS))
    return draw(
        st.sampled_from(
            (
                constant(mean),
                exponential(mean),
                lognormal(mean, cv),
                weibull(mean, cv),
                uniform(0.5 * mean, 1.5 * mean),
                uniform(0.0, 2.0 * mean),
            )
        )
    )


@st.composite
def durations(
    draw: st.DrawFn,
    span: Span,
    parts: tuple[float, ...] = PARTS,
    *,
    is_pace: bool = False,
) -> Law:
    """Return laws of durations: parts of the horizon, or steps of the grid.

    Args:
        span: Its horizon and its grid.
        parts: Means, as parts of the horizon [-].
        is_pace: Whether a rushed customer would run on the spot if it were nothing.
    """
    if span.grid == 0.0:
        return draw(laws(draw(st.sampled_from(parts)) * span.whole))
    steps = STEPS if is_pace and span.is_rushed else (*STEPS, 0)
    return constant(draw(st.sampled_from(steps)) * span.grid)


@st.composite
def kinds_of_mistakes(draw: st.DrawFn, span: Span, *, all_voice: bool) -> Floats:
    """Return tables of one to four kinds of mistakes."""
    n = draw(st.integers(1, 4))
    cuts = sorted(draw(st.lists(shares(), min_size=n - 1, max_size=n - 1)))
    rows = []
    for cut in [*cuts, 1.0]:
        sting = draw(laws(draw(st.sampled_from((0.05, 0.5, 1.5, 4.0)))))
        stake = draw(laws(draw(st.sampled_from((4e6, 2e7, 5e7, 9e8, 0.0)))))
        voice = draw(st.sampled_from((2.0, 50.0, 0.0, -3.0)))
        slope = draw(st.sampled_from((0.0, 0.5, -0.5)))
        tolerance = draw(st.sampled_from((0.0, 0.01, 0.1, 1.0))) * span.whole
        tau = draw(st.sampled_from((0.0, 0.1, 1.0, math.inf))) * span.whole
        fault = draw(shares(0.2, 0.5))
        credit = [draw(pushes()) for _ in range(3)]
        if all_voice:
            voice, slope = 60.0, 0.0
        figures = [fault, voice, slope, *credit, tolerance, tau]
        rows.append([cut, *sting, *stake, *figures, NOBODY_WRITES])
    return np.array(rows, dtype=np.float64)


@st.composite
def markets(draw: st.DrawFn, span: Span) -> Market:
    """Return markets whose customers are busy within the span."""
    step = span.grid if span.grid > 0.0 else 0.7 * span.whole / 16.0
    n_steps = st.sampled_from((4, 1, 2, 8, 16))
    return Market(
        relationship=draw(st.sampled_from((0, 1))),
        period=draw(n_steps) * step,
        exit_at_renewal=draw(st.sampled_from((0, 1))),
        mistake_probability=draw(gates(span, 0.5, 0.9)),
        lock_in=draw(st.sampled_from((1.0, 0.0, 3.0, -2.0, 50.0))),
        stated_to_actual=draw(gates(span, 0.35, 1.0)),
        drift=draw(st.sampled_from((0.0, 0.2, 1.0))),
        delight=draw(shares()),
        spend_sensitivity=draw(st.sampled_from((0.0, 0.07, 1.0))),
        spend_cap=draw(st.sampled_from((1.0, 1.0, 0.0, 0.5, 1.5, 100.0))),
        open_spend=draw(shares(1.0, 0.5)),
        ordinary_rate=draw(st.sampled_from((2.0, 10.0, 0.3, 0.0))) / span.whole,
        ordinary_per_occasion=draw(st.sampled_from((0.0, 0.0, 0.5, 3.0))),
        unanswered_sting=draw(laws(draw(st.sampled_from((0.05, 0.3, 2.0))))),
        memory=draw(durations(span, LONG_PARTS)),
        double=draw(st.sampled_from((1.2, 0.0, 1.0, 3.0))),
        bonding=draw(st.sampled_from((1.0, 0.03, 100.0))) * span.whole,
        buffer=draw(st.sampled_from((0.3, 0.0, 1.0))),
        betrayed_bond=draw(st.sampled_from((0.5, 0.0, 3.0))),
        disclosure=draw(pushes()),
        voice_delay=draw(durations(span, is_pace=True)),
        patience=draw(durations(span, LONG_PARTS, is_pace=True)),
        endurance=draw(durations(span, (0.03, 0.01, *LONG_PARTS))),
        return_delay=draw(durations(span)),
        retry=draw(shares()),
        hoop_sting=draw(pushes()),
        wait_sting=draw(pushes()),
        contact_sting=draw(pushes()),
        apology=draw(pushes()),
        apology_repeat=draw(pushes()),
        blame_sting=draw(pushes()),
        truth_stretch=draw(st.sampled_from((0.0, 1.0, 1.5, 5.0))),
        excuse_believed=draw(shares()),
        excuse_credit=draw(pushes()),
        excuse_sting=draw(pushes()),
        placated=draw(pushes()),
        discovery=draw(shares()),
        lie_sting=draw(pushes()),
        betrayal=draw(pushes()),
        distributive=draw(shares()),
        follow_up_credit=draw(pushes()),
        max_attempts=draw(st.integers(1, 6)),
        told_bad=draw(st.sampled_from((16_500, 5000, 0))),
        told_good=draw(st.sampled_from((0, 2500, 9000))),
        news_period=draw(n_steps) * step,
        news_decay=draw(st.sampled_from((0.0, 1.0, 20.0))) / span.whole,
        influence=draw(st.sampled_from((0.5, 3.0, 0.0, -0.3))),
        conversion=draw(gates(span, 1.0, 0.8)),
        discount=draw(st.sampled_from((0.0, 0.1 / 365.25, 2.0 / span.whole))),
        follow_up_price=draw(st.integers(0, 5_000_000)),
        acquisition_cost=draw(st.integers(0, 90_000_000)),
    )


@st.composite
def policies(draw: st.DrawFn, span: Span) -> Policy:
    """Return policies over all seven levers."""
    statements = sorted((draw(shares(0.2, 0.6)), draw(shares(0.3, 0.7))))
    hoops = [
        [*draw(durations(span, is_pace=True)), draw(gates(span, 0.0, 0.1))]
        for _ in range(draw(st.sampled_from((0, 1, 0, 2, 4))))
    ]
    few = st.sampled_from((1, 1, 2, 3))
    servers = few if span.is_lively else few | st.sampled_from((0, 10, 1000))
    return Policy(
        hoops=np.array(hoops, dtype=np.float64).reshape(len(hoops), 4),
        voice_ease=draw(st.sampled_from((0.0, -1.0, 2.0))),
        notice=draw(gates(span, 0.0, 0.2)),
        agents=draw(servers),
        handle=draw(durations(span, is_pace=True)),
        supervisors=draw(servers),
        approval=draw(durations(span, (0.1, 0.03, 0.3, *PARTS))),
        repair=draw(durations(span)),
        limit=draw(st.sampled_from((1e7, 0.0, 4e7, 0.0, math.inf))),
        leakage=draw(st.sampled_from((0.0, 0.1, 0.4))),
        guidelines=lognormal(1.0, draw(st.sampled_from((0.0, 0.3, 1.5)))),
        truth=statements[0],
        truth_or_excuse=statements[1],
        fob_off=draw(gates(span, 0.0, 0.2)),
        promise=draw(durations(span)),
        contest=draw(gates(span, 0.5)),
        apology=draw(st.sampled_from((0, 1))),
        compensation=draw(st.sampled_from((1.0, 0.5, 1.5, 0.0))),
        follow_up=draw(shares()),
        mistakes=draw(gates(span, 1.0, 2.0) | st.just(0.5)),
        manners=draw(st.sampled_from((1.0, 0.0, 0.7, 2.0))),
    )


@st.composite
def plans(draw: st.DrawFn, span: Span) -> Plan:
    """Return plans; in rushed ones each mistake takes time, or is likely the last."""
    market, policy = draw(markets(span)), draw(policies(span))
    all_voice = False
    if span.is_rushed:
        market, policy = rushed(draw(st.booleans()), market, policy)
        all_voice = market.lock_in > 0.0
        policy = policy._replace(voice_ease=0.0) if all_voice else policy
    kinds = draw(kinds_of_mistakes(span, all_voice=all_voice))
    month = draw(st.sampled_from((365.25 / 12.0, span.whole / 5.0, 0.3 * span.whole)))
    n_months = max(1, math.ceil(span.horizon / month))
    return Plan(market, policy, kinds, span.horizon, month, n_months)


def rushed(is_ordinary: bool, market: Market, policy: Policy) -> tuple[Market, Policy]:
    """Return settings under which mistakes, or ordinary contacts, follow at once.

    Where not all occasions of purchases failed, the first would be the last one. Where
    silent customers hardly ever leave, their mistakes would go on without end.
    """
    if is_ordinary:
        market = market._replace(ordinary_rate=AT_ONCE)
    if market.relationship == Relationship.PURCHASE:
        market = market._replace(mistake_probability=1.0)
        policy = policy._replace(mistakes=max(policy.mistakes, 1.0))
    if market.stated_to_actual < 0.3:
        market = market._replace(lock_in=50.0)
    return market, policy


class Crowd(NamedTuple):
    """A population in a few settings."""

    n_customers: int
    n_prospects: int
    occasions: float  # of a customer within the horizon
    is_alike: bool  # all customers have the same rate
    dropout: float  # p or θ; below 0: each customer's own
    value: float  # per purchase, or per period [micro-units]
    trust_width: float  # [log-odds]
    start: int  # of the numbers


@st.composite
def crowds(draw: st.DrawFn, span: Span) -> Crowd:
    """Return crowds from nobody to about a hundred."""
    many = (12, 16, 20, 24) if span.is_rushed else (20, 30, 40, 60)
    few = () if span.is_lively else (0, 1, 2, 3)
    often = (8.0, 3.0, 20.0) if span.is_lively else (3.0, 1.0, 0.0)
    return Crowd(
        n_customers=draw(st.sampled_from(many + few)),
        n_prospects=draw(st.sampled_from((0, 5, 10, 20, 0, 1, 2))),
        occasions=draw(st.sampled_from(often)),
        is_alike=draw(st.booleans()),
        dropout=draw(st.sampled_from((0.05, 0.0, 0.2, -1.0, 1.0))),
        value=draw(st.sampled_from((3e7, 0.0, 1.0, 123_456.7, 4e8))),
        trust_width=draw(st.sampled_from((0.0, 1.0, 0.0 if span.is_rushed else 6.0))),
        start=draw(st.integers(0, WORD_MAX)),
    )


def population_of(crowd: Crowd, market: Market, span: Span) -> Population:
    """Return the population that a crowd stands for, on the span's grid if any."""
    n = crowd.n_customers + crowd.n_prospects
    u: Floats = np.random.default_rng(crowd.start).random((8, n)) + 2.0**-54
    is_prospect = np.arange(n) >= crowd.n_customers
    arrival = np.where(is_prospect, _on_grid(1.1 * span.whole * u[0], span), 0.0)
    rate = np.full(n, crowd.occasions / span.whole)
    if not crowd.is_alike:
        rate *= 2.0 * u[1]
    dropout = u[2] if crowd.dropout < 0.0 else np.full(n, crowd.dropout)
    if span.is_rushed:
        rate = np.where(u[1] < 0.8, AT_ONCE, rate)
        dropout = np.maximum(dropout, 0.05)  # or a rushed customer has no finite worth
    is_purchase = market.relationship == Relationship.PURCHASE
    if not is_purchase:
        dropout = np.array([budget(x) if x < 1.0 else math.inf for x in dropout])
    phase = _on_grid(market.period * u[3], span) + span.grid
    return Population(
        n_customers=crowd.n_customers,
        begun=np.where(is_prospect, arrival, -_on_grid(2.0 * span.whole * u[0], span)),
        arrival=arrival,
        rate=rate,
        dropout=dropout,
        value=crowd.value * (0.5 + u[4]),
        renewal=np.full(n, math.inf) if is_purchase else arrival + phase,
        budget=np.array([budget(x) for x in u[5].tolist()], dtype=np.float64),
        trust=crowd.trust_width * (u[6] - 0.5),
        choice=np.where(is_prospect, u[7], 0.0),
        mistake=np.array([budget(x) for x in u[6].tolist()], dtype=np.float64),
        contact=np.array([budget(x) for x in u[7].tolist()], dtype=np.float64),
    )


def _on_grid(times: Floats, span: Span) -> Floats:
    """Return times [days] rounded down to the span's grid, if it has one."""
    if span.grid == 0.0:
        return times
    return np.asarray(np.floor(times / span.grid) * span.grid, dtype=np.float64)


@st.composite
def setups_within(draw: st.DrawFn, some_spans: st.SearchStrategy[Span]) -> Setup:
    """Return setups with spans from a strategy."""
    span = draw(some_spans)
    plan = draw(plans(span))
    people = population_of(draw(crowds(span)), plan.market, span)
    words = st.integers(0, WORD_MAX)
    return Setup(plan, people, Key(draw(words), draw(words)), draw(words))


def setups() -> st.SearchStrategy[Setup]:
    """Return setups of all sorts."""
    return setups_within(spans())


def calm_setups() -> st.SearchStrategy[Setup]:
    """Return setups of all sorts in which nothing follows at once."""
    return setups_within(spans().map(lambda span: span._replace(is_rushed=False)))


def tied_setups(grid: float) -> st.SearchStrategy[Setup]:
    """Return setups whose durations are multiples of a grid [days]."""
    return setups_within(tied_spans(grid))


def n_tied(times: Floats, customers: NDArray[np.int64]) -> int:
    """Return how many events fall together with another customer's."""
    order = np.lexsort((customers, times))
    _, moment = np.unique(times[order], return_inverse=True)
    met = np.unique(np.stack((moment, customers[order])), axis=1)[0]
    return int(np.count_nonzero((np.bincount(met) > 1)[moment])) if len(times) else 0
