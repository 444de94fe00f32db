"""Histories of customers who buy: how often, when last, for how long observed."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from churnsim.fit.likelihood import CUSTOMERS_MIN, FitError, FloatArray


class History(NamedTuple):
    """Checked histories, shape (customers,)."""

    x: FloatArray
    t_x: FloatArray
    age: FloatArray


def checked_history(x: ArrayLike, t_x: ArrayLike, age: ArrayLike) -> History:
    """Return histories as arrays, or raise `FitError` for the first that cannot be."""
    history = History(
        *(
            np.atleast_1d(np.asarray(values, dtype=np.float64))
            for values in (x, t_x, age)
        )
    )
    if len({values.shape for values in history}) != 1 or history.x.ndim != 1:
        raise FitError("x, t_x and age must be of equal length, one entry a customer")
    whole = (history.x >= 0) & (history.x == np.floor(history.x))
    ordered = (history.t_x >= 0) & (history.t_x <= history.age)
    finite = np.isfinite(history.x) & np.isfinite(history.age)
    matched = (history.x == 0) == (history.t_x == 0)
    for rule, kept in (
        ("x must be a whole number of at least 0", whole & finite),
        ("t_x must lie from 0 to age", ordered & finite),
        ("t_x must be 0 where x is 0, and only there", matched),
    ):
        if not kept.all():
            i = int(np.argmin(kept))
            raise FitError(
                f"{rule}; got x {history.x[i]:g}, t_x {history.t_x[i]:g}, "
                f"age {history.age[i]:g} (customer {i}); correct the history"
            )
    return history


def check_enough(history: History) -> None:
    """Raise `FitError` where there are too few customers or none came back."""
    n = len(history.x)
    if n < CUSTOMERS_MIN:
        raise FitError(
            f"a fit needs at least {CUSTOMERS_MIN} customers; got {n}; "
            "take a larger log"
        )
    if not history.x.any():
        raise FitError(
            f"a fit needs repeat purchases; got none from {n:,} customers; "
            "take a longer window"
        )
