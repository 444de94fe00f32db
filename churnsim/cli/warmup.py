"""`churnsim warmup`: compile the simulation now, not at the first run."""

from __future__ import annotations

from typing import NamedTuple

import click

from churnsim.cli.console import say
from churnsim.cli.options import json_option
from churnsim.cli.outputs import WarmupDocument, say_json
from churnsim.cli.shape import gathered


class WarmupOptions(NamedTuple):
    """How it is told."""

    as_json: bool


@click.command("warmup", short_help="Compile the simulation now, not at the first run.")
@json_option
@gathered(WarmupOptions)
def warmup_command(options: WarmupOptions) -> None:
    """Compile the simulation, so that no run on this machine has to wait for it.

    Machine code is kept in a folder of the user's own, or in that named by
    CHURNSIM_CACHE_DIR, for exactly this version and processor. Where all of it is there
    already, nothing is compiled. The folder must belong to the user who runs later, or
    to root, and none but its owner may write to it; to be read it need not be writable.
    """
    from churnsim.cli.progress import telling_compilation
    from churnsim.cli.warming import warm_up

    with telling_compilation():
        found = warm_up()
    if options.as_json:
        document: WarmupDocument = {
            "folder": str(found.folder),
            "was_ready": found.was_ready,
            "seconds": found.seconds,
        }
        say_json(document)
    elif found.was_ready:
        say(f"The simulation was compiled already, in {found.folder}")
    else:
        say(f"Compiled the simulation in {found.seconds:.0f} s, in {found.folder}")
