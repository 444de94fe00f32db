"""The command as tests call it: in this process, or as a user types it."""

import datetime as dt
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from churnsim.cli import main, progress
from churnsim.engines.kernel.run import run_world
from churnsim.experiment import compare
from churnsim.jit import is_cached

ROOT = Path(__file__).resolve().parents[2]
AS_TYPED = [sys.executable, "-c", "from churnsim.cli import main; main()"]


class Answer(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    err: str


Command = Callable[..., Answer]


@pytest.fixture(scope="session", autouse=True)
def compiled() -> None:
    """See to it that the kernel is compiled, which commands say they wait for."""
    if not is_cached(run_world):
        few = ["population.customers=20"]
        compare("telecom", replications=1, seed=1, overrides=few)


@pytest.fixture
def churnsim(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Command:
    """Return a function that runs a command in this process, in an empty folder.

    No line tells how far it has come, which a slow machine would add to what is told.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(progress, "HEARTBEAT", 3600.0)

    def run(*arguments: str) -> Answer:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        captured = capsys.readouterr()
        return Answer(int(left.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def typed(tmp_path: Path) -> Command:
    """Return a function that runs a command in a process of its own."""

    def run(*arguments: str, **variables: str) -> Answer:
        done = subprocess.run(
            [*AS_TYPED, *arguments],
            cwd=tmp_path,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


def environment(**variables: str) -> dict[str, str]:
    """Return this process's variables, with the package to be found and some more."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **variables}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log of two years: 800 customers drawn from a BG/NBD model."""
    coins = random.Random(3)
    start = dt.date(2022, 1, 1)
    rows = ["customer,date,amount"]
    for customer in range(800):
        rate = coins.gammavariate(0.6, 1 / 60)
        leaving = coins.betavariate(0.8, 2.4)
        mean = 15.0 * 6.0 / coins.gammavariate(4.0, 1.0)
        day = coins.uniform(0, 200)
        is_first = True
        while day < 730:
            amount = mean * coins.gammavariate(6.0, 1 / 6.0) + 0.01
            rows.append(f"c{customer},{start + dt.timedelta(day)},{amount:.2f}")
            if not is_first and coins.random() < leaving:
                break
            is_first = False
            day += 1 + coins.expovariate(rate)
    path = tmp_path / "orders.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path
