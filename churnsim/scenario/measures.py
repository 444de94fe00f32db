"""How values of a scenario file are read, checked and written back.

Values are kept in the engine's units: days, rates per day, micro-units of currency.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from pydantic_core import PydanticCustomError, core_schema

from churnsim import units
from churnsim.errors import UnitError

# Limits that no plausible scenario meets; beyond them sums would lose digits.
LOG_ODDS = 100.0  # exp(100) is still far from overflow
FACTOR = 1e6
COUNT = 4_000_000_000  # customers have 32-bit numbers
MONEY = 10**15  # micro-units: a thousand million of any currency
SEED = 2**64 - 1
SITES = 100_000  # so that the sums of all are still counted in 64 bits
CV_MIN, CV_MAX = 1e-4, 100.0  # what `variates` takes

# As a text, and as TOML's own number, which is above all that a float can hold.
INFINITE: tuple[dict[str, Any], ...] = (
    {"const": "inf"},
    {"type": "number", "exclusiveMinimum": sys.float_info.max},
)

Info = core_schema.ValidationInfo
SchemaDict = dict[str, Any]


def refuse(rule: str) -> NoReturn:
    """Raise what a validator must raise, with the rule as its text."""
    raise PydanticCustomError("rule", "{rule}", {"rule": rule})


@dataclass(frozen=True)
class TooLarge:
    """A number in a file that no float can hold."""

    text: str

    def __str__(self) -> str:
        """Return it as written."""
        return self.text


class Contacts(NamedTuple):
    """How often ordinary contacts happen: one of the two is 0."""

    per_day: float
    per_occasion: float


class Staff(NamedTuple):
    """How many people staff a desk: a number, or one that grows with the customers."""

    number: int
    per_thousand: float | None  # of the starting population; then number is 0


class PerThousand(NamedTuple):
    """How many prospects come where it grows with the customers at the start."""

    per_day: float  # for each 1000 of them


Prospects = float | PerThousand  # per day in all, or for each 1000


class Tenure(NamedTuple):
    """How old the starting customers are."""

    kind: str  # "new", "stationary", "renewals" or "time"
    amount: float  # renewals survived, or days


@dataclass(frozen=True, eq=False)
class Measure:
    """How one kind of value is read, bounded and written."""

    read: Callable[[object, str], Any]  # value, currency
    write: Callable[[Any, str], object]
    schema: SchemaDict
    low: float = -math.inf
    high: float = math.inf
    above: float = -math.inf  # an open lower bound
    infinite: bool = False  # inf is a value too
    name: str = ""  # of the quantity, for the laws that it may have

    def __get_pydantic_core_schema__(self, _: Any, __: Any) -> core_schema.CoreSchema:
        """Return what pydantic calls to read and to write."""
        return core_schema.with_info_plain_validator_function(
            self._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(
                self._serialise, info_arg=True, when_used="json"
            ),
        )

    def __get_pydantic_json_schema__(self, _: Any, __: Any) -> SchemaDict:
        """Return the JSON Schema."""
        return self.json_schema()

    def json_schema(self) -> SchemaDict:
        """Return the JSON Schema, with the range where JSON can say it."""
        schema = dict(self.schema)
        if schema.get("type") in {"number", "integer"}:
            if self.low > -math.inf:
                schema["minimum"] = self.low
            if self.high < math.inf:
                schema["maximum"] = self.high
            if self.above > -math.inf:
                schema["exclusiveMinimum"] = self.above
        return {"anyOf": [schema, *INFINITE]} if self.infinite else schema

    def _validate(self, value: object, info: Info) -> Any:
        currency = (info.context or {}).get("currency", "$")
        if self.infinite and value in ("inf", math.inf):
            return math.inf
        try:
            found = self.read(value, currency)
        except UnitError as error:
            refuse(error.problems[0].rule)
        if isinstance(found, int | float):
            self._check_range(found, currency)
            return found + 0 if isinstance(found, int) else found + 0.0  # no −0.0
        return found

    def _check_range(self, found: int | float, currency: str) -> None:
        def text(bound: float) -> str:
            exact = int(bound) if isinstance(found, int) else float(bound)
            return _plain(self.write(exact, currency))

        if isinstance(found, float) and not math.isfinite(found):
            refuse("must be finite")
        if not found > self.above:
            refuse(f"must be above {text(self.above)}")
        if math.isfinite(self.low) and math.isfinite(self.high):
            if not self.low <= found <= self.high:
                refuse(f"must be in [{text(self.low)}, {text(self.high)}]")
        elif not found >= self.low:
            refuse(f"must be at least {text(self.low)}")
        elif not found <= self.high:
            refuse(f"must be at most {text(self.high)}")

    def _serialise(self, value: Any, info: Any) -> object:
        if value == math.inf:
            return "inf"
        return self.write(value, (info.context or {}).get("currency", "$"))


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def same(value: Any, _: str) -> object:
    """Return a value that is written as it is kept."""
    return value


def read_number(value: object, _: str) -> float:
    """Return a number."""
    large_int = isinstance(value, int) and value.bit_length() > 1023
    if large_int or isinstance(value, TooLarge):
        refuse("must be finite; this is too large to represent")
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse("must be a number")
    return float(value)


def read_count(value: object, _: str) -> int:
    """Return a whole number; 1e3 is one too."""
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        refuse("must be a whole number")
    return value


def read_spread(value: object, currency: str) -> float:
    """Return a coefficient of variation, or 0 for none."""
    found = read_number(value, currency)
    if 0 < found < CV_MIN:
        refuse(f"must be 0, or at least {CV_MIN:g}")
    return found


def read_share(value: object, currency: str) -> float:
    """Return a share, written as a number or a percentage."""
    if isinstance(value, str):
        return units.parse_share(value)
    return read_number(value, currency)


def read_text(value: object, rule: str) -> str:
    """Return a text, or refuse with the rule."""
    return value if isinstance(value, str) else refuse(rule)


def read_duration(value: object, _: str) -> float:
    """Return days."""
    rule = f'must be a duration with its unit, such as "6 min"; {units.DURATION_UNITS}'
    return units.parse_duration(read_text(value, rule))


def read_rate(value: object, _: str) -> float:
    """Return a rate per day."""
    rule = f'must be a rate with its unit, such as "12/year"; {units.RATE_UNITS}'
    return units.parse_rate(read_text(value, rule))


def read_money(value: object, currency: str) -> int:
    """Return micro-units."""
    rule = f'must be an amount in quotes, with its currency, such as "{currency}50"'
    return units.parse_money(read_text(value, rule), currency)


def read_pay(value: object, currency: str) -> int:
    """Return micro-units per day."""
    rule = (
        "must be an amount per time in quotes, such as"
        f' "{currency}26.77/hour"; {units.RATE_UNITS}'
    )
    return units.parse_pay(read_text(value, rule), currency)


def read_annual(value: object, _: str) -> float:
    """Return the share per year in a text like '10 %/year'."""
    rule = 'must be a rate per year, such as "10 %/year"'
    share, slash, unit = read_text(value, rule).rpartition("/")
    if not slash or unit.strip() != "year":
        refuse(rule)
    return units.parse_share(share)


def read_contacts(value: object, currency: str) -> Contacts:
    """Return how often ordinary contacts happen."""
    rule = 'must be a rate such as "3/year", or "0.5/occasion"'
    text = read_text(value, rule)
    number, slash, unit = text.rpartition("/")
    if slash and unit.strip() == "occasion":
        contacts = Contacts(0.0, units.parse_share(number))
    elif not slash:
        refuse(rule)
    else:
        contacts = Contacts(read_rate(text, currency), 0.0)
    if min(contacts) < 0:
        refuse("must be at least 0")
    return contacts


def write_contacts(value: Contacts, _: str) -> object:
    """Return contacts as they would be written."""
    if value.per_occasion:
        return f"{value.per_occasion!r}/occasion"
    return units.exact_rate(value.per_day)


PER_THOUSAND_PATTERN = r"\s+per\s+1[,_]?000"
_STAFF_PER_THOUSAND = re.compile(
    rf"\s*({units.NUMBER_PATTERN}){PER_THOUSAND_PATTERN}\s*"
)
_RATE_PER_THOUSAND = re.compile(rf"(.*\S){PER_THOUSAND_PATTERN}\s*", re.DOTALL)
STAFF_MAX = 1_000_000


def read_staff(value: object, currency: str) -> Staff:
    """Return the people of a desk."""
    rule = 'must be a whole number, or a text such as "0.6 per 1000"'
    if isinstance(value, str):
        match = _STAFF_PER_THOUSAND.fullmatch(value)
        ratio = units.parse_share(match[1]) if match else refuse(rule)
        if not 0 <= ratio <= 1000:
            refuse("must be in [0, 1000] per 1000 customers")
        return Staff(0, ratio + 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(rule)
    count = read_count(value, currency)
    if not 0 <= count <= STAFF_MAX:
        refuse(f"must be in [0, {STAFF_MAX}]")
    return Staff(count, None)


def write_staff(value: Staff, _: str) -> object:
    """Return staff as it would be written."""
    ratio = value.per_thousand
    return value.number if ratio is None else f"{ratio!r} per 1000"


def read_prospects(value: object, currency: str) -> Prospects:
    """Return how many people may become customers."""
    match = _RATE_PER_THOUSAND.fullmatch(value) if isinstance(value, str) else None
    rate = read_rate(match[1] if match else value, currency)
    if rate < 0.0:
        refuse("must be at least 0/year")
    return PerThousand(rate + 0.0) if match else rate


def write_prospects(value: Prospects, _: str) -> object:
    """Return prospects as they would be written."""
    if isinstance(value, PerThousand):
        return f"{units.exact_rate(value.per_day)} per 1000"
    return units.exact_rate(value)


def prospects_per_day(prospects: Prospects, n_customers: int) -> float:
    """Return how many prospects come a day.

    Args:
        prospects: As a scenario has them.
        n_customers: At the start.
    """
    if isinstance(prospects, PerThousand):
        return prospects.per_day * n_customers / 1000.0
    return prospects


def read_date(value: object, _: str) -> str:
    """Return a day of the calendar as its ISO text."""
    rule = 'must be a date such as "2026-01-05", without a time'
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    try:
        return dt.date.fromisoformat(read_text(value, rule)).isoformat()
    except ValueError:
        refuse(rule)


def read_tenure(value: object, _: str) -> Tenure:
    """Return the age of the starting customers."""
    rule = 'must be "new", "stationary", renewals survived, or a time such as "2 years"'
    if value in ("new", "stationary"):
        return Tenure(str(value), 0.0)
    if isinstance(value, str):
        days = units.parse_duration(value)
        return Tenure("time", days) if days >= 0 else refuse("must be at least 0 s")
    if isinstance(value, bool) or not isinstance(value, int):
        refuse(rule)
    return (
        Tenure("renewals", value)
        if 0 <= value <= 10**6
        else refuse("must be in [0, 1000000] renewals")
    )


def write_tenure(value: Tenure, _: str) -> object:
    """Return a tenure as it would be written."""
    if value.kind == "time":
        return units.exact_duration(value.amount)
    return int(value.amount) if value.kind == "renewals" else value.kind


def write_duration(days: float, _: str) -> object:
    """Return a duration as it would be written."""
    return units.exact_duration(days)


def write_rate(per_day: float, _: str) -> object:
    """Return a rate as it would be written."""
    return units.exact_rate(per_day)


def write_annual(share: float, _: str) -> object:
    """Return a share per year as it would be written."""
    return f"{units.exact_share(share)}/year"
