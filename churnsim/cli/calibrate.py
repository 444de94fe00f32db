"""`churnsim calibrate`: a scenario fitted to what a firm has observed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from churnsim.cli.check import as_argument, check_new, write_new
from churnsim.cli.console import columns, say, tell
from churnsim.cli.options import (
    horizon_option,
    json_option,
    seed_option,
    set_option,
    threads_option,
    typed_again,
    with_horizon,
)
from churnsim.cli.outputs import say_json
from churnsim.cli.progress import progress
from churnsim.cli.shape import gathered
from churnsim.cli.stopping import read_first, stopping
from churnsim.errors import ExitCode, InputError, Problem, StorageError

if TYPE_CHECKING:
    from churnsim.calibration.record import Calibration
    from churnsim.calibration.targets import Targets

POSTERIOR, ANSWER, FITTED = FILES = (
    "posterior.json",
    "calibration.json",
    "fitted.toml",
)
CHARTS = ("fit.svg", "identifiability.svg")
RUNS, REPLICATIONS, DRAWS = 2000, 20, 1000


class CalibrateOptions(NamedTuple):
    """What is fitted to what, how, and where files go."""

    scenario: str
    targets: Path | None
    data: Path | None
    mapping: Path | None
    policy: str | None
    parameters: tuple[str, ...]
    simulations: int
    replications: int
    draws: int
    seed: int | None
    horizon: str | None
    overrides: tuple[str, ...]
    threads: int | None
    as_json: bool
    out: Path | None
    plots: bool
    force: bool


@click.command("calibrate", short_help="Fit a scenario to what a firm has observed.")
@click.argument("scenario", metavar="SCENARIO")
@click.option(
    "--targets",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What was observed, with its errors (docs/calibration.md).",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A log of events, read as churnsim targets does: instead of --targets, or"
    " beside it.",
)
@click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="TOML file that says what columns and words of the log mean.",
)
@click.option(
    "--policy",
    metavar="NAME",
    help="Policy under which the firm worked when the log was written.",
)
@click.option(
    "--parameter",
    "parameters",
    required=True,
    multiple=True,
    metavar="FIELD=LOW..HIGH",
    help="A setting and its range, such as market.lock_in=2..5; with log behind it the"
    " logarithm is even. Can be repeated.",
)
@click.option(
    "--simulations",
    type=click.IntRange(1),
    default=RUNS,
    show_default=True,
    metavar="N",
    help="Runs in all, at most.",
)
@click.option(
    "--replications",
    type=click.IntRange(5, 1_000_000),
    default=REPLICATIONS,
    show_default=True,
    metavar="N",
    help="Runs of each value of the parameters, on the same draws.",
)
@click.option(
    "--draws",
    type=click.IntRange(20, 1_000_000),
    default=DRAWS,
    show_default=True,
    metavar="N",
    help="Of the posterior.",
)
@seed_option
@horizon_option
@set_option
@threads_option
@json_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also write the posterior, the answer and the fitted scenario there.",
)
@click.option("--plots", is_flag=True, help="Charts as well, to the folder of --out.")
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@gathered(CalibrateOptions)
def calibrate_command(options: CalibrateOptions) -> None:
    """Fit settings of a scenario to what a firm has observed.

    SCENARIO is a ready name (churnsim list) or a .toml file. Every value of the
    parameters meets the same customers and luck. The answer has an interval for each
    parameter, how each target is met, and which parameters the targets cannot tell
    apart. Ctrl-C shows what is known so far.
    """
    _check_files(options)
    _check_observed(options)
    from churnsim.calibration.calibrating import Plan, calibrate
    from churnsim.experiment.replications import Execution
    from churnsim.report.calibrations import calibration_text

    overrides = with_horizon(options.overrides, options.horizon)
    read_first(options.scenario, overrides)
    targets = _targets(options)
    with stopping() as stop, progress("runs") as report:
        found = calibrate(
            options.scenario,
            targets,
            options.parameters,
            overrides=overrides,
            plan=Plan(
                options.simulations,
                options.replications,
                options.draws,
                options.seed,
                report.watching(Execution(threads=options.threads, stop=stop)),
            ),
        )
    if options.as_json:
        say_json(found.to_json_dict())
    else:
        say(calibration_text(found, _again(options, found), columns()))
    _write(options, found)
    if found.is_stopped:
        tell(f"interrupted: {found.n_runs:,} runs were finished")
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)


def _check_files(options: CalibrateOptions) -> None:
    """Refuse before the work what could not be written after it.

    Raises:
        InputError: Files are there already, or charts have nowhere to go.
    """
    if options.plots:
        from churnsim.report.page.writing import require_libraries

        if options.out is None:
            rule = "needs --out: charts are written to its folder"
            raise InputError(Problem(rule, field="--plots"))
        require_libraries()
    if options.out is None:
        return
    for file in _files(options, options.out):
        if options.out.is_dir():
            check_new(file, force=options.force)


def _check_observed(options: CalibrateOptions) -> None:
    """Refuse to fit to nothing, and what only a log has a use for.

    Raises:
        UsageError: So it is.
    """
    if options.data is None and options.targets is None:
        raise click.UsageError("needs --targets or --data: what was observed")
    if options.data is not None and options.policy is None:
        raise click.UsageError(
            "--data needs --policy: under which policy the firm worked then"
        )
    given = {"--mapping": options.mapping, "--policy": options.policy}
    for name, value in given.items():
        if value is not None and options.data is None:
            raise click.UsageError(f"{name} is of a log: it needs --data")


def _targets(options: CalibrateOptions) -> Targets:
    """Return what was observed: in a file of targets, in a log, or both.

    Raises:
        InputError: One cannot be read, or they contradict each other.
    """
    from churnsim.calibration.targets import read_targets

    given = None if options.targets is None else read_targets(options.targets)
    if options.data is None or options.policy is None:
        assert given is not None  # noqa: S101 - as was checked first
        return given
    from churnsim.calibration.observing import targets_of, together
    from churnsim.data import Mapping, observed, read_events, read_mapping

    mapping = read_mapping(options.mapping) if options.mapping else Mapping()
    with progress("rows") as report:
        log = read_events(options.data, mapping, report=report)
    for warning in log.warnings:
        tell(f"warning: {warning}")
    told = targets_of(observed(log), options.policy, log.profile.name)
    return told if given is None else together(given, told)


def _files(options: CalibrateOptions, out: Path) -> list[Path]:
    names = (*FILES, *CHARTS) if options.plots else FILES
    return [out / name for name in names]


def _write(options: CalibrateOptions, found: Calibration) -> None:
    """Write what was asked for, and tell where."""
    out = options.out
    if out is None:
        return
    if found.is_stopped:
        tell(f"{out} was not written: the calibration was not finished")
        return
    from churnsim.report.calibrations import (
        fit_chart,
        fitted_scenario,
        identifiability_chart,
    )
    from churnsim.report.page.writing import write_chart

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        rule = f"must be a folder that can be made ({error.strerror})"
        raise StorageError(Problem(rule, str(out))) from None
    posterior, answer, fitted, *charts = _files(options, out)
    texts = {
        posterior: json.dumps(found.posterior(), indent=1) + "\n",
        answer: json.dumps(found.to_json_dict(), indent=2, allow_nan=False) + "\n",
        fitted: fitted_scenario(found, _base(options), _settings(options)),
    }
    for file, text in texts.items():
        write_new(file, text, force=options.force)
    for file, chart in zip(charts, (fit_chart, identifiability_chart), strict=False):
        write_chart(chart(found), file, force=options.force)
    tell(
        f"wrote {len(texts) + len(charts)} files to {out}; simulate the best fit, with"
    )
    tell(f"  churnsim run {as_argument(fitted)}")
    if not options.overrides and options.horizon is None:
        scenario = as_argument(Path(options.scenario))
        tell("or all that the targets leave open, with")
        tell(f"  churnsim run {scenario} --posterior {as_argument(posterior)}")


def _base(options: CalibrateOptions) -> str:
    """Return what the fitted scenario extends, as seen from its folder."""
    from churnsim.scenario.files import is_path

    if not is_path(options.scenario) or options.out is None:
        return options.scenario
    path = os.path.relpath(Path(options.scenario).absolute(), options.out.absolute())
    return Path(path).as_posix()


def _settings(options: CalibrateOptions) -> dict[str, str]:
    """Return the settings that lay over the scenario, as TOML."""
    import tomllib

    from churnsim.scenario.assemble import pairs_of
    from churnsim.scenario.writing import toml_value

    found = {}
    for key, text in pairs_of(with_horizon(options.overrides, options.horizon)):
        try:
            tomllib.loads(f"value = {text}")
            found[key] = text
        except tomllib.TOMLDecodeError:
            found[key] = toml_value(text)
    return found


def _again(options: CalibrateOptions, found: Calibration) -> str:
    """Return the command that makes the same numbers."""
    words = ["churnsim", "calibrate", options.scenario]
    files = {"--targets": options.targets, "--data": options.data}
    files["--mapping"] = options.mapping
    for name, file in files.items():
        words += [] if file is None else [name, str(file)]
    words += [] if options.policy is None else ["--policy", options.policy]
    for parameter in options.parameters:
        words += ["--parameter", parameter]
    usual = {"--simulations": RUNS, "--draws": DRAWS}
    for name, number in usual.items():
        given = getattr(options, name.removeprefix("--"))
        words += [name, str(given)] if given != number else []
    replications = options.replications
    again = None if replications == REPLICATIONS else replications
    return typed_again(words, again, found.seed, options.horizon, options.overrides)
