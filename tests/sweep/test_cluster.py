"""A sweep on a Dask cluster: a scheduler and workers, each a process, over loopback."""

import importlib.util
import shutil
import signal
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from churnsim.errors import ExitCode, InputError, PartialError
from churnsim.sweep import flight
from churnsim.sweep.cluster import joined
from churnsim.sweep.flight import ClusterWarning
from churnsim.sweep.joining import check_address
from churnsim.sweep.plan import load_sweep
from churnsim.sweep.remote import differences, identity
from churnsim.sweep.running import How, Threads, run_sweep
from churnsim.sweep.simulated import simulated
from churnsim.sweep.store.reading import read_status
from churnsim.sweep.work import Work
from tests.cli.conftest import ROOT, Command
from tests.scenario.test_transactions import scenario
from tests.sweep import remotely
from tests.sweep.started import After, Started
from tests.sweep.test_kill import files_in

if TYPE_CHECKING:
    from churnsim.sweep.remote import Evaluator

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None,
    reason="distributed is not installed: pip install 'churnsim[cluster]'",
)

POINTS = 60
CHUNK_POINTS = 3
CUSTOMERS = '"population.customers" = 50'
SWEEP = f"""
scenario = "telecom"
policies = ["empowered", "slow"]
replications = 2
seed = 3
[set]
{CUSTOMERS}
horizon = "1 year"
[design]
kind = "grid"
[[factor]]
field = "market.lock_in"
low = 0.1
high = 1.9
steps = {POINTS}
"""
IMPOSSIBLE = """
[[factor]]
field = "mistakes.1.probability"
values = [0.01, 0.999]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the file of a small sweep."""
    path = tmp_path / "locked.toml"
    path.write_text(SWEEP)
    return path


