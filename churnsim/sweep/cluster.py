"""Making chunks on an existing Dask cluster.

The scheduler may lose workers, run a chunk twice and take new workers in: a chunk is a
function of its number, so the store is the same whoever made it. This process alone
writes it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import queue
import threading
import time
import uuid
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from churnsim.errors import InputError, PartialError, Problem
from churnsim.experiment.workers import WATCH
from churnsim.sweep.joining import OPTION, check_address, check_open, connected, quiet
from churnsim.sweep.remote import (
    Refused,
    differences,
    identity,
    make_chunk,
    make_point,
    order_of,
)
from churnsim.sweep.rows import Failed, Row, Rows
from churnsim.sweep.simulated import command_of
from churnsim.sweep.store.writing import RESUMABLE, Made

if TYPE_CHECKING:
    from churnsim.sweep.remote import Evaluator, Order
    from churnsim.sweep.running import Chunk
    from churnsim.sweep.work import Work

ANSWER_SECONDS = 60.0  # until a worker has loaded churnsim and said what it is
LOOK_SECONDS = 5.0  # between looks at how many workers there are
PER_THREAD = 4  # chunks under way for each thread of the workers
AT_LEAST = 64  # chunks under way, so that an adaptive cluster sees what is to do
IDLE_SECONDS = 30.0  # without any worker, until that is told
CLOSE_SECONDS = 2.0
LOST = "each worker that ran it was lost"


class ClusterWarning(UserWarning):
    """The cluster is there, but nobody works."""


class Cluster:
    """Makes chunks on the workers of a cluster that was joined."""

    def __init__(
        self, client: Any, address: str, evaluator: Evaluator | None = None
    ) -> None:
        self._client = client
        self._address = address
        self._evaluator = evaluator

    def __call__(
        self, work: Work, todo: Iterable[int], stop: threading.Event
    ) -> Iterator[Chunk]:
        """Yield chunks as they are made.

        Raises:
            InputError: A worker is not as this churnsim, or lacks a file.
            PartialError: The scheduler is gone.
        """
        flight = _Flight(self._client, order_of(work), self._evaluator)
        suspected = _Suspected(work)
        numbers = iter(todo)
        is_stopping = False
        try:
            while True:
                if stop.is_set() and not is_stopping:
                    is_stopping = True
                    flight.cancel_waiting()
                if not is_stopping:
                    flight.take(numbers)
                if not flight.under_way:
                    return
                self._check_there()
                if (landed := flight.landed()) is None:
                    continue
                task, future = landed
                try:
                    found = self._found(future)
                except _Lost:
                    suspects = suspected.lost(task)
                    flight.suspects.extend(suspects)
                    if suspects:
                        continue
                    found = suspected.failed(task)
                if found is None:
                    flight.again(task)
                elif isinstance(found, Made):
                    yield task.chunk, found
                elif (made := suspected.add(task, found)) is not None:
                    yield task.chunk, made
        finally:
            flight.cancel()

    def n_threads(self) -> int:
        """Return how many chunks the workers can make at once, at least 1.

        Raises:
            PartialError: The scheduler is gone.
        """
        try:
            return max(1, sum(_threads(self._client).values()))
        except OSError:
            raise self._gone() from None

    def check(self) -> None:
        """Compare every worker that is there with this churnsim.

        Raises:
            InputError: One differs, or has no churnsim.
            PartialError: The scheduler is gone.
        """
        here = identity()
        try:
            found: Mapping[str, Any] = self._client.sync(
                self._client._run,  # noqa: SLF001 - `run` waits without end
                identity,
                on_error="return",
                callback_timeout=ANSWER_SECONDS,
            )
        except TimeoutError:
            rule = f"must have workers that answer within {ANSWER_SECONDS:.0f} s"
            raise InputError(Problem(rule, field=OPTION, value=self._address)) from None
        except OSError:
            raise self._gone() from None
        problems = []
        for worker, there in sorted(found.items()):
            if isinstance(there, BaseException):
                told = f"{type(there).__name__}: {there}"
            else:
                told = differences(there, here)
            if told:
                rule = f"must be as it is here: {' '.join(told.split())}"
                hint = "install the same versions on every worker"
                problems.append(Problem(rule, field=f"worker {worker}", hint=hint))
        if problems:
            raise InputError(*problems)

    def _found(self, future: Any) -> Made | Sequence[Row] | Failed | None:
        """Return what a task made; None where it has to be sent again.

        Raises:
            _Lost: The workers that ran it were lost.
            InputError: The worker is not as this churnsim, or lacks a file.
            PartialError: The scheduler is gone.
        """
        from distributed import CancelledError, KilledWorker

        try:
            found: Made | Sequence[Row] | Failed | Refused = future.result(
                timeout=ANSWER_SECONDS
            )
        except (CancelledError, TimeoutError):
            self._check_there()  # else somebody restarted the workers
            return None
        except KilledWorker:
            raise _Lost from None
        except OSError:
            raise self._gone() from None
        except (ImportError, AttributeError, RuntimeError) as error:
            if "deserializ" in str(error) or isinstance(error, ImportError):
                raise self._foreign(error) from None
            raise
        if isinstance(found, Refused):
            where = f"worker {found.worker}"
            raise InputError(Problem(found.rule, field=where, hint=found.hint))
        return found

    def _check_there(self) -> None:
        if self._client.status != "running":
            raise self._gone()

    def _gone(self) -> PartialError:
        rule = f"the scheduler is gone; {RESUMABLE}, also without {OPTION}"
        return PartialError(Problem(rule, field=OPTION, value=self._address))

    def _foreign(self, error: Exception) -> InputError:
        cause = error.__cause__ or error
        what = " ".join(f"{type(cause).__name__}: {cause}".split())
        rule = f"must be a cluster whose scheduler and workers have churnsim ({what})"
        hint = "install the same versions everywhere"
        return InputError(Problem(rule, field=OPTION, value=self._address, hint=hint))


class _Lost(Exception):  # noqa: N818 - nothing is wrong here
    """The workers that ran a task were lost."""


class _Task(NamedTuple):
    """A chunk, or one point of it."""

    chunk: int
    point: int | None = None


class _Suspected:
    """Chunks whose workers were lost: made point by point, to tell which one it is.

    A worker that is lost takes along whatever else it was given. So a point counts as
    failed only if that happens where it is the one suspect that is under way.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._found: dict[int, dict[int, Sequence[Row] | Failed]] = {}  # by chunk

    def lost(self, task: _Task) -> list[_Task]:
        """Return the points to be made one by one; none where it was one already."""
        if task.point is not None:
            return []
        self._found[task.chunk] = {}
        return [_Task(task.chunk, index) for index in self._work.points_of(task.chunk)]

    def failed(self, task: _Task) -> Failed:
        """Return what is told of a point that nobody survives."""
        assert task.point is not None  # noqa: S101 - a chunk was made point by point
        sweep = self._work.sweep
        return Failed(LOST, command_of(sweep, sweep.point(task.point)))

    def add(self, task: _Task, found: Sequence[Row] | Failed) -> Made | None:
        """Take a point's rows; return the chunk once it is whole."""
        assert task.point is not None  # noqa: S101 - a chunk comes whole
        known = self._found[task.chunk]
        known[task.point] = found
        points = self._work.points_of(task.chunk)
        if len(known) < len(points):
            return None
        del self._found[task.chunk]
        rows = Rows(self._work.sweep)
        for index in points:
            rows.add(self._work.sweep.point(index), known[index])
        return Made(rows.to_bytes(), len(rows), rows.n_failed, 0.0)


