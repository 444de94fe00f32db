"""`churnsim sensitivity`: which factors of a sweep a response hangs on."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import click

from churnsim.cli.analysing import (
    Files,
    answer,
    check_files,
    file_options,
    opened,
    question_of,
    question_typed,
    response_options,
    typed,
    write_files,
)
from churnsim.cli.console import columns
from churnsim.cli.options import json_option
from churnsim.cli.shape import gathered

USUAL = "revenue"


class SensitivityOptions(NamedTuple):
    """Of which sweep and response, and where files go."""

    folder: Path
    outcome: str
    policy: str | None
    against: str | None
    alone: bool
    as_json: bool
    out: Path | None
    plot: Path | None
    force: bool


@click.command("sensitivity", short_help="Tell which factors of a sweep matter.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@response_options(USUAL)
@json_option
@file_options("a row for each factor")
@gathered(SensitivityOptions)
def sensitivity_command(options: SensitivityOptions) -> None:
    """Tell which factors of the sweep kept in DIR a loss hangs on.

    Nothing is simulated anew. The response is what one policy loses against another on
    the same customers and luck, point by point. A sweep of the design "saltelli" gives
    Sobol indices, first-order and total; "morris" gives elementary effects; of any
    other design first-order indices are estimated. Replications tell how much is luck,
    which is taken off.
    """
    files = Files(options.out, options.plot, options.force)
    check_files(files)
    from churnsim.analysis.sensitivity import sensitivity
    from churnsim.report.sensitivities import sensitivity_chart, sensitivity_text

    finished = opened(options.folder)
    question = question_of(finished.sweep, options)
    found = sensitivity(finished, question)
    again = typed(
        "sensitivity",
        options.folder,
        question_typed(question, USUAL, options),
    )
    answer(
        found.to_json_dict(),
        lambda: sensitivity_text(found, again, columns()),
        as_json=options.as_json,
    )
    write_files(files, found.to_arrow, lambda: sensitivity_chart(found))
