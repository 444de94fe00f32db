"""Making chunks on an existing Dask cluster.

The scheduler may lose workers, run a chunk twice and take new workers in: a chunk is a
function of its number, so the store is the same whoever made it. This process alone
writes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import ipaddress
import logging
import queue
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future as Promise
from concurrent.futures import TimeoutError as TooLate
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from churnsim.errors import InputError, PartialError, Problem
from churnsim.experiment.workers import WATCH
from churnsim.sweep.remote import Refused, differences, identity, make_chunk, order_of
from churnsim.sweep.rows import Failed, Rows
from churnsim.sweep.simulated import command_of
from churnsim.sweep.store.writing import RESUMABLE, Made

if TYPE_CHECKING:
    from churnsim.sweep.remote import Evaluator, Order
    from churnsim.sweep.running import Chunk
    from churnsim.sweep.work import Work

OPTION = "--cluster"
CALL_SECONDS = 3.0  # until a host, and then its scheduler, count as unreachable
ANSWER_SECONDS = 30.0  # until a worker has loaded churnsim and said what it is
LOOK_SECONDS = 5.0  # between looks at how many workers there are
PER_THREAD = 4  # chunks under way for each thread of the workers
AT_LEAST = 64  # chunks under way, so that an adaptive cluster sees what is to do
CLOSE_SECONDS = 2.0
LOGGERS = (
    *("asyncio", "distributed", "distributed.client", "distributed.scheduler"),
    *("tornado", "tornado.application"),
)
LOST = "each worker that ran it was lost"


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
                if (landed := flight.landed()) is not None:
                    number, future = landed
                    made = self._made(work, number, future)
                    if made is not None:
                        yield number, made
                    elif not is_stopping:
                        flight.send(number)
        finally:
            flight.cancel()

    def n_threads(self) -> int:
        """Return how many chunks the workers can make at once, at least 1."""
        return max(1, sum(_threads(self._client).values()))

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
        except (TooLate, TimeoutError):
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

    def _made(self, work: Work, number: int, future: Any) -> Made | None:
        """Return the chunk of a task that ended; None where it has to be sent again.

        Raises:
            InputError: The worker is not as this churnsim, or lacks a file.
            PartialError: The scheduler is gone.
        """
        from distributed import CancelledError, KilledWorker

        try:
            found = future.result(timeout=ANSWER_SECONDS)
        except (CancelledError, TooLate, TimeoutError):
            self._check_there()  # else somebody restarted the workers
            return None
        except KilledWorker:
            return lost_chunk(work, number)
        except (ImportError, AttributeError, RuntimeError) as error:
            if "deserializ" in str(error) or isinstance(error, ImportError):
                raise self._foreign(error) from None
            raise
        if isinstance(found, Refused):
            where = f"worker {found.worker}"
            raise InputError(Problem(found.rule, field=where, hint=found.hint))
        assert isinstance(found, Made)  # noqa: S101 - what make_chunk returns
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


class _Flight:
    """The chunks that are under way."""

    def __init__(self, client: Any, order: Order, evaluator: Evaluator | None) -> None:
        self._client = client
        self._order = order
        self._evaluator = evaluator
        self._session = f"churnsim-{uuid.uuid4().hex}"
        self._n_sent = 0
        self._ended: queue.Queue[Any] = queue.Queue()
        self._limit = AT_LEAST
        self._look_at = 0.0
        self.under_way: dict[Any, tuple[int, Any]] = {}  # number and future, by key

    def take(self, numbers: Iterator[int]) -> None:
        """Send chunks until enough are under way."""
        if time.monotonic() >= self._look_at:
            with contextlib.suppress(TooLate, TimeoutError, OSError):
                n_threads = sum(_threads(self._client).values())
                self._limit = max(AT_LEAST, PER_THREAD * n_threads)
            self._look_at = time.monotonic() + LOOK_SECONDS
        while len(self.under_way) < self._limit:
            if (number := next(numbers, None)) is None:
                return
            self.send(number)

    def send(self, number: int) -> None:
        """Send a chunk."""
        key = (self._session, self._n_sent)
        self._n_sent += 1
        future = self._client.submit(
            make_chunk, self._order, number, self._evaluator, key=key, pure=False
        )
        self.under_way[key] = (number, future)
        future.add_done_callback(self._ended.put)

    def landed(self) -> tuple[int, Any] | None:
        """Return a chunk's number and future that ended; None if none does so soon."""
        try:
            future = self._ended.get(timeout=WATCH)
        except queue.Empty:
            return None
        return self.under_way.pop(future.key, None)

    def cancel_waiting(self) -> None:
        """Cancel the chunks that no worker has begun."""
        begun = set(self.under_way)
        with contextlib.suppress(TooLate, TimeoutError, OSError):
            stacks: Mapping[str, Mapping[Any, Any]] = self._client.sync(
                self._client.scheduler.call_stack,
                keys=list(self.under_way),
                callback_timeout=LOOK_SECONDS,
            )
            begun = {key for stack in stacks.values() for key in stack}
        waiting = [
            key
            for key, (_, future) in self.under_way.items()
            if key not in begun and not future.done()
        ]
        self._cancel(waiting)

    def cancel(self) -> None:
        """Cancel all chunks that are still under way."""
        self._cancel(list(self.under_way))

    def _cancel(self, keys: list[Any]) -> None:
        futures = [self.under_way.pop(key)[1] for key in keys]
        if futures and self._client.status == "running":
            with contextlib.suppress(TooLate, TimeoutError, OSError):
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
    _check_open(address)
    with _quiet():
        client = _connected(address)
        try:
            cluster = Cluster(client, address, evaluator)
            cluster.check()
            yield cluster
        finally:
            with contextlib.suppress(TooLate, TimeoutError, OSError):
                client.close(timeout=CLOSE_SECONDS)


