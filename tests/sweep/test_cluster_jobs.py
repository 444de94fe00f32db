"""Replications on a Dask cluster, site by site where there are several."""

import importlib.util
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from churnsim.errors import ExitCode, InputError, PartialError
from churnsim.experiment import Comparison, Execution, compare
from churnsim.experiment.replications import run_job
from churnsim.experiment.schedule import SitesDone
from churnsim.experiment.workers import Job
from churnsim.scenario import Scenario, load_scenario
from churnsim.sweep import sited
from churnsim.sweep.cluster import joined
from churnsim.sweep.flight import Flight, Task
from churnsim.sweep.plan import load_sweep
from churnsim.sweep.running import How, Threads, run_sweep
from churnsim.sweep.session import session
from churnsim.sweep.simulated import simulated
from churnsim.sweep.work import Work
from tests.cli.conftest import Command
from tests.experiment.chains import N_SITES, TALKED_OF
from tests.sweep import remotely
from tests.sweep.started import After, Started
from tests.sweep.test_kill import files_in

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None,
    reason="distributed is not installed: pip install 'churnsim[cluster]'",
)

ONE = Execution(threads=1)
SETTINGS = TALKED_OF | {"policies": '["empowered", "slow"]'}
N_REPLICATIONS = 12
SWEEP = """
scenario = "telecom"
policies = ["empowered", "slow"]
replications = 2
[set]
{settings}
[[factor]]
field = "market.lock_in"
values = [0.2, 1.5]
[[factor]]
field = "sites"
values = [1, 3]
[[factor]]
field = "mistakes.billing.probability"
values = [0.01, 0.999]
"""
MANY = """
scenario = "telecom"
policies = ["empowered", "slow"]
replications = 2
[set]
sites = 3
{settings}
[[factor]]
field = "market.lock_in"
low = 0.1
high = 1.5
steps = 20
"""


@pytest.fixture(scope="module")
def chain() -> Scenario:
    """Return a firm of a few small sites."""
    return load_scenario("telecom", overrides=SETTINGS)


def same(found: Comparison, expected: Comparison) -> bool:
    """Return whether two comparisons have the same rows, to the last bit."""
    pairs = zip(found.runs, expected.runs, strict=True)
    return all(a.is_same(b) for a, b in pairs)


def kills(process: "subprocess.Popen[str]") -> Callable[[SitesDone], None]:
    """Return what kills a process once some sites of a later replication are done."""
    seen: list[SitesDone] = []

    def told(part: SitesDone) -> None:
        seen.append(part)
        if len(seen) == N_REPLICATIONS:
            process.send_signal(signal.SIGKILL)

    return told


def test_cluster__sites_are_tasks_whose_bits_are_those_of_one_thread(
    cluster: Started, chain: Scenario
) -> None:
    """A worker is killed midway, which changes nothing. One site: replications are."""
    _, victim = cluster.workers(2)
    alone = load_scenario(chain, overrides={"sites": "1"})
    with joined(cluster.address) as dask_cluster:
        how = Execution(cluster=dask_cluster)
        found = compare(alone, replications=5, execution=how)
        assert same(found, compare(alone, replications=5, execution=ONE))
        parts: list[SitesDone] = []
        how = how._replace(sites=parts.append)
        found = compare(chain, replications=1, execution=how)
        assert {part.total for part in parts if part.round == 1} == {N_SITES}
        assert found.sites is not None
        assert max(part.round for part in parts) == found.sites.passes
        n = N_REPLICATIONS
        how = how._replace(sites=kills(victim))
        found = compare(chain, replications=n, execution=how)
        assert victim.wait() == -signal.SIGKILL
    assert found.n_finished == n
    assert same(found, compare(chain, replications=n, execution=ONE))


def big_points(file: Path, text: str) -> Work:
    """Return the work of a sweep whose chunks are one point each."""
    taken = {"sites", "policies", "seed", "market.lock_in"}
    taken |= {"mistakes.billing.probability"}
    numbers = ("population.customers", "market.word_of_mouth.influence")
    lines = [
        f'"{key}" = {value}' if key in numbers else f'"{key}" = "{value}"'
        for key, value in SETTINGS.items()
        if key not in taken
    ]
    file.write_text(text.format(settings="\n".join(lines)))
    sweep = load_sweep(file)
    work = Work(sweep, simulated(sweep))
    work.chunk_points, work.n_chunks = 1, sweep.n_points
    assert sited.are_jobs(work)
    return work


