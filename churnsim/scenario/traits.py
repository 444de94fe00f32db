"""What the population is drawn from: traits at birth, in the engine's units."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

from churnsim.scenario.laws import (
    Beta,
    Constant,
    Gamma,
    GammaGamma,
    Lognormal,
    Observed,
)
from churnsim.scenario.measures import (
    Prospects,
    Tenure,
)
from churnsim.scenario.model import Spec
from churnsim.scenario.transactions import Transactions


class TraitKind(IntEnum):
    """Families of traits at birth, and what a, b and c are. Append only."""

    CONSTANT = 0  # a: the value
    GAMMA = 1  # a: shape [-]; b: scale [days]: mean a/b per day
    BETA = 2  # a, b: shapes [-]
    LOGNORMAL = 3  # a: mean [micro-units]; b: cv [-]
    GAMMA_GAMMA = 4  # a: p; b: q [-]; c: v [micro-units]


class TraitLaw(NamedTuple):
    """How one trait is spread over customers, in raw parameters."""

    kind: int  # a TraitKind
    a: float
    b: float = 0.0
    c: float = 0.0


class PopulationSpec(NamedTuple):
    """All that one replication's customers and prospects are drawn from."""

    customers: int | None  # at the start; None: as many as the transactions tell
    prospects: Prospects  # [per day], in all or for each 1000 customers
    tenure: Tenure  # of the starting customers
    history: float  # for how long customers were won before the start [days]
    transactions: Transactions | None  # log of the starting customers
    relationship: str  # "purchase" or "subscription"
    period: float  # between renewals [days]; 0 for purchases
    rate: TraitLaw  # λ [per day]
    dropout: TraitLaw  # p per purchase, θ per renewal [-]
    value: TraitLaw  # per purchase, or per period [micro-units]
    trust_sd: float  # [log-odds]
    horizon: float  # [days]


Trait = Constant[Any] | Gamma | Beta | Lognormal[Any] | GammaGamma


def to_trait(law: Trait) -> TraitLaw:
    """Return a trait's law in raw parameters."""
    if isinstance(law, Constant):
        return TraitLaw(TraitKind.CONSTANT, float(law.mean))
    if isinstance(law, Gamma):
        return TraitLaw(TraitKind.GAMMA, law.shape, law.scale)
    if isinstance(law, Beta):
        return TraitLaw(TraitKind.BETA, law.a, law.b)
    if isinstance(law, Lognormal):
        return TraitLaw(TraitKind.LOGNORMAL, float(law.mean), law.cv)
    return TraitLaw(TraitKind.GAMMA_GAMMA, law.p, law.q, float(law.v))


def trait_mean(trait: TraitLaw) -> float:
    """Return the mean over customers, in the trait's own units."""
    if trait.kind == TraitKind.GAMMA:
        return trait.a / trait.b
    if trait.kind == TraitKind.BETA:
        return trait.a / (trait.a + trait.b)
    if trait.kind == TraitKind.GAMMA_GAMMA:
        return trait.a * trait.c / (trait.b - 1.0)
    return trait.a


def to_population(spec: Spec) -> PopulationSpec:
    """Return what the population is drawn from."""
    population, market = spec.population, spec.market
    dropout = market.dropout
    if isinstance(dropout, Observed):
        # Here, since mistakes are weighed with the compiled model.
        from churnsim.scenario.ordinary import ordinary_dropout

        dropout = ordinary_dropout(spec)
    return PopulationSpec(
        customers=population.customers,
        prospects=population.prospects,
        tenure=population.tenure,
        history=population.history or 0.0,
        transactions=population.transactions,
        relationship=market.relationship,
        period=market.period or 0.0,
        rate=to_trait(market.rate),
        dropout=to_trait(dropout),
        value=to_trait(market.value),
        trust_sd=market.trust_sd,
        horizon=spec.horizon,
    )
