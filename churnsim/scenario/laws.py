"""Distributions as a scenario file writes them, each in the units of its field.

A plain value stands for a law with that mean: constant, but exponential for memory,
patience and endurance.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from churnsim.scenario.fields import (
    Duration,
    LongDuration,
    Money,
    PositiveDuration,
    Rate,
    Shape,
    Shape1,
    Share,
    Spread,
    Sting,
    refuse,
)

Q = TypeVar("Q")


class Closed(BaseModel):
    """A table that knows all its keys and never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Constant(Closed, Generic[Q]):
    """Always the mean."""

    law: Literal["constant"]
    mean: Q = Field(description="The value.")


class Exponential(Closed, Generic[Q]):
    """No memory: standard deviation = mean."""

    law: Literal["exponential"]
    mean: Q = Field(description="Mean.")


class Lognormal(Closed, Generic[Q]):
    """Skewed, the usual law of handling times and amounts."""

    law: Literal["lognormal"]
    mean: Q = Field(description="Mean.")
    cv: Spread = Field(description="Standard deviation over mean [-].")


class Weibull(Closed, Generic[Q]):
    """Times to an end that grows more (cv < 1) or less (cv > 1) likely with age."""

    law: Literal["weibull"]
    mean: Q = Field(description="Mean.")
    cv: Spread = Field(description="Standard deviation over mean [-].")


class Uniform(Closed, Generic[Q]):
    """Any value between two bounds, equally likely."""

    law: Literal["uniform"]
    low: Q = Field(description="Lowest value.")
    high: Q = Field(description="Highest value, at least `low`.")

    @model_validator(mode="after")
    def _in_order(self) -> Uniform[Q]:
        low: Any = self.low
        if low > self.high:
            refuse("low must not be above high")
        return self


class Gamma(Closed):
    """A customer's own rate: mean shape/scale (BG/NBD's r and α)."""

    law: Literal["gamma"]
    shape: Shape = Field(description="r [-].")
    scale: PositiveDuration = Field(description="α: the mean rate is shape/scale.")


class Beta(Closed):
    """A customer's own probability: mean a/(a + b)."""

    law: Literal["beta"]
    a: Shape = Field(description="First shape [-].")
    b: Shape = Field(description="Second shape [-].")


class GammaGamma(Closed):
    """A customer's own mean value: mean p v/(q − 1) (Fader, Hardie & Lee)."""

    law: Literal["gamma_gamma"]
    p: Shape = Field(description="Shape of a purchase's value [-].")
    q: Shape1 = Field(description="Shape over customers [-]; above 1.")
    v: Money = Field(description="Scale, an amount.")


def _plain_as(law: str) -> BeforeValidator:
    """Return a validator that reads a plain value as the mean of a law."""

    def read(value: object, _: ValidationInfo) -> object:
        infinite = value in ("inf", float("inf"))
        name = "constant" if infinite else law
        return (
            value if isinstance(value, dict | Closed) else {"law": name, "mean": value}
        )

    return BeforeValidator(read)


_BY_LAW = Field(discriminator="law")

DurationLaw = Annotated[
    Constant[Duration]
    | Exponential[Duration]
    | Lognormal[Duration]
    | Weibull[Duration]
    | Uniform[Duration],
    _BY_LAW,
    _plain_as("constant"),
]
LongDurationLaw = Annotated[
    Constant[LongDuration]
    | Exponential[LongDuration]
    | Lognormal[Duration]
    | Weibull[Duration]
    | Uniform[Duration],
    _BY_LAW,
    _plain_as("exponential"),
]
StingLaw = Annotated[
    Constant[Sting]
    | Exponential[Sting]
    | Lognormal[Sting]
    | Weibull[Sting]
    | Uniform[Sting],
    _BY_LAW,
    _plain_as("constant"),
]
MoneyLaw = Annotated[
    Constant[Money]
    | Exponential[Money]
    | Lognormal[Money]
    | Weibull[Money]
    | Uniform[Money],
    _BY_LAW,
    _plain_as("constant"),
]
RateTrait = Annotated[Constant[Rate] | Gamma, _BY_LAW, _plain_as("constant")]
DropoutTrait = Annotated[Constant[Share] | Beta, _BY_LAW, _plain_as("constant")]
ValueTrait = Annotated[
    Constant[Money] | Lognormal[Money] | GammaGamma, _BY_LAW, _plain_as("constant")
]
# Any law of one value, whatever its unit, for those who read laws.
AnyLaw = Constant[Any] | Exponential[Any] | Lognormal[Any] | Weibull[Any] | Uniform[Any]
DurationLaws = (
    Constant[float]
    | Exponential[float]
    | Lognormal[float]
    | Weibull[float]
    | Uniform[float]
)
