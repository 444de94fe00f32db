"""`churnsim init`, `validate` and `schema`: files of one's own, made and checked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from churnsim.cli.console import say, tell
from churnsim.cli.options import json_option
from churnsim.cli.outputs import (
    COMMANDS,
    CheckedFile,
    ValidateDocument,
    documents,
    problem_document,
    say_json,
)
from churnsim.cli.shape import gathered
from churnsim.cli.starter import STARTER
from churnsim.errors import ChurnsimError, InputError, Problem, StorageError

# As the pack has them, which loads more; a test compares them.
GROUPS = (
    *("closed-forms", "published", "erlang", "tarp", "repeated", "contacts"),
    *("honesty", "orderings", "perception", "twins", "intervals"),
)


class InitOptions(NamedTuple):
    """Where a starter goes."""

    file: Path
    force: bool
    as_json: bool


class ValidateOptions(NamedTuple):
    """Which files, or which figures of the pack, and how it is told."""

    files: tuple[str, ...]
    is_pack: bool
    only: tuple[str, ...]
    data: Path | None
    threads: int | None
    out: Path | None
    force: bool
    as_json: bool


class SchemaOptions(NamedTuple):
    """Of which kind of file or document, and for whom."""

    kind: str | None  # a scenario where nothing is named
    output: str | None
    as_markdown: bool


@click.command("init", short_help="Write a commented scenario to fill in.")
@click.argument("file", default="scenario.toml", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@json_option
@gathered(InitOptions)
def init_command(options: InitOptions) -> None:
    """Write a commented scenario to fill in; FILE is scenario.toml if not given.

    It is complete: it can be run as it is, and every figure in it says what it is.
    """
    file = options.file
    check_ending("FILE", file, (".toml",))
    write_new(file, STARTER, force=options.force)
    if options.as_json:
        say_json({"written": [str(file)]})
        return
    say(f"wrote {file}; look through it, then: churnsim run {as_argument(file)}")


@click.command("validate", short_help="Check files, or churnsim itself (--all).")
@click.argument("files", nargs=-1, metavar="[FILE...]")
@click.option(
    "--all",
    "is_pack",
    is_flag=True,
    help="Check churnsim itself instead: closed forms, published tables, orderings.",
)
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(GROUPS),
    metavar="GROUP",
    help=f"Of --all, these figures only: {', '.join(GROUPS)}. Can be repeated.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Of --all: where the data sets are that some figures were published of;"
    " $CHURNSIM_DATA by default. Without them these figures are skipped.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Of --all: checks at once; one a core by default.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Of --all: also write what came out; FILE ends in .md, .csv or .parquet.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@json_option
@gathered(ValidateOptions)
def validate_command(options: ValidateOptions) -> None:
    """Check scenario and policy files, and tell every mistake in them.

    A FILE can also be the name of a ready scenario or policy. The log of transactions
    that a scenario names is read and fitted. Nothing is simulated.

    With --all, check churnsim itself: what it makes of worlds whose answer is known,
    figure by figure, with source, tolerance and verdict. Exit code 5 tells that one did
    not come out.
    """
    if _is_about_pack(options):
        from churnsim.cli.pack import validate_pack

        validate_pack(options)
        return
    failed: list[ChurnsimError] = []
    checked = [_checked(name, failed) for name in options.files]
    for found in checked:
        for warning in found["warnings"]:
            tell(f"warning: {warning}")
        if found["is_valid"] and not options.as_json:
            n = len(found["policies"])
            of = f" of {n} policies" if found["kind"] == "scenario" else ""
            say(f"{found['name']}: a valid {found['kind']}{of}")
    if options.as_json:
        document: ValidateDocument = {
            "is_valid": not failed,
            "files": checked,
            "pack": None,
        }
        say_json(document)
    if failed:
        # Of different kinds, the first decides the exit code.
        raise type(failed[0])(*(p for error in failed for p in error.problems))


def _is_about_pack(options: ValidateOptions) -> bool:
    """Return whether churnsim is checked, not files.

    Raises:
        click.UsageError: Both are, or neither, or an option of the other.
    """
    if options.files and (options.is_pack or options.only):
        raise click.UsageError("choose one: files, or --all")
    if options.is_pack or options.only:
        return True
    if not options.files:
        raise click.UsageError("missing argument 'FILE...'; or check churnsim: --all")
    for option in ("data", "threads", "out", "force"):
        if getattr(options, option):
            raise click.UsageError(f"--{option} is of --all, and not of files")
    return False


def _checked(name: str, failed: list[ChurnsimError]) -> CheckedFile:
    """Return what a file is; an error is put to those that failed."""
    from churnsim.cli.policies import load_policy, policy_file
    from churnsim.scenario import load_scenario

    found: CheckedFile = {
        "name": name,
        "kind": None,
        "is_valid": False,
        "policies": [],
        "warnings": [],
        "problems": [],
    }
    try:
        path = policy_file(name)
        found["kind"] = "scenario" if path is None else "policy"
        if path is not None:
            load_policy(path)
        else:
            scenario = load_scenario(name)
            found["policies"] = list(scenario.policy_names)
            found["warnings"] = [str(warning) for warning in scenario.warnings]
            if scenario.population.transactions:
                from churnsim.population import log_warnings

                found["warnings"] += log_warnings(scenario)
    except ChurnsimError as error:
        failed.append(error)
        found["problems"] = [problem_document(problem) for problem in error.problems]
    else:
        found["is_valid"] = True
    return found


@click.command("schema", short_help="Print the JSON Schema of files and documents.")
@click.argument("kind", required=False, type=click.Choice(["scenario", "policy"]))
@click.option(
    "--output",
    type=click.Choice(COMMANDS),
    metavar="COMMAND",
    help="Of what this command prints with --json, instead.",
)
@click.option(
    "--markdown/--json",
    "as_markdown",
    help="The reference of settings as Markdown; JSON Schema by default.",
)
@gathered(SchemaOptions)
def schema_command(options: SchemaOptions) -> None:
    """Print the JSON Schema of scenario or policy files, or of what a command prints.

    Editors that know TOML complete and check settings with it. With --markdown, print
    the reference of all settings instead, which is docs/scenarios.md.
    """
    from churnsim.report.reference import reference
    from churnsim.scenario import json_schema

    if options.output is not None:
        from churnsim.cli.described import schema_of

        if options.kind is not None or options.as_markdown:
            what = options.kind or "--markdown"
            raise click.UsageError(f"{what} is about files; leave it or --output out")
        say_json(schema_of(documents()[options.output]))
        return
    schema = json_schema("policy" if options.kind == "policy" else "scenario")
    if options.as_markdown:
        say(reference(schema).rstrip("\n"))
    else:
        say_json(schema)


def check_ending(option: str, file: Path, endings: Sequence[str]) -> None:
    """Refuse a file whose name promises another kind of content than it would get.

    Args:
        option: That it was given with.
        file: As it was given.
        endings: Those that there are, the usual one first.

    Raises:
        InputError: It has none of them.
    """
    if file.suffix.lower() in endings:
        return
    *others, last = endings
    rule = f"must end in {' or '.join([*filter(None, [', '.join(others)]), last])}"
    hint = f"try {file.with_suffix(endings[0])}"
    raise InputError(Problem(rule, field=option, value=str(file), hint=hint))


def check_new(file: Path, *, force: bool) -> None:
    """Refuse before the work a file that could not be written after it.

    Raises:
        InputError: It is there already and `force` is not given, or its folder is not.
    """
    _refuse_old(file, force=force)
    if not file.absolute().parent.is_dir():
        raise InputError(Problem("must be in a folder that exists", str(file)))


def write_new(file: Path, content: str | bytes, *, force: bool) -> None:
    """Write a file whole, unless it is there already.

    It is written beside its place and then moved there, so that half of it is never
    taken for all.

    Raises:
        InputError: It is there, and `force` is not given.
        StorageError: It cannot be written.
    """
    _refuse_old(file, force=force)
    data = content.encode() if isinstance(content, str) else content
    try:
        if file.exists() and not file.is_file():  # a pipe, or another device
            file.write_bytes(data)
            return
        place = file.resolve()
        beside = place.with_name(f".{place.name}.{os.getpid()}")
        try:
            beside.write_bytes(data)
            beside.replace(place)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        rule = f"must be a file that can be written ({error.strerror})"
        raise StorageError(Problem(rule, str(file))) from None


def as_argument(file: Path) -> str:
    """Return a path as it can be typed after a command."""
    import shlex

    return shlex.quote(str(file))


def _refuse_old(file: Path, *, force: bool) -> None:
    if file.exists() and not force:
        hint = "choose another name, or replace it with --force"
        raise InputError(Problem("must not exist yet", str(file), hint=hint))
