"""`churnsim story`: the same customer in two worlds, event by event."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from churnsim.cli.console import columns, say
from churnsim.cli.options import (
    from_option,
    horizon_option,
    json_option,
    seed_option,
    set_option,
    to_option,
    typed_again,
    with_horizon,
)
from churnsim.cli.outputs import say_json
from churnsim.cli.progress import telling_compilation
from churnsim.cli.run import DEFAULT
from churnsim.cli.shape import gathered
from churnsim.cli.stopping import unless_stopped

if TYPE_CHECKING:
    from churnsim.experiment import Story


class StoryOptions(NamedTuple):
    """Whose story is told, and how."""

    scenario: str
    customer: int
    replication: int
    source: str | None
    target: str | None
    seed: int | None
    horizon: str | None
    overrides: tuple[str, ...]
    whole: bool
    as_json: bool


@click.command("story", short_help="Tell one customer's life under two policies.")
@click.argument("scenario", default=DEFAULT, metavar="[SCENARIO]")
@click.option(
    "--customer",
    type=int,
    required=True,
    metavar="N",
    help="Whose story; customers are numbered from 0, prospects come after them.",
)
@click.option(
    "--replication",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    metavar="N",
    help="In which the customer lives.",
)
@from_option
@to_option
@seed_option
@horizon_option
@set_option
@click.option(
    "--all", "whole", is_flag=True, help="Also what happens before the lives part."
)
@json_option
@gathered(StoryOptions)
def story_command(options: StoryOptions) -> None:
    """Tell one customer's life under two policies, side by side.

    SCENARIO is a ready name (churnsim list) or a .toml file; telecom if not given. The
    same number in the same replication is the same person under every policy, with the
    same luck. The story begins where the two lives part; with --json both are whole.
    """
    from churnsim.experiment import Person, story
    from churnsim.report.stories import story_text

    with telling_compilation():
        told = unless_stopped(
            lambda: story(
                options.scenario,
                Person(options.customer, options.replication, options.seed),
                options.source,
                options.target,
                overrides=with_horizon(options.overrides, options.horizon),
            ),
            "the story was told",
        )
    if options.as_json:
        say_json(told.to_json_dict())
    else:
        say(story_text(told, _again(options, told), columns(), whole=options.whole))


def _again(options: StoryOptions, told: Story) -> str:
    """Return the command that tells the same story."""
    words = ["churnsim", "story", options.scenario]
    words += ["--customer", str(options.customer)]
    words += ["--replication", str(options.replication)]
    words += ["--from", told.lives[0].policy, "--to", told.lives[1].policy]
    if options.whole:
        words.append("--all")
    return typed_again(words, None, told.seed, options.horizon, options.overrides)
