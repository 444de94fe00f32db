"""The market part of a scenario: customers, what goes wrong, what things cost."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from churnsim.scenario.fields import (
    AnnualShare,
    Attempts,
    ContactsField,
    Customers,
    Duration,
    Factor,
    LogOdds,
    LongDuration,
    Money,
    Pay,
    People,
    PositiveDuration,
    PositiveFactor,
    PositiveRate,
    ProfileField,
    ProspectsField,
    Rate,
    Share,
    Sting,
    TenureField,
)
from churnsim.scenario.laws import (
    Closed,
    Constant,
    DropoutTrait,
    DurationLaw,
    Exponential,
    Lognormal,
    LongDurationLaw,
    MoneyLaw,
    RateTrait,
    StingLaw,
    ValueTrait,
)
from churnsim.scenario.measures import (
    Contacts,
    Tenure,
    refuse,
)
from churnsim.scenario.profile import Profile
from churnsim.scenario.transactions import TransactionsField

# A name is a cell of every table: no line ends in it, no blank is lost around it.
_INNER = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]"
_OUTER = r"[^\s\x00-\x1f\x7f-\x9f]"
NAME_PATTERN = rf"^{_OUTER}(?:{_INNER}*{_OUTER})?$"


def _printable(name: str) -> str:
    """Return a name that fits into a line, or refuse."""
    if not re.fullmatch(NAME_PATTERN, name):
        refuse(
            "must have no blanks at its ends, and no line breaks or control characters"
        )
    return name


Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1000),
    AfterValidator(_printable),
    Field(json_schema_extra={"pattern": NAME_PATTERN}),
]
Text = Annotated[str, StringConstraints(max_length=10_000)]
Currency = Annotated[str, StringConstraints(pattern=r"^[^\d\s.,+/%-]{1,8}$")]


# Defaults, in the engine's units.
_MEMORY = Exponential[LongDuration].model_construct(law="exponential", mean=86.0)
_PATIENCE = Exponential[LongDuration].model_construct(law="exponential", mean=3 / 1440)
MESSAGE_PATIENCE = Exponential[LongDuration].model_construct(
    law="exponential", mean=2.0
)
_ENDURANCE = Exponential[LongDuration].model_construct(law="exponential", mean=10.0)
_VOICE_DELAY = Exponential[Duration].model_construct(law="exponential", mean=0.5)
_RETURN_DELAY = Exponential[Duration].model_construct(law="exponential", mean=1.0)
_UNANSWERED = Constant[Sting].model_construct(law="constant", mean=0.3)


class Population(Closed):
    """Who is there at the start, and who may come."""

    customers: Customers | None = Field(
        None, description="Customers at the start; absent with `transactions`."
    )
    prospects: ProspectsField = Field(
        0.0,
        description="People who may become customers; in all, or for each 1000"
        " customers at the start.",
    )
    starting_tenure: TenureField | None = Field(
        None,
        description="How old the starting customers are: new (default), stationary,"
        " renewals survived, or (purchase) the time since their first purchase.",
    )
    history: PositiveDuration | None = Field(
        None,
        description="Only with `stationary`: for how long customers were won before"
        " the start; default 10 years.",
    )
    transactions: TransactionsField | None = Field(
        None,
        description="Only with purchase: a log of transactions, its path relative to"
        " this file; its customers are the starting population. A table says how to"
        " read it.",
    )

    @property
    def tenure(self) -> Tenure:
        """Return how old the starting customers are, new where nothing is said."""
        return self.starting_tenure or Tenure("new", 0.0)


class WordOfMouth(Closed):
    """What customers tell others, and what that does to prospects."""

    told_bad: People = Field(
        0.0, description="People told by one who leaves after a mistake."
    )
    told_good: People = Field(
        0.0, description="People told by one who stays delighted."
    )
    period: PositiveDuration = Field(1.0, description="How often news travels.")
    decay: Rate = Field(
        12 / 365.25, description="How fast news is forgotten, such as 100 %/month."
    )
    influence: LogOdds = Field(0.0, description="Of reputation on conversion [-].")
    conversion: Share = Field(
        1.0, description="Probability that a prospect is won at reputation 0."
    )


class Market(Closed):
    """How customers behave, whatever the firm's policy."""

    relationship: Literal["purchase", "subscription"] = Field(
        description="How customers are bound: single purchases, or a fee per period."
    )
    rate: RateTrait = Field(
        description="Occasions in which something can go wrong; purchases are such."
    )
    dropout: DropoutTrait = Field(
        description="Probability of leaving with nothing wrong: per purchase, or per"
        " renewal of a subscription."
    )
    value: ValueTrait = Field(description="Revenue per purchase, or per period.")
    period: PositiveDuration | None = Field(
        None, description="Only with subscription: time between renewals."
    )
    exit: Literal["at_once", "at_renewal"] | None = Field(
        None,
        description="Only with subscription: when one who decides to leave goes;"
        " default at_once.",
    )
    observed_churn: PositiveRate | None = Field(
        None,
        description='Churn that the market is known to have, such as "9.9 %/year":'
        " mistakes may not explain more. Changes no result but where dropout has law ="
        ' "observed".',
    )
    observed_under: Name | None = Field(
        None,
        description="Policy under which `observed_churn` was seen; default the"
        " baseline.",
    )
    lock_in: LogOdds = Field(
        1.0, description="Contracts, switching cost, few other places [log-odds]."
    )
    stated_to_actual: Share = Field(
        0.35, description="κ: share of stated intentions that become behaviour."
    )
    trust_sd: Sting = Field(
        0.0, description="Standard deviation of the customers' first trust [log-odds]."
    )
    drift: Factor = Field(0.2, description="β: effect of grievance on dropout [-].")
    delight: Share = Field(
        0.0, description="Share of delight that acts on dropout and spend."
    )
    spend_sensitivity: Factor = Field(
        0.07, description="w: effect of grievance on spend [-]."
    )
    spend_cap: Factor = Field(1.0, description="Largest multiplier of spend [-].")
    open_spend: Share | None = Field(
        None,
        description="Multiplier of spend while an episode is open; default 0 for"
        " purchase, 1 for subscription.",
    )
    ordinary_contacts: ContactsField = Field(
        Contacts(0.0, 0.0),
        description="Questions, orders and changes of one customer: a rate such as"
        ' "3/year", or "0.5/occasion".',
    )
    memory: LongDurationLaw = Field(
        _MEMORY, description="Time until a grievance is forgotten."
    )
    double: Factor = Field(
        1.2, description="Factor on the sting of a second failure not yet forgotten."
    )
    bonding: PositiveDuration = Field(
        365.25, description="Time in which a relationship becomes strong."
    )
    buffer: Share = Field(
        0.0, description="Share of a sting that a full bond takes off."
    )
    betrayed_bond: Factor = Field(
        0.0, description="What a full bond adds to `betrayal`, as a factor [-]."
    )
    disclosure: LogOdds = Field(
        0.3, description="Credit for owning up unasked [log-odds]."
    )
    voice_delay: DurationLaw = Field(
        _VOICE_DELAY, description="From the mistake to turning up."
    )
    patience: LongDurationLaw = Field(
        _PATIENCE, description="Longest wait accepted in line."
    )
    message_share: Share = Field(
        0.0, description="Share of ordinary contacts in writing, not by phone."
    )
    message_patience: LongDurationLaw = Field(
        MESSAGE_PATIENCE, description="Longest wait accepted for a written answer."
    )
    endurance: LongDurationLaw = Field(
        _ENDURANCE, description="Longest wait accepted for the back desk."
    )
    return_delay: DurationLaw = Field(
        _RETURN_DELAY, description="Until a customer turns up again."
    )
    retry: Share = Field(
        0.5, description="Probability of turning up again after patience is spent."
    )
    when_closed: Literal["wait", "give_up", "return"] = Field(
        "wait",
        description="What one does who turns up while the front desk is closed: wait"
        " in line, give up, or return when it opens.",
    )
    profile: ProfileField = Field(
        Profile(),
        description="When customers turn up, against other hours of the week, such as"
        ' ["Mon-Fri 08:00-18:00: 3", "Sat 10:00-14:00: 1"]; absent: at all alike.',
    )
    hoop_sting: LogOdds = Field(0.05, description="Sting of each hoop [log-odds].")
    wait_sting: LogOdds = Field(0.2, description="Patience spent [log-odds].")
    contact_sting: LogOdds = Field(
        0.3, description="Each contact after the first [log-odds]."
    )
    apology: LogOdds = Field(0.1, description="Credit of a first apology [log-odds].")
    apology_repeat: LogOdds = Field(
        0.1, description="Sting of a repeated apology [log-odds]."
    )
    blame_sting: LogOdds = Field(0.5, description="A claim fought [log-odds].")
    truth_stretch: Factor = Field(
        1.5, description="Factor on the zone of tolerance when told the truth [-]."
    )
    excuse_believed: Share = Field(0.5, description="Probability, once excused.")
    excuse_credit: LogOdds = Field(0.4, description="An excuse believed [log-odds].")
    excuse_sting: LogOdds = Field(0.2, description="Not believed [log-odds].")
    placated: LogOdds = Field(
        0.5, description="Credit of a lie until it is found out [log-odds]."
    )
    discovery: Share = Field(0.47, description="Probability that a lie is found out.")
    lie_sting: LogOdds = Field(0.5, description="A lie found out [log-odds].")
    betrayal: LogOdds = Field(
        0.25, description="Trust lost for good by a lie found out [log-odds]."
    )
    distributive: Share = Field(
        0.45, description="w: weight of compensation in a settlement."
    )
    follow_up_credit: LogOdds = Field(
        0.1, description="A call after the settlement [log-odds]."
    )
    max_attempts: Attempts = Field(
        10, description="Contacts after which an episode is exhausted."
    )
    word_of_mouth: WordOfMouth = Field(
        default_factory=WordOfMouth, description="What customers tell others."
    )


