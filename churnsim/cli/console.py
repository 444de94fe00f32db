"""What is written to the terminal, whatever it is and whoever reads it."""

from __future__ import annotations

import codecs
import io
import shutil
import sys
from typing import Final

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
    click.echo(click.style(text, bold=True) if bold else text, file=sys.stdout)


def tell(text: str) -> None:
    """Write a line about the answer to standard error."""
    click.echo(text, file=sys.stderr)


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
