"""How far a run has come: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from churnsim.cli.console import tell

if TYPE_CHECKING:
    import logging

    from rich.progress import Progress, TaskID

    from churnsim.experiment.replications import Execution
    from churnsim.experiment.schedule import SitesDone

HEARTBEAT: Final = 10.0  # until the first line where there is no terminal [s]
LONG: Final = "run_world"  # the kernel that takes long; others compile in a second
TELLING: Final = 1.0  # from which on it is told what is left of one [s]
HEARTBEAT_MAX: Final = 600.0  # between lines of a long run: each wait is twice as long


class Moment(NamedTuple):
    """How far it had come, and when."""

    at: float  # [s] since the start
    done: int
    total: int
    failed: int = 0


class Share(NamedTuple):
    """Which share of one was done, and when."""

    at: float  # [s]
    share: float


class Report:
    """Is told how many of how many are done; of 0: it is not known."""

    def __init__(
        self, take: Callable[[int, int, int], None], show: Callable[[str], None]
    ) -> None:
        self._take = take
        self._show = show
        self._first = self._last = Share(time.monotonic(), 0.0)

    def __call__(self, done: int, total: int, failed: int = 0) -> None:
        """Take note."""
        self._take(done, total, failed)

    def sites(self, part: SitesDone) -> None:
        """Take note of how far a replication of many sites has come."""
        again = f", round {part.round}" if part.round > 1 else ""
        self._show(f"{part.done:,} of {part.total:,} sites of the next one{again}")

    def within(self, share: float) -> None:
        """Take note of the share of a long one that is done."""
        now = Share(time.monotonic(), share)
        if share < self._last.share:  # of another one
            self._first = now
        self._last = now
        told, done = f"{share:.0%} of the next one", share - self._first.share
        if done > 0.0 and now.at - self._first.at >= TELLING:
            left = (1.0 - share) * (now.at - self._first.at) / done
            told += f", about {left:.0f} s left of it"
        self._show(told)

    def watching(self, how: Execution) -> Execution:
        """Return the same way to run replications, of which it is told."""
        return how._replace(progress=self, sites=self.sites, within=self.within)


@contextmanager
def progress(what: str = "replications") -> Iterator[Report]:
    """Show on standard error what is left, until the block ends, and that it compiles.

    Args:
        what: Is counted, in words.
    """
    is_seen = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    with telling_compilation(), (_bar if is_seen else _heartbeat)(what) as report:
        yield report


@contextmanager
def telling_compilation() -> Iterator[None]:
    """Say that the first run takes longer, as soon as its kernel is compiled."""
    import logging  # now, so that help comes at once

    def told(record: logging.LogRecord) -> bool:
        if record.args == (LONG,):
            tell("compiling the simulation, once on this machine; half a minute or so")
        return True

    logger = logging.getLogger("churnsim.cache")
    before = logger.level
    logger.addFilter(told)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeFilter(told)


@contextmanager
def _bar(what: str) -> Iterator[Report]:
    """Show a bar with the time that is left; it is gone afterwards."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bar: Progress = Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}left:"),
        TimeRemainingColumn(),
        console=Console(stderr=True, force_terminal=True),
        transient=True,
    )
    task: TaskID = bar.add_task("", total=None)
    with bar:
        # Without a total the bar runs to and fro.
        def take(done: int, total: int, failed: int) -> None:
            told = f"{failed:,} failed, " if failed else ""
            bar.update(task, completed=done, total=total or None, description=told)

        yield Report(take, lambda told: bar.update(task, description=f"{told}, "))


@contextmanager
def _heartbeat(what: str) -> Iterator[Report]:
    """Write a line after ten seconds, then ever more seldom; none where it is done."""
    ended = threading.Event()
    began = time.monotonic()
    reports: list[Moment] = []
    within = [""]  # the next one, how far it has come

    def beat() -> None:
        wait = HEARTBEAT
        while not ended.wait(wait):
            wait = min(2.0 * wait, HEARTBEAT_MAX)
            line = _line(reports, time.monotonic() - began, what)
            tell(f"{line}; {within[0]}" if within[0] else line)

    def take(done: int, total: int, failed: int) -> None:
        reports[1:] = [Moment(time.monotonic() - began, done, total, failed)]
        within[:] = [""]  # it was of the one that is done now

    def show(told: str) -> None:
        within[:] = [told]

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield Report(take, show)
    finally:
        ended.set()
        thread.join()


def _line(reports: list[Moment], now: float, what: str = "replications") -> str:
    """Return how far it has come, told by the first report and the latest."""
    if not reports:
        return f"{now:.0f} s, none of the {what} finished yet"
    first, last = reports[0], reports[-1]
    if not last.total:
        n = last.done
        plural = "" if n == 1 else "s"
        return f"{now:.0f} s, {n} replication{plural}; how many it takes is learnt soon"
    line = f"{now:.0f} s, {last.done} of {last.total} {what}"
    if last.failed:
        line += f", {last.failed} failed"
    if last.done == first.done:
        return line
    # What came before the first one, such as compiling, does not come again.
    each = (last.at - first.at) / (last.done - first.done)
    left = f"about {each * (last.total - last.done):.0f} s left"
    return f"{line}, {1.0 / each:.3g} a second, {left}" if each else f"{line}, {left}"
