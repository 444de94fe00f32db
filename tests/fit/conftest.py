"""The CDNOW sample and its fits, which several tests use."""

import datetime as dt
import os
from pathlib import Path

import pytest

from churnsim.fit import (
    BgNbdFit,
    GammaGammaFit,
    TransactionLog,
    fit_log,
    read_transactions,
)

BESIDE_CHECKOUT = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the folder of the real data sets, or skip where there is none."""
    folder = Path(os.environ.get("CHURNSIM_DATA", BESIDE_CHECKOUT))
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; set CHURNSIM_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def cdnow_path(data_folder: Path) -> Path:
    """Return where the CDNOW sample is."""
    return data_folder / "cdnow_sample.txt"


@pytest.fixture(scope="session")
def cdnow(cdnow_path: Path) -> TransactionLog:
    """Return the CDNOW sample in its calibration period of 39 weeks."""
    return read_transactions(cdnow_path, end=dt.date(1997, 9, 30))


@pytest.fixture(scope="session")
def cdnow_fits(cdnow: TransactionLog) -> tuple[BgNbdFit, GammaGammaFit]:
    """Return both fits of the CDNOW sample."""
    return fit_log(cdnow)
