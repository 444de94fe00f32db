"""The tasks that are under way on a cluster, whatever they make."""

from __future__ import annotations

import contextlib
import queue
import time
import uuid
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from churnsim.experiment.workers import WATCH
from churnsim.sweep.session import LOOK_SECONDS, Session

PER_THREAD = 4  # tasks under way for each thread of the workers
AT_LEAST = 64  # tasks under way, so that an adaptive cluster sees what is to do
IDLE_SECONDS = 30.0  # without any worker, until that is told
LOST = "each worker that ran it was lost"


class ClusterWarning(UserWarning):
    """The cluster is there, but nobody works."""


class Task(NamedTuple):
    """A function that workers can import, and with what they call it."""

    what: Any  # it makes: whoever sends it knows
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    is_suspect: bool = False  # goes while no other suspect does
    priority: int = 0  # the highest goes first


class Flight:
    """The tasks that are under way, and suspects that wait for their turn.

    A worker that is lost takes along whatever else it was given. So a task counts as
    one that nobody survives only if that happens where it is the one suspect that is
    under way.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._name = f"churnsim-{uuid.uuid4().hex}"
        self._n_sent = 0
        self._ended: queue.Queue[Any] = queue.Queue()
        self._look_at = 0.0
        self._is_stopping = False
        self._idle_since = time.monotonic()
        self._is_told = False
        self.limit = AT_LEAST
        self.under_way: dict[Any, tuple[Task, Any]] = {}  # with its future, by key
        self.suspects: deque[Task] = deque()

    def take(self, tasks: Iterator[Task]) -> None:
        """Send tasks until enough are under way.

        Raises:
            PartialError: The scheduler is gone.
        """
        if time.monotonic() >= self._look_at:
            # A scheduler that is gone is told of by whoever waits for what it ran; one
            # that is busy is asked again.
            with contextlib.suppress(OSError):
                n_threads = sum(self._session.threads().values())
                self.limit = max(AT_LEAST, PER_THREAD * n_threads)
                self._tell_idle(n_threads)
            self._look_at = time.monotonic() + LOOK_SECONDS
        if self.suspects and not self._is_one_suspected():
            self._send(self.suspects.popleft())
        while len(self.under_way) < self.limit:
            if (task := next(tasks, None)) is None:
                return
            self._send(task)

    def again(self, task: Task) -> None:
        """Send a task that came to nothing, unless it is to end.

        Raises:
            PartialError: The scheduler is gone.
        """
        if not self._is_stopping:
            self._send(task)

    def landed(self) -> tuple[Task, Any] | None:
        """Return a task that ended and its future; None if none does so soon."""
        try:
            future = self._ended.get(timeout=WATCH)
        except queue.Empty:
            return None
        return self.under_way.pop(future.key, None)

    def cancel_waiting(self) -> None:
        """Cancel the tasks that no worker has begun, and send no more."""
        self._is_stopping = True
        begun = self.begun()
        self.cancel_these(key for key in self.under_way if key not in begun)

    def begun(self) -> set[Any]:
        """Return the keys of tasks that a worker has begun; all if nobody can say."""
        begun = set(self.under_way)
        # All are waited for then; that a scheduler is gone is told elsewhere.
        with contextlib.suppress(OSError):
            # Of all tasks: asked about ours, it fails where one has just ended.
            stacks: Mapping[str, Mapping[Any, Any]] = self._session.asked("call_stack")
            running = {key for stack in stacks.values() for key in stack}
            begun = {
                key
                for key, (_, future) in self.under_way.items()
                if key in running or future.done()
            }
        return begun

    def cancel(self) -> None:
        """Cancel all tasks that are still under way."""
        self.cancel_these(self.under_way)

    def cancel_these(self, keys: Iterable[Any]) -> None:
        """Cancel tasks that are under way."""
        client = self._session.client
        futures = [self.under_way.pop(key)[1] for key in tuple(keys)]
        if futures and client.status == "running":
            # Without a scheduler there is nothing left to cancel.
            with contextlib.suppress(OSError):
                client.sync(
                    client._cancel,  # noqa: SLF001 - `cancel` waits without end
                    futures,
                    callback_timeout=LOOK_SECONDS,
                )

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
        return any(task.is_suspect for task, _ in self.under_way.values())

    def _send(self, task: Task) -> None:
        key = (self._name, self._n_sent)
        self._n_sent += 1
        try:
            future = self._session.client.submit(
                task.function,
                *task.arguments,
                key=key,
                pure=False,
                priority=task.priority,
            )
        except Exception:
            self._session.check_there()  # a client closes as its scheduler is gone
            raise
        self.under_way[key] = (task, future)
        future.add_done_callback(self._ended.put)
