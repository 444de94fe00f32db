"""The command `churnsim`. Only click is imported until a command does its work."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from churnsim._version import __version__
from churnsim.cli.assumptions import assumptions_command
from churnsim.cli.bench import bench_command
from churnsim.cli.breakeven import breakeven_command
from churnsim.cli.calibrate import calibrate_command
from churnsim.cli.check import init_command, schema_command, validate_command
from churnsim.cli.console import prepare_streams
from churnsim.cli.counterfactuals import counterfactuals_command
from churnsim.cli.discover import discover_command
from churnsim.cli.explain import explain_command
from churnsim.cli.extend import extend_command
from churnsim.cli.fit import fit_command
from churnsim.cli.guard import guarded
from churnsim.cli.library import list_command, show_command
from churnsim.cli.report import plot_command, report_command
from churnsim.cli.robust import robust_command
from churnsim.cli.run import run_command
from churnsim.cli.sensitivity import sensitivity_command
from churnsim.cli.shape import SuggestingGroup
from churnsim.cli.staff import staff_command
from churnsim.cli.story import story_command
from churnsim.cli.surface import surface_command
from churnsim.cli.sweep import sweep_command
from churnsim.cli.swept import export_command, merge_command, status_command
from churnsim.cli.targets import targets_command
from churnsim.cli.verify import verify_command
from churnsim.cli.warmup import warmup_command
from churnsim.errors import ExitCode

__all__ = ["main"]

COMPLETION_VARIABLE = "_CHURNSIM_COMPLETE"
EPILOG = """
\b
Start with:
  churnsim run                     what four ways to handle mistakes cost a telecom
  churnsim explain                 why the last of them loses against the first
  churnsim init my_firm.toml       a scenario of your own to fill in
  churnsim run my_firm.toml

\b
Exit codes:
  0  done                          3  refused: too much for this machine
  1  a bug in churnsim             4  results could not be written or read
  2  what was given is refused     5  some parts of a run failed
                                 130  interrupted; what was finished is shown
"""


@click.group(
    cls=SuggestingGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 90,
    },
    epilog=EPILOG,
)
@click.version_option(__version__, prog_name="churnsim")
def churnsim() -> None:
    """Simulate what mistakes, and how a firm handles them, cost in revenue.

    Customers of a made-up or fitted market meet mistakes, speak up or not, wait, are
    helped, put off or lied to, and stay or leave. The same customers meet the same
    mistakes under every policy, so that the difference is the policy's doing.
    """


for command in (
    run_command,
    explain_command,
    counterfactuals_command,
    story_command,
    breakeven_command,
    staff_command,
    assumptions_command,
    robust_command,
    sweep_command,
    status_command,
    merge_command,
    export_command,
    sensitivity_command,
    discover_command,
    surface_command,
    calibrate_command,
    list_command,
    show_command,
    init_command,
    validate_command,
    fit_command,
    targets_command,
    schema_command,
    verify_command,
    extend_command,
    report_command,
    plot_command,
    bench_command,
    warmup_command,
):
    churnsim.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    prepare_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    _leave(guarded(lambda: _invoked(given)))


def _leave(code: int) -> NoReturn:
    """End the program; at once where it was interrupted."""
    if code == ExitCode.INTERRUPTED:
        # A kernel may still compute, and tearing Python down under it is neither safe
        # nor quick.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _invoked(arguments: list[str]) -> int:
    if COMPLETION_VARIABLE in os.environ:
        churnsim.main(arguments, prog_name="churnsim")
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    try:
        with churnsim.make_context(
            "churnsim", arguments, color=False if plain else None
        ) as context:
            churnsim.invoke(context)
    except click.exceptions.Exit as left:
        return left.exit_code
    return ExitCode.OK
