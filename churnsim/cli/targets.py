"""`churnsim targets`: from a firm's own data to the figures that a fit needs."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from churnsim.cli.check import check_ending, check_new, write_new
from churnsim.cli.console import columns, say, tell
from churnsim.cli.options import json_option
from churnsim.cli.outputs import say_json
from churnsim.cli.progress import progress
from churnsim.cli.shape import gathered
from churnsim.errors import InputError, Problem

if TYPE_CHECKING:
    from churnsim.data import CrossSection, EventLog, Mapping, Observed, Windows

# As in churnsim.data and churnsim.fit, which are imported late; a test compares them.
LAYOUTS = ("events", "cross-section")
DATE_FORMATS = ("auto", "iso", "compact", "dmy", "mdy")
DAY, SECOND = dt.timedelta(days=1), dt.timedelta(seconds=1)


class TargetsOptions(NamedTuple):
    """Which data, how to read them, what to count and what to write."""

    data: Path
    layout: str
    mapping: Path | None
    column: tuple[str, ...]
    event: tuple[str, ...]
    date_format: str | None
    time_zone: str | None
    drop_duplicates: bool
    faulty_max: str
    start: dt.datetime | None
    end: dt.datetime | None
    lost_after: str | None
    case_gap: str
    first_contact: str
    quick: str
    follow_up: str
    period: str | None
    profile: bool
    policy: str | None
    source: str | None
    out: Path | None
    force: bool
    as_json: bool


@click.command("targets", short_help="Read the figures to fit from a firm's own data.")
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--layout",
    type=click.Choice(LAYOUTS),
    default="events",
    show_default=True,
    help="A row for each event, or for each customer.",
)
@click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="TOML file that says what columns and words mean.",
)
@click.option(
    "--column",
    multiple=True,
    metavar="OURS=NAME",
    help="Which column is it, such as customer=cust_id. Can be repeated.",
)
@click.option(
    "--event",
    multiple=True,
    metavar="WORD=KIND",
    help="What a word means, such as ORDER=purchase or LOGIN=drop. Can be repeated.",
)
@click.option(
    "--date-format",
    type=click.Choice(DATE_FORMATS),
    help="How times are written; only needed where day and month cannot be told apart.",
)
@click.option(
    "--time-zone",
    metavar="ZONE",
    help="Of times that name none, such as Europe/Berlin; default: UTC.",
)
@click.option(
    "--drop-duplicates", is_flag=True, help="Keep one of rows equal in what is read."
)
@click.option(
    "--faulty-max",
    default="10%",
    show_default=True,
    metavar="SHARE",
    help="Refuse data of which more rows make no sense.",
)
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="First day that counts; what came before is history. Default: the log's.",
)
@click.option(
    "--end",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Last day that counts; what comes after is left out. Default: the log's.",
)
@click.option(
    "--lost-after",
    metavar="TIME",
    help='Count customers as lost who bought nothing for so long, as "1 year".',
)
@click.option(
    "--case-gap",
    default="30 days",
    show_default=True,
    metavar="TIME",
    help="A contact after so long a silence is of a new case.",
)
@click.option(
    "--first-contact",
    default="1 h",
    show_default=True,
    metavar="TIME",
    help="Settled within it: at the first contact.",
)
@click.option(
    "--quick",
    default="1 day",
    show_default=True,
    metavar="TIME",
    help="Settled within it, from the problem on: quickly.",
)
@click.option(
    "--follow-up",
    default="180 days",
    show_default=True,
    metavar="TIME",
    help="How long after a problem a purchase counts as staying.",
)
@click.option(
    "--period",
    metavar="TIME",
    help="Of a cross-section: how long customers were watched for leaving.",
)
@click.option("--profile", is_flag=True, help="Say what was read, left out and why.")
@click.option(
    "--policy",
    metavar="NAME",
    help="Policy of your scenario under which the firm worked; needed with --out.",
)
@click.option(
    "--source", metavar="TEXT", help="Where the data are from; default: the file."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the figures there, as a targets file.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@json_option
@gathered(TargetsOptions)
def targets_command(options: TargetsOptions) -> None:
    """Read from DATA what a firm has observed: churn, complaints, what follows them.

    DATA is a log of events, CSV or Parquet, of any size and in any order. Each row has
    a customer, a time and an event: purchase, renewal, problem, contact, resolution or
    cancel. With --layout cross-section it has a row for each customer instead, and a
    column that says who churned. Each figure is printed with its standard error, and
    where the data do not tell one, why.
    """
    _check_files(options)
    data, found = _read(options)
    for warning in getattr(data, "warnings", ()):
        tell(f"warning: {warning}")
    if not options.as_json:
        _say(options, data, found)
    written = []
    if options.out is not None and options.policy is not None:
        text = _targets(options, options.policy, data, found)
        write_new(options.out, text, force=options.force)
        written.append(str(options.out))
    if options.as_json:
        from churnsim.data.documents import targets_document

        say_json(targets_document(str(options.data), data, found, written))
    elif options.out is not None:
        say(f"wrote {len(found.figures)} targets to {options.out}")


def _check_files(options: TargetsOptions) -> None:
    """Refuse before the work what could not be written after it."""
    if options.out is None:
        return
    if options.policy is None:
        rule = "is needed with --out: the policy under which the firm worked"
        raise InputError(Problem(rule, field="--policy"))
    check_ending("--out", options.out, (".toml",))
    check_new(options.out, force=options.force)


def _read(options: TargetsOptions) -> tuple[EventLog | CrossSection, Observed]:
    """Return what the data hold, and what that tells."""
    from churnsim.data import observed, observed_across, read_cross_section, read_events

    mapping = _mapping(options)
    faulty_max = _share("--faulty-max", options.faulty_max)
    if options.layout == "events":
        if options.period is not None:
            rule = "is of a cross-section; a log says itself how long it is"
            raise InputError(Problem(rule, field="--period", value=options.period))
        windows = _windows(options, mapping.time_zone)
        with progress("rows") as report:
            log = read_events(
                options.data, mapping, windows, faulty_max=faulty_max, report=report
            )
        return log, observed(log)
    period = _days("--period", options.period) if options.period else None
    _refuse_windows(options)
    with progress("rows") as report:
        table = read_cross_section(
            options.data, mapping, faulty_max=faulty_max, report=report
        )
    return table, observed_across(table, period)


def _refuse_windows(options: TargetsOptions) -> None:
    """Refuse options of a log that a cross-section has no use for."""
    given = {
        "--event": options.event,
        "--start": options.start,
        "--end": options.end,
        "--lost-after": options.lost_after,
        "--drop-duplicates": options.drop_duplicates,
        "--time-zone": options.time_zone,
        "--date-format": options.date_format,
    }
    rule = "is of a log of events; a cross-section holds no times"
    found = [Problem(rule, field=name) for name, value in given.items() if value]
    if found:
        raise InputError(*found)


def _mapping(options: TargetsOptions) -> Mapping:
    """Return the mapping of the file, and what is typed over it."""
    from churnsim.data import Mapping, problems_of, read_mapping
    from churnsim.data.mapping import typed_pairs

    base = read_mapping(options.mapping) if options.mapping else Mapping()
    typed = Mapping(
        columns=typed_pairs("--column", options.column),
        events=typed_pairs("--event", options.event),
        date_format=options.date_format or base.date_format,
        time_zone=options.time_zone or base.time_zone,
        drop_duplicates=options.drop_duplicates or base.drop_duplicates,
    )
    as_typed = {"columns": "--column", "events": "--event", "time": "--time-zone"}
    found = [
        problem._replace(field=as_typed[problem.field.split(".")[0]])
        for problem in problems_of(typed)
    ]
    if found:
        raise InputError(*found)
    return typed._replace(
        columns={**base.columns, **typed.columns},
        events={**base.events, **typed.events},
    )


def _windows(options: TargetsOptions, time_zone: str) -> Windows:
    """Return what is counted, and for how long."""
    import zoneinfo

    from churnsim.data import Windows

    zone = zoneinfo.ZoneInfo(time_zone or "UTC")
    start, end = options.start, options.end
    lost_after = options.lost_after
    return Windows(
        start=start.replace(tzinfo=zone) if start else None,
        # To the last second of that day.
        end=(end + DAY - SECOND).replace(tzinfo=zone) if end else None,
        lost_after=_days("--lost-after", lost_after) if lost_after else None,
        case_gap=_days("--case-gap", options.case_gap),
        first_contact=_days("--first-contact", options.first_contact),
        quick=_days("--quick", options.quick),
        follow_up=_days("--follow-up", options.follow_up),
    )


def _days(option: str, text: str) -> float:
    """Return the days that an option's text means, above 0."""
    from churnsim.errors import UnitError
    from churnsim.units import parse_duration

    try:
        days = parse_duration(text)
    except UnitError as error:
        raise InputError(*(p._replace(field=option) for p in error.problems)) from None
    if not days > 0:
        raise InputError(Problem("must be above 0", field=option, value=text))
    return days


