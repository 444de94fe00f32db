"""One replication's customers and prospects, drawn before the clock starts.

Traits come from addressed uniforms through inverse distribution functions, so that a
customer is the same person under every policy. Gamma and beta quantiles are scipy's,
rounded to 40 bits; everything else is the project's own arithmetic.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from churnsim.births import (
    Births,
    Places,
    all_exps,
    all_logs,
    all_normals,
    births,
    draw_firsts,
    quantiles,
    rounded,
)
from churnsim.errors import Problem, ResourceError
from churnsim.fit import (
    PosteriorTraits,
    fit_log,
    population_from_log,
    read_transactions,
)
from churnsim.parts import PART, add_to, slices
from churnsim.records import MICRO, Floats, Population
from churnsim.scenario import Scenario
from churnsim.scenario.measures import prospects_per_day
from churnsim.scenario.traits import PopulationSpec, TraitKind, TraitLaw
from churnsim.streams import Key
from churnsim.variates import lognormal

ATTEMPTS_MAX = 10_000  # births tried for one survivor
ZERO_AT_START = ("arrival", "choice")  # of customers: in whole parts, as a rule
# Of each customer of a log, in its posterior.
OF_A_LOG = tuple(
    name for name in PosteriorTraits._fields if name not in {"label", "value_p"}
)
Tell = Callable[[float], None]  # the share that is drawn
History = tuple[PosteriorTraits | None, tuple[str, ...]]  # and what is unusual about it


class Traits(NamedTuple):
    """What a purchaser is like, each of shape (n,)."""

    rate: Floats  # λ [per day]
    dropout: Floats  # p [-]
    age: Floats  # since the first purchase [days]


def newcomers(spec: PopulationSpec, born: Births) -> Traits:
    """Return purchasers whose relationship begins now."""
    age = np.zeros(len(born.rate))
    return Traits(trait(spec.rate, born.rate), trait(spec.dropout, born.dropout), age)


def trait(law: TraitLaw, u: Floats) -> Floats:
    """Return the trait's quantiles at the uniforms `u`, increasing in `u`."""
    if law.kind == TraitKind.GAMMA:
        return quantiles(special.gammaincinv, law.a, u) / law.b
    if law.kind == TraitKind.BETA:
        return quantiles(special.betaincinv, law.a, law.b, u)
    if law.kind == TraitKind.LOGNORMAL:
        spread = lognormal(law.a, law.b)
        values = u.copy()
        all_normals(values)
        values = spread.a + spread.b * values
        all_exps(values)
        return values
    if law.kind == TraitKind.GAMMA_GAMMA:
        return law.a * law.c / quantiles(special.gammainccinv, law.b, u)
    return np.full(len(u), law.a)


def renewals_survived(spec: PopulationSpec, u: Floats) -> NDArray[np.int64]:
    """Return how many renewals each starting subscriber has survived.

    Stationary: in proportion to the share that survives n renewals, n up to as many
    as `history` holds, since customers were won at a constant rate.
    """
    if spec.tenure.kind == "renewals":
        return np.full(len(u), int(spec.tenure.amount))
    if spec.tenure.kind != "stationary":
        return np.zeros(len(u), np.int64)
    n_max = int(math.floor(spec.history / spec.period))
    law = spec.dropout
    if law.kind == TraitKind.BETA:
        n = np.arange(n_max)
        steps = (law.b + n) / (law.a + law.b + n)
    else:
        steps = np.full(n_max, 1.0 - law.a)
    weights = np.concatenate(([1.0], np.cumprod(steps)))
    shares = np.cumsum(weights)
    return np.searchsorted(rounded(shares / shares[-1]), u, side="right").clip(0, n_max)


def cancellation(
    spec: PopulationSpec, u: Floats, survived: NDArray[np.int64]
) -> Floats:
    """Return each subscriber's θ, given the renewals survived (4.1)."""
    law = spec.dropout
    if law.kind == TraitKind.BETA:
        return quantiles(special.betaincinv, law.a, law.b + survived, u)
    return trait(law, u)