class _Flight:
    """The tasks that are under way."""

    def __init__(self, client: Any, order: Order, evaluator: Evaluator | None) -> None:
        self._client = client
        self._order = order
        self._evaluator = evaluator
        self._session = f"churnsim-{uuid.uuid4().hex}"
        self._n_sent = 0
        self._ended: queue.Queue[Any] = queue.Queue()
        self._limit = AT_LEAST
        self._look_at = 0.0
        self._is_stopping = False
        self._idle_since = time.monotonic()
        self._is_told = False
        self.under_way: dict[Any, tuple[_Task, Any]] = {}  # with its future, by key
        self.suspects: deque[_Task] = deque()  # that go one at a time

    def take(self, numbers: Iterator[int]) -> None:
        """Send chunks until enough are under way."""
        if time.monotonic() >= self._look_at:
            with contextlib.suppress(OSError):
                n_threads = sum(_threads(self._client).values())
                self._limit = max(AT_LEAST, PER_THREAD * n_threads)
                self._tell_idle(n_threads)
            self._look_at = time.monotonic() + LOOK_SECONDS
        if self.suspects and not self._is_one_suspected():
            self._send(self.suspects.popleft())
        while len(self.under_way) < self._limit:
            if (number := next(numbers, None)) is None:
                return
            self._send(_Task(number))

    def again(self, task: _Task) -> None:
        """Send a task that came to nothing, unless it is to end."""
        if not self._is_stopping:
            self._send(task)

    def landed(self) -> tuple[_Task, Any] | None:
        """Return a task that ended and its future; None if none does so soon."""
        try:
            future = self._ended.get(timeout=WATCH)
        except queue.Empty:
            return None
        return self.under_way.pop(future.key, None)

    def cancel_waiting(self) -> None:
        """Cancel the tasks that no worker has begun, and send no more."""
        self._is_stopping = True
        begun = set(self.under_way)
        with contextlib.suppress(OSError):
            # Of all tasks: asked about ours, it fails where one has just ended.
            stacks: Mapping[str, Mapping[Any, Any]] = self._client.sync(
                self._client.scheduler.call_stack, callback_timeout=LOOK_SECONDS
            )
            begun = {key for stack in stacks.values() for key in stack}
        waiting = [
            key
            for key, (_, future) in self.under_way.items()
            if key not in begun and not future.done()
        ]
        self._cancel(waiting)

    def cancel(self) -> None:
        """Cancel all tasks that are still under way."""
        self._cancel(list(self.under_way))

    def _tell_idle(self, n_threads: int) -> None:
        """Say once that it waits, where there has been no worker for a while."""
        now = time.monotonic()
        if n_threads:
            self._idle_since = now
        elif now - self._idle_since >= IDLE_SECONDS and not self._is_told:
            self._is_told = True
            warnings.warn(
                "the cluster has no worker; waiting for one to join",
                ClusterWarning,
                stacklevel=2,
            )

    def _is_one_suspected(self) -> bool:
        return any(task.point is not None for task, _ in self.under_way.values())

    def _send(self, task: _Task) -> None:
        key = (self._session, self._n_sent)
        self._n_sent += 1
        make, number = (
            (make_chunk, task.chunk) if task.point is None else (make_point, task.point)
        )
        future = self._client.submit(
            make, self._order, number, self._evaluator, key=key, pure=False
        )
        self.under_way[key] = (task, future)
        future.add_done_callback(self._ended.put)

    def _cancel(self, keys: list[Any]) -> None:
        futures = [self.under_way.pop(key)[1] for key in keys]
        if futures and self._client.status == "running":
            with contextlib.suppress(OSError):
                self._client.sync(
                    self._client._cancel,  # noqa: SLF001 - `cancel` waits without end
                    futures,
                    callback_timeout=LOOK_SECONDS,
                )


