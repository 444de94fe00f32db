"""A Dask cluster that was joined: who is there, and what came of a task."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from churnsim.errors import InputError, PartialError, Problem
from churnsim.sweep.joining import OPTION, check_address, check_open, connected, quiet
from churnsim.sweep.remote import Refused, differences, identity
from churnsim.sweep.store.writing import RESUMABLE

ANSWER_SECONDS = 60.0  # until a worker has loaded churnsim and said what it is
LOOK_SECONDS = 5.0  # between looks at how many workers there are
CLOSE_SECONDS = 2.0


class Lost(Exception):  # noqa: N818 - nothing is wrong here
    """The workers that ran a task were lost."""


class Session(NamedTuple):
    """A cluster as it is seen from here."""

    client: Any
    address: str
    kept: str = RESUMABLE  # what the user is told where the scheduler is gone

    def threads(self) -> Mapping[str, int]:
        """Return how many threads each worker has, by its address.

        Raises:
            OSError: The scheduler is gone.
        """
        found: Mapping[str, int] = self.asked("ncores")
        return found

    def asked(self, question: str) -> Any:
        """Return what the scheduler answers to a question that it knows.

        Raises:
            OSError: The scheduler is gone.
        """
        scheduler = self.client.scheduler  # none once the client has closed by itself
        if scheduler is None:
            raise ConnectionError(f"{self.address} is gone")
        return self.client.sync(
            getattr(scheduler, question), callback_timeout=LOOK_SECONDS
        )

    def n_threads(self) -> int:
        """Return how many tasks the workers can do at once, at least 1.

        Raises:
            PartialError: The scheduler is gone.
        """
        try:
            return max(1, sum(self.threads().values()))
        except OSError:
            raise self.gone() from None

    def check(self) -> None:
        """Compare every worker that is there with this churnsim.

        Raises:
            InputError: One differs, or has no churnsim.
            PartialError: The scheduler is gone.
        """
        here = identity()
        try:
            found: Mapping[str, Any] = self.client.sync(
                self.client._run,  # noqa: SLF001 - `run` waits without end
                identity,
                on_error="return",
                callback_timeout=ANSWER_SECONDS,
            )
        except TimeoutError:
            rule = f"must have workers that answer within {ANSWER_SECONDS:.0f} s"
            raise InputError(Problem(rule, field=OPTION, value=self.address)) from None
        except OSError:
            raise self.gone() from None
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

    def found(self, future: Any) -> Any:
        """Return what a task made; None where it has to be sent again.

        Raises:
            Lost: The workers that ran it were lost.
            InputError: The worker is not as this churnsim, or lacks a file.
            PartialError: The scheduler is gone.
        """
        from distributed import CancelledError, KilledWorker

        try:
            found = future.result(timeout=ANSWER_SECONDS)
        except (CancelledError, TimeoutError):
            self.check_there()  # else somebody restarted the workers
            return None
        except KilledWorker:
            raise Lost from None
        except OSError:
            raise self.gone() from None
        except (ImportError, AttributeError, RuntimeError) as error:
            if "deserializ" in str(error) or isinstance(error, ImportError):
                raise self._foreign(error) from None
            raise
        if isinstance(found, Refused):
            where = f"worker {found.worker}"
            raise InputError(Problem(found.rule, field=where, hint=found.hint))
        return found

    def check_there(self) -> None:
        """Refuse to go on without a scheduler.

        Raises:
            PartialError: It is gone.
        """
        if self.client.status != "running":
            raise self.gone()

    def gone(self) -> PartialError:
        """Return the error that the scheduler is gone."""
        rule = f"the scheduler is gone; {self.kept}, also without {OPTION}"
        return PartialError(Problem(rule, field=OPTION, value=self.address))

    def _foreign(self, error: Exception) -> InputError:
        cause = error.__cause__ or error
        what = " ".join(f"{type(cause).__name__}: {cause}".split())
        rule = f"must be a cluster whose scheduler and workers have churnsim ({what})"
        hint = "install the same versions everywhere"
        return InputError(Problem(rule, field=OPTION, value=self.address, hint=hint))


@contextlib.contextmanager
def session(address: str, *, is_insecure: bool = False) -> Iterator[Session]:
    """Yield the cluster at an address, every worker that is there being compared.

    Args:
        address: Of its scheduler, such as "tls://host:8786". Certificates come from
            Dask's own configuration.
        is_insecure: Lets "tcp://" lead to another machine.

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
            begun = Session(client, address)
            begun.check()
            yield begun
        finally:
            # It is left in any case; a scheduler that is gone needs no goodbye.
            with contextlib.suppress(OSError):
                client.close(timeout=CLOSE_SECONDS)
