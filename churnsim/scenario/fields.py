"""The kinds of values that a scenario file holds, as annotated types.

A `Measure` beside a field's type says all of it: unit, range, JSON Schema, and how the
value is read and written.
"""

from __future__ import annotations

import math
from typing import Annotated

from churnsim import units
from churnsim.scenario.measures import (
    CV_MAX,
    CV_MIN,
    FACTOR,
    LOG_ODDS,
    MONEY,
    PER_THOUSAND_PATTERN,
    SEED,
    SITES,
    STAFF_MAX,
    Contacts,
    Measure,
    Prospects,
    SchemaDict,
    Staff,
    Tenure,
    read_annual,
    read_contacts,
    read_count,
    read_date,
    read_duration,
    read_money,
    read_number,
    read_pay,
    read_prospects,
    read_rate,
    read_share,
    read_spread,
    read_tenure,
    same,
    write_annual,
    write_contacts,
    write_duration,
    write_prospects,
    write_rate,
    write_tenure,
)
from churnsim.scenario.profile import (
    PROFILE_SCHEMA,
    Profile,
    read_profile,
    write_profile,
)
from churnsim.scenario.shifts import (
    Roster,
    read_staffing,
    staffing_schema,
    write_staffing,
)


def _pattern(body: str, example: str) -> SchemaDict:
    return {"type": "string", "pattern": rf"^\s*{body}\s*$", "examples": [example]}


_N, _U = units.NUMBER_PATTERN, units.UNIT_PATTERN
_AMOUNT = r"-?[^\d\s.+-]{1,8}\s*[+-]?[\d.][\d.,eE+-]*"
_NUMBER_SCHEMA: SchemaDict = {"type": "number"}
_SHARE_SCHEMA: SchemaDict = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": 1},
        _pattern(rf"{_N}\s*%?", "60 %"),
    ]
}
_DURATION_SCHEMA = _pattern(rf"{_N}\s*{_U}", "6 min")
_RATE_SCHEMA = _pattern(rf"{_N}\s*%?\s*/\s*{_U}", "12/year")
_PROSPECTS_SCHEMA: SchemaDict = {
    "anyOf": [
        _RATE_SCHEMA,
        _pattern(rf"{_N}\s*%?\s*/\s*{_U}{PER_THOUSAND_PATTERN}", "200/year per 1000"),
    ]
}
_MONEY_SCHEMA = _pattern(_AMOUNT, "$50")
_PAY_SCHEMA = _pattern(rf"{_AMOUNT}\s*/\s*{_U}", "$26.77/hour")
_STAFF_SCHEMA: SchemaDict = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": STAFF_MAX},
        _pattern(rf"{_N}{PER_THOUSAND_PATTERN}", "0.6 per 1000"),
    ]
}
_TENURE_SCHEMA: SchemaDict = {
    "anyOf": [
        {"enum": ["new", "stationary"]},
        {"type": "integer", "minimum": 0, "maximum": 10**6},
        _DURATION_SCHEMA,
    ]
}


def _number(low: float, high: float = math.inf, above: float = -math.inf) -> Measure:
    return Measure(read_number, same, _NUMBER_SCHEMA, low, high, above)


def _count(low: int, high: int | float) -> Measure:
    return Measure(read_count, same, {"type": "integer"}, low, high)


def _duration(
    low: float, above: float = -math.inf, *, infinite: bool = False
) -> Measure:
    return Measure(
        read_duration,
        write_duration,
        _DURATION_SCHEMA,
        low=low,
        above=above,
        infinite=infinite,
        name="LongDuration" if infinite else "Duration",
    )


def _money(*, infinite: bool = False) -> Measure:
    return Measure(
        read_money,
        units.exact_money,
        _MONEY_SCHEMA,
        low=0,
        high=MONEY,
        infinite=infinite,
        name="Money",
    )


LogOdds = Annotated[float, _number(-LOG_ODDS, LOG_ODDS)]
Sting = Annotated[
    float, Measure(read_number, same, _NUMBER_SCHEMA, 0, LOG_ODDS, name="Sting")
]
People = Annotated[float, _number(0, 1000)]  # thousandths are kept
Factor = Annotated[float, _number(0, FACTOR)]
PositiveFactor = Annotated[float, _number(0, FACTOR, above=0)]
Shape = Annotated[float, _number(0, FACTOR, above=0)]
Shape1 = Annotated[float, _number(1, FACTOR, above=1)]
Spread = Annotated[float, _number(CV_MIN, CV_MAX)]
Spread0 = Annotated[
    float, Measure(read_spread, same, _NUMBER_SCHEMA, low=0, high=CV_MAX)
]
Multiple = Annotated[float, _number(0, 1.5)]
Share = Annotated[
    float, Measure(read_share, same, _SHARE_SCHEMA, low=0, high=1, name="Share")
]
Leakage = Annotated[float, Measure(read_share, same, _SHARE_SCHEMA, low=0, high=10)]
Duration = Annotated[float, _duration(0)]
LongDuration = Annotated[float, _duration(0, infinite=True)]
PositiveDuration = Annotated[float, _duration(0, above=0)]
Rate = Annotated[
    float,
    Measure(read_rate, write_rate, _RATE_SCHEMA, low=0, name="Rate"),
]
PositiveRate = Annotated[
    float, Measure(read_rate, write_rate, _RATE_SCHEMA, low=0, above=0)
]
ProspectsField = Annotated[
    Prospects, Measure(read_prospects, write_prospects, _PROSPECTS_SCHEMA, low=0)
]
AnnualShare = Annotated[
    float,
    Measure(
        read_annual,
        write_annual,
        _pattern(rf"{_N}\s*%?\s*/\s*year", "10 %/year"),
        low=0,
        high=10,
    ),
]
Money = Annotated[int, _money()]
MoneyOrInf = Annotated[float, _money(infinite=True)]
Pay = Annotated[int, Measure(read_pay, units.exact_pay, _PAY_SCHEMA, low=0, high=MONEY)]
Customers = Annotated[int, _count(0, math.inf)]
Replications = Annotated[int, _count(1, 1_000_000)]
Sites = Annotated[int, _count(1, SITES)]
Seed = Annotated[int, _count(0, SEED)]
Attempts = Annotated[int, _count(1, 1000)]
ContactsField = Annotated[
    Contacts,
    Measure(
        read_contacts,
        write_contacts,
        _pattern(rf"{_N}\s*%?\s*/\s*(?:{_U}|occasion)", "3/year"),
    ),
]
StaffField = Annotated[
    Staff | Roster,
    Measure(read_staffing, write_staffing, staffing_schema(_STAFF_SCHEMA)),
]
ProfileField = Annotated[Profile, Measure(read_profile, write_profile, PROFILE_SCHEMA)]
DateField = Annotated[
    str, Measure(read_date, same, {"type": "string", "format": "date"})
]
TenureField = Annotated[Tenure, Measure(read_tenure, write_tenure, _TENURE_SCHEMA)]
