"""Memory: foretold before it is taken, refused before it runs out."""

import logging
import tracemalloc
from pathlib import Path

import pytest

from churnsim import memory
from churnsim.errors import ResourceError
from churnsim.experiment import Execution, run_replications
from churnsim.experiment.summary import summaries
from churnsim.experiment.workers import Job, run_replication, warm_up
from churnsim.memory import FIXED_BYTES, Need
from churnsim.scenario import Scenario, load_scenario

MB = 10**6


def set_left(monkeypatch: pytest.MonkeyPatch, n_bytes: int | None) -> None:
    """Let the machine have this much memory left."""
    monkeypatch.setattr(memory, "memory_left", lambda: n_bytes)


@pytest.mark.compiled
@pytest.mark.parametrize("tenure", ["new", "stationary"])
def test_need__is_what_a_run_takes(
    shop_file: Path, tenure: str, caplog: pytest.LogCaptureFixture
) -> None:
    """At 200,000 customers the estimate is within 10 % of what is allocated.

    That takes nothing to compile any more, or the compiler's own memory would count.
    """
    overrides = [
        "population.customers=200000",
        f"population.starting_tenure={tenure}",
        "horizon=1 week",
    ]
    scenario = load_scenario(shop_file, overrides=overrides)
    job = Job(scenario, {"slow": scenario.policy("slow")}, 1, "kernel", summaries)
    warm_up(job)
    foretold = memory.need_of(scenario, "kernel", 1, 1).per_worker
    tracemalloc.start()
    try:
        with caplog.at_level(logging.INFO, "churnsim.cache"):
            run_replication(job, 0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caplog.messages == []
    assert foretold == pytest.approx(peak, rel=0.1)


def test_need__grows_with_people_threads_and_rows(shop: Scenario) -> None:
    """People are customers and prospects; threads multiply, runs add."""
    one = memory.need_of(shop, "kernel", 10, 1)
    two = memory.need_of(shop, "kernel", 20, 2)
    assert one.n_people == 180
    assert two.total - two.kept == 2 * (one.total - one.kept)
    assert two.kept - FIXED_BYTES == 2 * (one.kept - FIXED_BYTES)
    apart = memory.need_of(shop, "kernel", 10, 1, are_processes=True)
    assert apart.total == one.total + memory.PROCESS_BYTES
    reference = memory.need_of(shop, "reference", 10, 1)
    assert reference.per_worker > one.per_worker


def test_check__refuses_above_80_percent(monkeypatch: pytest.MonkeyPatch) -> None:
    """80 % of what is left is granted, a byte more is refused with figures and cure."""
    set_left(monkeypatch, 1000 * MB)
    memory.check_memory(Need(5_000, 400 * MB, 2, 0))
    with pytest.raises(ResourceError) as caught:
        memory.check_memory(Need(5_000, 400 * MB, 2, 1))
    text = str(caught.value)
    assert "80% of the 1 GB of memory that are left" in text
    assert "5,000 people in 2 replications at once need 800 MB" in text
    assert "fewer customers (population.customers) or fewer threads" in text
    assert caught.value.exit_code == 3
    assert "\n" not in text


def test_check__asks_for_nothing_where_nobody_tells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a figure of what is left, nothing is refused."""
    set_left(monkeypatch, None)
    memory.check_memory(Need(10**9, 10**15, 64, 0))


def test_run__is_refused_before_anything_is_allocated(
    shop_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hundred million customers are refused without an array being made."""
    set_left(monkeypatch, 20_000 * MB)
    overrides = ["population.customers=200000000"]
    scenario = load_scenario(shop_file, overrides=overrides)
    tracemalloc.start()
    try:
        with pytest.raises(ResourceError, match="200,000,030 people"):
            run_replications(scenario, ["slow"], execution=Execution(threads=1))
        assert tracemalloc.get_traced_memory()[1] < 50 * MB
    finally:
        tracemalloc.stop()


def test_workers__are_as_many_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left to choose, as many replications run at once as memory allows; at least 1."""
    set_left(monkeypatch, 1000 * MB)
    assert memory.fitting_workers(Need(1, 200 * MB, 8, 0), 8) == 4
    assert memory.fitting_workers(Need(1, 200 * MB, 8, 0), 2) == 2
    assert memory.fitting_workers(Need(1, 900 * MB, 8, 0), 8) == 1


def write(folder: Path, files: dict[str, str]) -> None:
    """Write small files, folders included."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a machine with 8 MiB available and no control group."""
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "OWN_CGROUPS", tmp_path / "own")
    meminfo = "MemTotal: 16384 kB\nMemAvailable:   8192 kB\n"
    write(tmp_path, {"meminfo": meminfo, "own": "0::/job/step\n"})
    return tmp_path


def test_left__is_what_the_machine_has_available(machine: Path) -> None:
    """Without limits, MemAvailable counts."""
    assert machine.is_dir()
    assert memory.memory_left() == 8 * 2**20


def test_left__is_what_a_group_of_version_2_leaves(machine: Path) -> None:
    """A limit on any group above counts, and cached files are not in the way."""
    write(
        machine,
        {
            "cgroup/job/memory.max": "5000000\n",
            "cgroup/job/memory.current": "3000000\n",
            "cgroup/job/memory.stat": "anon 1\ninactive_file 250000\n",
            "cgroup/job/step/memory.max": "max\n",
            "cgroup/job/step/memory.current": "1\n",
            "cgroup/job/step/memory.stat": "anon 1\n",
        },
    )
    assert memory.memory_left() == 2_250_000


def test_left__is_what_a_group_of_version_1_leaves(machine: Path) -> None:
    """The older hierarchy is read too, also where its path is the host's."""
    write(
        machine,
        {
            "own": "4:memory:/host/only\n2:cpu:/\n",
            "cgroup/memory/memory.limit_in_bytes": "4000000\n",
            "cgroup/memory/memory.usage_in_bytes": "3500000\n",
            "cgroup/memory/memory.stat": "cache 1\ntotal_inactive_file 0\n",
        },
    )
    assert memory.memory_left() == 500_000


def test_left__is_never_below_nothing(machine: Path) -> None:
    """A group over its limit leaves nothing."""
    write(
        machine,
        {
            "cgroup/memory.max": "10\n",
            "cgroup/memory.current": "30\n",
            "cgroup/memory.stat": "anon 1\n",
        },
    )
    assert memory.memory_left() == 0


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [(999, "999 bytes"), (65e12, "65 TB"), (1.5e9, "1.5 GB"), (4.4e18, "4,400,000 TB")],
)
def test_readable__says_it_in_three_digits(n_bytes: float, text: str) -> None:
    """Amounts of memory are told in the largest unit that fits."""
    assert memory.readable(n_bytes) == text
