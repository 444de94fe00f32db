"""Hold the kernel's work against what is kept: a guard for CI.

    python -m benchmarks guard                        counts, instructions and a ratio
    python -m benchmarks guard --write                keep counts and instructions anew
    python -m benchmarks guard --only ratio --json    a ratio, for --compare later

Exit codes: 0 all that was compared is as it was, 1 something differs, 5 what was asked
for could not be measured, or nothing was measured at all.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.guarding import (
    AGAIN,
    KEPT,
    PARTS,
    CountsDocument,
    GuardDocument,
    RatioDocument,
    compared_counts,
    compared_instructions,
    compared_ratio,
    made_anew,
    read_kept,
    read_older,
    whole,
)
from benchmarks.ratios import ROUNDS, Ratio
from benchmarks.tracked import tracked
from churnsim.cli.check import write_new
from churnsim.cli.console import columns, prepare_streams, say, tell
from churnsim.cli.guard import guarded
from churnsim.cli.options import json_option
from churnsim.cli.outputs import say_json
from churnsim.cli.shape import gathered
from churnsim.errors import ExitCode, InputError, Problem
from churnsim.report.columns import aligned, paragraph

CODES = {"same": ExitCode.OK, "differs": ExitCode.BUG, "failed": ExitCode.PARTIAL}
CURE = f"If the change is meant: {AGAIN}, and commit the file with it."
TITLES = {
    "counts": "work of the kernel",
    "instructions": "instructions of the kernel's machine code",
    "ratio": "speed of the kernel, times that of its twin",
}


class GuardOptions(NamedTuple):
    """What is measured, and what it is held against."""

    only: tuple[str, ...]
    write: bool
    file: Path
    compare: Path | None
    rounds: int
    pytest_benchmark: Path | None
    as_json: bool


@click.command("guard")
@click.option(
    "--only",
    type=click.Choice(PARTS),
    multiple=True,
    help="A part; may be given again. All parts by default.",
)
@click.option("--write", is_flag=True, help="Keep counts and instructions anew.")
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=KEPT,
    metavar="FILE",
    help="That counts are kept in; benchmarks/guard.json by default.",
)
@click.option(
    "--compare",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="What --json printed on this machine before: the ratio is held against it.",
)
@click.option(
    "--rounds",
    type=click.IntRange(ROUNDS, 1_000),
    default=ROUNDS,
    show_default=True,
    metavar="N",
    help="In which kernel and twin take turns; at least, for the ratio.",
)
@click.option(
    "--pytest-benchmark",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write the times as pytest-benchmark's JSON.",
)
@json_option
@gathered(GuardOptions)
def guard_command(options: GuardOptions) -> None:
    """Hold the kernel's work against what is kept.

    Counts of work and instructions must be exact; the ratio of speeds, kernel over its
    twin in SimPy, must not have fallen as a slowdown of 25 % would make it fall.
    """
    asked = [part for part in PARTS if part in (options.only or PARTS)]
    _check(options, asked)
    if options.write:
        old = read_kept(options.file) if options.file.exists() else None
        kept = made_anew(old, options.only, tell)
        write_new(options.file, _json(kept), force=True)
        tell(f"wrote {options.file}")
        return
    document = _measured(options, asked)
    if options.as_json:
        say_json(document)
    else:
        say(text_of(document, columns()))
    for part in asked:
        _tell_left_out(part, document)
    if options.pytest_benchmark is not None:
        _track(document, options.pytest_benchmark)
    click.get_current_context().exit(CODES[document["status"]])


def main(arguments: Sequence[str]) -> None:
    """Run the command and leave with its exit code."""
    prepare_streams()
    name = "python -m benchmarks guard"
    sys.exit(
        guarded(
            lambda: (
                guard_command.main(list(arguments), name, standalone_mode=False) or 0
            )
        )
    )


def text_of(document: GuardDocument, width: int) -> str:
    """Return a document for the terminal."""
    lines: list[str] = []
    for part in ("counts", "instructions"):
        found: CountsDocument | None = (
            document["counts"] if part == "counts" else document["instructions"]
        )
        if found is not None:
            lines += [*_of_counts(part, found, width), ""]
    if document["ratio"] is not None:
        lines += [*_of_ratio(document["ratio"], width), ""]
    if document["status"] == "failed":
        lines.append("Not passed: what was to be measured was not.")
    return "\n".join(lines).rstrip()


def _check(options: GuardOptions, asked: Sequence[str]) -> None:
    """Refuse before the work what makes no sense after it."""
    if options.write and options.only == ("ratio",):
        rule = "keeps counts and instructions; a ratio holds on one machine only"
        hint = "write it with --json, for --compare"
        raise InputError(Problem(rule, field="--write", hint=hint))
    if options.pytest_benchmark is not None and (options.write or "ratio" not in asked):
        rule = "needs the times of the ratio"
        hint = "leave --write and --only away, or add --only ratio"
        raise InputError(Problem(rule, field="--pytest-benchmark", hint=hint))


def _measured(options: GuardOptions, asked: Sequence[str]) -> GuardDocument:
    older = None if options.compare is None else read_older(options.compare)
    found: dict[str, CountsDocument | RatioDocument] = {}
    if {"counts", "instructions"} & {*asked}:
        kept = read_kept(options.file)
        if "counts" in asked:
            found["counts"] = compared_counts(kept, tell)
        if "instructions" in asked:
            found["instructions"] = compared_instructions(kept, tell)
    if "ratio" in asked:
        found["ratio"] = compared_ratio(options.compare, options.rounds, tell, older)
    return whole(found)


def _of_counts(part: str, found: CountsDocument, width: int) -> list[str]:
    title = TITLES[part]
    if found["status"] in ("left out", "failed"):
        return [paragraph(f"{title}: {found['status']}: {found['reason']}", width)]
    n = sum(len(counts) for counts in found["counts"].values())
    worlds = ", ".join(found["counts"])
    if found["status"] == "same":
        return [paragraph(f"{title}: all {n} counts as kept ({worlds})", width)]
    rows = [("world", "what", "expected", "found", "difference", "asked for now by")]
    for one in found["differences"]:
        expected, now = one["expected"], one["found"]
        apart = (now or 0) - (expected or 0)
        shown = (_shown(expected), _shown(now), f"{apart:+,}")
        rows.append((one["world"], one["what"], *shown, one["place"]))
    told = f"{title}: what differs from what is kept: {len(rows) - 1}"
    return [told, *aligned(rows, width, indent=2), paragraph(CURE, width)]


def _of_ratio(found: RatioDocument, width: int) -> list[str]:
    words = {"same": "as before", "differs": "SLOWER"}
    status = words.get(found["status"], found["status"])
    lines = [paragraph(f"{TITLES['ratio']}: {status}: {found['reason']}", width)]
    spread = found["spread"]
    if spread is not None:
        lines.append(
            f"  median {spread['median']:,.4g}, quartiles {spread['lower']:,.4g} to"
            f" {spread['upper']:,.4g}, {spread['n']} rounds"
        )
    return lines


def _tell_left_out(part: str, document: GuardDocument) -> None:
    found = {
        "counts": document["counts"],
        "instructions": document["instructions"],
        "ratio": document["ratio"],
    }[part]
    if found is not None and found["status"] == "left out":
        tell(f"left out: {part}: {found['reason']}")


def _track(document: GuardDocument, file: Path) -> None:
    """Write pytest-benchmark's JSON, or say why there is none."""
    found = document["ratio"]
    if found is None or found["machine"] is None or found["spread"] is None:
        tell(f"{file} was not written: nothing was timed")
        return
    times = (found["kernel_seconds"], found["twin_seconds"])
    years = (found["kernel_years"], found["twin_years"])
    ratio = Ratio(found["machine"], *times, *years, found["spread"])
    extra = {
        part: counted["counts"]
        for part, counted in (
            ("counts", document["counts"]),
            ("instructions", document["instructions"]),
        )
        if counted is not None
    }
    write_new(file, _json(tracked(ratio, extra)), force=True)
    tell(f"wrote {file}")


def _shown(count: int | None) -> str:
    return "none" if count is None else f"{count:,}"


def _json(document: object) -> str:
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
