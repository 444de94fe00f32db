"""Ctrl-C: what is finished is kept and shown, and the answer comes at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from types import FrameType
from typing import Final, TypeVar

from churnsim.cli.console import tell
from churnsim.errors import InterruptedRun

WATCH: Final = 0.1  # how often a wait looks whether to stop [s]

T = TypeVar("T")


@contextmanager
def stopping(notice: str = "") -> Iterator[threading.Event]:
    """Turn the first Ctrl-C into an event; a second one ends the program as usual.

    Args:
        notice: What the user is told at once, where the end takes a while.
    """
    stop = threading.Event()

    def on_interrupt(_signal: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)
        if notice:
            # Not here: this thread may be in the middle of writing to the same stream.
            threading.Thread(target=tell, args=(notice,), daemon=True).start()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def read_first(scenario: str, overrides: Sequence[str]) -> None:
    """Read and fit the log that a scenario may name, while Ctrl-C ends it as usual.

    What is read is kept for who asks next, in `stopping`, which it would hold up.

    Args:
        scenario: As it was typed.
        overrides: Settings that lie over it.

    Raises:
        InputError: There is no such scenario, or something is wrong in it or the log.
    """
    from churnsim.population import history_of
    from churnsim.scenario import load_scenario

    history_of(load_scenario(scenario, overrides=overrides))


def unless_stopped(work: Callable[[], T], what: str) -> T:
    """Return what `work` returns, or answer Ctrl-C at once.

    Compiled code cannot be interrupted, so it runs in a thread that is left behind.

    Args:
        work: What may take long, and keeps nothing that is half done.
        what: Is being done, such as "the story was told".

    Raises:
        InterruptedRun: Stopped before it was done.
        Exception: What the work raises.
    """
    told: Future[T] = Future()

    def run() -> None:
        try:
            from churnsim.jit import uncollected

            with uncollected():
                found = work()
            told.set_result(found)
        except Exception as error:  # noqa: BLE001 - raised again in the other thread
            told.set_exception(error)

    with stopping() as stop:
        threading.Thread(target=run, daemon=True).start()
        while not stop.is_set():
            if wait([told], WATCH).done:
                return told.result()
    raise InterruptedRun(f"stopped before {what}")
