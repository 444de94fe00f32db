"""The books' sums over customers, at the edges of months."""

import math

import pytest

from churnsim.engines.books import N_ACCOUNTS, open_books
from churnsim.engines.entries import add_up
from tests.twins.usual import MONTH, usual_plan


@pytest.mark.parametrize(
    ("departure", "month"),
    [
        (0.0, 0),
        (MONTH, 0),
        (math.nextafter(MONTH, math.inf), 1),
        (3.0 * MONTH, 2),
        (math.nextafter(3.0 * MONTH, 0.0), 2),
        (math.inf, -1),
    ],
)
def test_left__at_the_very_end_of_a_month_is_in_it(
    departure: float, month: int
) -> None:
    """The entry of the month, or the last one of those who stay."""
    plan = usual_plan(5.0 * MONTH)
    books = open_books(plan, 2, 0)
    books.departure[:] = departure
    books.accounts[:] = [range(N_ACCOUNTS), range(10, 10 + N_ACCOUNTS)]
    for customer in range(2):
        add_up(books, plan, customer, 1)
    expected = [0] * (plan.n_months + 1)
    expected[month] = 1  # the second is a prospect
    assert books.left.tolist() == expected
    assert books.balance.tolist() == [10 + 2 * i for i in range(N_ACCOUNTS)]