class Mistake(Closed):
    """A kind of thing that goes wrong."""

    name: Name = Field(description="Its name in reports.")
    probability: Share = Field(
        description="Share of occasions that fail this way; at most 1 over all kinds."
    )
    sting: StingLaw = Field(description="How much it hurts [log-odds].")
    stake: MoneyLaw = Field(description="What it costs to put right.")
    at_fault: Share = Field(
        0.0, description="Probability that the customer is at fault."
    )
    voice: LogOdds = Field(0.0, description="Speaking up at no sting [log-odds].")
    voice_slope: LogOdds = Field(0.0, description="Voice per sting [-].")
    message_share: Share = Field(
        0.0, description="Share of those who speak up in writing, not by phone."
    )
    heard: LogOdds = Field(description="Credit of the first contact [log-odds].")
    settled: LogOdds = Field(description="Credit of a settlement [log-odds].")
    quick: LogOdds = Field(description="Credit of a quick settlement [log-odds].")
    tolerance: Duration = Field(description="How late still counts as quick.")
    tau: LongDuration = Field(
        description="Decay of the quick credit beyond the tolerance; inf: none."
    )


class Unanswered(Closed):
    """The mistake that an ordinary contact becomes when nobody answers."""

    sting: StingLaw = Field(_UNANSWERED, description="How much it hurts [log-odds].")


