"""From whatever went wrong to a line for the user and an exit code for the shell."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from typing import TextIO

import click

from churnsim.cli.console import heedless, tell, unread
from churnsim.errors import ChurnsimError, ExitCode

DEBUG_VARIABLE = "CHURNSIM_DEBUG"


def guarded(command: Callable[[], int]) -> int:
    """Run a command and return its exit code; every error becomes one line or more.

    With `CHURNSIM_DEBUG` set, whatever went wrong shows its traceback as well.
    """
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            code = command()
            sys.stdout.flush()
        except click.ClickException as error:
            with heedless(sys.stderr):
                error.show(sys.stderr)
            return error.exit_code
        except (click.Abort, KeyboardInterrupt):
            tell("interrupted")
            return ExitCode.INTERRUPTED
        except BrokenPipeError:
            unread(sys.stdout)  # of help, which click writes: see `gathered`
            return ExitCode.OK
        except Exception as error:  # noqa: BLE001 - the last place to answer from
            return _answer(error)
    return code


def _answer(error: Exception) -> int:
    """Tell an error in the user's terms and return its exit code."""
    if os.environ.get(DEBUG_VARIABLE):
        tell("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, ChurnsimError):
        tell(str(error))
        return error.exit_code
    if isinstance(error, MemoryError):
        tell("there is not enough memory; take fewer customers or fewer --threads")
        return ExitCode.RESOURCES
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        tell(f"{where}{error.strerror or error}")
        return ExitCode.STORAGE
    tell(_bug(error))
    return ExitCode.BUG


def _bug(error: Exception) -> str:
    """Return the line about a mistake of ours, its details kept in a file."""
    what = f"this is a bug in churnsim: {type(error).__name__}: {error}"
    line = " ".join(what.split())
    text = "".join([f"{sys.argv}\n\n", *traceback.format_exception(error)])
    try:
        handle, name = tempfile.mkstemp(prefix="churnsim-bug-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        return f"{line}; set {DEBUG_VARIABLE}=1 to see the details"
    return f"{line}; the details are in {name}"


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Tell a warning on one line; other libraries' only to those who ask."""
    is_ours = category.__module__.startswith("churnsim")
    if is_ours:
        tell(f"warning: {message}")
    elif os.environ.get(DEBUG_VARIABLE):
        text = warnings.formatwarning(message, category, filename, lineno, line)
        stream = file or sys.stderr
        with heedless(stream):
            click.echo(text, nl=False, file=stream)
