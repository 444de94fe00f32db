"""Stated repurchase after one failure and after another, in the e-commerce scenario.

Voxware 2012, 600 US shoppers: 83 % would buy again after one late order, 45 % after
another; 71 % after one wrong item, 41 % after another. The runs are those of the
validation pack (`churnsim/validation/repeated.py`).
"""

from functools import cache

import pytest

from churnsim.validation.episodes import Episode, share_left
from churnsim.validation.repeated import SHARES, first_and_second

pytestmark = pytest.mark.compiled


@cache
def failures(kind: str) -> tuple[list[Episode], list[Episode]]:
    """Return each shopper's first and second failure."""
    return first_and_second(kind)


@pytest.mark.parametrize("kind", sorted(SHARES))
def test_stay__after_one_failure_and_another_is_what_shoppers_say(kind: str) -> None:
    """All four shares come out within three points; 15,000 shoppers, z < 1 each."""
    for cases, share in zip(failures(kind), SHARES[kind], strict=True):
        assert 1.0 - share_left(cases).value == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("kind", sorted(SHARES))
def test_second_failure__weighs_more_than_the_first(kind: str) -> None:
    """The second drives away at least 1.6 times as many of those it meets."""
    first, second = failures(kind)
    assert all(case.is_double for case in second)
    assert share_left(second).value > 1.6 * share_left(first).value
