"""`churnsim assumptions`: what a scenario's figures rest on, the weakest first."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from churnsim.cli.console import columns, say, tell
from churnsim.cli.options import json_option, set_option
from churnsim.cli.outputs import AssumptionsDocument, GroundDocument, say_json
from churnsim.cli.run import DEFAULT
from churnsim.cli.shape import gathered
from churnsim.cli.tables import check_table, write_table

if TYPE_CHECKING:
    from churnsim.scenario import Scenario
    from churnsim.scenario.grounds import Ground

GRADES = "ABCD"


class AssumptionsOptions(NamedTuple):
    """Of which scenario, which of them, and where they go."""

    scenario: str
    grades: str | None
    overrides: tuple[str, ...]
    as_json: bool
    out: Path | None
    force: bool


@click.command("assumptions", short_help="Tell what each figure rests on.")
@click.argument("scenario", default=DEFAULT, metavar="[SCENARIO]")
@click.option(
    "--grade",
    "grades",
    metavar="LETTERS",
    help="Only figures of these grades, such as D or CD.",
)
@set_option
@json_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write a row for each figure; FILE ends in .csv, .parquet or .md.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@gathered(AssumptionsOptions)
def assumptions_command(options: AssumptionsOptions) -> None:
    """Tell what each figure of a scenario rests on, the weakest first.

    SCENARIO is a ready name (churnsim list) or a .toml file; telecom if not given. Each
    figure has a grade from A, observed behaviour, to D, our assumption; its range is
    what is plausible, and `churnsim robust` varies it. In a file of your own, a comment
    such as "# D [0.3 .. 0.8]: reason" grades the value on its line.
    """
    if options.out:
        check_table("--out", options.out, force=options.force)
    grades = checked_grades(options.grades) if options.grades else GRADES
    from churnsim.scenario import load_scenario
    from churnsim.scenario.grounds import grounds_of

    scenario = load_scenario(options.scenario, overrides=options.overrides)
    every = grounds_of(options.scenario, options.overrides)
    found = [ground for ground in every if ground.grade in grades]
    if options.as_json:
        say_json(_document(scenario, found))
    else:
        from churnsim.report.evidence import assumptions_text

        changes = [word for pair in options.overrides for word in ("--set", pair)]
        again = shlex.join(["churnsim", "robust", options.scenario, *changes])
        say(assumptions_text(scenario, found, again, columns()))
    if options.out:
        from churnsim.report.evidence import assumptions_table

        write_table(options.out, assumptions_table(found), force=options.force)
        tell(f"wrote {len(found):,} figures to {options.out}")


def checked_grades(text: str) -> str:
    """Return grades as typed, in capitals.

    Raises:
        InputError: Others than A to D.
    """
    from churnsim.errors import InputError, Problem

    grades = text.upper().replace(",", "")
    if grades and set(grades) <= set(GRADES):
        return grades
    rule = "must be letters of A, B, C and D, such as CD"
    raise InputError(Problem(rule, field="--grade", value=text))


def _document(scenario: Scenario, grounds: list[Ground]) -> AssumptionsDocument:
    return {
        "scenario": scenario.name,
        "title": scenario.title,
        "digest": scenario.digest,
        "figures": [_figure(ground) for ground in grounds],
    }


def _figure(ground: Ground) -> GroundDocument:
    return {
        "keys": list(ground.keys),
        "value": ground.value,
        "grade": ground.grade,
        "basis": ground.basis,
        "text": ground.text,
        "sources": list(ground.sources),
        "range_of": ground.vary,
        "low": ground.low,
        "high": ground.high,
        "range_by": ground.whose,
        "fixed": ground.fixed,
    }
