"""The options that commands which simulate have in common."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

import click

SEED_MAX = 2**64 - 1

replications_option = click.option(
    "--replications",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help="How often; the scenario says how often by default.",
)
seed_option = click.option(
    "--seed",
    type=click.IntRange(0, SEED_MAX),
    metavar="N",
    help="Of all randomness; the scenario's by default.",
)
horizon_option = click.option(
    "--horizon", metavar="TIME", help='How long is simulated, such as "2 years".'
)
set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a setting, such as market.lock_in=1.5. Can be repeated.",
)
threads_option = click.option(
    "--threads",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Replications at once; one a core by default, as memory allows.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON document instead."
)


def with_horizon(overrides: Iterable[str], horizon: str | None) -> list[str]:
    """Return the settings to change, the horizon among them."""
    return [*overrides, *([f"horizon={horizon}"] if horizon else [])]


def typed_again(
    words: Iterable[str],
    replications: int | None,
    seed: int,
    horizon: str | None,
    overrides: Iterable[str],
) -> str:
    """Return a command that makes the same numbers.

    Args:
        words: Its beginning.
        replications: As given; None where they were not.
        seed: The one that was used.
        horizon: As given.
        overrides: As given.
    """
    again = [*words]
    if replications:
        again += ["--replications", str(replications)]
    again += ["--seed", str(seed)]
    if horizon:
        again += ["--horizon", horizon]
    for pair in overrides:
        again += ["--set", pair]
    return shlex.join(again)


def shown_settings(scenario: str, overrides: Iterable[str]) -> str:
    """Return the command that shows the settings and what they rest on."""
    changes = [word for pair in overrides for word in ("--set", pair)]
    return shlex.join(["churnsim", "show", scenario, *changes])
