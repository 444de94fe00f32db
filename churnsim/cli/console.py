"""What is written to the terminal, whatever it is and whoever reads it."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import shutil
import sys
from collections.abc import Iterator
from typing import Final, TextIO

import click

WIDTH: Final = 100  # columns where nobody says
NARROWEST, WIDEST = 40, 140  # columns that a table is fitted to
SPELLING: Final = "churnsim.spelled"
# What is meant by marks that an encoding lacks; any other becomes a question mark.
SPELLED: Final = {
    "–": "-",
    "—": "-",
    "−": "-",
    "±": "+/-",
    "×": "x",
    "·": "-",
    "…": "...",
    "≤": "<=",
    "≥": ">=",
    "’": "'",
    "“": '"',
    "”": '"',
    "€": "EUR ",
    "£": "GBP ",
    "¥": "JPY ",
    "β": "beta",
    "γ": "gamma",
    "κ": "kappa",
    "τ": "tau",
}


def prepare_streams() -> None:
    """Make standard output and error spell out what their encoding lacks."""
    codecs.register_error(SPELLING, _spelled)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=SPELLING)


def say(text: str = "", *, bold: bool = False) -> None:
    """Write a line of the answer to standard output."""
    with heedless(sys.stdout):
        click.echo(click.style(text, bold=True) if bold else text, file=sys.stdout)


def tell(text: str) -> None:
    """Write a line about the answer to standard error."""
    with heedless(sys.stderr):
        click.echo(text, file=sys.stderr)


@contextlib.contextmanager
def heedless(stream: TextIO) -> Iterator[None]:
    """Go on where nobody reads a stream any more: what else is written still counts."""
    try:
        yield
    except BrokenPipeError:
        unread(stream)


def unread(stream: TextIO) -> None:
    """Lead a stream that nobody reads any more nowhere.

    Else Python would complain once more while it flushes at exit.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def columns() -> int:
    """Return how many columns a table may take: the terminal's, or 100."""
    if not sys.stdout.isatty():
        return WIDTH
    found = shutil.get_terminal_size((WIDTH, 24)).columns
    return max(NARROWEST, min(WIDEST, found))


def _spelled(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    marks = error.object[error.start : error.end]
    return "".join(SPELLED.get(mark, "?") for mark in marks), error.end
