"""What the commands about a finished sweep have in common: options, files, opening."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import click

from churnsim.cli.check import check_ending
from churnsim.cli.console import say, tell
from churnsim.cli.outputs import say_json
from churnsim.cli.tables import check_table, write_table

if TYPE_CHECKING:
    import pyarrow as pa

    from churnsim.analysis.finished import Finished, Sweep
    from churnsim.analysis.responses import Question
    from churnsim.report.page.blocks import Chart

PICTURES = (".svg", ".png")
COMMAND = TypeVar("COMMAND", bound=Callable[..., Any])


class Asking(Protocol):
    """Options that say which response is meant."""

    @property
    def outcome(self) -> str:
        """Return the outcome."""

    @property
    def policy(self) -> str | None:
        """Return the policy that may lose."""

    @property
    def against(self) -> str | None:
        """Return the policy that it is compared with."""

    @property
    def alone(self) -> bool:
        """Return whether it is compared with nothing."""


class Files(NamedTuple):
    """Where a table and a picture of the answer go."""

    out: Path | None
    plot: Path | None
    force: bool


def response_options(outcome: str) -> Callable[[COMMAND], COMMAND]:
    """Return what adds the options that say which response is meant.

    Args:
        outcome: That is asked for where nobody says.
    """
    options = (
        click.option(
            "--of",
            "outcome",
            default=outcome,
            show_default=True,
            metavar="OUTCOME",
            help="Which outcome that the sweep kept, such as contribution.",
        ),
        click.option(
            "--policy",
            metavar="POLICY",
            help="That may lose; the last of the sweep's by default.",
        ),
        click.option(
            "--against",
            metavar="POLICY",
            help="That it is compared with; the scenario's baseline by default.",
        ),
        click.option(
            "--alone",
            is_flag=True,
            help="The outcome of the policy itself, compared with nothing.",
        ),
    )
    return _adding(options)


def file_options(rows: str) -> Callable[[COMMAND], COMMAND]:
    """Return what adds the options about files.

    Args:
        rows: What a table holds, in words.
    """
    options = (
        click.option(
            "--out",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help=f"Also write {rows}; FILE ends in .csv, .parquet or .md.",
        ),
        click.option(
            "--plot",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Also write the chart; FILE ends in .svg or .png.",
        ),
        click.option(
            "--force", is_flag=True, help="Replace a file that is there already."
        ),
    )
    return _adding(options)


def check_files(files: Files) -> None:
    """Refuse before the work what could not be written after it.

    Raises:
        InputError: A file is of no kind that can be written, or is there already.
    """
    if files.out is not None:
        check_table("--out", files.out, force=files.force)
    if files.plot is not None:
        from churnsim.report.page.writing import check_file, require_libraries

        check_ending("--plot", files.plot, PICTURES)
        require_libraries()
        check_file(files.plot, force=files.force)


def opened(folder: Path) -> Finished:
    """Return the sweep kept in a folder, finished or not.

    Raises:
        InputError: There is no such folder, or it holds no sweep.
        StorageError: It cannot be read, or is damaged.
    """
    from churnsim.sweep.store.reading import read_store

    return read_store(folder)


def question_of(sweep: Sweep, options: Asking) -> Question:
    """Return which response is meant.

    Raises:
        InputError: The sweep has no such outcome or policy, or only one.
    """
    from churnsim.analysis.responses import asked

    return asked(
        sweep, options.outcome, options.policy, options.against, alone=options.alone
    )


def question_typed(
    question: Question, usual: str, options: Asking
) -> list[tuple[str, object]]:
    """Return the options that ask the same again, for `typed`.

    Args:
        question: What was asked.
        usual: The outcome where nobody says.
        options: As they were given.
    """
    return [
        ("--of", question.outcome if question.outcome != usual else None),
        ("--policy", question.policy),
        ("--against", question.against),
        ("--alone", options.alone),
    ]


def answer(
    document: Mapping[str, Any], text: Callable[[], str], *, as_json: bool
) -> None:
    """Write the answer to standard output."""
    if as_json:
        say_json(document)
    else:
        say(text())


def write_files(
    files: Files, table: Callable[[], pa.Table], chart: Callable[[], Chart | None]
) -> None:
    """Write the table and the picture that were asked for.

    Raises:
        StorageError: One cannot be written.
    """
    if files.out is not None:
        found = table()
        write_table(files.out, found, force=files.force)
        n = found.num_rows
        tell(f"wrote {n:,} row{'' if n == 1 else 's'} to {files.out}")
    if files.plot is None:
        return
    from churnsim.report.page.writing import write_chart

    drawn = chart()
    if drawn is None:
        tell(f"{files.plot} was not written: there is nothing to draw")
        return
    write_chart(drawn, files.plot, force=files.force)
    tell(f"wrote the chart to {files.plot}")


def typed(command: str, folder: Path, options: Iterable[tuple[str, object]]) -> str:
    """Return a command that gives the same answer.

    Args:
        command: Its name.
        folder: Of the sweep.
        options: Each as it is typed, with its value; False or None: not given.
    """
    words: Sequence[str] = ["churnsim", command, str(folder)]
    for name, value in options:
        if value is True:
            words = [*words, name]
        elif value is not None and value is not False:
            words = [*words, name, str(value)]
    return shlex.join(words)


def _adding(
    options: Sequence[Callable[[COMMAND], COMMAND]],
) -> Callable[[COMMAND], COMMAND]:
    def decorate(function: COMMAND) -> COMMAND:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate
