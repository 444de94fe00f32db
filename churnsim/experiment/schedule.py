"""What is done next, and what has come in: the same whoever does the work.

Threads here and workers of a cluster take what a `Schedule` hands out: replications, or
their sites, round by round.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from churnsim.experiment.failures import Failure
from churnsim.experiment.rounds import Errand, Rounds

if TYPE_CHECKING:
    from churnsim.experiment.workers import Job

Row = TypeVar("Row")


class Work(NamedTuple):
    """What a worker does next."""

    number: int  # of the replication
    errand: Errand | None  # its part at one site; None: the whole replication


class SitesDone(NamedTuple):
    """How far the first replication that is not finished has come."""

    done: int  # sites whose part of the round is done
    total: int  # that the round goes to
    round: int  # from 1


class PolicyFailed(Exception):  # noqa: N818 - carries another error
    """A run failed: the policy, and what was wrong."""

    def __init__(self, policy: str, error: Exception) -> None:
        super().__init__(policy, error)
        self.policy = policy
        self.error = error


class Telling(NamedTuple):
    """Who is told how far it has come."""

    replications: Callable[[int, int], None] | None = None  # done, of how many
    sites: Callable[[SitesDone], None] | None = None
    within: Callable[[float], None] | None = None  # share of the first under way


class Results(Generic[Row]):
    """What has come in so far; used by the collecting thread alone."""

    def __init__(
        self, numbers: tuple[int, ...], telling: Telling, stop: threading.Event
    ) -> None:
        self.numbers = numbers
        self.stop = stop
        self.telling = telling
        self.finished: dict[int, tuple[Row, ...]] = {}
        self.failures: dict[int, Failure] = {}

    @property
    def missing(self) -> list[int]:
        """Return the replications that neither finished nor failed."""
        known = self.finished.keys() | self.failures.keys()
        return [number for number in self.numbers if number not in known]

    @property
    def is_complete(self) -> bool:
        """Return whether every replication finished or failed."""
        return len(self.finished) + len(self.failures) == len(self.numbers)

    def add(self, number: int, seed: int, result: tuple[Row, ...] | Exception) -> None:
        """Take in one replication's rows, or its error."""
        if isinstance(result, PolicyFailed):
            failure = Failure(number, seed, result.policy, result.error)
            self.failures[number] = failure
        elif isinstance(result, Exception):
            self.failures[number] = Failure(number, seed, "", result)
        else:
            self.finished[number] = result
        if self.telling.replications is not None:
            n_done = len(self.finished) + len(self.failures)
            self.telling.replications(n_done, len(self.numbers))


class Cluster(Protocol):
    """Workers elsewhere, which do the replications of a job."""

    def run_job(self, job: Job[Row], results: Results[Row]) -> None:
        """Fill the results; return early when they are told to stop.

        Raises:
            InputError: A worker is not as this churnsim, or lacks a file.
        """


class Schedule(Generic[Row]):
    """What is done next: replications, or their sites, round by round."""

    def __init__(self, job: Job[Row], results: Results[Row], n_ahead: int) -> None:
        """Begin with nothing done.

        Args:
            job: What each replication consists of.
            results: Take in what comes.
            n_ahead: As long as fewer works are out, another replication is begun.
        """
        self.n_ahead = n_ahead
        self._job, self._results = job, results
        self._waiting = deque(results.numbers)
        self._rounds: dict[int, Rounds] = {}  # of replications under way
        self._ready: list[Work] = []
        self._n_out = 0

    def next_works(self) -> list[Work]:
        """Return what can be begun now.

        Rounds end one by one, so the next replication is begun before one is over.
        """
        while self._waiting and self._n_out + len(self._ready) < self.n_ahead:
            number = self._waiting.popleft()
            if self._job.scenario.sites == 1:
                self._ready.append(Work(number, None))
                continue
            rounds = Rounds(number, self._job.scenario.sites, self._job.policies)
            self._rounds[number] = rounds
            self._ready += _works(rounds)
            self._tell()
        works, self._ready = self._ready, []
        self._n_out += len(works)
        return works

    def take(self, work: Work, result: Any) -> None:
        """Take in what came of a work: rows, those of a site, or an error."""
        self._n_out -= 1
        number, seed = work.number, self._job.seed
        if work.errand is None:
            self._results.add(number, seed, result)
            return
        rounds = self._rounds.get(number)
        if rounds is None:
            return  # another site of the replication failed
        if isinstance(result, Exception):
            del self._rounds[number]
            self._results.add(number, seed, result)
            return
        rounds.take(result)
        if rounds.is_round_over:
            works = _works(rounds)
            self._ready += works
            if not works:
                del self._rounds[number]
                self._results.add(number, seed, self._settled(rounds))
        self._tell()

    def _tell(self) -> None:
        """Tell how far the first of the replications under way has come."""
        if self._results.telling.sites is not None and self._rounds:
            first = next(iter(self._rounds.values()))
            self._results.telling.sites(SitesDone(*first.progress))

    def _settled(self, rounds: Rounds) -> tuple[Row, ...] | Exception:
        """Return a replication's rows, or why there are none."""
        try:
            return firm_rows(self._job, rounds)
        except Exception as error:  # noqa: BLE001 - one must not end the others
            return error


def firm_rows(job: Job[Row], rounds: Rounds) -> tuple[Row, ...]:
    """Return the firm's rows, one a policy, from those of its sites."""
    if job.of_firm is None:
        if job.of_rows is None:
            raise TypeError("a job of several sites must say what their firm's row is")
        return tuple(job.of_rows(rounds.kept(name)) for name in job.policies)
    firms = rounds.firms().items()
    return tuple(job.of_firm(name, rounds.number, firm) for name, firm in firms)


def _works(rounds: Rounds) -> list[Work]:
    return [Work(rounds.number, errand) for errand in rounds.next_errands()]
