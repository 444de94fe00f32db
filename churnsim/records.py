"""The vocabulary of the engine: codes, parameter records and their units.

Every field carries its unit and range here and nowhere else. Records are plain named
tuples of numbers, laws and arrays, so that the reference engine and the compiled kernel
read the same object. Time is in days, money in micro-units of the scenario's currency,
pushes on goodwill in log-odds of staying. Section numbers are those of docs/model.md.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.variates import Law

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MICRO = 1_000_000  # micro-units in one unit of currency


class Relationship(IntEnum):
    """How customers are bound to the firm (4.1)."""

    PURCHASE = 0
    SUBSCRIPTION = 1


class Cause(IntEnum):
    """How an episode closed, and so why a customer left (5.4). Never renumbered."""

    NONE = 0  # still a customer
    NATURAL = 1
    SILENT = 2
    GAVE_UP = 3
    ABANDONED = 4
    REFUSED = 5
    SLOW = 6
    BETRAYED = 7
    PLACATED = 8
    SETTLED = 9
    EXHAUSTED = 10


class Statement(IntEnum):
    """What staff say when they cannot settle a case now (7.6)."""

    TRUTH = 0
    EXCUSE = 1
    LIE = 2


class WhenClosed(IntEnum):
    """What a customer does who turns up while the front desk is closed (7.4)."""

    WAIT = 0  # goes in and waits, as long as patience lasts
    GIVE_UP = 1
    RETURN = 2  # turns up again when it opens


class RosterColumn(IntEnum):
    """Columns of a desk's roster: one row for each change in a week."""

    SINCE = 0  # from when on [days since Monday 00:00], in [0, 7), rising
    STAFFED = 1  # servers from then on, a whole number >= 0; some row is above 0


N_ROSTER_COLUMNS = 2
ROUND_THE_CLOCK: Floats = np.zeros((0, N_ROSTER_COLUMNS))  # no change, ever


FRONT_DESK = -1  # of `message_agents`: messages go to the front desk, in one line
AT_ONCE = Law(0, 0.0, 0.0)  # constantly 0


class ProfileColumn(IntEnum):
    """Columns of a profile: one row for each change in the week that time 0 begins."""

    SINCE = 0  # from when on [days since then], rising from 0
    WEIGHT = 1  # busy time that passes in a day [days]; over the week its mean is 1
    BUSY = 2  # busy time that has passed since the week began [days]


N_PROFILE_COLUMNS = 3
EVENLY: Floats = np.zeros((0, N_PROFILE_COLUMNS))  # all hours are alike


