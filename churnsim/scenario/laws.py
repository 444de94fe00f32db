"""Distributions as a scenario file writes them, each in the units of its field.

A plain value stands for a law with that mean: constant, but exponential for memory,
patience and endurance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic_core import core_schema

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
)
from churnsim.scenario.measures import (
    Measure,
    refuse,
)

Q = TypeVar("Q")


class Closed(BaseModel):
    """A table that knows all its keys and never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OfQuantity(Closed, Generic[Q]):
    """A law whose values are of one quantity, and which is named after it."""

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Return the name in the JSON Schema, such as "LognormalDuration"."""
        measures = [m for m in get_args(params[0])[1:] if isinstance(m, Measure)]
        return cls.__name__ + "".join(measure.name for measure in measures)


class Constant(OfQuantity[Q]):
    """Always the mean."""

    law: Literal["constant"]
    mean: Q = Field(description="The value.")


class Exponential(OfQuantity[Q]):
    """No memory: standard deviation = mean."""

    law: Literal["exponential"]
    mean: Q = Field(description="Mean.")


class Lognormal(OfQuantity[Q]):
    """Skewed, the usual law of handling times and amounts."""

    law: Literal["lognormal"]
    mean: Q = Field(description="Mean.")
    cv: Spread = Field(description="Standard deviation over mean [-].")


class Weibull(OfQuantity[Q]):
    """Times to an end that grows more (cv < 1) or less (cv > 1) likely with age."""

    law: Literal["weibull"]
    mean: Q = Field(description="Mean.")
    cv: Spread = Field(description="Standard deviation over mean [-].")


class Uniform(OfQuantity[Q]):
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


class Observed(Closed):
    """What mistakes leave of `observed_churn`: derived, so that churn comes out."""

    law: Literal["observed"]
    a: Shape | None = Field(
        None,
        description="First shape of the beta law whose b is derived [-]; absent: all"
        " customers are alike.",
    )


class GammaGamma(Closed):
    """A customer's own mean value: mean p v/(q − 1) (Fader, Hardie & Lee)."""

    law: Literal["gamma_gamma"]
    p: Shape = Field(description="Shape of a purchase's value [-].")
    q: Shape1 = Field(description="Shape over customers [-]; above 1.")
    v: Money = Field(description="Scale, an amount.")


@dataclass(frozen=True, eq=False)
class PlainAs:
    """Lets a plain value stand for a law with that mean; inf is always constant."""

    law: str
    quantity: Any  # of the plain value: a type annotated with its Measure

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Return the laws' own schema behind the reading of plain values."""
        return core_schema.no_info_before_validator_function(
            self._as_law, handler(source)
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the laws' JSON Schema with the plain value beside them."""
        (measure,) = get_args(self.quantity)[1:]
        return {"anyOf": [measure.json_schema(), handler(schema)]}

    def _as_law(self, value: object) -> object:
        if isinstance(value, dict | Closed):
            return value
        infinite = value in ("inf", float("inf"))
        return {"law": "constant" if infinite else self.law, "mean": value}


_BY_LAW = Field(discriminator="law")

DurationLaw = Annotated[
    Constant[Duration]
    | Exponential[Duration]
    | Lognormal[Duration]
    | Weibull[Duration]
    | Uniform[Duration],
    _BY_LAW,
    PlainAs("constant", Duration),
]
LongDurationLaw = Annotated[
    Constant[LongDuration]
    | Exponential[LongDuration]
    | Lognormal[Duration]
    | Weibull[Duration]
    | Uniform[Duration],
    _BY_LAW,
    PlainAs("exponential", LongDuration),
]
StingLaw = Annotated[
    Constant[Sting]
    | Exponential[Sting]
    | Lognormal[Sting]
    | Weibull[Sting]
    | Uniform[Sting],
    _BY_LAW,
    PlainAs("constant", Sting),
]
MoneyLaw = Annotated[
    Constant[Money]
    | Exponential[Money]
    | Lognormal[Money]
    | Weibull[Money]
    | Uniform[Money],
    _BY_LAW,
    PlainAs("constant", Money),
]
RateTrait = Annotated[Constant[Rate] | Gamma, _BY_LAW, PlainAs("constant", Rate)]
DropoutTrait = Annotated[
    Constant[Share] | Beta | Observed, _BY_LAW, PlainAs("constant", Share)
]
ValueTrait = Annotated[
    Constant[Money] | Lognormal[Money] | GammaGamma, _BY_LAW, PlainAs("constant", Money)
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
