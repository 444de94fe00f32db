"""How far a run has come: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from churnsim.cli.console import tell

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

HEARTBEAT: Final = 10.0  # seconds between lines where there is no terminal


class Report(Protocol):
    """Is told how many of how many replications are done."""

    def __call__(self, done: int, total: int) -> None:
        """Take note."""


@contextmanager
def progress() -> Iterator[Report]:
    """Show on standard error what is left, until the block ends."""
    if sys.stderr.isatty():
        with _bar() as report:
            yield report
    else:
        with _heartbeat() as report:
            yield report


@contextmanager
def _bar() -> Iterator[Report]:
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
        TextColumn("replications"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task: TaskID = bar.add_task("", total=None)
    with bar:
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def _heartbeat() -> Iterator[Report]:
    """Write a line every ten seconds; none where all is done sooner."""
    ended = threading.Event()
    began = time.monotonic()
    counts = [0, 0]

    def beat() -> None:
        while not ended.wait(HEARTBEAT):
            tell(_line(counts[0], counts[1], time.monotonic() - began))

    def report(done: int, total: int) -> None:
        counts[:] = done, total

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield report
    finally:
        ended.set()
        thread.join()


def _line(done: int, total: int, seconds: float) -> str:
    """Return how far it has come; what is left is known from the first one on."""
    if not done:
        return f"{seconds:.0f} s, no replication finished yet"
    left = seconds / done * (total - done)
    return f"{seconds:.0f} s, {done} of {total} replications, about {left:.0f} s left"