@contextlib.contextmanager
def joined(
    address: str, *, is_insecure: bool = False, evaluator: Evaluator | None = None
) -> Iterator[Cluster]:
    """Yield the cluster at an address, every worker that is there being compared.

    Args:
        address: Of its scheduler, such as "tls://host:8786". Certificates come from
            Dask's own configuration.
        is_insecure: Lets "tcp://" lead to another machine.
        evaluator: Returns what makes the rows of a sweep's points; the simulation,
            where absent. A function that workers can import.

    Raises:
        InputError: No such address, nobody there, or a worker that differs.
    """
    check_address(address, is_insecure=is_insecure)
    if importlib.util.find_spec("distributed") is None:
        rule = "needs Dask's distributed, which is not installed"
        hint = "pip install 'churnsim[cluster]'"
        raise InputError(Problem(rule, field=OPTION, value=address, hint=hint))
    check_open(address)
    with quiet():
        client = connected(address)
        try:
            cluster = Cluster(client, address, evaluator)
            cluster.check()
            yield cluster
        finally:
            with contextlib.suppress(OSError):
                client.close(timeout=CLOSE_SECONDS)


def _threads(client: Any) -> Mapping[str, int]:
    """Return how many threads each worker has, by its address."""
    found: Mapping[str, int] = client.sync(
        client.scheduler.ncores, callback_timeout=LOOK_SECONDS
    )
    return found