def survivors(
    spec: PopulationSpec, key: Key, replication: int, who: Places
) -> tuple[Births, Traits]:
    """Return the births and what is peculiar to starting purchasers.

    Each is born as often as it takes to survive to its age, with probability
    exp(−λ·p·age): fixed, or uniform over `history`. Every attempt has an address of
    its own, and policies do not enter, so pairing is not touched.

    Raises:
        ResourceError: The age asked for is beyond what almost anyone survives.
    """
    born = births(key, replication, who)
    new = newcomers(spec, born)
    if spec.tenure.kind == "new":
        return born, new
    fates, traits = np.stack(born), np.stack(new)
    waiting = np.arange(len(who))
    for attempt in range(ATTEMPTS_MAX):
        again = births(key, replication, who[waiting], attempt)
        own = newcomers(spec, again)
        if spec.tenure.kind == "stationary":
            own = own._replace(age=again.tenure * spec.history)
        else:
            own.age[:] = spec.tenure.amount
        chance = -own.rate * own.dropout * own.age
        all_exps(chance)
        lives = again.choice < chance
        fates[:, waiting[lives]] = np.stack(again)[:, lives]
        traits[:, waiting[lives]] = np.stack(own)[:, lives]
        waiting = waiting[~lives]
        if not len(waiting):
            return Births(*fates), Traits(*traits)
    rule = "must be an age that more than one customer in 10,000 survives"
    raise ResourceError(Problem(rule, field="population.starting_tenure"))


def n_prospects(spec: PopulationSpec, n_customers: int) -> int:
    """Return how many prospects come before the horizon, half up."""
    per_day = prospects_per_day(spec.prospects, n_customers)
    return int(math.floor(per_day * spec.horizon + 0.5))


def draw_population(
    spec: PopulationSpec,
    key: Key,
    replication: int,
    history: PosteriorTraits | None,
    tell: Tell | None = None,
) -> Population:
    """Return one replication's customers and prospects.

    They are drawn some at a time: between two parts Ctrl-C is heard, and next to no
    memory is taken beside the people themselves.

    Args:
        spec: What they are drawn from.
        key: From the seed.
        replication: Number of the replication, from 0.
        history: The posterior of the customers of a log, if they are the base.
        tell: Is told which share of them is drawn; what it raises ends the drawing.
    """
    n = spec.customers if history is None else len(history.label)
    n_customers = n or 0
    n_people = n_customers + n_prospects(spec, n_customers)
    columns = (np.zeros(n_people) for _ in Population._fields[1:])
    people = Population(n_customers, *columns)
    bases = ((part, True) for part in slices(0, n_customers))
    others = ((part, False) for part in slices(n_customers, n_people))
    for part, is_base in itertools.chain(bases, others):
        who = np.arange(part.start, part.stop, dtype=np.int64)
        if is_base:
            some = customers(spec, key, replication, who, history)
        else:
            some = prospects(spec, births(key, replication, who))
        all_logs(some.budget)
        all_normals(some.trust)
        some = some._replace(trust=some.trust * spec.trust_sd)
        draw_firsts(key, replication, part.start, some.mistake, some.contact)
        _fill(people, part, some)
        if tell is not None and len(who) == PART:  # few are drawn in no time
            tell(part.stop / n_people)
    return people


def customers(
    spec: PopulationSpec,
    key: Key,
    replication: int,
    who: Places,
    history: PosteriorTraits | None,
) -> Population:
    """Return customers who are there from the start, by their numbers `who`."""
    if history is not None:
        return from_history(_some(history, who), births(key, replication, who))
    if spec.relationship == "purchase":
        return purchasers(spec, *survivors(spec, key, replication, who))
    born = births(key, replication, who)
    return subscribers(spec, born, renewals_survived(spec, born.tenure))


def prospects(spec: PopulationSpec, born: Births) -> Population:
    """Return prospects, who come at any time before the horizon."""
    arrival = born.phase * spec.horizon
    if spec.relationship == "purchase":
        coming = purchasers(spec, born, newcomers(spec, born))
    else:
        coming = subscribers(spec, born, np.zeros(len(arrival), np.int64))
        coming = coming._replace(renewal=arrival + spec.period)
    return coming._replace(begun=arrival, arrival=arrival, choice=born.choice)


