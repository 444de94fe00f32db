"""The options that commands which simulate have in common."""

from __future__ import annotations

import contextlib
import functools
import shlex
from collections.abc import Callable, Iterable, Sized
from typing import TYPE_CHECKING, Protocol

import click

if TYPE_CHECKING:
    from churnsim.experiment.sequential import Until

SEED_MAX = 2**64 - 1

from_option = click.option(
    "--from",
    "source",
    metavar="POLICY",
    help="That loses; the last of the scenario's policies by default.",
)
to_option = click.option(
    "--to",
    "target",
    metavar="POLICY",
    help="That it is compared with; the scenario's baseline by default.",
)
replications_option = click.option(
    "--replications",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help="How often; the scenario says how often by default.",
)
half_width_option = click.option(
    "--half-width",
    metavar="WIDTH",
    help="Go on until half the 95 % interval of the loss is at most this:"
    ' "2%" of the loss, or "$20" a year per 1,000 customers. --replications then says'
    " how many at least.",
)
budget_option = click.option(
    "--budget",
    metavar="TIME",
    help='Begin no more replications once this time is up, such as "60s". Telling the'
    " loss by lever (--explain, --report) and writing files come on top.",
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
cluster_option = click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Run on the Dask cluster whose scheduler is there, such as tls://host:8786.",
)
insecure_option = click.option(
    "--insecure",
    is_flag=True,
    help="Let --cluster lead to another machine by tcp://, which anyone can read.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON document instead."
)


def check_cluster(cluster: str | None, threads: int | None, *, insecure: bool) -> None:
    """Refuse options that a cluster makes meaningless, or that mean nothing without.

    Raises:
        UsageError: There are some.
    """
    if cluster and threads:
        raise click.UsageError("--threads and --cluster exclude each other")
    if insecure and not cluster:
        raise click.UsageError("--insecure is about --cluster, which is not given")


def with_horizon(overrides: Iterable[str], horizon: str | None) -> list[str]:
    """Return the settings to change, the horizon among them."""
    return [*overrides, *([f"horizon={horizon}"] if horizon else [])]


def until_of(
    half_width: str | None, budget: str | None, first: int | None, currency: str
) -> Until | None:
    """Return when to stop, as typed; None where nothing was.

    Raises:
        InputError: No share or amount, or no time.
    """
    from churnsim.experiment.sequential import Until
    from churnsim.records import MICRO
    from churnsim.units import DAYS, parse_duration, parse_money, parse_share

    if half_width is None and budget is None:
        return None
    until = Until(first=first)
    if half_width is not None:
        is_share = half_width.strip().endswith("%")
        money = functools.partial(parse_money, currency=currency)
        parse = parse_share if is_share else money
        rule = (
            'must be above 0: a share of the loss such as "2%", or an amount such as'
            f' "{currency}20"'
        )
        width = _typed("--half-width", rule, half_width, parse)
        width = width if is_share else width / MICRO
        until = until._replace(half_width=width, is_share=is_share)
    if budget is not None:
        rule = 'must be a time above 0, such as "60s" or "5 min"'
        days = _typed("--budget", rule, budget, parse_duration)
        until = until._replace(budget=days / float(DAYS["s"]))
    return until


def _typed(option: str, rule: str, text: str, parse: Callable[[str], float]) -> float:
    """Return what an option's text means: a number above 0.

    Raises:
        InputError: It means nothing, or no more than 0.
    """
    from churnsim.errors import InputError, Problem, UnitError

    with contextlib.suppress(UnitError):
        value = parse(text)
        if value > 0.0:
            return value
    raise InputError(Problem(rule, field=option, value=text))


class Extensive(Protocol):
    """A result of replications, of which some may be missing."""

    @property
    def n_finished(self) -> int:
        """Return how many finished."""

    @property
    def failures(self) -> Sized:
        """Return those that failed."""

    @property
    def is_stopped(self) -> bool:
        """Return whether the user stopped it before all was done."""


def replications_of(result: Extensive, asked: int | None) -> int | None:
    """Return how many replications to ask for so that the same ones come out.

    Args:
        result: What they came to.
        asked: As typed; None where nothing was.
    """
    if not result.is_stopped:
        return asked
    return result.n_finished + len(result.failures)


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
