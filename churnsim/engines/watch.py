"""Who watches over a long run: is told how far it has come, and may end it.

Not an argument of the engines: a watch changes no result, only whether there is one.
Each thread has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Watch = Callable[[float], None]  # the share that is done; what it raises ends the run

_WATCH: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Let runs of this thread be watched until the block ends."""
    token = _WATCH.set(watch)
    try:
        yield
    finally:
        _WATCH.reset(token)


@contextmanager
def part_of_watch(first: float, size: float) -> Iterator[None]:
    """Let runs until the block ends be a part of what this thread's watch is told of.

    Args:
        first: The share that is done before.
        size: The share that they make up.
    """
    whole = _WATCH.get()
    if whole is None:
        yield
        return
    with watched(lambda share: whole(first + size * share)):
        yield


def tell_watch(share: float) -> None:
    """Tell who watches, if anybody does, which share of the run is done.

    Raises:
        Exception: What the watch raises, to end the run.
    """
    watch = _WATCH.get()
    if watch is not None:
        watch(share)
