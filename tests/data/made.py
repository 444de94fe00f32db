"""Logs made for the purpose: one small enough to be worked by hand, and large ones."""

from pathlib import Path

import numpy as np

from churnsim.data import KINDS, EventLog, Figure, observed

YEAR = 365 * 86_400  # seconds
HEADER = "customer,time,event,amount,promised_at,resolved_at,compensation"

# Four customers over 2021 and 2022, 730 days; what becomes of them is in the tests.
SMALL = f"""\
{HEADER}
ann,2021-01-01,purchase,10,,,
bob,2021-01-01,purchase,20,,,
ann,2021-04-11,renewal,10,,,
ann,2021-07-20 09:00,problem,,,,
ann,2021-07-20 10:00,contact,,,2021-07-20 10:30,5
bob,2021-10-08,contact,,,,
bob,2021-10-18,contact,,,,
bob,2021-10-28 00:00,resolution,,,,
ann,2021-08-29,renewal,10,,,
cat,2021-07-02,purchase,30,,,
cat,2021-07-12,problem,,,,
cat,2021-12-29,cancel,,,,
bob,2022-03-27,purchase,20,,,
dan,2021-07-02,purchase,40,,,
dan,2021-08-01,contact,,2021-08-03,,
dan,2022-01-01,cancel,,,,
ann,2022-12-31,renewal,10,,,
"""


def write_log(path: Path, text: str = SMALL) -> Path:
    """Write a log and return where."""
    path.write_text(text, encoding="utf-8")
    return path


def write_large(path: Path, n_rows: int, seed: int = 1) -> Path:
    """Write a log of about `n_rows` events in no order, and return where.

    Ten rows for each customer on average: a purchase at entry, renewals, now and then a
    problem with its contacts and resolution, and a cancel of some.
    """
    rng = np.random.default_rng(seed)
    n_customers = n_rows // 10
    n_later = n_rows - n_customers
    later = rng.integers(0, n_customers, n_later)
    of = np.r_[np.arange(n_customers), later]
    entered = rng.integers(0, YEAR, n_customers)
    at = np.r_[entered, entered[later] + rng.integers(1, YEAR, n_later)]
    shares = [0.3, 0.3, 0.14, 0.15, 0.09, 0.02]
    kind = np.r_[np.zeros(n_customers, np.int64), rng.choice(6, n_later, p=shares)]
    words = np.array(KINDS)
    moments = (np.datetime64("2021-01-01", "s") + at).astype(str)
    spent = np.char.mod("%.2f", rng.gamma(4.0, 10.0, len(kind)))
    amounts = np.where(kind <= 1, spent, "")
    order = rng.permutation(len(kind))
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER + "\n")
        for block in np.array_split(order, max(1, n_rows // 100_000)):
            rows = zip(
                of[block].tolist(),
                moments[block].tolist(),
                words[kind[block]].tolist(),
                amounts[block].tolist(),
                strict=True,
            )
            file.writelines(f"c{c:07d},{t},{e},{a},,,\n" for c, t, e, a in rows)
    return path


def twice(text: str, n: int = 2) -> str:
    """Return a log of n customers for each one, alike but for their names."""
    header, *rows = text.splitlines()
    return "\n".join([header, *(f"{i}{row}" for i in range(n) for row in rows)]) + "\n"


def figures_of(log: EventLog) -> dict[str, Figure]:
    """Return what a log tells, by figure, a repurchase with its outcome."""
    return {
        " ".join(filter(None, (figure.figure, figure.outcome))): figure
        for figure in observed(log).figures
    }


def reasons_of(log: EventLog) -> dict[str, str]:
    """Return why a log does not tell the others, by figure."""
    return {item.figure: item.reason for item in observed(log).left_out}