class Market(NamedTuple):
    """How customers behave, whatever the firm's policy (sections 4, 5 and 7)."""

    relationship: int  # a Relationship
    period: float  # between renewals [days], > 0; unused by purchases
    exit_at_renewal: int  # 1: one who decides to leave pays until the next renewal
    mistake_probability: float  # q, share of occasions that fail [-], in [0, 1]
    lock_in: float  # [log-odds]
    stated_to_actual: float  # κ [-], in [0, 1]
    drift: float  # β, effect of grievance on ordinary dropout [-], >= 0
    delight: float  # share of delight that acts on behaviour [-], in [0, 1]
    spend_sensitivity: float  # w, effect of grievance on spend [-], >= 0
    spend_cap: float  # largest multiplier of spend [-], >= 0
    open_spend: float  # multiplier of spend while an episode is open [-], in [0, 1]
    ordinary_rate: float  # ordinary contacts [per day], >= 0
    ordinary_per_occasion: float  # ordinary contacts per occasion [-], >= 0
    unanswered_sting: Law  # sting of a contact that nobody answered [log-odds]
    memory: Law  # time until a grievance is forgotten [days]
    double: float  # factor on the sting of a double deviation [-], >= 0
    bonding: float  # time in which a relationship becomes strong [days], > 0
    buffer: float  # share of a sting that a full bond takes off [-], in [0, 1]
    betrayed_bond: float  # what a full bond adds to a betrayal, a factor [-], >= 0
    disclosure: float  # credit for owning up unasked [log-odds]
    voice_delay: Law  # mistake to turning up [days]
    patience: Law  # longest wait accepted at the front desk [days]
    endurance: Law  # longest wait accepted at the back desk [days]
    return_delay: Law  # until a customer turns up again [days]
    retry: float  # probability of turning up again after patience is spent [-]
    hoop_sting: float  # per hoop [log-odds]
    wait_sting: float  # patience spent [log-odds]
    contact_sting: float  # each contact after the first [log-odds]
    apology: float  # credit of a first apology [log-odds]
    apology_repeat: float  # sting of a repeated apology [log-odds]
    blame_sting: float  # a claim fought [log-odds]
    truth_stretch: float  # factor on the zone of tolerance [-], >= 0
    excuse_believed: float  # probability [-]
    excuse_credit: float  # believed [log-odds]
    excuse_sting: float  # not believed [log-odds]
    placated: float  # credit of a lie until it is found out [log-odds]
    discovery: float  # probability that a lie is found out [-]
    lie_sting: float  # a lie found out [log-odds]
    betrayal: float  # trust lost for good by a lie found out [log-odds]
    distributive: float  # w, weight of compensation in a settlement [-], in [0, 1]
    follow_up_credit: float  # a call after the settlement [log-odds]
    max_attempts: int  # attempts in an episode, >= 1
    told_bad: int  # people told by one who leaves [thousandths]
    told_good: int  # people told by one who stays delighted [thousandths]
    news_period: float  # [days], > 0
    news_decay: float  # [per day], >= 0
    influence: float  # of reputation on conversion [-]
    conversion: float  # probability that a prospect is won at reputation 0 [-]
    discount: float  # continuous rate [per day], >= 0
    follow_up_price: int  # a follow-up call [micro-units]
    acquisition_cost: int  # a prospect won [micro-units]
    when_closed: int = 0  # a WhenClosed
    # When customers turn up: (n_changes, N_PROFILE_COLUMNS); no rows: all hours alike.
    profile: Floats = EVENLY
    message_share: float = 0.0  # of ordinary contacts: by message [-], in [0, 1]
    message_patience: Law = AT_ONCE  # longest wait for an answer in writing [days]


class KindColumn(IntEnum):
    """Columns of the table of mistakes: one row a kind (section 7)."""

    CUMULATIVE = 0  # cumulative share of the kinds up to this one [-]; last is 1
    STING_LAW = 1  # law of the sting [log-odds], three columns
    STAKE_LAW = 4  # law of the stake [micro-units], three columns
    AT_FAULT = 7  # probability that the customer is at fault [-]
    VOICE = 8  # [log-odds]
    VOICE_SLOPE = 9  # voice per sting [-]
    HEARD = 10  # credit of the first contact [log-odds]
    SETTLED = 11  # credit of a settlement [log-odds]
    QUICK = 12  # credit of a quick settlement [log-odds]
    TOLERANCE = 13  # zone of tolerance [days]
    TAU = 14  # decay of the quick credit beyond the zone [days]; inf: none
    MESSAGE_SHARE = 15  # of those who speak up: by message [-]


N_KIND_COLUMNS = 16


class Policy(NamedTuple):
    """What the firm does about mistakes: the levers as numbers (section 6)."""

    hoops: Floats  # (n_hoops, 4): law (kind, a, b) [days], give-up probability [-]
    voice_ease: float  # reach: added to speaking up [log-odds]
    notice: float  # reach: share of mistakes that the firm finds first [-]
    agents: int  # speed: servers of the front desk, >= 0; the most of a roster
    handle: Law  # speed: handle time [days]
    supervisors: int  # speed: as agents, of the back desk
    approval: Law  # speed: approval time at the back desk [days]
    repair: Law  # speed: repair time after approval [days]
    limit: float  # authority: largest stake an agent settles alone [micro-units]
    leakage: float  # authority: leakage × share of stakes within the limit [-]
    guidelines: Law  # authority: factor on compensation paid by agents [-], mean 1
    truth: float  # honesty: share of truths [-]
    truth_or_excuse: float  # honesty: share of truths and excuses [-]
    fob_off: float  # honesty: share of cases within authority that are lied to [-]
    promise: Law  # honesty: how far ahead a lie promises [days]
    contest: float  # accountability: probability that a claim at fault is fought [-]
    apology: int  # accountability: 0 or 1
    compensation: float  # make_good: multiple of the stake [-], in [0, 1.5]
    follow_up: float  # make_good: share of settled cases called back [-]
    mistakes: float  # prevention: multiplier of the rate of mistakes [-]
    manners: float  # prevention: multiplier of every sting [-]
    # speed: hours of both desks, (n_changes, N_ROSTER_COLUMNS). Without a change, the
    # number above holds round the clock; with some, the roster alone tells.
    front_roster: Floats = ROUND_THE_CLOCK
    back_roster: Floats = ROUND_THE_CLOCK
    quitting: float = 1.0  # people: factor on the hazard of quitting [-], >= 0
    personality: float = 0.0  # prevention: share of agents hired for their style [-]
    composure: float = 0.0  # prevention: share of the strain's slope taken off [-]
    message_agents: int = FRONT_DESK  # speed: servers of the message desk
    message_roster: Floats = ROUND_THE_CLOCK  # speed: as `front_roster`
    message_handle: Law = AT_ONCE  # speed: handle time of a message [days]