class Costs(Closed):
    """What the firm earns and pays, whatever its policy."""

    margin: Share = Field(description="Contribution margin: share of revenue kept.")
    agent_pay: Pay = Field(description="An agent's seat, for the time it is staffed.")
    supervisor_pay: Pay = Field(
        description="A supervisor's seat, staffed round the clock."
    )
    follow_up: Money = Field(0, description="A call after the settlement.")
    acquisition: Money = Field(0, description="A prospect won.")
    discount: AnnualShare = Field(
        0.1, description='Effective annual rate, such as "10 %/year".'
    )


# Defaults of strain.
_HIRING = Lognormal[Duration].model_construct(law="lognormal", mean=45.0, cv=0.5)


class Strain(Closed):
    """What contacts do to the agents of the front desk, one by one."""

    turnover: Rate = Field(
        0.35 / 365.25,
        description="How many of the agents quit where nobody is angry, such as"
        " 35 %/year, for one who handles `contacts_per_year`.",
    )
    contacts_per_year: PositiveFactor = Field(
        12_000.0,
        description="Contacts of one agent in a year, in what `turnover` says.",
    )
    wrath: LogOdds = Field(
        0.5, description="Rise of the hazard of quitting with the grievance taken [-]."
    )
    hiring: DurationLaw = Field(_HIRING, description="How long a seat stays vacant.")
    hiring_cost: Money = Field(0, description="Hiring and training a new agent.")
    newcomer: Factor = Field(
        1.0, description="What the first contact of a new agent takes beyond the usual."
    )
    learning: PositiveFactor = Field(
        500.0, description="Contacts in which that falls to 37 %."
    )
    accommodating: Share = Field(
        0.5, description="Share of agents who are so, hired as usual."
    )
    warm: Factor = Field(
        2.0,
        description="Factor on the credit of a quick settlement on the spot, by an"
        " accommodating agent [-].",
    )
    curt: Factor = Field(0.0, description="The same, by a curt one [-].")
