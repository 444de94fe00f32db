"""`churnsim report` and `churnsim plot`: kept results as a page, or as charts."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import NamedTuple

import click

from churnsim.cli.check import check_ending
from churnsim.cli.console import say, tell
from churnsim.cli.options import json_option
from churnsim.cli.outputs import say_json
from churnsim.cli.shape import gathered

PAGE = "report.html"  # where nobody names a file, beside the folder of results
FORMATS = ("svg", "png")
PAGES = (".html", ".htm")


class ReportOptions(NamedTuple):
    """Which results, and where the page goes."""

    folder: Path
    out: Path | None
    force: bool
    as_json: bool


class PlotOptions(NamedTuple):
    """Which results, and where and as what the charts go."""

    folder: Path
    out: Path
    form: str
    force: bool
    as_json: bool


@click.command("report", short_help="Write kept results as a page to hand on.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=f"The page, which ends in .html; {PAGE} in the current folder by default.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@json_option
@gathered(ReportOptions)
def report_command(options: ReportOptions) -> None:
    """Write the results kept in DIR as one page of HTML.

    DIR is a folder that churnsim run --out or churnsim sweep --out has written. The
    page of a run holds charts, tables, assumptions and the command that makes the
    numbers again; that of a sweep holds what was varied, what failed, sensitivity,
    boxes and a surface. It opens in any browser and needs no network.
    """
    from churnsim.report.page.writing import check_file, require_libraries, write_page

    place = options.out or Path(PAGE)
    require_libraries()
    check_ending("--out", place, PAGES)
    check_file(place, force=options.force)
    from churnsim.report.page.bundle import bundling

    with bundling():
        # Only now: what it imports takes half as long as the scripts do.
        from churnsim.sweep.store.manifest import is_sweep

        if is_sweep(options.folder):
            _write_sweep(options.folder, place, force=options.force)
        else:
            from churnsim.experiment.store import read_results

            write_page(read_results(options.folder), place, force=options.force)
            _tell_doubts(options.folder)
    if options.as_json:
        say_json({"written": [str(place)]})
    else:
        say(f"report written to {shlex.quote(str(place))}")


@click.command("plot", short_help="Write the charts of kept results as files.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder for the charts; made if it is not there.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default=FORMATS[0],
    show_default=True,
    help="Of the files.",
)
@click.option("--force", is_flag=True, help="Replace charts that are there.")
@json_option
@gathered(PlotOptions)
def plot_command(options: PlotOptions) -> None:
    """Write the charts of the results kept in DIR as files, one for each chart.

    They are the charts that churnsim report puts into its page.
    """
    from churnsim.experiment.store import read_results
    from churnsim.report.page.writing import require_libraries, write_charts

    require_libraries()
    document = read_results(options.folder)
    paths = write_charts(document, options.out, options.form, force=options.force)
    _tell_doubts(options.folder)
    if options.as_json:
        say_json({"written": [str(path) for path in paths]})
        return
    for path in paths:
        say(shlex.quote(str(path)))


def _write_sweep(folder: Path, place: Path, *, force: bool) -> None:
    """Write the page about a sweep, as far as it has come."""
    from churnsim.cli.analysing import opened
    from churnsim.report.page.writing import write_text
    from churnsim.report.swept import sweep_page

    write_text(sweep_page(opened(folder)), place, force=force)


def _tell_doubts(folder: Path) -> None:
    """Say why what is shown may not come out again, and how that is found out."""
    from churnsim.experiment.store import doubts

    found = doubts(folder)
    for text in found:
        tell(f"note: {text}")
    if found:
        tell(
            "note: what is shown comes from results.json, which is as it was written;"
            f" to check the rest: churnsim verify {shlex.quote(str(folder))}"
        )
