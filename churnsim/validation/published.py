"""Published tables of purchases and spend, by the fits that `churnsim fit` makes.

What is worked out from published parameters comes out on any machine. What is fitted to
published data needs the data, which are not passed on with churnsim.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from churnsim.fit import (
    BgNbd,
    GammaGamma,
    TransactionLog,
    fit_bgnbd,
    fit_gamma_gamma,
    read_transactions,
)
from churnsim.fit.bgnbd import (
    conditional_expected_purchases,
    expected_purchases,
    pmf,
    probability_alive,
)
from churnsim.validation.checks import AbsentError, Check, Figure, Rule, Seen

GROUP = "published"
BGNBD = "Fader, Hardie & Lee 2005, CDNOW (r 0.243, α 4.414, a 0.793, b 2.426)"
BGNBD_UNROUNDED = "Fader, Hardie & Lee 2005, CDNOW, parameters unrounded"
BGNBD_FIT = "Fader, Hardie & Lee 2005, fitted to the CDNOW sample"
GAMMA_GAMMA = "Fader & Hardie 2013 (p 6.25, q 3.74, v 15.44)"
GAMMA_GAMMA_FIT = "Fader & Hardie 2013, fitted to the CDNOW sample"
CDNOW = "CDNOW sample, 39 weeks of 1997"
IRANIAN = "Iranian churn data set (UCI 563)"

ROUNDED = BgNbd(0.243, 4.414, 0.793, 2.426)
UNROUNDED = BgNbd(0.2425945, 4.4136019, 0.7929199, 2.4258881)
SPEND = GammaGamma(6.25, 3.74, 15.44)
COUNTS = (
    1411,
    439,
    214,
    100,
    62,
    38,
    29,
    64,
)  # customers by repeat purchases, 7 or more
SHARES = (0.57379, 0.19940, 0.08543, 0.04586, 0.02767, 0.01797, 0.01227, 0.03762)
FORECASTS = {1: 0.0532, 32: 1.0437, 78: 1.8576}  # purchases in so many weeks
HISTORY = (2, 30.43, 38.86)  # x, t_x and T of the customer whose forecast is printed
END = dt.date(1997, 9, 30)
CDNOW_FILE, IRANIAN_FILE = "cdnow_sample.txt", "iranian_churn.csv"


def checks(data: Path | None) -> tuple[Check, ...]:
    """Return the checks of this group.

    Args:
        data: The folder of the data sets; None: there is none.
    """
    return (*_tables(), *_fits(data))


def _tables() -> tuple[Check, ...]:
    """Return the checks that need no data."""
    rounded = (
        _printed("purchases in 1 week", 0.053268, 6),
        _printed("purchases in 39 weeks", 1.196723, 6),
        _printed("alive after 39 weeks", 0.794403, 6),
        *(
            _printed(f"{_times(n)} in 39 weeks", share, 5)
            for n, share in enumerate(SHARES)
        ),
    )
    unrounded = (
        *(
            Figure(f"purchases in {weeks} week{'s' * (weeks > 1)}", printed, 0.002)
            for weeks, printed in FORECASTS.items()
        ),
        _printed("then: 2 purchases, last in week 30.43", 1.226, 3),
    )
    spend = Figure("mean spend of a customer", 35.2, 0.1, 2, " $")
    return (
        Check(GROUP, BGNBD, rounded, rounded_figures),
        Check(GROUP, BGNBD_UNROUNDED, unrounded, unrounded_figures),
        Check(GROUP, GAMMA_GAMMA, (spend,), lambda: (Seen(SPEND.mean),)),
    )


def _fits(data: Path | None) -> tuple[Check, ...]:
    """Return the checks on real data."""
    customers = (
        *(_count(f"customers who bought {_times(n)}", k) for n, k in enumerate(COUNTS)),
        _count("repeat purchases", 2457),
    )
    bgnbd = (
        *(
            _printed(f"fitted {name}", value, 3)
            for name, value in zip(("r", "α", "a", "b"), ROUNDED, strict=True)
        ),
        Figure("log-likelihood", -9582.4, 0.1, 1),
    )
    spend = tuple(
        _printed(f"fitted {name}", value, 2)
        for name, value in zip(("p", "q", "v"), SPEND, strict=True)
    )
    margins = (
        _count("rows", 3150),
        _count("churned", 495),
        _count("churned of those who complained", 200),
        _count("complained", 241),
        _count("churned of the others", 295),
    )
    return (
        Check(GROUP, CDNOW, customers, partial(cdnow_counts, data)),
        Check(GROUP, BGNBD_FIT, bgnbd, partial(cdnow_bgnbd, data), 0.5),
        Check(GROUP, GAMMA_GAMMA_FIT, spend, partial(cdnow_spend, data), 0.5),
        Check(GROUP, IRANIAN, margins, partial(iranian_margins, data)),
    )


def rounded_figures() -> Sequence[Seen]:
    """Return expectation, share alive and law of purchases, parameters rounded."""
    counts = pmf(ROUNDED, 39.0, np.arange(7))
    found = (
        *expected_purchases(ROUNDED, [1.0, 39.0]),
        probability_alive(ROUNDED, 39.0),
        *counts,
        1.0 - counts.sum(),
    )
    return tuple(Seen(float(value)) for value in found)


def unrounded_figures() -> Sequence[Seen]:
    """Return forecasts for a new customer, and for one whose history is known."""
    new = expected_purchases(UNROUNDED, np.array([*FORECASTS], dtype=np.float64))
    known = conditional_expected_purchases(UNROUNDED, 39.0, *HISTORY)
    return tuple(Seen(float(value)) for value in (*new, *known))


def cdnow_counts(data: Path | None) -> Sequence[Seen]:
    """Return how many customers bought how often, and all repeat purchases."""
    log = _cdnow(data)
    counts = np.bincount(np.minimum(log.x, 7), minlength=8)
    return tuple(Seen(float(value)) for value in (*counts, log.x.sum()))


def cdnow_bgnbd(data: Path | None) -> Sequence[Seen]:
    """Return the fitted parameters and the log-likelihood."""
    log = _cdnow(data)
    fit = fit_bgnbd(log.x, log.t_x_weeks, log.age_weeks)
    return tuple(Seen(value, n=fit.n) for value in (*fit.params, fit.log_likelihood))


def cdnow_spend(data: Path | None) -> Sequence[Seen]:
    """Return the fitted parameters of spend."""
    log = _cdnow(data)
    fit = fit_gamma_gamma(log.mean_repeat_spend, log.n_spend)
    return tuple(Seen(value, n=fit.n) for value in fit.params)


def iranian_margins(data: Path | None) -> Sequence[Seen]:
    """Return how many rows there are, churned, complained, and both."""
    path = _file(data, IRANIAN_FILE)
    with path.open(encoding="utf-8", newline="") as handle:
        rows = [
            {" ".join(name.split()): value for name, value in row.items()}
            for row in csv.DictReader(handle)
        ]
    counts = Counter((row["Complains"], row["Churn"]) for row in rows)
    complained = counts["1", "1"] + counts["1", "0"]
    churned = counts["1", "1"] + counts["0", "1"]
    found = (len(rows), churned, counts["1", "1"], complained, counts["0", "1"])
    return tuple(Seen(float(value)) for value in found)


def _cdnow(data: Path | None) -> TransactionLog:
    return read_transactions(_file(data, CDNOW_FILE), end=END)


def _file(data: Path | None, name: str) -> Path:
    """Return a data set's file.

    Raises:
        AbsentError: There is none here.
    """
    if data is None:
        raise AbsentError(f"needs {name}, and no folder of data sets is named")
    if not (data / name).is_file():
        raise AbsentError(f"needs {name}, which is not in {data}")
    return data / name


def _printed(what: str, figure: float, digits: int) -> Figure:
    """Return a figure that must come out to the last digit that is printed."""
    return Figure(what, figure, 0.5000001 * 10.0**-digits, digits)


def _count(what: str, n: int) -> Figure:
    return Figure(what, float(n), 0.0, 0, "", Rule.WITHIN)


def _times(n: int) -> str:
    return "7 times or more" if n == 7 else f"{n} time{'s' * (n != 1)}"
