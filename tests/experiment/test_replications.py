"""Replications: the same bits however they are run, and what is kept when some fail."""

import gc
import os
import signal
import threading
import time
from typing import Any

import pytest

from churnsim.errors import InputError, InterruptedRun, PartialError, ResourceError
from churnsim.experiment import (
    Comparison,
    Execution,
    compare,
    run_replications,
    workers,
)
from churnsim.experiment.replications import Replications
from churnsim.experiment.schedule import Row, Work
from churnsim.experiment.workers import Job, run_replication
from churnsim.scenario import Scenario
from churnsim.simulation import simulate

pytestmark = pytest.mark.compiled

NAMES = ("empowered", "slow")
DEADLY = 1  # the replication whose process is killed


def run(scenario: Scenario, execution: Execution, numbers: Any = 6) -> Replications:
    """Return a few replications of two policies and flawless."""
    return run_replications(scenario, NAMES, replications=numbers, execution=execution)


@pytest.fixture(scope="module")
def serial(shop: Scenario) -> Replications:
    """Return six replications run one after the other."""
    return run(shop, Execution(threads=1))


def same(a: Replications, b: Replications) -> bool:
    """Return whether two results hold the same rows to the last bit."""
    pairs = list(zip(a.runs, b.runs, strict=True))
    return bool(pairs) and all(x.is_same(y) for x, y in pairs)


@pytest.mark.parametrize("threads", [2, 4, 16])
def test_replications__same_bits_on_any_threads(
    shop: Scenario, serial: Replications, threads: int
) -> None:
    """1, 2, 4 and 16 threads give the same rows in the same order."""
    assert same(serial, run(shop, Execution(threads=threads)))


def test_replications__same_bits_on_processes(
    shop: Scenario, serial: Replications
) -> None:
    """Two processes give the same rows as one thread."""
    assert same(serial, run(shop, Execution(processes=2)))


def test_replications__same_bits_in_any_order_and_chunks(
    shop: Scenario, serial: Replications
) -> None:
    """Replications asked for shuffled, in two chunks, agree with one whole run."""
    chunks = [run(shop, Execution(threads=2), part) for part in ([5, 0, 3], [4, 1, 2])]
    by_place = {
        (row.policy, row.replication): row for chunk in chunks for row in chunk.runs
    }
    assert [chunk.finished for chunk in chunks] == [(5, 0, 3), (4, 1, 2)]
    assert len(by_place) == len(serial.runs)
    assert all(
        by_place[row.policy, row.replication].is_same(row) for row in serial.runs
    )


def test_replications__same_bits_in_the_interpreter(
    shop: Scenario, serial: Replications
) -> None:
    """The interpreted kernel gives the rows of the compiled one."""
    small = run(shop, Execution(engine="interpreted", threads=1), [0])
    assert all(a.is_same(b) for a, b in zip(small.runs, serial.runs, strict=False))
    assert len(small.runs) == 3


def test_replications__flawless_is_always_among_them(serial: Replications) -> None:
    """Flawless is run though nobody asked for it, and makes no mistakes."""
    assert serial.policies == ("empowered", "slow", "flawless")
    assert [row.tally["mistakes"] for row in serial.of("flawless")] == [0] * 6
    assert all(row.tally["mistakes"] > 0 for row in serial.of("slow"))


def test_replications__policies_meet_the_same_people(serial: Replications) -> None:
    """Within a replication the population is one; across replications it is another."""
    for number in serial.finished:
        met = {r.population for r in serial.runs if r.replication == number}
        assert len(met) == 1
    assert len({row.population for row in serial.runs}) == len(serial.finished)


def test_replications__mixed_policies_have_names_of_ones_own(
    shop: Scenario, serial: Replications
) -> None:
    """Settings given under a new name run as the policy they are."""
    mixed = {"mine": shop.policy("slow")}
    rows = run_replications(shop, mixed, replications=2).of("mine")
    assert [row.digest for row in rows] == [r.digest for r in serial.of("slow")[:2]]


