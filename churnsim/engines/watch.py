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


def tell_watch(share: float) -> None:
    """Tell who watches, if anybody does, which share of the run is done.

    Raises:
        Exception: What the watch raises, to end the run.
    """
    watch = _WATCH.get()
    if watch is not None:
        watch(share)
