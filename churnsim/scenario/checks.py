"""Rules between settings: what excludes, needs or exceeds what."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from churnsim.errors import Problem
from churnsim.scenario.files import close_to
from churnsim.scenario.laws import DurationLaws, Uniform
from churnsim.scenario.market import Market, Mistake, Population
from churnsim.scenario.measures import (
    COUNT,
    prospects_per_day,
)
from churnsim.scenario.messages import at
from churnsim.scenario.model import Spec
from churnsim.scenario.nodes import Node
from churnsim.scenario.policy import SUM_TOLERANCE, Policy
from churnsim.scenario.traits import to_trait, trait_mean
from churnsim.units import MICRO, format_duration

ONLY_SUBSCRIPTION = ("period", "exit")
NOT_WITH_TRANSACTIONS = ("customers", "starting_tenure", "history")
UNDER = ("market", "observed_under")
RATE_OF_0 = {
    "purchase": "at a rate of 0 nobody buys again, and no purchase goes wrong",
    "subscription": "at a rate of 0 fees are paid, and there is no occasion on which"
    " something can go wrong",
}
ULP_SHARE = 1e-6  # of the shortest duration that one step of the clock may be
EVENTS_MAX = 1e13  # weeks of computing
YEARS_MAX = 10_000
MONEY_MAX = 2.0**60  # micro-units: sums stay clear of 64 bits


class Sections(NamedTuple):
    """The parts of a scenario that are valid each for itself; None where not."""

    population: Population | None
    market: Market | None
    mistakes: tuple[Mistake, ...] | None
    policies: dict[str, Policy]


def conflicts(root: Node, sections: Sections) -> list[Problem]:
    """Return what the settings, each valid for itself, get wrong together."""
    return [
        *_relationship(root),
        *_population(root, sections.population),
        *_transactions(root, sections.market),
        *_observed(root),
        *_names(root),
        *_mistakes(root, sections),
        *_people(root, sections.policies),
    ]


def clock_problems(spec: Spec, root: Node) -> list[Problem]:
    """Return the problem that the clock's steps are too coarse at the horizon."""
    shortest, name = min(_durations(spec), default=(math.inf, ""))
    if math.ulp(spec.horizon) <= ULP_SHARE * shortest:
        return []
    rule = (
        "must be short enough for the clock to resolve the shortest duration,"
        f" {name} of {format_duration(shortest)}"
    )
    return [at(root, "horizon").problem(rule, format_duration(spec.horizon))]


def too_much(spec: Spec, root: Node) -> list[Problem]:
    """Return what asks for more than any machine could do or count."""
    customers = spec.population.customers or 0
    if customers > COUNT:
        rule = f"must be at most {COUNT:,}"
        return [at(root, "population", "customers").problem(rule, customers)]
    if spec.horizon > YEARS_MAX * 365.25:
        rule = f"must be at most {YEARS_MAX:,} years"
        return [at(root, "horizon").problem(rule, format_duration(spec.horizon))]
    per_day = prospects_per_day(spec.population.prospects, customers)
    people = customers + per_day * spec.horizon
    if people > COUNT:
        rule = f"must bring at most {COUNT:,} people before the horizon"
        return [at(root, "population", "prospects").problem(rule, f"{people:.3g}")]
    market = spec.market
    rate = trait_mean(to_trait(market.rate))
    contacts = market.ordinary_contacts
    each = rate * (1.0 + contacts.per_occasion) + contacts.per_day
    n_events = each * people * spec.horizon * spec.sites
    if n_events > EVENTS_MAX:
        rule = f"must give at most {EVENTS_MAX:.0e} occasions and contacts in all"
        place = at(root, "sites") if spec.sites > 1 else at(root, "market", "rate")
        return [place.problem(rule, f"about {n_events:.3g}")]
    payments = spec.horizon / market.period if market.period else rate * spec.horizon
    spend = max(1.0, market.spend_cap)
    money = spend * trait_mean(to_trait(market.value)) * people * (1.0 + payments)
    money *= spec.sites
    if money > MONEY_MAX:
        rule = f"must give at most {MONEY_MAX / MICRO:.2g} of revenue in all"
        found = f"about {money / MICRO:.3g}"
        return [at(root, "market", "value").problem(rule, found)]
    return []


