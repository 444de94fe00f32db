"""The command `churnsim`, and `python -m churnsim` where that is on no path.

Ctrl-C is answered from the first line on: while modules load, by leaving at once, since
whoever interrupts a command wants no account of which module was half loaded.
"""

from __future__ import annotations

import gc
import os
import signal

from churnsim.room import with_room

TYPE_CHECKING = False  # as in typing, which is not loaded yet
if TYPE_CHECKING:
    from typing import NoReturn

# Hundreds of thousands of objects are made while modules load, and hardly any goes: to
# look for garbage among them as often as Python does takes a twentieth of a warm start.
GARBAGE = 20_000
INTERRUPTED = 130  # as in churnsim.errors, which is not loaded either


@with_room
def main() -> NoReturn:
    """Load the command line, run it and leave with its exit code."""
    usual = signal.signal(signal.SIGINT, _leave)
    gc.set_threshold(GARBAGE, *gc.get_threshold()[1:])
    from churnsim.cli import main as command

    signal.signal(signal.SIGINT, usual)
    command()


def _leave(_signal: int, _frame: object) -> NoReturn:
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
