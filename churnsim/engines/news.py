"""The news that the sites of a firm share: what is told elsewhere counts as if here."""

from __future__ import annotations

import numpy as np

from churnsim.engines.books import Books
from churnsim.records import Elsewhere


def heard_from(elsewhere: Elsewhere | None, books: Books) -> Elsewhere:
    """Return what is told at the firm's other sites; nothing where there are none.

    Raises:
        ValueError: It is not of as many news periods as the books.
    """
    n_periods = len(books.tellings)
    if elsewhere is None:
        return Elsewhere(np.zeros(n_periods, np.int64), 0)
    tellings = np.ascontiguousarray(elsewhere.tellings, np.int64)
    if tellings.shape != (n_periods,):  # compiled code does not check bounds
        raise ValueError(f"tellings elsewhere must be of {n_periods} news periods")
    return Elsewhere(tellings, int(elsewhere.n_customers))
