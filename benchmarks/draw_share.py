"""Measure what share of the kernel's time random draws cost.

    python -m benchmarks.draw_share [--customers 100000] [--rounds 12]

If it were more than a third, Threefry2x64-20 would replace Philox4x32-10. Two ways:

- counted: blocks drawn (counted in an interpreted run), times the nanoseconds of one
  that is inlined in a compiled loop;
- doubled: a copy of the package whose Philox has twenty rounds instead of ten, timed in
  alternation with the original. The ten more cost what the ten do.

Both compile kernels; the copy goes to a temporary folder.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import process_time
from unittest import mock

import churnsim
from benchmarks.common import ROOT, SCENARIOS, insist, people_of, scenario_of, timed
from churnsim.engines.kernel.run import run_interpreted, run_kernel
from churnsim.jit import kernel
from churnsim.streams import philox4x32, to_uniform, uniforms

POLICY = "slow"
LIMIT = 1 / 3
KERNEL = "churnsim.engines.kernel"
ROUNDS = "for _ in range(10):"
MORE_ROUNDS = "for _ in range(20):"
N_BLOCKS = 5_000_000
N_TIMED = 7
COUNTED_CUSTOMERS = 2_000
YEARS = 3


@kernel
def philox_loop(n: int) -> float:
    """Return the sum of products of both uniforms over n addresses."""
    total = 0.0
    for i in range(n):
        w0, w1, w2, w3 = philox4x32(i, 1, 2, 3, 5, 6)
        total += to_uniform(w0, w1) * to_uniform(w2, w3)
    return total


def block_nanoseconds() -> float:
    """Return the best time of a block of two uniforms in a loop."""
    mean = philox_loop(N_BLOCKS) / N_BLOCKS
    insist(abs(mean - 0.25) < 5 * (7 / 144 / N_BLOCKS) ** 0.5, f"mean {mean}")
    times = []
    for _ in range(N_TIMED):
        start = process_time()
        philox_loop(N_BLOCKS)
        times.append(process_time() - start)
    return min(times) / N_BLOCKS * 1e9


def blocks_per_event(name: str) -> float:
    """Return the blocks drawn for each event, counted in an interpreted run."""
    scenario = scenario_of(name, COUNTED_CUSTOMERS, YEARS)
    plan, people = scenario.plan(POLICY, COUNTED_CUSTOMERS), people_of(scenario)
    counted = mock.Mock(side_effect=uniforms)
    with ExitStack() as patches:
        for name_of, module in sorted(sys.modules.items()):
            if name_of.startswith(KERNEL) and hasattr(module, "uniforms"):
                patches.enter_context(mock.patch.object(module, "uniforms", counted))
        run = timed(run_interpreted, plan, people)
    expected = timed(run_kernel, plan, people)
    insist(run.n_events == expected.n_events, "counting moved the results")
    return float(counted.call_count / run.n_events)


def serve(n_customers: int) -> None:
    """Run the scenarios named on standard input; answer with seconds and events."""
    ready = {}
    for name in SCENARIOS:
        scenario = scenario_of(name, n_customers, YEARS)
        ready[name] = scenario.plan(POLICY, n_customers), people_of(scenario)
        timed(run_kernel, *ready[name])
    for line in sys.stdin:
        run = timed(run_kernel, *ready[line.strip()])
        print(run.seconds, run.n_events, flush=True)


@contextmanager
def more_rounds() -> Iterator[Path]:
    """Yield a folder with a copy of the package whose Philox has twenty rounds."""
    package = Path(churnsim.__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(package, Path(folder, "churnsim"))
        shutil.copytree(package.parent / "configs", Path(folder, "configs"))
        streams = Path(folder, "churnsim", "streams.py")
        source = streams.read_text(encoding="utf-8")
        insist(source.count(ROUNDS) == 1, f"no single {ROUNDS!r} in streams.py")
        streams.write_text(source.replace(ROUNDS, MORE_ROUNDS), encoding="utf-8")
        yield Path(folder)


def server(folder: Path, n_customers: int) -> subprocess.Popen[str]:
    """Return a process that runs the package in a folder."""
    return subprocess.Popen(  # noqa: S603 - this script itself
        [sys.executable, __file__, "--serve", "--customers", str(n_customers)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def ask(process: subprocess.Popen[str], name: str) -> float:
    """Return nanoseconds per event of one run in a server."""
    if process.stdin is None or process.stdout is None:
        raise SystemExit("a server has no pipes")
    process.stdin.write(name + "\n")
    process.stdin.flush()
    seconds, n_events = process.stdout.readline().split()
    insist(int(n_events) > 0, "nothing happened")
    return float(seconds) / int(n_events) * 1e9


def main() -> None:
    """Print both shares for each scenario, and the verdict."""
    parser = argparse.ArgumentParser(description="Measure what random draws cost.")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.customers)
        return
    block = block_nanoseconds()
    print(f"one block of two uniforms, in a loop: {block:.1f} ns")
    shares = []
    with more_rounds() as folder:
        here = Path(churnsim.__file__).parent.parent
        plain, doubled = (server(place, given.customers) for place in (here, folder))
        for name in SCENARIOS:
            per_event = blocks_per_event(name)
            ours, theirs = [], []
            for _ in range(given.rounds):
                ours.append(ask(plain, name))
                theirs.append(ask(doubled, name))
            each = min(ours)
            counted = per_event * block / each
            more = min(theirs) / each - 1.0
            shares += [counted, more]
            print(
                f"{name}, {given.customers:,} customers: {each:.0f} ns per event, "
                f"{per_event:.2f} blocks per event\n"
                f"  share of draws: counted {counted:.0%}, doubled {more:.0%}"
            )
        for process in (plain, doubled):
            process.communicate()
    keeps = "Philox stays" if max(shares) <= LIMIT else "Threefry should replace Philox"
    print(f"at most {max(shares):.0%}, the limit is a third: {keeps}")


if __name__ == "__main__":
    main()
