"""A folder with real data, and logs read in small pieces."""

import os
from pathlib import Path

import pytest

BESIDE_CHECKOUT = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the folder of the real data sets, or skip where there is none."""
    folder = Path(os.environ.get("CHURNSIM_DATA", BESIDE_CHECKOUT))
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; set CHURNSIM_DATA to their folder")
    return folder