def _share(option: str, text: str) -> float:
    """Return the share that an option's text means, from 0 to 1."""
    from churnsim.errors import UnitError
    from churnsim.units import parse_share

    try:
        share = parse_share(text)
    except UnitError as error:
        raise InputError(*(p._replace(field=option) for p in error.problems)) from None
    if not 0 <= share <= 1:
        raise InputError(Problem("must be from 0 to 100 %", field=option, value=text))
    return share


def _say(
    options: TargetsOptions, data: EventLog | CrossSection, found: Observed
) -> None:
    """Say what the data tell, and what was read of them."""
    from churnsim.report.targets import figures_text, profile_text, summary

    width = columns()
    tell_all = options.profile
    say(profile_text(data, width) if tell_all else summary(data, width))
    say()
    say(figures_text(found, width))


def _targets(
    options: TargetsOptions,
    policy: str,
    data: EventLog | CrossSection,
    found: Observed,
) -> str:
    """Return the targets file."""
    from churnsim.data import require_figures, targets_toml

    require_figures(found, data.profile.name)
    about = (
        f"What {data.profile.name} tells, {data.profile.n_kept:,} rows of it, made by",
        f"  {_typed_again()}",
        f"SHA-256 of {data.profile.name}: {data.profile.sha256}",
    )
    return targets_toml(
        found.figures, policy, options.source or data.profile.name, about
    )


def _typed_again() -> str:
    """Return the command as it was typed."""
    import shlex

    context = click.get_current_context()
    words = ["churnsim", "targets"]
    for parameter in context.command.params:
        name = parameter.name or ""
        value = context.params.get(name)
        source = context.get_parameter_source(name)
        if source is not click.core.ParameterSource.COMMANDLINE or name == "force":
            continue
        if isinstance(parameter, click.Argument):
            words.append(str(value))
        elif isinstance(value, bool):
            words.append(parameter.opts[0])
        else:
            for item in value if isinstance(value, tuple) else (value,):
                is_day = isinstance(item, dt.datetime)
                words += [parameter.opts[0], str(item.date() if is_day else item)]
    return shlex.join(words)