def warnings_of(spec: Spec, root: Node) -> tuple[Problem, ...]:
    """Return what is allowed but rarely meant."""
    found = []
    if trait_mean(to_trait(spec.market.rate)) <= 0:
        hint = RATE_OF_0[spec.market.relationship]
        found.append(
            at(root, "market", "rate").problem("is usually above 0", hint=hint)
        )
    if spec.strain and mean_of(spec.strain.hiring) >= spec.horizon:
        rule = f"is usually shorter than the horizon, {format_duration(spec.horizon)}"
        value = format_duration(mean_of(spec.strain.hiring))
        hint = "most who quit are not replaced before the end"
        found.append(at(root, "strain", "hiring").problem(rule, value, hint))
    shares = (kind.message_share for kind in spec.mistakes)
    if not any((spec.market.message_share, *shares)):
        for name, policy in spec.policy.items():
            if policy.speed.message_agents is not None:
                place = at(root, "policy", name, "speed", "message_agents")
                hint = "no `message_share` is above 0: they are paid, and do nothing"
                found.append(
                    place.problem("is usually absent where nobody writes", hint=hint)
                )
    return tuple(found)


def _relationship(root: Node) -> Iterator[Problem]:
    """Yield what does not belong to the relationship, or is missing for it."""
    relationship = root.get("market", "relationship")
    kind = relationship.value if relationship else None
    tenure = root.get("population", "starting_tenure")
    renewals = tenure is not None and isinstance(tenure.value, int)
    if kind == "purchase":
        for name in ONLY_SUBSCRIPTION:
            node = root.get("market", name)
            if node is not None:
                rule = "must be absent: single purchases have no renewals"
                yield node.place.problem(rule, node.value)
        if tenure is not None and renewals:
            rule = 'must be a time such as "2 years": purchases have no renewals'
            yield tenure.place.problem(rule, tenure.value)
    if kind == "subscription":
        if root.get("market", "period") is None:
            rule = 'is required for a subscription, such as period = "1 month"'
            yield at(root, "market", "period").problem(rule)
        named = ("new", "stationary")
        if tenure and isinstance(tenure.value, str) and tenure.value not in named:
            rule = "must be new, stationary, or a number of renewals survived"
            yield tenure.place.problem(
                rule, tenure.value, close_to(tenure.value, named)
            )


def _population(root: Node, population: Population | None) -> Iterator[Problem]:
    """Yield what does not go with the age of the starting customers."""
    history = root.get("population", "history")
    tenure = root.get("population", "starting_tenure")
    if history is not None and (tenure is None or tenure.value != "stationary"):
        rule = 'must be absent unless starting_tenure = "stationary"'
        yield history.place.problem(rule, history.value)
    if population and population.customers is None and not population.transactions:
        rule = "is required, unless `transactions` tells the customers"
        yield at(root, "population", "customers").problem(rule)


def _transactions(root: Node, market: Market | None) -> Iterator[Problem]:
    """Yield what a log of transactions excludes and needs."""
    log = root.get("population", "transactions")
    if log is None:
        return
    sites = root.get("sites")
    if sites is not None and isinstance(sites.value, int) and sites.value > 1:
        rule = "must be 1: `transactions` tells the customers of one site"
        yield sites.place.problem(rule, sites.value)
    for name in NOT_WITH_TRANSACTIONS:
        node = root.get("population", name)
        if node is not None:
            rule = "must be absent: `transactions` tells it"
            yield node.place.problem(rule, node.value)
    if market is None:
        return
    if market.relationship != "purchase":
        rule = "must be absent: only purchases are told by transactions"
        file = log.get("file")
        yield log.place.problem(rule, file.value if file else None)
    for name, law, kind in (
        ("rate", market.rate.law, "gamma"),
        ("dropout", market.dropout.law, "beta"),
    ):
        if law != kind:
            rule = f'must have law = "{kind}", to learn from the log'
            yield at(root, "market", name).problem(rule, law)