class Strain(NamedTuple):
    """What contacts do to the agents of the front desk (7.11), whatever the policy."""

    is_on: int  # 0: agents never tire and never learn; nothing below counts
    quitting: float  # hazard of quitting per contact with no wrath [-], >= 0
    slope: float  # of the logarithm of that hazard in the customer's grievance [-]
    hiring: Law  # how long a seat is vacant [days]
    hiring_cost: int  # a new agent [micro-units]
    newcomer: float  # what a new agent's first contact takes beyond the usual [-]
    learning: float  # contacts in which that falls to 1/e of it, > 0
    accommodating: float  # share of agents who are so, hired as usual [-]
    warm: float  # factor on quick credit settled on the spot by such a one [-], >= 0
    curt: float  # the same, by any other [-], >= 0


NO_STRAIN = Strain(
    is_on=0,
    quitting=0.0,
    slope=0.0,
    hiring=AT_ONCE,
    hiring_cost=0,
    newcomer=0.0,
    learning=1.0,
    accommodating=1.0,
    warm=1.0,
    curt=1.0,
)


class Traits(NamedTuple):
    """One customer's own constants, drawn at birth (4.1)."""

    rate: float  # λ, occasions [per day]
    dropout: float  # purchase: p [-]; subscription: −log(1 − θ) per renewal [-]
    value: float  # per purchase, or per period [micro-units]
    renewal: float  # subscription: moment of the first renewal [days]


class Goodwill(NamedTuple):
    """What a customer holds for or against the firm (5.1)."""

    grievance: float  # γ [log-odds]; below 0 it is delight
    trust: float  # τ [log-odds]


class Kind(NamedTuple):
    """The figures of one kind of mistake: a row of the table (section 7)."""

    at_fault: float
    voice: float
    voice_slope: float
    heard: float
    settled: float
    quick: float
    tolerance: float
    tau: float
    message_share: float


class Population(NamedTuple):
    """One replication's customers and prospects, the same for every policy (2).

    All arrays have shape (n,). Customers come first, prospects after them.
    """

    n_customers: int  # present at time 0
    begun: Floats  # the relationship, <= 0 for customers [days]; a prospect's arrival
    arrival: Floats  # [days]; 0 for customers, inf for one who is gone already
    rate: Floats  # λ [per day]
    dropout: Floats  # purchase: p; subscription: −log(1 − θ)
    value: Floats  # per purchase, or per period [micro-units]
    renewal: Floats  # first renewal [days]; inf for purchases
    budget: Floats  # dropout budget, mean one [-]
    trust: Floats  # τ at first [log-odds]
    choice: Floats  # prospect's uniform for being won [-]; 0 for customers
    mistake: Floats  # budget of the first mistake, mean one [-]
    contact: Floats  # budget of the first ordinary contact, mean one [-]


class Elsewhere(NamedTuple):
    """What the customers of a firm's other sites tell, and how many they are (7.10)."""

    tellings: Integers  # (n_periods,) bad minus good news [thousandths]
    n_customers: int  # at the start, of all other sites


class Plan(NamedTuple):
    """All that an engine needs besides the population: one policy in one scenario."""

    market: Market
    policy: Policy
    kinds: Floats  # (n_kinds, N_KIND_COLUMNS)
    horizon: float  # runs cover [0, horizon) [days]
    month: float  # width of the monthly series [days]
    n_months: int  # months begun before the horizon, >= 1
    into_week: float = 0.0  # of time 0, since Monday 00:00 [days], in [0, 7)
    strain: Strain = NO_STRAIN
