"""The whole of a resolved scenario, as validated records."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from churnsim.scenario.fields import (
    DateField,
    Duration,
    Replications,
    Seed,
    Sites,
)
from churnsim.scenario.laws import Closed
from churnsim.scenario.market import (
    Costs,
    Currency,
    Market,
    Mistake,
    Name,
    Population,
    Strain,
    Text,
    Unanswered,
)
from churnsim.scenario.measures import (
    Tenure,
)
from churnsim.scenario.policy import Policy

FLAWLESS = "flawless"  # always run: no mistakes at all
LIST_MAX = 100  # kinds of mistakes, policies
HISTORY = 3652.5  # days: default of population.history


class Spec(Closed):
    """A scenario with every default filled in and every policy complete."""

    title: Text = Field("", description="Free text, shown.")
    currency: Currency = Field(
        "$", description="Symbol that every amount in the file starts with."
    )
    horizon: Duration = Field(description="How long is simulated.")
    start: DateField | None = Field(
        None,
        description="Day on which the simulation begins, at 00:00; default a Monday."
        " Only the day of the week matters, and only to shifts.",
    )
    replications: Replications = Field(
        30, description="How often; below 20, intervals are rough."
    )
    seed: Seed = Field(description="Of all randomness; drawn where absent.")
    sites: Sites = Field(
        1,
        description="Sites of the firm. Each has its own desks, staff, customers and"
        " prospects, as many as the file says; they share the firm's reputation.",
    )
    baseline: Name = Field(
        description="Policy that revenue lost is measured against; default the first."
    )
    policies: Annotated[tuple[Name, ...], Field(min_length=1, max_length=LIST_MAX)] = (
        Field(description="Policies to compare; flawless is always run too.")
    )
    population: Population = Field(description="Who is there, and who may come.")
    market: Market = Field(description="How customers behave.")
    mistakes: Annotated[tuple[Mistake, ...], Field(max_length=LIST_MAX)] = Field(
        (), description="What can go wrong."
    )
    unanswered: Unanswered = Field(
        default_factory=Unanswered,
        description="An ordinary contact that nobody answers.",
    )
    costs: Costs = Field(description="What the firm earns and pays.")
    strain: Strain | None = Field(
        None,
        description="What contacts do to agents; absent: they never tire or learn.",
    )
    # Only those that `policies` lists and flawless: a name is checked there.
    policy: dict[str, Policy] = Field(description="The policies by name, complete.")


def filled(spec: Spec) -> Spec:
    """Return the scenario with the defaults that depend on other settings."""
    market, population = spec.market, spec.population
    if market.relationship == "subscription":
        market = market.model_copy(
            update={
                "exit": market.exit or "at_once",
                "open_spend": 1.0 if market.open_spend is None else market.open_spend,
            }
        )
    elif market.open_spend is None:
        market = market.model_copy(update={"open_spend": 0.0})
    if population.transactions is None and population.starting_tenure is None:
        new = {"starting_tenure": Tenure("new", 0.0)}
        population = population.model_copy(update=new)
    if population.tenure.kind == "stationary" and population.history is None:
        population = population.model_copy(update={"history": HISTORY})
    names = spec.policies
    if FLAWLESS not in names:
        names = (*names, FLAWLESS)
    return spec.model_copy(
        update={"market": market, "population": population, "policies": names}
    )