def check_address(address: str, *, is_insecure: bool) -> None:
    """Refuse what is no address, or an open line to another machine.

    Raises:
        InputError: It is.
    """
    rule = "must be a scheduler's address, tcp://HOST:PORT or tls://HOST:PORT"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or port is None or parts.scheme not in {"tcp", "tls"}:
        raise InputError(Problem(rule, field=OPTION, value=address))
    if parts.scheme == "tcp" and not is_insecure and not _is_here(host):
        rule = "must be tls:// unless the scheduler is on this machine"
        hint = (
            "whoever can reach a port without TLS can run programs there;"
            " --insecure allows it in a network that is closed"
        )
        raise InputError(Problem(rule, field=OPTION, value=address, hint=hint))


def lost_chunk(work: Work, number: int) -> Made:
    """Return a chunk of failed points, since each worker that ran it was lost."""
    rows = Rows(work.sweep)
    for index in work.points_of(number):
        point = work.sweep.point(index)
        rows.add(point, Failed(LOST, command_of(work.sweep, point)))
    return Made(rows.to_bytes(), len(rows), rows.n_failed, 0.0)


def _is_here(host: str) -> bool:
    """Return whether a name or number of a host can only be this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _threads(client: Any) -> Mapping[str, int]:
    """Return how many threads each worker has, by its address."""
    found: Mapping[str, int] = client.sync(
        client.scheduler.ncores, callback_timeout=LOOK_SECONDS
    )
    return found


def _check_open(address: str) -> None:
    """Refuse an address at which nobody takes calls, before anything is loaded.

    Raises:
        InputError: No such host, or its port is closed.
    """
    parts = urlsplit(address)

    def call() -> None:
        place = (parts.hostname, parts.port)
        socket.create_connection(place, CALL_SECONDS).close()

    try:
        _within(CALL_SECONDS, call)
    except (OSError, UnicodeError) as error:
        raise _unreachable(address, error) from None


def _connected(address: str) -> Any:
    """Return a client of the scheduler, within seconds.

    Raises:
        InputError: Whoever is there is no scheduler, or does not trust this process.
    """
    from distributed import Client, Security, rpc

    async def ask() -> None:
        trust = Security().get_connection_args("client")
        async with rpc(address, connection_args=trust) as scheduler:
            await asyncio.wait_for(scheduler.identity(), CALL_SECONDS)

    # A client that finds no scheduler takes long to give up, hence the call before.
    try:
        _within(CALL_SECONDS, lambda: asyncio.run(ask()))
        # Results come by way of the scheduler: workers need not be reachable from here.
        return Client(
            address,
            timeout=CALL_SECONDS,
            set_as_default=False,
            direct_to_workers=False,
        )
    except Exception as error:  # noqa: BLE001 - of many kinds, by who is there instead
        raise _unreachable(address, error) from None


def _within(seconds: float, call: Callable[[], None]) -> None:
    """Make a call that may hang, such as for a name; give up after a time.

    Raises:
        TimeoutError: It took longer.
        Exception: What the call raises.
    """
    done: Promise[None] = Promise()

    def run() -> None:
        try:
            done.set_result(call())
        except Exception as error:  # noqa: BLE001 - raised where it is awaited
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    done.result(timeout=seconds)


def _unreachable(address: str, error: Exception) -> InputError:
    what = " ".join(str(error).split()) or f"no answer in {CALL_SECONDS:.0f} s"
    rule = f"must be where a Dask scheduler answers ({what})"
    hint = "see that it runs there, and that its port is open"
    if address.startswith("tls:"):
        hint += "; Dask's configuration names the certificates (distributed.comm.tls)"
    return InputError(Problem(rule, field=OPTION, value=address, hint=hint))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask from telling at length what is told in one line here."""
    import distributed  # noqa: F401 - it sets the levels as it is loaded

    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
