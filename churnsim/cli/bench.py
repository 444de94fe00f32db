"""`churnsim bench`: churnsim's engines beside other programs that do the same."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from churnsim.cli.check import check_new, write_new
from churnsim.cli.console import columns, say, tell
from churnsim.cli.options import json_option
from churnsim.cli.outputs import say_json
from churnsim.cli.shape import gathered
from churnsim.errors import InputError, Problem

if TYPE_CHECKING:
    from churnsim.cli.bench_documents import BenchDocument

# Numbers to measure, an answer to read, a picture: as `--out` names them.
DATA, PAGE, PICTURE = "bench.json", "bench.md", "bench.svg"
_PACKAGE = Path(__file__).resolve().parents[1]


class BenchOptions(NamedTuple):
    """What is measured, and where it is kept."""

    scenario: str
    policy: str
    customers: int | None
    rounds: int | None
    quick: bool
    compare: Path | None
    out: Path | None
    force: bool
    as_json: bool


@click.command("bench", short_help="Measure churnsim's speed beside other programs.")
@click.option(
    "--scenario",
    default="telecom",
    show_default=True,
    metavar="SCENARIO",
    help="A ready one or a file; of those that the plain programs know.",
)
@click.option(
    "--policy",
    default="slow_and_dishonest",
    show_default=True,
    metavar="POLICY",
    help="That is simulated.",
)
@click.option(
    "--customers",
    type=click.IntRange(1, 100_000_000),
    metavar="N",
    help="Of the whole model; 100,000 by default, 5,000 with --quick.",
)
@click.option(
    "--rounds",
    type=click.IntRange(2, 1_000),
    metavar="N",
    help="In which all take turns; 5 by default, 3 with --quick.",
)
@click.option(
    "--quick",
    is_flag=True,
    help="Half a minute: small, and without cold starts and peak memory.",
)
@click.option(
    "--compare",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A bench.json of before: also show how the ratios moved.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help=f"Also write {DATA}, {PAGE} and, with churnsim[report], {PICTURE}.",
)
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@json_option
@gathered(BenchOptions)
def bench_command(options: BenchOptions) -> None:
    """Run churnsim and others that simulate the same, turn by turn, on this machine.

    churnsim's kernel, its reference, an ordinary SimPy model, a loop in C++ where there
    is one, and the desk alone in Ciw and in salabim where they are installed. Answers
    are compared first: where they differ, nothing is reported.
    """
    find_benchmarks()
    from benchmarks.common import scenario_of
    from benchmarks.comparing import compared, read_old
    from benchmarks.measuring import FULL, QUICK, YEARS, Asked, measure
    from benchmarks.showing import text_of
    from churnsim.memory import check_run

    old = None if options.compare is None else read_old(options.compare)
    if options.out is not None:
        _check_folder(options.out, force=options.force)
    sizes = QUICK if options.quick else FULL
    sizes = sizes._replace(
        customers=options.customers or sizes.customers,
        rounds=options.rounds or sizes.rounds,
    )
    # A process for each customer, as the reference has, is what takes most.
    check_run(scenario_of(options.scenario, sizes.customers, YEARS), "reference")
    document = measure(Asked(options.scenario, options.policy, sizes), tell)
    for left in document["left_out"]:
        tell(f"left out: {left['name']}: {left['reason']}")
    if old is not None:
        found = compared(str(options.compare), old, document)
        document = {**document, "comparison": found}
    if options.as_json:
        say_json(document)
    else:
        say(text_of(document, columns()))
    if options.out is not None:
        _write(document, options.out, force=options.force)


def find_benchmarks() -> None:
    """Make `benchmarks` importable: an installed package carries it inside.

    Raises:
        InputError: It lies neither in the package nor beside it.
    """
    places = (_PACKAGE / "_bench", _PACKAGE.parent)
    for place in places:
        if (place / "benchmarks" / "measuring.py").is_file():
            if str(place) not in sys.path:
                sys.path.insert(0, str(place))
            return
    rule = "churnsim bench needs the folder benchmarks/, which is not there"
    hint = "install churnsim again, or type it in a checkout"
    raise InputError(Problem(rule, hint=hint))


def _check_folder(folder: Path, *, force: bool) -> None:
    """Refuse before the work what could not be written after it."""
    if folder.exists():
        for name in (DATA, PAGE, PICTURE):
            check_new(folder / name, force=force)
    else:
        folder.mkdir(parents=True)


def _write(document: BenchDocument, folder: Path, *, force: bool) -> None:
    import json

    from benchmarks.showing import chart_of, page_of

    data = json.dumps(document, indent=2, allow_nan=False) + "\n"
    write_new(folder / DATA, data, force=force)
    write_new(folder / PAGE, page_of(document), force=force)
    written = [DATA, PAGE]
    from churnsim.report.page.writing import require_libraries, write_chart

    try:
        require_libraries()
    except InputError as error:
        tell(f"{PICTURE} was not written: {error}")
    else:
        write_chart(chart_of(document), folder / PICTURE, force=force)
        written.append(PICTURE)
    tell(f"wrote {', '.join(written)} to {folder}")
