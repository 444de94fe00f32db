"""How commands are put together: groups that suggest, options as one record."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import click

from churnsim.errors import InputError, Problem, StorageError

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
    """Return a decorator that hands all options to a function as one record.

    What the function refuses is told by the options as they are typed.
    """

    def decorate(function: Callable[[R], None]) -> Callable[P, None]:
        @functools.wraps(function)
        def with_options(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                function(record(*args, **kwargs))
            except InputError as error:
                context = click.get_current_context()
                problems = (as_typed(context, problem) for problem in error.problems)
                raise type(error)(*problems) from error
            except BrokenPipeError as error:
                # No reader of ours: `say` and `tell` go on without. So work is undone.
                rule = f"another program ended too early ({error.strerror})"
                raise StorageError(rule) from error

        return with_options

    return decorate


def as_typed(context: click.Context, problem: Problem) -> Problem:
    """Return a problem with an argument of Python as one with the option typed for it.

    The option is the one that holds the value found, else the one of that name, as
    "half_width" is that of --half-width; a place in a file stays what it is.
    """
    horizon = context.params.get("horizon")
    if horizon is not None and problem.file == f"--set horizon={horizon}":
        return problem._replace(file="", field="--horizon")
    if problem.file:
        return problem
    names = problem.field.split(" and ")
    options = [_option_of(context, name, problem.value) for name in names]
    if not all(options):
        return problem
    return problem._replace(field=" and ".join(filter(None, options)))


def _option_of(context: click.Context, field: str, value: object) -> str | None:
    """Return the option behind a field; None where there is none."""
    options = [p for p in context.command.params if isinstance(p, click.Option)]
    if isinstance(value, str) and field.isidentifier():
        for option in options:
            given = context.params.get(option.name or "")
            if value == given or (isinstance(given, tuple) and value in given):
                return option.opts[0]
    typed = f"--{field.replace('_', '-')}"
    return typed if any(typed in option.opts for option in options) else None
