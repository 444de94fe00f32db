"""Durations, rates, amounts and shares as people write them, and back again.

Numbers are read as exact fractions and rounded once, so that "60 s" and "1 min" are the
same float. What `exact_*` writes is read back to the same bits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from fractions import Fraction

from churnsim.errors import Problem, UnitError

__all__ = [
    "MICRO",
    "parse_duration",
    "parse_rate",
    "parse_share",
    "parse_money",
    "parse_pay",
    "format_duration",
    "format_money",
    "exact_duration",
    "exact_rate",
    "exact_share",
    "exact_money",
    "exact_pay",
    "year_days",
]

MICRO = 1_000_000  # micro-units in one unit of currency
YEAR = Fraction(1461, 4)  # days
GENERIC_CURRENCY = "¤"  # stands for whatever currency the scenario has

DAYS: dict[str, Fraction] = {
    "s": Fraction(1, 86400),
    "min": Fraction(1, 1440),
    "h": Fraction(1, 24),
    "day": Fraction(1),
    "week": Fraction(7),
    "month": YEAR / 12,
    "year": YEAR,
}
_ALIASES = {
    alias: unit
    for unit, aliases in {
        "s": "s sec second seconds",
        "min": "min minute minutes",
        "h": "h hour hours",
        "day": "d day days",
        "week": "week weeks",
        "month": "month months",
        "year": "year years",
    }.items()
    for alias in aliases.split()
}
DURATION_UNITS = "s, min, h, days, weeks, months or years"
RATE_UNITS = "/s, /min, /hour, /day, /week, /month or /year"
_PLURAL = frozenset({"day", "week", "month", "year"})

_NUMBER_CHARACTERS = 40  # a float needs 25; more only costs time
NUMBER_PATTERN = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
UNIT_PATTERN = "(?:" + "|".join(sorted(_ALIASES, key=len, reverse=True)) + ")"
_NUMBER = re.compile(NUMBER_PATTERN)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_MEASURE = re.compile(rf"({NUMBER_PATTERN})\s*(%?)\s*(/?)\s*([A-Za-z]*)")


def parse_duration(text: str) -> float:
    """Return the days in a text like "6 min", "1.5 h" or "2 years".

    Raises:
        UnitError: If it is no number with a unit of time, or too large.
    """
    rule = f'must be a duration such as "6 min", in {DURATION_UNITS}'
    match = _MEASURE.fullmatch(text.strip())
    if match is None or match[2] or match[3] or match[4] not in _ALIASES:
        raise _error(rule, text)
    return _rounded(_fraction(match[1], text) * DAYS[_ALIASES[match[4]]], text)


def parse_rate(text: str) -> float:
    """Return the rate per day in a text like "12/year" or "9.9 %/month".

    Raises:
        UnitError: If it is no number per unit of time, or too large.
    """
    rule = f'must be a rate such as "12/year", in {RATE_UNITS}'
    match = _MEASURE.fullmatch(text.strip())
    if match is None or not match[3] or match[4] not in _ALIASES:
        raise _error(rule, text)
    number = _fraction(match[1], text) / (100 if match[2] else 1)
    return _rounded(number / DAYS[_ALIASES[match[4]]], text)


def parse_share(text: str) -> float:
    """Return the share in a text like "60 %" or "0.6".

    Raises:
        UnitError: If it is neither a number nor a percentage.
    """
    match = _MEASURE.fullmatch(text.strip())
    if match is None or match[3] or match[4]:
        raise _error('must be a share such as 0.6 or "60 %"', text)
    return _rounded(_fraction(match[1], text) / (100 if match[2] else 1), text)


def parse_money(text: str, currency: str = "$") -> int:
    """Return the micro-units in a text like "$50", "$1,250.50" or "¤50".

    Raises:
        UnitError: If it lacks the currency or is no number.
    """
    rule = f'must be an amount such as "{currency}50"'
    return _half_up(_amount(text, text.strip(), currency, rule) * MICRO, text)


def parse_pay(text: str, currency: str = "$") -> int:
    """Return the micro-units per day in a text like "$26.77/hour" or "$500/year".

    Raises:
        UnitError: If it lacks the currency or the unit of time, or is no number.
    """
    rule = f'must be an amount per time such as "{currency}26.77/hour", in {RATE_UNITS}'
    amount, slash, unit = text.strip().rpartition("/")
    if not slash or unit.strip() not in _ALIASES:
        raise _error(rule, text)
    micro = _amount(text, amount.strip(), currency, rule) * MICRO
    return _half_up(micro / DAYS[_ALIASES[unit.strip()]], text)


def format_duration(days: float) -> str:
    """Return a duration for people: three digits, in the largest unit above 1."""
    if not math.isfinite(days):
        return "for ever" if days > 0 else str(days)
    if days == 0:
        return "0 s"
    unit = next((u for u in reversed(DAYS) if abs(days) >= float(DAYS[u])), "s")
    return _counted(f"{days / float(DAYS[unit]):.3g}", unit)


def format_money(micro: int, currency: str = "$") -> str:
    """Return an amount for people: "$1,234,568", "$12.50", "-$0.40"."""
    sign = "-" if micro < 0 else ""
    micro = abs(micro)
    if micro >= 1000 * MICRO or (micro % MICRO == 0):
        return f"{sign}{currency}{(micro + MICRO // 2) // MICRO:,}"
    cents = (micro + MICRO // 200) // (MICRO // 100)
    if cents == 0 and micro > 0:
        return f"{sign}{currency}{micro / MICRO:.3g}"
    return f"{sign}{currency}{cents // 100:,}.{cents % 100:02d}"


def exact_duration(days: float) -> str:
    """Return the shortest text that `parse_duration` reads as exactly these days."""
    if days == 0:
        return "0 s"
    texts = (_counted(f"{days / float(DAYS[u]):.15g}", u) for u in reversed(DAYS))
    return _shortest(texts, parse_duration, days, f"{days!r} days")


def exact_rate(per_day: float) -> str:
    """Return the shortest text that `parse_rate` reads as exactly this rate."""
    texts = (f"{per_day * float(DAYS[u]):.15g}/{_per(u)}" for u in reversed(DAYS))
    return _shortest(texts, parse_rate, per_day, f"{per_day!r}/day")


def exact_share(share: float) -> str:
    """Return a percentage that `parse_share` reads as exactly this share."""
    return _shortest((f"{share * 100:.15g} %",), parse_share, share, repr(share))


def exact_money(micro: int, currency: str = "$") -> str:
    """Return the text that `parse_money` reads as exactly these micro-units."""
    return currency + _decimal(micro)


def exact_pay(micro_per_day: int, currency: str = "$") -> str:
    """Return the shortest text that `parse_pay` reads as exactly this pay."""
    per_day = Fraction(micro_per_day, MICRO)
    texts = (
        f"{currency}{float(per_day * DAYS[u]):.{n_digits}g}/{_per(u)}"
        for n_digits in (4, 6, 10)
        for u in reversed(DAYS)
    )
    exact = f"{currency}{_decimal(micro_per_day)}/day"
    return _shortest(texts, lambda t: parse_pay(t, currency), micro_per_day, exact)


def year_days() -> float:
    """Return the days of a year: 365.25."""
    return float(YEAR)


def _fraction(number: str, text: str) -> Fraction:
    """Return a number's exact value; refuse what a float cannot hold."""
    if len(number) > _NUMBER_CHARACTERS:
        raise _error(f"must have at most {_NUMBER_CHARACTERS} digits", text)
    size = abs(float(number))
    if size == math.inf:
        raise _error("must be finite; this is too large to represent", text)
    if size == 0 and re.search("[1-9]", re.split("[eE]", number)[0]):
        raise _error("must be 0 or a number that can be represented", text)
    return Fraction(number) if size else Fraction(0)


