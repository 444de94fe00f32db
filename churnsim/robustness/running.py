"""Running what there is to do in threads, until it is done or somebody stops it."""

from __future__ import annotations

import gc
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from churnsim.engines.watch import watched
from churnsim.experiment.workers import Gauge

WATCH = 0.1  # how often a wait looks round [s]

T = TypeVar("T")


def in_threads(
    tasks: Sequence[Callable[[], T]],
    n_threads: int,
    stop: threading.Event,
    within: Callable[[float], None] | None = None,
) -> Iterator[tuple[int, T]]:
    """Yield what each task returns with its number, as they are done.

    Once `stop` is set none is begun; those under way are finished and yielded.

    Raises:
        Exception: What a task raises.
    """
    numbers = iter(range(len(tasks)))
    taking = threading.Lock()
    halt = threading.Event()  # leave at once: nobody waits any more
    gauge = Gauge(within)
    done: queue.Queue[tuple[int, T] | BaseException | None] = queue.Queue()

    def next_number() -> int | None:
        with taking:
            is_over = stop.is_set() or halt.is_set()
            return None if is_over else next(numbers, None)

    def run() -> None:
        try:
            while (number := next_number()) is not None:
                with watched(gauge.watch(number, stop, halt)):
                    result = tasks[number]()
                gauge.drop(number)
                done.put((number, result))
            done.put(None)
        except BaseException as error:  # noqa: BLE001 - raised where it is awaited
            done.put(error)

    # Looking through a compiler's garbage every few points takes as long as a run.
    gc.freeze()
    n_left = min(n_threads, max(1, len(tasks)))
    for _ in range(n_left):
        threading.Thread(target=run, daemon=True).start()
    try:
        while n_left:
            try:
                found = done.get(timeout=WATCH)
            except queue.Empty:
                gauge.tell()
                continue
            if isinstance(found, BaseException):
                raise found
            if found is None:
                n_left -= 1
            else:
                yield found
    finally:
        halt.set()
        gc.unfreeze()
