"""Units as people write them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnsim import units
from churnsim.errors import ChurnsimError, UnitError


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("6 min", 6 / 1440),
        ("30 s", 30 / 86400),
        ("2h", 2 / 24),
        ("1 day", 1.0),
        ("3 days", 3.0),
        ("4 weeks", 28.0),
        ("1 month", 30.4375),
        ("2 years", 730.5),
        (" 1.5e1 hours ", 0.625),
        (".5 d", 0.5),
        ("0 s", 0.0),
    ],
)
def test_parse_duration__reads_each_unit(text: str, days: float) -> None:
    """A year has 365.25 days, a month a twelfth of it, a week 7."""
    assert units.parse_duration(text) == days


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("60 s", "1 min"),
        ("90 min", "1.5 h"),
        ("48 h", "2 days"),
        ("7 days", "1 week"),
        ("12 months", "1 year"),
        ("0.1 days", "2.4 h"),
        ("4.414 weeks", "30.898 days"),
    ],
)
def test_parse_duration__rounds_once(text: str, same: str) -> None:
    """Two spellings of one duration are the same float."""
    assert units.parse_duration(text) == units.parse_duration(same)


@pytest.mark.parametrize(
    ("text", "per_day"),
    [
        ("12/year", 12 / 365.25),
        ("3 / day", 3.0),
        ("0.5/h", 12.0),
        ("9.9 %/year", 0.099 / 365.25),
        ("100 %/month", 1 / 30.4375),
    ],
)
def test_parse_rate__reads_each_unit(text: str, per_day: float) -> None:
    """Rates are per day; percentages are hundredths."""
    assert units.parse_rate(text) == per_day


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("$50", 50_000_000),
        ("$0.000001", 1),
        ("$0.0000005", 1),
        ("$ 26.77", 26_770_000),
        ("$1,250.50", 1_250_500_000),
        ("-$5", -5_000_000),
        ("¤5", 5_000_000),
        ("$1e3", 1_000_000_000),
    ],
)
def test_parse_money__is_exact_in_micro_units(text: str, micro: int) -> None:
    """Amounts are whole micro-units, half up, with their currency in front."""
    assert units.parse_money(text) == micro


def test_parse_pay__is_per_day() -> None:
    """$26.77 an hour is $642.48 a day, exactly."""
    assert units.parse_pay("$26.77/hour") == 642_480_000
    assert units.parse_pay("€365.25/year", "€") == 1_000_000


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (units.parse_duration, text)
        for text in ("", "6", "min", "6 yaers", "6 %", "six min", "6 min 3 s", "nan s")
    ]
    + [(units.parse_duration, text) for text in ("1e400 s", "1e-400 s", "1e9999999 s")]
    + [(units.parse_rate, text) for text in ("12", "12 year", "12/", "/year", "12/yr")]
    + [(units.parse_share, text) for text in ("", "%", "5 %%", "half", "5 days")]
    + [(units.parse_money, text) for text in ("5", "€5", "$", "$5 a", "$1,25", "$1e30")]
    + [(units.parse_pay, text) for text in ("$5", "5/hour", "$5/lunch", "$/hour")],
)
def test_parse__refuses_in_one_line(parse: object, text: str) -> None:
    """What cannot be read is an error that states a rule and shows the text."""
    assert callable(parse)
    with pytest.raises(UnitError) as caught:
        parse(text)
    (problem,) = caught.value.problems
    assert problem.rule.startswith("must")
    assert problem.value == text


def test_parse__names_the_units_allowed() -> None:
    """A missing unit is answered with the list of units."""
    with pytest.raises(UnitError, match="in s, min, h, days, weeks, months or years"):
        units.parse_duration("6")
    with pytest.raises(UnitError, match="in /s, /min, /hour, /day, /week"):
        units.parse_rate("6")


@given(st.text(max_size=30))
def test_parse__raises_nothing_else(text: str) -> None:
    """Whatever the text, it is read or refused."""
    for parse in (
        units.parse_duration,
        units.parse_rate,
        units.parse_share,
        units.parse_money,
        units.parse_pay,
    ):
        try:
            value = parse(text)
        except ChurnsimError:
            continue
        assert math.isfinite(value)


positive = st.floats(1e-12, 1e12)


@given(positive)
def test_exact__reads_back_to_the_same_bits(value: float) -> None:
    """Whatever is written is read as the same float."""
    assert units.parse_duration(units.exact_duration(value)) == value
    assert units.parse_rate(units.exact_rate(value)) == value
    assert units.parse_share(units.exact_share(value)) == value


@given(st.integers(-(10**18), 10**18))
def test_exact_money__reads_back_to_the_same_amount(micro: int) -> None:
    """Whatever is written is read as the same micro-units."""
    assert units.parse_money(units.exact_money(micro)) == micro
    assert units.parse_pay(units.exact_pay(micro)) == micro


@pytest.mark.parametrize(
    "text", ["6 min", "30 s", "12 h", "3 days", "4.414 weeks", "1 month", "2 years"]
)
def test_exact_duration__finds_the_units_of_the_author(text: str) -> None:
    """Common durations come back as they were written."""
    assert units.exact_duration(units.parse_duration(text)) == text


@pytest.mark.parametrize("text", ["$26.77/hour", "$500/year", "$40/hour", "$0/year"])
def test_exact_pay__finds_the_units_of_the_author(text: str) -> None:
    """Common wages come back as they were written."""
    assert units.exact_pay(units.parse_pay(text)) == text


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (0.0, "0 s"),
        (1.0, "1 day"),
        (6 / 1440, "6 min"),
        (0.5, "12 h"),
        (45.0, "1.48 months"),
        (1e-9, "8.64e-05 s"),
        (math.inf, "for ever"),
    ],
)
def test_format_duration__has_three_digits(days: float, text: str) -> None:
    """People read three digits in the largest unit that fits."""
    assert units.format_duration(days) == text


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (0, "$0"),
        (12_500_000, "$12.50"),
        (999_994_000, "$999.99"),
        (1_234_567_890_000, "$1,234,568"),
        (-400_000, "-$0.40"),
        (-(10**15), "-$1,000,000,000"),
        (1234, "$0.00123"),
    ],
)
def test_format_money__groups_and_rounds(micro: int, text: str) -> None:
    """Thousands are grouped; cents appear below a thousand only."""
    assert units.format_money(micro) == text
