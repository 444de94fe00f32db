"""Measure what a first small result takes: cold, with nothing compiled, and warm.

    python -m benchmarks.starting --rounds 5

Each is a process of its own, as a user starts it: the telecom, 1,000 customers, two
replications. Cold begins with an empty folder of machine code. Processor time is that
of the process and of its threads; the least of the rounds, since others only add to it.
The answer must be the same each time.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple

COMMAND: Final = (
    *(sys.executable, "-m", "churnsim", "run", "telecom", "--replications", "2"),
    *("--set", "population.customers=1000"),
)
PARTS: Final = {  # of a warm start, each with what comes before it
    "Python": "pass",
    "numpy": "import numpy",
    "numba": "import numba",
    "scipy's functions": "import numba, scipy.special",
    "the package": "import churnsim.cli.run, churnsim.experiment.comparing",
}


class Start(NamedTuple):
    """What a process took."""

    cpu: float  # [s]
    wall: float  # [s]
    said: str


def start(command: tuple[str, ...], cache: Path) -> Start:
    """Return what a process takes, with bytecode as an installation has it."""
    env = {**os.environ, "CHURNSIM_CACHE_DIR": str(cache / "code")}
    env["PYTHONPYCACHEPREFIX"] = str(cache / "bytecode")
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = perf_counter()
    said = subprocess.run(  # noqa: S603 - this program
        command, env=env, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    wall = perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    user = after.ru_utime - before.ru_utime
    return Start(user + after.ru_stime - before.ru_stime, wall, said)


def least(starts: list[Start]) -> str:
    """Return the least of processor and clock time, in words."""
    cpu, wall = min(one.cpu for one in starts), min(one.wall for one in starts)
    return f"{cpu:6.2f} s of processor, {wall:6.2f} s by the clock"


def main() -> None:
    """Print what starts take, and what a warm one is made of."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of warm starts")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        for words in PARTS.values():  # bytecode is not what is measured
            start((sys.executable, "-c", words), cache)
        cold = start(COMMAND, cache)
        warm = [start(COMMAND, cache) for _ in range(rounds)]
        if {one.said for one in warm} != {cold.said}:
            raise SystemExit("a warm start gives another answer than a cold one")
        print(f"cold               {least([cold])}")
        print(f"warm               {least(warm)}")
        for name, words in PARTS.items():
            command = (sys.executable, "-c", words)
            parts = [start(command, cache) for _ in range(rounds)]
            print(f"  up to {name:18s} {least(parts)}")


if __name__ == "__main__":
    main()
