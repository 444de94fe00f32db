"""A sweep that is killed, at any moment, and gone on with is the sweep undisturbed."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from churnsim.scenario import Scenario
from churnsim.sweep.running import Threads, run_sweep
from churnsim.sweep.store.reading import read_status
from tests.cli.conftest import ROOT
from tests.sweep.toy import toy_work
from tests.sweep.victim import CHUNK_POINTS, POINTS

KILLS = 5
MANY_KILLS = 100


def victim(folder: Path) -> "subprocess.Popen[str]":
    """Return a process that sweeps into a folder, as it begins to."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sweep.victim", str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n"
    return process


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the rows of a store, file by file."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted((folder / "chunks").rglob("*"))
        if path.is_file()
    }


def check_killed(few: Scenario, place: Path, n_kills: int, seed: int) -> None:
    """Kill sweeps at random moments until so many were hit, and compare each."""
    whole = place / "whole"
    work = toy_work(few, POINTS, CHUNK_POINTS)
    began = time.monotonic()
    run_sweep(work, whole, Threads(2))
    once = max(0.1, time.monotonic() - began)
    undisturbed = files_in(whole)
    moments = random.Random(seed)
    n_killed = n_rounds = 0
    while n_killed < n_kills:
        n_rounds += 1
        assert n_rounds < 3 * n_kills, "kills keep coming too late"
        folder = place / f"killed-{n_rounds}"
        with victim(folder) as process:
            time.sleep(moments.uniform(0.0, 0.6 * once))
            process.send_signal(signal.SIGKILL)
        n_killed += process.returncode == -signal.SIGKILL
        run_sweep(work, folder, Threads(2))
        assert files_in(folder) == undisturbed
        assert read_status(folder).digest == read_status(whole).digest
        assert not list(folder.rglob("*.tmp"))


def test_kill__at_random_moments_changes_nothing(few: Scenario, tmp_path: Path) -> None:
    """Gone on with, the table is that of an undisturbed run, byte for byte."""
    check_killed(few, tmp_path, KILLS, seed=1)


@pytest.mark.slow
def test_kill__a_hundred_times(few: Scenario, tmp_path: Path) -> None:
    """The same at a hundred moments."""
    check_killed(few, tmp_path, MANY_KILLS, seed=2)
