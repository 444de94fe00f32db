"""A log of 1,000,000 rows: what it takes, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.data.made import write_large

ROOT = Path(__file__).resolve().parents[2]
MEGABYTES_MAX = 600  # of 2 GB that are allowed; it takes some 310
SECONDS_MAX = 60.0  # of computing; it takes some 7
CODE = """
import json, pathlib, resource, sys
from churnsim.data import observed, read_events
told = []
log = read_events(sys.argv[1], report=lambda done, total: told.append((done, total)))
found = observed(log)
used = resource.getrusage(resource.RUSAGE_SELF)
status = pathlib.Path("/proc/self/status")
peak = used.ru_maxrss  # of the process that started this one, where that was larger
if status.exists():
    lines = status.read_text().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
print(json.dumps({
    "megabytes": peak / 1024, "seconds": used.ru_utime + used.ru_stime,
    "rows": log.profile.n_rows, "kept": log.profile.n_kept, "told": told,
    "customers": len(log.customers.entered), "figures": len(found.figures),
}))
"""


@pytest.mark.slow
def test_read_events__a_million_rows_take_little(tmp_path: Path) -> None:
    """1,000,000 rows of 100,000 customers in no order: memory and time stay small."""
    path = write_large(tmp_path / "large.csv", 1_000_000)
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert (found["rows"], found["customers"]) == (1_000_000, 100_000)
    assert 0.9 < found["kept"] / found["rows"] < 1.0
    assert found["figures"] == 10
    assert found["told"][-1] == [1_000_000, 1_000_000]
    assert found["told"] == sorted(found["told"])
    assert found["megabytes"] < MEGABYTES_MAX
    assert found["seconds"] < SECONDS_MAX


def test_read_events__tells_how_far_it_has_come(tmp_path: Path) -> None:
    """20,000 rows: the last word is that all are read."""
    from churnsim.data import read_events

    told: list[tuple[int, int]] = []
    path = write_large(tmp_path / "log.csv", 20_000)
    log = read_events(path, report=lambda done, total: told.append((done, total)))
    assert told[-1] == (20_000, 20_000)
    assert log.profile.n_rows == 20_000