def work_of(file: Path, evaluator: "Evaluator") -> Work:
    """Return a sweep's work, cut into small chunks."""
    sweep = load_sweep(file)
    work = Work(sweep, evaluator(sweep))
    work.chunk_points = CHUNK_POINTS
    work.n_chunks = -(-sweep.n_points // CHUNK_POINTS)
    return work


def whole(work: Work, folder: Path) -> dict[str, bytes]:
    """Return the chunks of a sweep as one thread makes them."""
    run_sweep(work, folder, Threads(1))
    return files_in(folder)


def test_cluster__makes_what_one_thread_makes(
    cluster: Started, file: Path, tmp_path: Path
) -> None:
    """Two workers simulate: the same bytes.

    Settings that cannot be fail at their points, with the same words and commands.
    """
    few = SWEEP.replace(f"steps = {POINTS}", "steps = 8")
    file.write_text(few + IMPOSSIBLE)
    work = work_of(file, simulated)
    expected = whole(work, tmp_path / "threads")
    assert read_status(tmp_path / "threads").n_failed == 8
    cluster.workers(2)
    with joined(cluster.address) as dask_cluster:
        assert dask_cluster.n_threads() == 2
        swept = run_sweep(work, tmp_path / "cluster", dask_cluster)
    assert swept.n_made == 16
    assert files_in(tmp_path / "cluster") == expected


def test_cluster__a_killed_worker_and_a_late_one_change_nothing(
    cluster: Started, file: Path, tmp_path: Path
) -> None:
    """One of two is killed midway, and another one joins: the same bytes."""
    work = work_of(file, remotely.slow)
    expected = whole(work, tmp_path / "threads")
    _, victim = cluster.workers(2)

    def change() -> None:
        victim.send_signal(signal.SIGKILL)
        cluster.workers()

    after = After(POINTS // 4, change)
    with joined(cluster.address, evaluator=remotely.slow) as dask_cluster:
        run_sweep(work, tmp_path / "cluster", dask_cluster, How(report=after))
    assert 0 < after.n_done < POINTS
    assert files_in(tmp_path / "cluster") == expected


def changed_package(folder: Path) -> Path:
    """Return the folder of a churnsim of another version."""
    shutil.copytree(
        ROOT / "churnsim",
        folder / "churnsim",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (folder / "configs").symlink_to(ROOT / "configs")
    (folder / "churnsim" / "_version.py").write_text('__version__ = "0.0.9"\n')
    return folder


def test_cluster__a_worker_that_differs_is_refused(
    cluster: Started, file: Path, tmp_path: Path, command: Command
) -> None:
    """Before the sweep, with its address and the difference; nothing is written."""
    cluster.workers(root=changed_package(tmp_path / "other"))
    out = tmp_path / "out"
    answer = command(
        *("sweep", str(file), "--out", str(out), "--cluster", cluster.address)
    )
    assert answer.code == ExitCode.INPUT
    assert "worker tcp://127.0.0.1:" in answer.err
    assert "churnsim is 0.0.9 there, " in answer.err
    assert "churnsim source is " in answer.err
    assert len(answer.err.splitlines()) == 1
    assert not out.exists()


@pytest.mark.slow
def test_cluster__a_late_worker_that_differs_is_refused(
    cluster: Started, file: Path, tmp_path: Path
) -> None:
    """It joins midway, is given a chunk, and that ends the sweep; chunks are kept.

    The first worker is lost then, and what it holds must be made again by the other.
    """
    work = work_of(file, remotely.slow)
    expected = whole(work, tmp_path / "threads")
    other = changed_package(tmp_path / "other")
    (first,) = cluster.workers()

    def change() -> None:
        cluster.workers(root=other)
        first.kill()

    after = After(CHUNK_POINTS, change)
    folder = tmp_path / "cluster"
    with (
        joined(cluster.address, evaluator=remotely.slow) as dask_cluster,
        pytest.raises(InputError, match=r"worker tcp://.*churnsim is 0\.0\.9 there"),
    ):
        run_sweep(work, folder, dask_cluster, How(report=after))
    run_sweep(work, folder, Threads(1))
    assert files_in(folder) == expected


def test_cluster__a_lost_scheduler_leaves_a_store_that_goes_on(
    cluster: Started, file: Path, tmp_path: Path
) -> None:
    """It is killed midway: one clear line within seconds, and threads do the rest."""
    work = work_of(file, remotely.slow)
    expected = whole(work, tmp_path / "threads")
    cluster.workers(2)
    after = After(POINTS // 4, lambda: cluster.scheduler.send_signal(signal.SIGKILL))
    folder = tmp_path / "cluster"
    with (
        pytest.raises(PartialError, match="the scheduler is gone; what was finished"),
        joined(cluster.address, evaluator=remotely.slow) as dask_cluster,
    ):
        run_sweep(work, folder, dask_cluster, How(report=after))
    status = read_status(folder)
    assert POINTS // 4 <= status.n_done < POINTS
    swept = run_sweep(work, folder, Threads(2))
    assert swept.n_made == POINTS - status.n_done
    assert files_in(folder) == expected


@pytest.mark.slow
def test_cluster__a_point_that_kills_its_worker_is_a_row(
    cluster: Started, file: Path, tmp_path: Path
) -> None:
    """It alone fails, told apart from the points of its chunk; all others are made."""
    folder = tmp_path / "cluster"
    work = work_of(file, remotely.quick)
    cluster.workers(2, is_nursed=True)
    with joined(cluster.address, evaluator=remotely.poisoned) as dask_cluster:
        status = run_sweep(work, folder, dask_cluster).status
    assert status.is_complete
    lost, *unlucky = sorted(status.failures)
    assert lost.point == remotely.POISON
    assert lost.error == "each worker that ran it was lost"
    assert lost.command.startswith("churnsim run telecom --policy empowered")
    assert [failure.point for failure in unlucky] == [16, 33, 50]
    run_sweep(work, folder, Threads(1), How(retry_failed=True))
    assert files_in(folder) == whole(work, tmp_path / "threads")


def test_cluster__a_log_that_a_worker_lacks_is_named(
    cluster: Started, tmp_path: Path
) -> None:
    """And one with another content there; here it changes before a worker reads it."""
    log = tmp_path / "log.csv"
    log.write_text("a,2020-01-01,5\n")
    shop = scenario(log, 'transactions = { file = "log.csv", end = "2024-09-30" }')
    text = SWEEP.replace('"telecom"', f'"{shop}"').replace('"empowered", "slow"', "")
    file = tmp_path / "logged.toml"
    file.write_text(text.replace("policies = []", "").replace(CUSTOMERS, ""))
    work = work_of(file, remotely.quick)
    cluster.workers()
    with joined(cluster.address, evaluator=remotely.quick) as dask_cluster:
        log.unlink()
        told = rf"worker tcp://.*: must read .* a file that exists \({log}\); put "
        with pytest.raises(InputError, match=told):
            run_sweep(work, tmp_path / "cluster", dask_cluster)
        log.write_text("b,2020-01-01,5\n")
        told = rf"worker tcp://.*: must read .*{log} is another file there"
        with pytest.raises(InputError, match=told):
            run_sweep(work, tmp_path / "cluster", dask_cluster)


def test_cluster__without_workers_waits_and_says_so(
    cluster: Started, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could be one that starts workers when there is something to do."""
    monkeypatch.setattr(flight, "IDLE_SECONDS", 0.0)
    stop = threading.Event()
    timer = threading.Timer(1.0, stop.set)
    work = work_of(file, remotely.quick)
    with joined(cluster.address, evaluator=remotely.quick) as dask_cluster:
        timer.start()
        with pytest.warns(ClusterWarning, match="has no worker; waiting"):
            swept = run_sweep(work, tmp_path / "out", dask_cluster, How(stop=stop))
    assert swept.n_made == 0


@pytest.mark.slow
def test_cluster__stopped_it_finishes_what_is_under_way(
    cluster: Started, file: Path, tmp_path: Path
) -> None:
    """Chunks that a worker has begun are kept, the others are cancelled."""
    work = work_of(file, remotely.slow)
    expected = whole(work, tmp_path / "threads")
    cluster.workers()
    stop = threading.Event()
    folder = tmp_path / "cluster"
    how = How(report=After(POINTS // 4, stop.set), stop=stop)
    with joined(cluster.address, evaluator=remotely.slow) as dask_cluster:
        swept = run_sweep(work, folder, dask_cluster, how)
        assert POINTS // 4 < swept.n_made < POINTS // 2
        run_sweep(work, folder, dask_cluster)
    assert files_in(folder) == expected


def test_cluster__of_nobody_is_told_soon(file: Path, command: Command) -> None:
    """Where no scheduler listens, and where somebody listens who is none."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        for address in (f"tcp://127.0.0.1:{port}", "tcp://no-such-host.invalid:8786"):
            check_unreachable(file, command, address)
        deaf.listen()
        check_unreachable(file, command, f"tcp://127.0.0.1:{port}")
        check_unreachable(file, command, f"tls://127.0.0.1:{port}")


def check_unreachable(file: Path, command: Command, address: str) -> None:
    """See that a sweep there is answered within ten seconds."""
    began = time.monotonic()
    options = ("--cluster", address, "--insecure")
    answer = command("sweep", str(file), "--out", "out", *options)
    assert time.monotonic() - began < 10.0
    assert answer.code == ExitCode.INPUT
    assert "must be where a Dask scheduler answers (" in answer.err
    assert f'got "{address}"' in answer.err
    assert len(answer.err.splitlines()) == 1
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "address",
    ["tcp://10.0.0.1:8786", "tcp://head:8786", "tcp://[2001:db8::1]:8786"],
)
def test_check_address__an_open_line_needs_a_word(address: str) -> None:
    """Only loopback is let through without TLS, unless --insecure is given."""
    with pytest.raises(InputError, match=r"must be tls:// unless .* --insecure"):
        check_address(address, is_insecure=False)
    check_address(address, is_insecure=True)
    check_address(address.replace("tcp", "tls"), is_insecure=False)
    for here in ("127.0.0.1", "localhost", "[::1]"):
        check_address(f"tcp://{here}:8786", is_insecure=False)


@pytest.mark.parametrize(
    "address", ["", "head", "head:8786", "http://head:1", "tls://head", "tcp://a:b"]
)
def test_check_address__must_be_one(address: str) -> None:
    """With a way, a host and a port."""
    with pytest.raises(InputError, match="must be a scheduler's address"):
        check_address(address, is_insecure=True)


def test_options__that_exclude_each_other(command: Command, file: Path) -> None:
    """Threads and a cluster; an open line to nowhere."""
    words = ("sweep", str(file), "--out", "out")
    answer = command(*words, "--threads", "2", "--cluster", "tcp://127.0.0.1:1")
    assert (answer.code, "exclude each other" in answer.err) == (2, True)
    answer = command(*words, "--insecure")
    assert (answer.code, "is about --cluster" in answer.err) == (2, True)


def test_differences__name_each_one() -> None:
    """What is the same is not told; what is not there is."""
    here = identity()
    assert differences(here, here) == ""
    there = {**here, "numpy": "1.0"}
    del there["numba"]
    told = differences(there, here)
    assert f"numpy is 1.0 there, {here['numpy']} here" in told
    assert "numba is absent there" in told
    assert {"python", "random streams", "churnsim source", "pyarrow"} <= here.keys()