def _rounded(value: Fraction, text: str) -> float:
    try:
        return float(value)
    except OverflowError:
        raise _error("must be finite; this is too large to represent", text) from None


def _half_up(value: Fraction, text: str) -> int:
    micro = math.floor(value + Fraction(1, 2))
    if abs(micro) >= 2**63:
        raise _error("must fit into 64 bits of micro-units of currency", text)
    return micro


def _amount(text: str, amount: str, currency: str, rule: str) -> Fraction:
    """Return the units of currency in "$50" or "-$50"; either sign of currency."""
    sign = -1 if amount.startswith("-") else 1
    bare = amount.removeprefix("-")
    mark = next((m for m in (currency, GENERIC_CURRENCY) if bare.startswith(m)), None)
    if mark is None:
        raise _error(rule, text)
    number = bare[len(mark) :].strip()
    if _GROUPED.fullmatch(number):
        number = number.replace(",", "")
    if not _NUMBER.fullmatch(number):
        raise _error(rule, text)
    return sign * _fraction(number, text)


def _counted(number: str, unit: str) -> str:
    plural = "s" if unit in _PLURAL and number != "1" else ""
    return f"{number} {unit}{plural}"


def _per(unit: str) -> str:
    return "hour" if unit == "h" else unit


def _decimal(micro: int) -> str:
    whole, part = divmod(abs(micro), MICRO)
    tail = f".{part:06d}".rstrip("0").rstrip(".")
    return f"{'-' if micro < 0 else ''}{whole}{tail}"


def _shortest(
    texts: Iterable[str], parse: Callable[[str], float], value: float, exact: str
) -> str:
    """Return the text with the fewest digits that reads back exactly, else `exact`."""
    reading = (text for text in texts if _reads_as(text, parse, value))
    return min(reading, key=_number_length, default=exact)


def _number_length(text: str) -> int:
    return len(re.split("[ /]", text)[0])


def _reads_as(text: str, parse: Callable[[str], float], value: float) -> bool:
    try:
        return parse(text) == value
    except UnitError:
        return False


def _error(rule: str, text: str) -> UnitError:
    return UnitError(Problem(rule, value=text))
