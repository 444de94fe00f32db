"""`churnsim list` and `churnsim show`: what is ready, and what exactly it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from churnsim.cli.console import columns, say
from churnsim.cli.shape import gathered

if TYPE_CHECKING:
    from pathlib import Path


class ShowOptions(NamedTuple):
    """What is to be shown, and how."""

    name: str
    as_toml: bool
    overrides: tuple[str, ...]


@click.command("list", short_help="List the ready scenarios and policies.")
def list_command() -> None:
    """List the ready scenarios and policies with their titles."""
    from churnsim.report.columns import aligned
    from churnsim.scenario.files import ready_files

    for kind, use in (
        ("scenarios", "churnsim run SCENARIO"),
        ("policies", "churnsim run --policy POLICY"),
    ):
        say(f"{kind} ({use})", bold=True)
        rows = [
            (name, _title(path)) for name, path in sorted(ready_files(kind).items())
        ]
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

    path = policy_file(options.name)
    if path is None:
        scenario = load_scenario(options.name, overrides=options.overrides)
        if options.as_toml:
            say(scenario.to_toml().rstrip("\n"))
            return
        file = find(options.name, "scenarios", None)
        say(scenario_text(scenario, evidence_for(scenario, file), columns()))
        return
    if options.overrides:
        raise click.UsageError(
            "--set is for scenarios; for a policy within one, try: "
            f"churnsim show telecom --set policy.{path.stem}.KEY=VALUE"
        )
    policy = load_policy(path)
    if options.as_toml:
        say(to_toml(policy, GENERIC_CURRENCY).strip("\n"))
    else:
        say(policy_text(path.stem, policy, evidence_of(path), columns()))


def _title(path: Path) -> str:
    """Return a file's title, empty where it has none or cannot be read."""
    from churnsim.errors import InputError
    from churnsim.scenario.files import read

    try:
        title = read(path, rank=0).get("title")
    except InputError as error:
        return str(error)
    return str(title.value) if title else ""