def test_replications__money_balances_in_integers(shop: Scenario) -> None:
    """Customers' accounts, months and totals hold the same micro-units of revenue."""
    outcome = simulate(shop, "slow")
    months = outcome.monthly().column("revenue").to_pylist()
    accounts = outcome.customers().column("revenue").to_pylist()
    assert sum(months) == sum(accounts) == outcome.totals.revenue > 0
    spent = sum(outcome.totals[1:6])
    margin = outcome.totals.revenue * 450_000 // 1_000_000
    assert outcome.totals.contribution == margin - spent


def test_replications__progress_counts_each(shop: Scenario) -> None:
    """Progress is told after each replication, up to all."""
    told: list[tuple[int, int]] = []
    run(shop, Execution(threads=2, progress=lambda *n: told.append(n)), 3)
    assert told == [(1, 3), (2, 3), (3, 3)]


def slow_down(monkeypatch: pytest.MonkeyPatch, finished: int) -> None:
    """Make replications from the given number on as deaf as a long kernel."""

    def sluggish(job: Job[Row], number: int, *rest: Any) -> tuple[Row, ...]:
        if number >= finished:
            time.sleep(3.0)
        return run_replication(job, number, *rest)

    monkeypatch.setattr(workers, "run_replication", sluggish)


def test_stop__keeps_the_finished_within_half_a_second(
    shop_file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped while others run on, the finished replications are there at once."""
    slow_down(monkeypatch, 2)
    stop = threading.Event()
    stopped_at = 0.0

    def progress(done: int, _: int) -> None:
        nonlocal stopped_at
        if done == 2:
            stopped_at = time.monotonic()
            stop.set()

    how = Execution(threads=2, progress=progress, stop=stop)
    result = compare(shop_file, replications=6, execution=how)
    assert time.monotonic() - stopped_at < 0.5
    assert result.is_stopped
    assert result.is_partial
    assert result.replications.finished == (0, 1)
    assert all(len(result.replications.of(p)) == 2 for p in result.policies)
    assert "Stopped early: 2 of 6 replications" in result.sentence()
    assert result.error() is None


def test_stop__keeps_what_as_many_replications_would_give(
    shop: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that finished after another was cut off is left out: the first is kept."""
    run_one = workers.run_replication
    stop = threading.Event()

    def second_is_slow(job: Job[Row], number: int, *rest: Any) -> tuple[Row, ...]:
        if number == 1:
            time.sleep(3.0)
        return run_one(job, number, *rest)

    def progress(done: int, _: int) -> None:
        if done == 3:
            stop.set()

    monkeypatch.setattr(workers, "run_replication", second_is_slow)
    how = Execution(threads=2, progress=progress, stop=stop)
    result = run_replications(shop, ["empowered"], replications=6, execution=how)
    assert result.is_stopped
    assert result.finished == (0,)


def test_stop__before_anything_finished_is_an_interruption(
    shop: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing finished there is no result to keep."""
    slow_down(monkeypatch, 0)
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(InterruptedRun, match="before the first"):
        run(shop, Execution(threads=2, stop=stop))


def test_stop__is_not_held_up_by_a_collection_of_garbage(
    shop: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While kernels are compiled, nobody waits to free what belongs to LLVM."""
    found = []
    warm_up = workers.warm_up

    def watched(job: Job[Row]) -> None:
        found.append(gc.isenabled())
        warm_up(job)
        found.append(gc.isenabled())

    monkeypatch.setattr(workers, "warm_up", watched)
    run(shop, Execution("reference", threads=1))
    assert found == [False, False]
    assert gc.isenabled()


def test_stop__is_heard_though_the_signal_takes_long(
    shop: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal whose handling outlasts a wait does not make the wait endless."""
    stop, started = threading.Event(), threading.Event()

    def on_signal(*_: object) -> None:
        time.sleep(3 * workers.WATCH)
        stop.set()

    def long(_: Job[Row]) -> None:
        started.set()
        time.sleep(10.0)

    def interrupt() -> None:
        started.wait()
        time.sleep(1.5 * workers.WATCH)  # into a wait
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    monkeypatch.setattr(workers, "warm_up", long)
    before = signal.signal(signal.SIGUSR1, on_signal)
    began = time.monotonic()
    try:
        threading.Thread(target=interrupt, daemon=True).start()
        with pytest.raises(InterruptedRun):
            run(shop, Execution("reference", threads=1, stop=stop))
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert time.monotonic() - began < 5.0


def test_stop__ctrl_c_keeps_the_finished(shop: Scenario) -> None:
    """An interrupt from the keyboard is taken as a wish to stop, not as an error."""

    def progress(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    result = run(shop, Execution(threads=1, progress=progress))
    assert result.is_stopped
    assert result.finished == (0, 1)


def break_one(monkeypatch: pytest.MonkeyPatch, broken: set[int]) -> None:
    """Make some replications fail under the policy slow."""

    def fragile(*args: Any, **keywords: Any) -> Any:
        if keywords.get("replication") in broken and args[1].title == "Slow":
            raise MemoryError("no room")
        return simulate(*args, **keywords)

    monkeypatch.setattr(workers, "simulate", fragile)


def test_failure__leaves_the_others_whole(
    shop_file: Any, comparison: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One failing replication is told with its seed; the others are as ever."""
    break_one(monkeypatch, {2})
    result = compare(shop_file, execution=Execution(threads=2))
    assert result.replications.finished == (0, 1, 3)
    assert not result.is_stopped
    expected = [row for row in comparison.runs if row.replication != 2]
    assert all(a.is_same(b) for a, b in zip(result.runs, expected, strict=True))
    error = result.error()
    assert isinstance(error, PartialError)
    assert error.exit_code == 5
    text = str(error)
    assert "1 of 4 replications failed" in text
    assert "replication 2 under policy slow failed: MemoryError: no room" in text
    assert "seed 7" in text
    assert "1 of 4 replications failed" in result.sentence()


def test_failure__of_all_is_the_error_itself(
    shop: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where every replication fails, the cause is raised and not hidden."""
    break_one(monkeypatch, {0, 1})
    with pytest.raises(MemoryError, match="no room"):
        run(shop, Execution(threads=2), 2)


def deadly_result(job: Job[Row], work: Work, stop: None = None) -> object:
    """Return a replication's rows, but for the one that kills its process."""
    if work.number == DEADLY:
        os._exit(9)
    return workers.run_replication(job, work.number, stop)


@pytest.mark.slow
def test_processes__outlive_a_killed_one(
    shop: Scenario, serial: Replications, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies costs its own replication and no other."""
    monkeypatch.setattr(workers, "result_of", deadly_result)
    result = run(shop, Execution(processes=2), 3)
    assert result.finished == (0, 2)
    (failure,) = result.failures
    assert failure.replication == DEADLY
    assert isinstance(failure.error, ResourceError)
    assert result.of("slow")[1].is_same(serial.of("slow")[2])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"replications": 0}, "replications: must be from 1 to 1000000; got 0"),
        ({"replications": [1, 1]}, "replications: must be different numbers"),
        ({"seed": -1}, "seed: must be from 0 to 18446744073709551615; got -1"),
        ({"seed": 1.5}, "seed: must be a whole number; got 1.5"),
        ({"seed": True}, "seed: must be a whole number; got true"),
        ({"execution": Execution(engine="warp")}, "engine: must be one of kernel"),
        ({"execution": Execution(threads=0)}, "threads: must be from 1 to 1024"),
        ({"execution": Execution(processes=-1)}, "processes: must be from 1 to 1024"),
    ],
)
def test_inputs__that_cannot_be_are_refused(
    shop: Scenario, changes: dict[str, Any], said: str
) -> None:
    """Each wrong argument is named with its rule and its value."""
    with pytest.raises(InputError) as caught:
        run_replications(shop, NAMES, **{"replications": 2, **changes})
    assert said in str(caught.value)


def test_inputs__unknown_policy_is_refused(shop: Scenario) -> None:
    """A policy that the scenario lacks is refused with the nearest one it has."""
    with pytest.raises(InputError, match="did you mean 'slow'"):
        run_replications(shop, ["slwo"])