def _observed(root: Node) -> Iterator[Problem]:
    """Yield what does not go with churn that was observed, or is missing for it."""
    churn, under = root.get("market", "observed_churn"), root.get(*UNDER)
    if under is not None and churn is None:
        rule = "must be absent without observed_churn"
        yield under.place.problem(rule, under.value)
    listed = root.get("policies")
    names = [str(item.value) for item in listed.array()] if listed else []
    if under is not None and names and under.value not in names:
        hint = close_to(under.value, names)
        yield under.place.problem("must be one of policies", under.value, hint)
    law = root.get("market", "dropout", "law")
    if law is None or law.value != "observed":
        return
    relationship = root.get("market", "relationship")
    if relationship is not None and relationship.value == "purchase":
        rule = (
            'must not be "observed" for purchases: nobody sees who will not come back'
        )
        hint = "churnsim fit learns it from a log of purchases"
        yield law.place.problem(rule, law.value, hint)
    if churn is None:
        rule = 'is required to derive dropout, such as observed_churn = "9.9 %/year"'
        yield at(root, "market", "observed_churn").problem(rule)
    if under is None:
        rule = (
            "is required to derive dropout: the policy under which churn was observed"
        )
        yield at(root, *UNDER).problem(rule)


def _names(root: Node) -> Iterator[Problem]:
    """Yield names that occur twice, and a baseline that is not compared."""
    listed = root.get("policies")
    mistakes = root.get("mistakes")
    policies = listed.array() if listed else []
    kinds = [item.get("name") for item in (mistakes.array() if mistakes else [])]
    for nodes in (policies, [node for node in kinds if node]):
        seen = []
        for node in nodes:
            if node.value in seen:
                yield node.place.problem("must not be named twice", node.value)
            seen.append(node.value)
    baseline = root.get("baseline")
    names = [str(item.value) for item in policies]
    if baseline and policies and baseline.value not in names:
        hint = close_to(baseline.value, names)
        yield baseline.place.problem("must be one of policies", baseline.value, hint)


def _mistakes(root: Node, sections: Sections) -> Iterator[Problem]:
    """Yield probabilities of mistakes that sum to more than 1."""
    if sections.mistakes is None:
        return
    total = math.fsum(mistake.probability for mistake in sections.mistakes)
    if total > 1.0 + SUM_TOLERANCE:
        rule = f"probabilities must sum to at most 1; they sum to {total:.12g}"
        yield at(root, "mistakes").problem(rule)
        return
    for name, policy in sections.policies.items():
        multiplier = policy.prevention.mistakes
        if multiplier * total > 1.0 + SUM_TOLERANCE:
            rule = f"must be at most {1.0 / total:.6g}: mistakes must stay below 1 each"
            place = at(root, "policy", name, "prevention", "mistakes")
            yield place.problem(rule, multiplier)


def _people(root: Node, policies: dict[str, Policy]) -> Iterator[Problem]:
    """Yield what policies spend on agents who are not people."""
    if root.get("strain") is not None:
        return
    for name, policy in policies.items():
        for setting in ("personality", "recovery_training"):
            for key in (setting, f"{setting}_cost"):
                if getattr(policy.prevention, key):
                    rule = "must be 0 without [strain], where agents never tire"
                    place = at(root, "policy", name, "prevention", key)
                    node = root.get("policy", name, "prevention", key)
                    yield place.problem(rule, node.value if node else None)


def mean_of(law: DurationLaws) -> float:
    """Return the mean of a law of durations [days]."""
    return (law.low + law.high) / 2 if isinstance(law, Uniform) else law.mean


def _durations(spec: Spec) -> Iterator[tuple[float, str]]:
    """Yield every positive mean duration with its name."""
    market = spec.market
    laws: list[tuple[DurationLaws, str]] = [
        (market.memory, "market.memory"),
        (market.voice_delay, "market.voice_delay"),
        (market.patience, "market.patience"),
        (market.message_patience, "market.message_patience"),
        (market.endurance, "market.endurance"),
        (market.return_delay, "market.return_delay"),
    ]
    if spec.strain:
        laws.append((spec.strain.hiring, "strain.hiring"))
    for name, policy in spec.policy.items():
        speed = policy.speed
        laws += [
            (speed.handle, f"policy.{name}.speed.handle"),
            (speed.approval, f"policy.{name}.speed.approval"),
            (speed.repair, f"policy.{name}.speed.repair"),
            (policy.honesty.promise, f"policy.{name}.honesty.promise"),
        ]
        if speed.message_handle:
            laws.append((speed.message_handle, f"policy.{name}.speed.message_handle"))
        laws += [
            (hoop.time, f"policy.{name}.reach.hoops") for hoop in policy.reach.hoops
        ]
    means = [(market.period or 0.0, "market.period")]
    means += [(market.word_of_mouth.period, "market.word_of_mouth.period")]
    for law, name in laws:
        means.append((mean_of(law), name))
    yield from ((mean, name) for mean, name in means if mean > 0)
