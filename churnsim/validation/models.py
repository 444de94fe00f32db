"""Published tables of the sBG, Pareto/NBD and BG/BB models, by their fits.

As `published`, whose group these figures belong to; none of them needs a data set.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from churnsim.fit import bgbb, pareto_nbd, sbg
from churnsim.fit.bgbb import BgBb
from churnsim.fit.pareto_nbd import ParetoNbd
from churnsim.fit.sbg import Sbg
from churnsim.validation.checks import Check, Figure, Seen

GROUP = "published"
SBG = "Fader & Hardie 2007, Table 1; 2010 (sBG, α 0.668, β 3.806)"
PARETO = "Fader & Hardie 2005, CDNOW (Pareto/NBD 0.5534, 10.5802, 0.6061, 11.6562)"
BGBB = "Fader, Hardie & Shang 2010, 11,104 donors (BG/BB 1.204, 0.750, 0.657, 2.783)"

HIGH_END = Sbg(0.668, 3.806)
CDNOW = ParetoNbd(0.5533971, 10.5801985, 0.6060625, 11.6562237)
DONORS = BgBb(1.204, 0.750, 0.657, 2.783)
LEFT = {1: 85.069, 6: 52.225, 12: 37.804}  # after so many years [%]
RESIDUALS = {1: 5.41486, 4: 6.62028, 8: 7.52995}  # before so many renewals
GIFTS = (3455.8, 1888.9, 1348.9, 1113.3, 1017.8, 1026.9, 1252.4)  # donors by count
N_DONORS = 11_104
WEEKLY = float(np.log(1.15) / 52.0)  # 15 % a year
# x, t_x and T of four customers, and the purchases that they still make, discounted.
HISTORIES: tuple[ArrayLike, ...] = (
    [0, 1, 2, 7],
    [0.0, 30.0, 30.43, 35.0],
    [38.86] * 4,
)
COMING = (0.478199, 3.97244, 6.50089, 20.71195)


def checks() -> tuple[Check, ...]:
    """Return the checks."""
    renewals = (
        *(
            _printed(f"left after year {n}", share, 3, " %")
            for n, share in LEFT.items()
        ),
        _printed("lifetime of a new customer", 5.92260, 5),
        *(_printed(f"residual before renewal {n}", w, 5) for n, w in RESIDUALS.items()),
    )
    purchases = (
        _printed("purchases in 39 weeks", 1.213149, 6),
        _printed("purchases in 52 weeks", 1.473113, 6),
        _printed("alive after 39 weeks", 0.410475, 6),
        _printed("alive after 52 weeks", 0.357405, 6),
        _printed("alive: 26 purchases, last in week 30.86", 0.9979, 4),
        _printed("then in 52 weeks", 25.46, 2),
        _printed("alive: no purchase in 39 weeks", 0.2941633, 7),
        _printed("discounted purchases of a new customer", 3.963443, 6),
        *(
            _printed(f"discounted, customer {i}", coming, digits)
            for i, (coming, digits) in enumerate(
                zip(COMING, (6, 5, 5, 5), strict=True), start=1
            )
        ),
    )
    gifts = tuple(
        _printed(f"donors who gave {n} times", expected, 1)
        for n, expected in enumerate(GIFTS)
    )
    return (
        Check(GROUP, SBG, renewals, renewal_figures),
        Check(GROUP, PARETO, purchases, purchase_figures),
        Check(GROUP, BGBB, gifts, gift_figures),
    )


def renewal_figures() -> Sequence[Seen]:
    """Return survival [%] and discounted lifetimes at 10 % a year."""
    found = (
        *(100.0 * sbg.survival(HIGH_END, [*LEFT])),
        sbg.expected_lifetime(HIGH_END, 0.10),
        *sbg.residual_lifetime(HIGH_END, [*RESIDUALS], 0.10),
    )
    return tuple(Seen(float(value)) for value in found)


def purchase_figures() -> Sequence[Seen]:
    """Return forecasts for new customers, and for some whose history is known."""
    alive = pareto_nbd.conditional_alive(CDNOW, [26, 0], [30.86, 0.0], [31.0, 39.0])
    then = pareto_nbd.conditional_expected_purchases(CDNOW, 52.0, 26, 30.86, 31.0)
    found = (
        *pareto_nbd.expected_purchases(CDNOW, [39.0, 52.0]),
        *pareto_nbd.probability_alive(CDNOW, [39.0, 52.0]),
        alive[0],
        then[0],
        alive[1],
        pareto_nbd.discounted_purchases(CDNOW, WEEKLY)[0],
        *pareto_nbd.discounted_purchases(CDNOW, WEEKLY, *HISTORIES),
    )
    return tuple(Seen(float(value)) for value in found)


def gift_figures() -> Sequence[Seen]:
    """Return how many donors are expected to give so many times in six years."""
    return tuple(Seen(float(n)) for n in N_DONORS * bgbb.pmf(DONORS, 6))


def _printed(what: str, figure: float, digits: int, unit: str = "") -> Figure:
    """Return a figure that must come out to the last digit that is printed."""
    return Figure(what, figure, 0.5000001 * 10.0**-digits, digits, unit)
