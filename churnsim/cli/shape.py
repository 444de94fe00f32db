"""How commands are put together: groups that suggest, options as one record."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import click

P = ParamSpec("P")
R = TypeVar("R")


class SuggestingGroup(click.Group):
    """A group that, for an unknown command, names the nearest one.

    Click suggests options only, and has no hook for commands but inheritance.
    """

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command named first, or fail with the nearest name."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            known = self.list_commands(ctx)
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean '{near[0]}'?" if near else f"try {', '.join(known)}"
            ctx.fail(f"no such command '{name}'; {hint}")
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """Return the commands in the order in which one needs them."""
        return list(self.commands)


def gathered(
    record: Callable[P, R],
) -> Callable[[Callable[[R], None]], Callable[P, None]]:
    """Return a decorator that hands all options to a function as one record."""

    def decorate(function: Callable[[R], None]) -> Callable[P, None]:
        @functools.wraps(function)
        def with_options(*args: P.args, **kwargs: P.kwargs) -> None:
            function(record(*args, **kwargs))

        return with_options

    return decorate
