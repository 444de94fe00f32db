"""Losses and the sentences about them."""

from typing import Any

import numpy as np
import pytest

from churnsim.engines.sums import Totals
from churnsim.experiment.intervals import Estimate
from churnsim.experiment.losses import Loss, MainCause, loss_of, main_cause
from churnsim.experiment.sentences import Extent, pairing_of, sentence_of
from churnsim.experiment.summary import Summary
from churnsim.records import Cause

YEAR = 365.25
CAUSES = [cause.name.lower() for cause in Cause if cause]


def row(policy: str, replication: int, revenue: int, **lost: int) -> Summary:
    """Return a run of 500 customers that earned so many units and lost so many."""
    totals = Totals(revenue * 10**6, *[0] * (len(Totals._fields) - 1))
    none: Any = np.zeros(0, np.int64)
    return Summary(
        policy,
        replication,
        500,
        500,
        "",
        "",
        totals,
        {},
        dict.fromkeys(CAUSES, 0) | lost,
        {},
        {},
        None,
        none,
        none,
        none,
        none,
        none,
    )


def rows(policy: str, *revenues: int, **lost: int) -> list[Summary]:
    """Return a policy's runs, all with the same losses of customers."""
    return [row(policy, i, revenue, **lost) for i, revenue in enumerate(revenues)]


def test_loss__by_hand() -> None:
    """Base 100, 120, 140 against 90, 100, 130 over two years of 500 customers.

    Lost 10, 20, 10: mean 40/3 a run, as much a year and 1,000 customers.
    """
    loss = loss_of(
        rows("slow", 90, 100, 130),
        rows("empowered", 100, 120, 140),
        "baseline",
        "revenue",
        2 * YEAR,
    )
    assert (loss.policy, loss.other, loss.against) == ("slow", "empowered", "baseline")
    assert loss.total.mean == pytest.approx(40 / 3)
    assert loss.yearly.mean == pytest.approx(40 / 3)
    assert loss.total.low is not None
    # s² = 100/3; Johnson moves the middle by Σd³/2/(6 s²), d = −10/3, 20/3, −10/3.
    shift = (8000 - 2 * 1000) / 27 / 2 / (6 * 100 / 3)
    reach = 4.302653 * (100 / 9) ** 0.5
    assert loss.total.low == pytest.approx(40 / 3 + shift - reach, abs=1e-5)
    # Variances 1300/3 and 400, covariance 400, of the difference 100/3.
    assert loss.correlation == pytest.approx(400 / (1300 / 3 * 400) ** 0.5)
    assert loss.variance_factor == pytest.approx((1300 / 3 + 400) / (100 / 3))


def test_loss__of_equals_is_exactly_zero() -> None:
    """Policies that earn the same lose exactly 0, with an interval of 0."""
    loss = loss_of(rows("a", 7, 9), rows("b", 7, 9), "baseline", "revenue", YEAR)
    assert loss.total == Estimate(0.0, 0.0, 0.0, 2)
    assert loss.is_zero
    assert loss.variance_factor is None
    assert loss.cause is None


def test_loss__without_customers_or_time_is_no_data() -> None:
    """Nobody there, or no time: no rate, and no division by zero."""
    loss = loss_of(rows("a", 0, 0), rows("b", 0, 0), "baseline", "revenue", 0.0)
    assert loss.yearly == Estimate(None, None, None, 0)


def test_main_cause__is_the_largest_increase() -> None:
    """6 more leave in silence and 2 more refused; 3 fewer drift: 6/5 of the net."""
    here = rows("slow", 1, 1, silent=10, refused=2, natural=5)
    there = rows("empowered", 1, 1, silent=4, refused=0, natural=8)
    cause = main_cause(here, there)
    assert cause == MainCause("silent", 6.0, 6 / 5)
    assert main_cause(there, here) == MainCause("natural", 3.0, None)
    assert main_cause(here, here) is None


FULL = Extent(30, 30, 0, "$")


def loss(
    yearly: tuple[float | None, float | None, float | None],
    n: int = 30,
    cause: MainCause | None = None,
    measure: str = "revenue",
    policy: str = "slow",
) -> Loss:
    """Return a loss of so much a year."""
    value = Estimate(*yearly, n)
    return Loss(policy, "baseline", "empowered", measure, value, value, 0.9, 9.0, cause)


SILENT = MainCause("silent", 9.0, 0.7)


