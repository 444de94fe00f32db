"""`churnsim list` and `churnsim show`: what is ready, and what exactly it says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import click

from churnsim.cli.console import columns, say
from churnsim.cli.options import json_option
from churnsim.cli.outputs import (
    Grounds,
    ListDocument,
    ReadyFile,
    ShowDocument,
    say_json,
)
from churnsim.cli.shape import gathered

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from churnsim.scenario import Policy, Scenario
    from churnsim.scenario.evidence import Evidence


class ListOptions(NamedTuple):
    """How it is listed."""

    as_json: bool


class ShowOptions(NamedTuple):
    """What is to be shown, and how."""

    name: str
    as_toml: bool
    overrides: tuple[str, ...]
    as_json: bool


@click.command("list", short_help="List the ready scenarios and policies.")
@json_option
@gathered(ListOptions)
def list_command(options: ListOptions) -> None:
    """List the ready scenarios and policies with their titles."""
    from churnsim.report.columns import aligned

    if options.as_json:
        document: ListDocument = {
            "scenarios": _ready("scenarios"),
            "policies": _ready("policies"),
        }
        say_json(document)
        return
    for kind, use in (
        ("scenarios", "churnsim run SCENARIO"),
        ("policies", "churnsim run --policy POLICY"),
    ):
        say(f"{kind} ({use})", bold=True)
        rows = [(file["name"], file["title"]) for file in _ready(kind)]
        for line in aligned(rows, columns(), indent=2):
            say(line)
        if kind == "scenarios":
            say()


@click.command("show", short_help="Show every setting of a scenario or policy.")
@click.argument("name", metavar="SCENARIO|POLICY")
@click.option("--toml", "as_toml", is_flag=True, help="As a file that can be loaded.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Show a scenario with this setting changed. Can be repeated.",
)
@json_option
@gathered(ShowOptions)
def show_command(options: ShowOptions) -> None:
    """Show every setting of a scenario or policy, with defaults filled in.

    SCENARIO or POLICY is a ready name such as telecom or slow, or a .toml file. Of a
    scenario's policies, what each does differently from the baseline is shown.
    """
    from churnsim.cli.policies import load_policy, policy_file
    from churnsim.report.settings import policy_text, scenario_text
    from churnsim.scenario import load_scenario
    from churnsim.scenario.assumptions import evidence_for
    from churnsim.scenario.evidence import evidence_of
    from churnsim.scenario.files import find
    from churnsim.scenario.writing import to_toml
    from churnsim.units import GENERIC_CURRENCY

    if options.as_toml and options.as_json:
        raise click.UsageError("--toml and --json are two forms: choose one")
    path = policy_file(options.name)
    if path is None:
        scenario = load_scenario(options.name, overrides=options.overrides)
        if options.as_toml:
            say(scenario.to_toml().rstrip("\n"))
            return
        file = find(options.name, "scenarios", None)
        evidence = evidence_for(scenario, file)
        if options.as_json:
            say_json(_of_scenario(scenario, evidence))
        else:
            say(scenario_text(scenario, evidence, columns()))
        return
    if options.overrides:
        raise click.UsageError(
            "--set is for scenarios; for a policy within one, try: "
            f"churnsim show telecom --set policy.{path.stem}.KEY=VALUE"
        )
    policy = load_policy(path)
    if options.as_toml:
        say(to_toml(policy, GENERIC_CURRENCY).strip("\n"))
    elif options.as_json:
        say_json(_of_policy(path.stem, policy, evidence_of(path)))
    else:
        say(policy_text(path.stem, policy, evidence_of(path), columns()))


def _of_scenario(scenario: Scenario, evidence: Mapping[str, Evidence]) -> ShowDocument:
    """Return a scenario for JSON."""
    from churnsim.report.settings import derived_of

    return {
        "kind": "scenario",
        "name": scenario.name,
        "title": scenario.title,
        "digest": scenario.digest,
        "settings": _settings(scenario.to_toml()),
        "evidence": _grounds(evidence),
        "derived": dict(derived_of(scenario)),
    }


def _of_policy(
    name: str, policy: Policy, evidence: Mapping[str, Evidence]
) -> ShowDocument:
    """Return a policy for JSON."""
    from churnsim.scenario.writing import to_toml
    from churnsim.units import GENERIC_CURRENCY

    return {
        "kind": "policy",
        "name": name,
        "title": policy.title or name,
        "digest": None,
        "settings": _settings(to_toml(policy, GENERIC_CURRENCY)),
        "evidence": _grounds(evidence),
        "derived": {},
    }


def _grounds(evidence: Mapping[str, Evidence]) -> dict[str, Grounds]:
    return {
        key: {"grade": found.grade, "text": found.text}
        for key, found in evidence.items()
    }


def _settings(toml: str) -> dict[str, object]:
    """Return settings as a file has them; what JSON has no number for, as a text."""
    import tomllib

    def number(text: str) -> float | str:
        value = float(text)
        return value if math.isfinite(value) else text

    return tomllib.loads(toml, parse_float=number)


def _ready(kind: str) -> list[ReadyFile]:
    """Return the ready files of a kind with their titles, in order."""
    from churnsim.scenario.files import ready_files

    files = sorted(ready_files(kind).items())
    return [{"name": name, "title": _title(path)} for name, path in files]


def _title(path: Path) -> str:
    """Return a file's title, empty where it has none or cannot be read."""
    from churnsim.errors import InputError
    from churnsim.scenario.files import read

    try:
        title = read(path, rank=0).get("title")
    except InputError as error:
        return str(error)
    return str(title.value) if title else ""
