"""Running a sweep: what is missing is made, and each chunk kept as it comes.

Whoever makes the chunks is an `Executor`: threads here, a cluster elsewhere. None of
them decides what is in the store; a chunk that comes twice must come the same.
"""

from __future__ import annotations

import gc
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from churnsim.engines.watch import watched
from churnsim.errors import InterruptedRun
from churnsim.experiment.replications import available_cores
from churnsim.experiment.workers import WATCH, Gauge
from churnsim.memory import check_memory, fitting_workers, need_of
from churnsim.sweep.store.manifest import SCENARIO, SWEEP, manifest_of
from churnsim.sweep.store.reading import Status, status_of
from churnsim.sweep.store.writing import Made, open_store
from churnsim.sweep.work import Making, Work

if TYPE_CHECKING:
    from churnsim.sweep.plan import Sweep

Chunk = tuple[int, Made]


# Points that are in the store, of how many in the sweep or its shard, and failed ones.
Report = Callable[[int, int, int], None]


class Executor(Protocol):
    """Makes chunks, in any order, somewhere."""

    def __call__(
        self, work: Work, todo: Iterable[int], stop: threading.Event
    ) -> Iterator[Chunk]:
        """Yield chunks as they are made.

        Once `stop` is set no chunk is begun; those under way are finished and yielded.

        Args:
            work: Makes a chunk by its number.
            todo: The numbers, taken one by one.
            stop: Set by whoever wants it to end.
        """


class Swept(NamedTuple):
    """What a store holds after a sweep, or a part of one."""

    status: Status
    n_made: int  # points that were made now
    n_damaged: int  # chunks that had changed on disk, and were made again


class Threads:
    """Makes chunks on this machine; the kernel lets other threads run meanwhile.

    All threads do points of the same chunk, and go on with the next once all of its
    points are taken. So few chunks are half done when it is told to stop, and at the
    end no thread waits for another's chunk.
    """

    def __init__(
        self, n_threads: int, within: Callable[[float], None] | None = None
    ) -> None:
        """Have threads at hand.

        Args:
            n_threads: How many.
            within: Is told the share of the first point under way that is done.
        """
        self.n_threads = n_threads
        self.within = within

    def __call__(
        self, work: Work, todo: Iterable[int], stop: threading.Event
    ) -> Iterator[Chunk]:
        """Yield chunks as they are made."""
        points = _points(work, todo, stop)
        taking = threading.Lock()
        halt = threading.Event()  # leave at once: nobody waits any more
        # A point that fills a chunk is long: told to stop, it is left on its way.
        leaving = (stop, halt) if work.chunk_points == 1 else (halt,)
        gauge = Gauge(self.within)
        made: queue.Queue[Chunk | BaseException | None] = queue.Queue()

        def next_point() -> tuple[Making, int] | None:
            with taking:
                return None if halt.is_set() else next(points, None)

        def run() -> None:
            try:
                while (taken := next_point()) is not None:
                    making, index = taken
                    try:
                        with watched(gauge.watch(index, *leaving)):
                            chunk = making.do(index)
                    except InterruptedRun:
                        continue
                    finally:
                        gauge.drop(index)
                    if chunk is not None:
                        made.put((making.chunk, chunk))
                made.put(None)
            except BaseException as error:  # noqa: BLE001 - raised where it is awaited
                made.put(error)

        # What lives on is looked through for garbage no more: with a compiler loaded
        # that takes as long as a run, every few points.
        gc.freeze()
        for _ in range(self.n_threads):
            threading.Thread(target=run, daemon=True).start()
        n_left = self.n_threads
        try:
            while n_left:
                try:
                    found = made.get(timeout=WATCH)
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


def _points(
    work: Work, todo: Iterable[int], stop: threading.Event
) -> Iterator[tuple[Making, int]]:
    """Yield points chunk by chunk; told to stop, those of chunks that are begun."""
    for number in todo:
        if stop.is_set():
            return
        making = Making(work, number)
        for index in work.points_of(number):
            yield making, index


def threads_for(sweep: Sweep, asked: int | None) -> int:
    """Return how many points may be under way at once.

    Args:
        asked: As typed; one a core where absent, as far as memory allows.

    Raises:
        ResourceError: Even so, more memory would be needed than there is.
    """
    need = need_of(sweep.scenario, "kernel", 1, asked or available_cores())
    if asked is None:
        need = need._replace(n_workers=fitting_workers(need, need.n_workers))
    check_memory(need)
    return need.n_workers


class How(NamedTuple):
    """How a sweep is run; none of it changes a result."""

    shard: tuple[int, int] = (1, 1)  # which part of how many, from 1
    retry_failed: bool = False  # make chunks with failed points again
    fail_fast: bool = False  # stop at the first chunk with a failed point
    report: Report | None = None  # is told how far it has come
    stop: threading.Event | None = None  # set it, and no further chunk is begun


ALL = How()  # the whole of it


def run_sweep(
    work: Work, folder: str | Path, executor: Executor, how: How = ALL
) -> Swept:
    """Make what a store lacks of a sweep.

    The store then holds what it would if nothing had ever stopped, byte for byte,
    whoever makes the chunks.

    Args:
        work: What there is to do.
        folder: The store; made if it is not there.
        executor: Makes the chunks.
        how: Which part of it, when to stop, whom to tell.

    Raises:
        InputError: The folder holds something else.
        StorageError: It cannot be written, or what came twice came differently.
    """
    sweep, report = work.sweep, how.report
    stop = how.stop or threading.Event()
    manifest = manifest_of(
        sweep.name, sweep.digest, sweep.n_points, work.chunk_points, how.shard
    )
    with open_store(folder, manifest, files_of(sweep)) as store:
        if how.retry_failed:
            store.make_again(store.failed_chunks())
        n_before, n_points = store.points_done, store.n_points

        def tell() -> None:
            if report is not None:
                report(store.points_done, n_points, store.points_failed)

        tell()
        if how.fail_fast and store.points_failed:
            stop.set()
        # What is missing is settled now: keeping a chunk changes what there is.
        todo = tuple(store.missing())
        for number, made in executor(work, todo, stop):
            store.keep(number, made)
            tell()
            if how.fail_fast and made.n_failed:
                stop.set()
        return Swept(
            status_of(store.folder, store.manifest, store.lines),
            store.points_done - n_before,
            store.n_damaged,
        )


def files_of(sweep: Sweep) -> dict[str, bytes]:
    """Return the files that tell a store's reader what was swept."""
    return {
        SWEEP: sweep.text.encode(),
        SCENARIO: sweep.scenario.to_toml().encode(),
    }
