"""A long run goes on in slices: the same bits, told of, and left at once."""

import signal
import subprocess
import sys
import threading
import time

import pytest

from churnsim.engines.kernel import run as kernel
from churnsim.engines.watch import watched
from churnsim.errors import InputError, InterruptedRun, ResourceError
from churnsim.experiment import Execution, compare, run_replications
from churnsim.scenario import Scenario, load_scenario
from churnsim.simulation import simulate

pytestmark = pytest.mark.compiled

LONG = ("population.customers=50000", "horizon=20 years")  # half a minute
LEFT_WITHIN = 1.5  # seconds after Ctrl-C, on a machine that does other things too
ALONE = f"""
import signal
from churnsim.engines.watch import watched
from churnsim.scenario import load_scenario
from churnsim.simulation import simulate
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job has none
scenario = load_scenario("telecom", overrides={LONG!r})
with watched(lambda share: print(share, flush=True)):
    simulate(scenario, "slow")
"""


@pytest.mark.parametrize("engine", ["kernel", "interpreted"])
def test_slices__change_no_bit_and_shares_grow(
    shop: Scenario, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However short slices are, the books are the same; the share done only grows."""
    whole = simulate(shop, "slow", engine=engine).digest()
    for n_steps in (1, 7, 64):
        monkeypatch.setattr(kernel, "STEPS_FIRST", n_steps)
        monkeypatch.setattr(kernel, "STEPS_MAX", n_steps)
        shares: list[float] = []
        with watched(shares.append):
            assert simulate(shop, "slow", engine=engine).digest() == whole
        assert len(shares) > 2 * (shop.population.customers or 0) // n_steps
        assert shares == sorted(shares)
        assert 0.0 < shares[0] < shares[-1] < 1.0


def test_watch__ends_a_run() -> None:
    """What the watch raises ends the run; one that nobody watches goes on."""

    def refuse(_: float) -> None:
        raise InterruptedRun("enough")

    scenario = load_scenario("telecom", overrides=["population.customers=20000"])
    with pytest.raises(InterruptedRun, match="enough"), watched(refuse):
        simulate(scenario, "slow")


def test_within__tells_of_a_replication_under_way_and_stopping_ends_it() -> None:
    """The share of the first replication is told; stopped, its thread ends with it."""
    scenario = load_scenario("telecom", overrides=LONG)
    stop = threading.Event()
    shares: list[float] = []

    def within(share: float) -> None:
        shares.append(share)
        if len(shares) > 5:
            stop.set()

    before = threading.active_count()
    how = Execution(threads=1, stop=stop, within=within)
    with pytest.raises(InterruptedRun, match="before the first"):
        run_replications(scenario, ["slow"], replications=1, execution=how)
    assert shares == sorted(shares)
    assert 0.0 < shares[0] < shares[-1] < 1.0
    until = time.monotonic() + 5.0
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.02)
    assert threading.active_count() == before


def test_within__must_be_a_function(shop: Scenario) -> None:
    """What cannot be called is refused before anything runs."""
    how = Execution(within=3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a function of a share"):
        compare(shop, execution=how)


def test_interrupt__in_the_main_thread_in_the_middle_of_a_run() -> None:
    """Ctrl-C ends a single run in Python's main thread while the kernel computes."""
    process = subprocess.Popen(
        [sys.executable, "-c", ALONE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    shares = [float(process.stdout.readline()) for _ in range(4)]
    began = time.perf_counter()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    took = time.perf_counter() - began
    assert shares == sorted(shares)
    assert shares[-1] > shares[0]
    assert err.splitlines()[-1] == "KeyboardInterrupt"
    assert took < LEFT_WITHIN, took


def test_memory__of_too_many_customers_is_refused_at_once() -> None:
    """A billion customers are refused before a row of theirs is allocated."""
    overrides = ["population.customers=1000000000", "horizon=1 hour"]
    scenario = load_scenario("telecom", overrides=overrides)
    began = time.monotonic()
    for ask in (
        lambda: simulate(scenario, "slow"),
        lambda: compare(scenario, execution=Execution(threads=1)),
    ):
        with pytest.raises(ResourceError, match="of memory"):
            ask()
    assert time.monotonic() - began < 5.0