def purchasers(spec: PopulationSpec, born: Births, traits: Traits) -> Population:
    """Return purchasers present from the start, with trust and budgets to come."""
    n = len(born.rate)
    value = trait(spec.value, born.value)
    return Population(
        n,
        -traits.age,
        np.zeros(n),
        traits.rate,
        traits.dropout,
        value,
        np.full(n, np.inf),
        born.budget,
        born.trust,
        np.zeros(n),
        np.zeros(n),
        np.zeros(n),
    )


def subscribers(spec: PopulationSpec, born: Births, survived: Places) -> Population:
    """Return subscribers present from the start, with trust and budgets to come."""
    n = len(born.rate)
    cancel = cancellation(spec, born.dropout, survived)
    all_logs(cancel)
    renewal = born.phase * spec.period
    return Population(
        n,
        renewal - (survived + 1) * spec.period,
        np.zeros(n),
        trait(spec.rate, born.rate),
        cancel,
        trait(spec.value, born.value),
        renewal,
        born.budget,
        born.trust,
        np.zeros(n),
        np.zeros(n),
        np.zeros(n),
    )


def from_history(history: PosteriorTraits, born: Births) -> Population:
    """Return the customers of a log, each from the posterior of the own history.

    One whom the posterior holds to be gone by now never arrives.
    """
    n = len(history.age_days)
    rate = quantiles(special.gammaincinv, history.rate_shape, born.rate)
    frailty = quantiles(special.gammainccinv, history.value_shape, born.value)
    is_alive = born.choice < history.alive_probability
    return Population(
        n,
        -history.age_days,
        np.where(is_alive, 0.0, np.inf),
        rate / history.rate_scale_days,
        quantiles(
            special.betaincinv, history.dropout_a, history.dropout_b, born.dropout
        ),
        history.value_p * history.value_rate * MICRO / frailty,
        np.full(n, np.inf),
        born.budget,
        born.trust,
        np.zeros(n),
        np.zeros(n),
        np.zeros(n),
    )


def _some(history: PosteriorTraits, who: Places) -> PosteriorTraits:
    """Return the posterior of some of a log's customers, whose names do not matter."""
    columns = {name: getattr(history, name)[who] for name in OF_A_LOG}
    return history._replace(label=(), **columns)


def _fill(people: Population, part: slice, some: Population) -> None:
    """Let some of the people be as they were drawn.

    What is zero is left as it came: memory that nobody writes to is not taken.
    """
    for name, column, values in zip(
        people._fields[1:], people[1:], some[1:], strict=True
    ):
        if name not in ZERO_AT_START or values.any():
            column[part] = values


def population_digest(people: Population) -> str:
    """Return the SHA-256 of a population, as 64 hex digits."""
    digest = hashlib.sha256(str(people.n_customers).encode())
    for column in people[1:]:
        add_to(digest, column)
    return digest.hexdigest()


def history_of(scenario: Scenario) -> PosteriorTraits | None:
    """Return the posterior of the customers of the scenario's log, if it has one.

    Raises:
        InputError: The log cannot be read, or does not determine the fit.
    """
    return _history(scenario.population, scenario.log_digest)[0]


def log_warnings(scenario: Scenario) -> list[str]:
    """Return what is unusual about the scenario's log; nothing where it has none.

    Raises:
        InputError: The log cannot be read, or does not determine the fit.
    """
    log = scenario.population.transactions
    _, told = _history(scenario.population, scenario.log_digest)
    return [f"{Path(log.file).name}: {text}" for text in told] if log else []


@functools.lru_cache(maxsize=4)
def _history(spec: PopulationSpec, log_digest: str) -> History:
    """Return the posterior of a log's customers, and what is unusual about the log."""
    del log_digest  # part of the key: a log that changed is read again
    log = spec.transactions
    if log is None:
        return None, ()
    log_read = read_transactions(
        log.file,
        end=log.end,
        layout=log.layout,
        date_format=log.date_format,
        drop_duplicates=log.drop_duplicates,
    )
    bgnbd, gamma_gamma = fit_log(log_read)
    traits = population_from_log(log_read, bgnbd.params, gamma_gamma.params)
    return traits, log_read.warnings
