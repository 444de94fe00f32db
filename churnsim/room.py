"""Room for the frames of Python, so that calls need not ask the system for memory.

Python keeps a thread's frames in chunks of 16 KiB. Each call across a border asks for
the next chunk, and gives it back as it returns: where a loop runs there, at each turn.
A frame that is large itself gets a chunk of its own, whose rest is for what it calls.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in typing, which is not loaded yet where a command begins
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

ROOM = 1 << 15  # words of a frame: half of a chunk of 512 KiB


def with_room(function: F) -> F:
    """Return the function itself, whose frames have room for all that it calls.

    Args:
        function: In Python.
    """
    code = function.__code__
    function.__code__ = code.replace(co_stacksize=max(code.co_stacksize, ROOM))
    return function