def test_sweep__big_points_go_site_by_site(
    cluster: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is that of one thread; points that cannot be fail with the same words.

    Points of one site, whose replications are tasks, are among them.
    """
    monkeypatch.setattr(sited, "TASK_SECONDS", 0.0)
    work = big_points(tmp_path / "sweep.toml", SWEEP)
    run_sweep(work, tmp_path / "threads", Threads(1))
    cluster.workers(2)
    with joined(cluster.address) as dask_cluster:
        swept = run_sweep(work, tmp_path / "cluster", dask_cluster)
    assert swept.n_made == 8
    assert swept.status.n_failed == 4
    assert files_in(tmp_path / "cluster") == files_in(tmp_path / "threads")


@pytest.mark.slow
def test_sweep__stopped_it_finishes_the_big_points_that_workers_have_begun(
    cluster: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those whose sites only wait are dropped; what is kept goes on."""
    monkeypatch.setattr(sited, "TASK_SECONDS", 0.0)
    work = big_points(tmp_path / "sweep.toml", MANY)
    cluster.workers()
    stop = threading.Event()
    folder = tmp_path / "cluster"
    how = How(report=After(1, stop.set), stop=stop)
    with joined(cluster.address) as dask_cluster:
        swept = run_sweep(work, folder, dask_cluster, how)
        assert 1 <= swept.n_made < work.n_chunks // 2
        run_sweep(work, folder, dask_cluster)
    run_sweep(work, tmp_path / "threads", Threads(1))
    assert files_in(folder) == files_in(tmp_path / "threads")


@pytest.mark.slow
def test_cluster__a_replication_that_kills_its_workers_fails_alone(
    cluster: Started, few: Scenario
) -> None:
    """What was with it on a lost worker is done again, one by one."""
    cluster.workers(2, is_nursed=True)
    job = Job(few, {"slow": few.policy("slow")}, 1, "kernel", remotely.deadly)
    with joined(cluster.address) as dask_cluster:
        batch = run_job(job, range(10, 16), Execution(cluster=dask_cluster))
    assert sorted(batch.rows) == [n for n in range(10, 16) if n != remotely.POISON]
    (failure,) = batch.failures
    assert failure.replication == remotely.POISON
    assert "each worker that ran it was lost" in str(failure.error)


def test_cluster__a_lost_scheduler_ends_a_run_soon(
    cluster: Started, chain: Scenario
) -> None:
    """What is finished is kept, and each other replication says why it is not."""
    cluster.workers(1)
    how = Execution(sites=kills(cluster.scheduler))
    with joined(cluster.address) as dask_cluster:
        how = how._replace(cluster=dask_cluster)
        try:
            error = compare(chain, replications=1000, execution=how).error()
        except PartialError as nothing:
            error = nothing
    assert error is not None
    assert "the scheduler is gone; what was finished is shown" in str(error)


def test_flight__of_a_client_that_has_closed_says_that_the_scheduler_is_gone(
    cluster: Started,
) -> None:
    """It closes at any moment, such as just before a task is sent."""
    with session(cluster.address) as begun:
        flight = Flight(begun)
        begun.client.close()
        with pytest.raises(PartialError, match="the scheduler is gone"):
            flight.take(iter([Task(0, abs, (-1,))]))


def test_run__on_a_cluster_says_what_it_says_on_threads(
    cluster: Started, command: Command
) -> None:
    """The table, its reasons by lever, and the command that makes it again."""
    words = ["run", "telecom", "--replications", "2", "--explain"]
    for key, value in SETTINGS.items():
        words += ["--set", f"{key}={value}"]
    expected = command(*words, "--threads", "1")
    cluster.workers(1)
    answer = command(*words, "--cluster", cluster.address)
    assert (answer.code, answer.out) == (0, expected.out)
    assert "5 sites" in answer.out


def test_run__options_about_a_cluster_are_checked(command: Command) -> None:
    """An open line to another machine, threads besides, nobody there."""
    answer = command("run", "--cluster", "tcp://10.0.0.1:8786")
    assert answer.code == ExitCode.INPUT
    assert "must be tls:// unless the scheduler is on this machine" in answer.err
    answer = command("run", "--threads", "2", "--cluster", "tcp://127.0.0.1:1")
    assert (answer.code, "exclude each other" in answer.err) == (2, True)
    answer = command("run", "--insecure")
    assert (answer.code, "is about --cluster" in answer.err) == (2, True)
    answer = command("run", "--cluster", "tcp://127.0.0.1:1")
    assert "must be where a Dask scheduler answers (" in answer.err
    assert len(answer.err.splitlines()) == 1


def test_execution__a_cluster_must_be_one(few: Scenario) -> None:
    """An address is no cluster, and an event no function: callers may be untyped."""
    how = Execution(cluster="tcp://127.0.0.1:8786")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="cluster: must be what joined"):
        compare(few, replications=1, execution=how)
    stopped = threading.Event()
    with pytest.raises(InputError, match="sites: must be a function"):
        compare(few, replications=1, execution=Execution(sites=stopped))  # type: ignore[arg-type]
