"""A log of purchases made for the purpose, and a shop that starts from it."""

from pathlib import Path

import numpy as np


def shop_of_a_log(folder: Path, n_customers: int) -> Path:
    """Return the file of a shop whose customers are those of a log of eleven months.

    They are drawn from a BG/NBD model, each with a mean value of their own, so that
    some are long silent at the end.
    """
    rng = np.random.default_rng(4)
    rows = ["customer,date,amount"]
    for number in range(n_customers):
        day, rate, dropout = 0.0, rng.gamma(0.7) / 30.0, rng.beta(1.0, 3.0)
        mean = 150.0 / rng.gamma(4.0)
        while day < 330.0:
            at = np.datetime64("2020-01-01") + int(day)
            rows.append(f"c{number:03d},{at},{mean * rng.gamma(6.0) / 6.0 + 0.01:.2f}")
            if rng.random() < dropout:
                break
            day += 1.0 + rng.exponential(1.0 / rate)
    (folder / "log.csv").write_text("\n".join(rows) + "\n")
    file = folder / "own.toml"
    text = '[population]\ntransactions = "log.csv"\nprospects = "0/year"\n'
    file.write_text('extends = "ecommerce"\n' + text)
    return file