@pytest.mark.parametrize(
    ("given", "extent", "sentence"),
    [
        (
            loss((1234.4, 1100.2, 1370.0), cause=SILENT),
            FULL,
            (
                "Slow recovery costs this firm $1,234 a year per 1,000 customers (95 "
                "% CI $1,100 to $1,370) against empowered recovery, most of it "
                "through customers who left without a word."
            ),
        ),
        (
            loss((1234.4, 1100.2, 1370.0), cause=MainCause("slow", 9.0, 0.34)),
            FULL,
            (
                "Slow recovery costs this firm $1,234 a year per 1,000 customers (95 "
                "% CI $1,100 to $1,370) against empowered recovery, the largest part "
                "of it (34%) through customers who would wait no longer for the "
                "repair."
            ),
        ),
        (
            loss((12.34, 1.0, 20.0)),
            Extent(30, 30, 0, "€"),
            (
                "Slow recovery costs this firm €12.34 a year per 1,000 customers (95 "
                "% CI €1 to €20) against empowered recovery, though it loses no more "
                "customers: they spend less, or fewer are won."
            ),
        ),
        (
            loss((500.0, 400.0, 600.0), cause=MainCause("natural", 2.0, None)),
            FULL,
            (
                "Slow recovery costs this firm $500 a year per 1,000 customers (95 % "
                "CI $400 to $600) against empowered recovery, with more customers "
                "who drifted away, though fewer are lost in all."
            ),
        ),
        (
            loss((-500.0, -600.0, -400.0), cause=SILENT),
            FULL,
            (
                "Slow recovery brings this firm $500 more revenue a year per 1,000 "
                "customers (95 % CI $400 to $600) than empowered recovery."
            ),
        ),
        (
            loss((12.0, -80.0, 104.0), cause=SILENT),
            FULL,
            (
                "What slow recovery costs this firm against empowered recovery "
                "cannot be told from zero with 30 replications: $12 of revenue a "
                "year per 1,000 customers (95 % CI -$80 to $104)."
            ),
        ),
        (
            loss((0.0, 0.0, 0.0)),
            FULL,
            (
                "Slow recovery makes no difference to this firm's revenue against "
                "empowered recovery: it was the same in each of 30 replications."
            ),
        ),
        (
            loss((0.0, None, None), n=1),
            Extent(1, 1, 0, "$"),
            (
                "Slow recovery makes no difference to this firm's revenue against "
                "empowered recovery: it was the same in the one replication."
            ),
        ),
        (
            loss((1234.0, None, None), n=1, cause=SILENT),
            Extent(1, 1, 0, "$"),
            (
                "Slow recovery costs this firm $1,234 a year per 1,000 customers "
                "(one replication, so no interval) against empowered recovery, most "
                "of it through customers who left without a word."
            ),
        ),
        (
            loss((1234.0, 1100.0, 1370.0), n=12, cause=SILENT),
            Extent(30, 12, 0, "$"),
            (
                "Slow recovery costs this firm $1,234 a year per 1,000 customers "
                "(rough, 12 replications: 95 % CI $1,100 to $1,370) against "
                "empowered recovery, most of it through customers who left without a "
                "word. Stopped early: 12 of 30 replications finished."
            ),
        ),
        (
            loss((-500.0, -600.0, -400.0), n=28),
            Extent(30, 28, 2, "$"),
            (
                "Slow recovery brings this firm $500 more revenue a year per 1,000 "
                "customers (95 % CI $400 to $600) than empowered recovery. 2 of 30 "
                "replications failed."
            ),
        ),
        (
            loss((None, None, None), n=0),
            FULL,
            "There is no data on slow recovery: nobody was simulated.",
        ),
        (
            loss((1234.0, 1100.0, 1370.0), measure="contribution", policy="=cmd"),
            FULL,
            (
                'The policy "=cmd" costs this firm $1,234 of contribution a year per '
                "1,000 customers (95 % CI $1,100 to $1,370) against empowered "
                "recovery, though it loses no more customers: they spend less, or "
                "fewer are won."
            ),
        ),
    ],
)
def test_sentence__claims_no_more_than_is_so(
    given: Loss, extent: Extent, sentence: str
) -> None:
    """Each case reads well and says what it rests on."""
    assert sentence_of(given, extent) == sentence


def test_sentence__knows_every_cause() -> None:
    """No cause is without words."""
    for cause in CAUSES:
        given = loss((9.0, 8.0, 10.0), cause=MainCause(cause, 1.0, 0.8))
        assert "most of it through customers who" in sentence_of(given, FULL).replace(
            "customers whose", "customers who"
        )


def test_pairing__is_worth_what_the_variances_say() -> None:
    """Of five pairs: in step, it saves runs; out of step, it is said not to help."""
    base = rows("empowered", 100, 120, 140, 160, 180)
    alike = loss_of(rows("slow", 90, 110, 131, 150, 170), base, "", "revenue", YEAR)
    told = pairing_of(alike)
    # Differences 10, 10, 9, 10, 10: variance .2 against 1,000 and 1,000.2 apart.
    assert told is not None
    assert "need 10,001 times as many replications" in told
    against = loss_of(rows("slow", 170, 150, 131, 110, 90), base, "", "revenue", YEAR)
    assert "does not help here (correlation -1.00)" in (pairing_of(against) or "")
    assert pairing_of(loss_of(base[:4], base[:4], "", "revenue", YEAR)) is None
    assert pairing_of(loss_of(base, base, "", "revenue", YEAR)) is None
