"""`churnsim validate --all`: the validation pack."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from churnsim.cli.check import check_new, write_new
from churnsim.cli.console import columns, say, tell
from churnsim.cli.outputs import FigureDocument, PackDocument, say_json
from churnsim.cli.progress import progress
from churnsim.cli.stopping import stopping
from churnsim.cli.tables import MARKDOWN, check_table, write_table
from churnsim.errors import ExitCode, PartialError, Problem

if TYPE_CHECKING:
    from churnsim.cli.check import ValidateOptions
    from churnsim.validation.pack import Validation

DATA_VARIABLE: Final = "CHURNSIM_DATA"


def validate_pack(options: ValidateOptions) -> None:
    """Run the pack, tell what came out, and refuse what did not.

    Raises:
        PartialError: Some figures did not come out.
    """
    from churnsim.report.validations import validation_text
    from churnsim.validation.pack import checks_of, run_pack

    if options.out:
        check_table("--out", options.out, force=options.force)
        check_new(options.out, force=options.force)
    checks = checks_of(options.only, data_folder(options.data))
    with stopping() as stop, progress("checks") as report:
        found = run_pack(checks, threads=options.threads, progress=report, stop=stop)
    if options.as_json:
        is_valid = not (found.of("fail") or found.is_stopped)
        say_json({"is_valid": is_valid, "files": [], "pack": pack_document(found)})
    else:
        say(validation_text(found, columns()))
    if found.is_stopped:
        tell("interrupted: what was not finished is shown as skipped")
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
    if options.out:
        _write(options, options.out, found)
    if failed := found.of("fail"):
        raise PartialError(
            *(
                Problem(
                    f"must be {figure.rule.value} {figure.expected}",
                    field=f"{finding.group}: {figure.what}",
                    value=None if finding.seen is None else finding.seen.value,
                    hint=finding.reason,
                )
                for finding in failed
                for figure in (finding.figure,)
            )
        )


def data_folder(named: Path | None) -> Path | None:
    """Return the folder of the data sets: as named, or the environment's, or none."""
    variable = os.environ.get(DATA_VARIABLE)
    return named or (Path(variable) if variable else None)


def pack_document(found: Validation) -> PackDocument:
    """Return what the pack found, for JSON."""
    from churnsim.report.validations import finite

    figures: list[FigureDocument] = [
        {
            "group": finding.group,
            "what": finding.figure.what,
            "source": finding.source,
            "rule": finding.figure.rule.value,
            "expected": finding.figure.expected,
            "allowed": finite(finding.figure.allowed),
            "found": None if finding.seen is None else finding.seen.value,
            "standard_error": None if finding.seen is None else finding.seen.error,
            "z": finding.z,
            "sample": 0 if finding.seen is None else finding.seen.n,
            "unit": finding.figure.unit.strip(),
            "verdict": finding.verdict,
            "reason": finding.reason,
        }
        for finding in found.findings
    ]
    return {
        "sentence": found.sentence(),
        "is_stopped": found.is_stopped,
        "passed": len(found.of("pass")),
        "failed": len(found.of("fail")),
        "skipped": len(found.of("skipped")),
        "figures": figures,
    }


def _write(options: ValidateOptions, file: Path, found: Validation) -> None:
    """Write the page, or the table that the file's ending asks for."""
    from churnsim.report.validations import validation_markdown, validation_table

    if file.suffix.lower() == MARKDOWN:
        only = [word for group in options.only for word in ("--only", group)]
        typed = ["churnsim", "validate", "--all", *only, "--out", str(file), "--force"]
        page = validation_markdown(found, shlex.join(typed))
        write_new(file, page, force=options.force)
    else:
        write_table(file, validation_table(found), force=options.force)
    tell(f"wrote {len(found.findings):,} figures to {file}")
