"""Figures, grids and columns as text."""

from churnsim.report.amounts import (
    count_cells,
    duration_cells,
    money_cells,
    point_cells,
    scale_of,
    share_cells,
)
from churnsim.report.columns import aligned, paragraph
from churnsim.report.grid import Row, grid


def test_money__one_unit_along_a_row() -> None:
    """The largest amount decides the unit and the digits of all."""
    assert money_cells([12.3e6, 0.456e6], "$") == ("$12.30 M", "$0.46 M")
    assert money_cells([-2.5e9, 0.0], "€") == ("-€2.500 bn", "€0.000 bn")
    assert money_cells([9217.4, -12.0], "$") == ("$9,217", "-$12")
    assert money_cells([0.5, 12.346], "$") == ("$0.50", "$12.35")
    assert money_cells([0.0, 0.0], "$") == ("$0.00", "$0.00")


def test_money__no_data_and_no_negative_zero() -> None:
    """A missing amount is told, and what rounds to nothing has no sign."""
    assert money_cells([None, 1.0], "$") == ("no data", "$1.00")
    assert money_cells([-0.4, 2000.0], "$") == ("$0", "$2,000")


def test_money__bounds_share_the_unit_of_their_mean() -> None:
    """A scale made from a mean and its bounds serves all three."""
    scale = scale_of([0.9e6, 0.7e6, 1.1e6])
    assert money_cells([0.9e6], "$", scale) == ("$0.900 M",)


def test_counts__whole_when_large() -> None:
    """Mean counts have a decimal only where it says something."""
    assert count_cells([1234.4, 0.0]) == ("1,234", "0")
    assert count_cells([12.25, None]) == ("12.2", "no data")


def test_shares_and_durations__in_their_units() -> None:
    """Shares are percentages, durations have the unit that suits each."""
    assert share_cells([0.1234, None]) == ("12.3 %", "no data")
    assert point_cells([0.6011, -0.25, None]) == ("60.1 pp", "-25.0 pp", "no data")
    assert duration_cells([1 / 1440, 2.0, None]) == ("1 min", "2 days", "no data")


def test_durations__none_is_finer_than_a_second() -> None:
    """Below a second only that is told; nothing at all and a second stay themselves."""
    texts = duration_cells([0.0, 1e-12, 0.0176 / 86400, 0.999 / 86400, 1 / 86400])
    assert texts == ("0 s", "under 1 s", "under 1 s", "under 1 s", "1 s")


def test_grid__columns_are_aligned_and_named() -> None:
    """Cells are flush right under their names, and long names are broken."""
    rows = [Row("Revenue", ("$1", "$22")), Row(""), Row("Lost", ("333", "4"))]
    assert grid(["slow", "slow_and_dishonest"], rows, 60) == [
        "               slow_and_",
        "         slow  dishonest",
        "------------------------",
        "Revenue    $1        $22",
        "",
        "Lost      333          4",
    ]


def test_grid__what_does_not_fit_comes_below() -> None:
    """Columns beyond the width stand in a further grid with the same labels."""
    rows = [Row("label", ("1111111", "2222222", "3333333"))]
    lines = grid(["a", "b", "c"], rows, 24)
    assert max(map(len, lines)) <= 24
    assert [line for line in lines if line.startswith("label")] == [
        "label  1111111  2222222",
        "label  3333333",
    ]
    assert [line.split() for line in grid(["a", "b", "c"], rows, 1)[::4]] == [
        ["a"],
        ["b"],
        ["c"],
    ]


def test_aligned__last_column_wraps_under_itself() -> None:
    """A long last column goes on below, under its own beginning."""
    lines = aligned([("key", "one two three four five six")], 28, indent=2)
    assert lines == ["  key  one two three four", "       five six"]
    assert aligned([], 80) == []


def test_paragraph__keeps_words_whole() -> None:
    """Text is wrapped between words, hyphens or not."""
    assert paragraph("re-made word", 8) == "re-made\nword"
    assert paragraph("a b", 80, "warning: ", "  ") == "warning: a b"
