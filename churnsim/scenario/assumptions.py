"""The assumptions a result hangs on: influential settings that no source gives."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from churnsim.errors import ChurnsimError
from churnsim.scenario.evidence import ASSUMED, Evidence, evidence_of
from churnsim.scenario.files import ready_files
from churnsim.scenario.loading import load_scenario
from churnsim.scenario.market import Population
from churnsim.scenario.measures import prospects_per_day
from churnsim.scenario.model import FLAWLESS, Spec
from churnsim.scenario.policy import Policy
from churnsim.scenario.scenario import Scenario

CHANGED = Evidence(ASSUMED, "set for this run")

# The settings that move results most, and what they rest on where a file is silent, in
# the order of what a quarter more of each moves: the dearest policy's loss or the
# losses against flawless, the larger of both, on average over telecom and ecommerce.
# That is 28, 26, 22, 22, 20 and 12 % for the first six, 4 % or less for the others.
INFLUENTIAL: dict[str, Evidence] = {
    "market.discovery": Evidence(
        "D", "47 % of lies are called lies in the laboratory; none studied staff"
    ),
    "market.lock_in": Evidence("D", "no study measures it in log-odds"),
    "mistakes.*.probability": Evidence("D", "serious mistakes are rarely counted"),
    "mistakes.*.sting": Evidence("D", "set so that stated repurchase comes out"),
    "market.stated_to_actual": Evidence(
        "D", "only its product with the rate of mistakes shows in churn"
    ),
    "market.placated": Evidence("D", "no study of lies told by staff"),
    "market.lie_sting": Evidence("D", "no study of lies told by staff"),
    "market.double": Evidence("D", "1.6 to 3.3 times the first, in one survey"),
    "market.memory": Evidence("D", "half-lives from 14 to 180 days fit"),
    "market.retry": Evidence("D", "0.3 to 0.8 are used in planning"),
    "market.betrayal": Evidence("D", "the direction is known, not the size"),
    "market.patience": Evidence("C", "planning rules say 1 to 3 minutes"),
    "market.spend_sensitivity": Evidence("B", "5 to 10 % less spend after a late trip"),
    "market.drift": Evidence("D", "no study measures it"),
    "market.endurance": Evidence("D", "no study measures it"),
}
OF_LIES = ("discovery", "lie_sting", "placated", "betrayal")


class Assumption(NamedTuple):
    """An influential setting that is our assumption."""

    key: str  # dotted
    value: str  # as a file would say it
    reason: str
    acts: bool  # whether anything under the policies compared depends on it


class Foundation(NamedTuple):
    """A setting, and what it rests on."""

    key: str  # dotted
    value: str  # as a file would say it
    grade: str  # "A", "B", "C" or "D"
    source: str  # or the reason
    acts: bool  # whether anything under the policies compared depends on it
    is_influential: bool  # among the settings that move results most
    range: str = ""  # that is plausible, as a file would say it; empty: not known


def assumptions_of(
    scenario: Scenario,
    file: str | Path | None = None,
    policies: Sequence[str] | None = None,
) -> tuple[Assumption, ...]:
    """Return the influential settings of grade D, with their values.

    Those that act come first, and among them those that move results most.

    Args:
        scenario: As it is simulated, overrides included.
        file: Where it was read; a ready scenario's is known by its name.
        policies: Those compared; the scenario's where absent.
    """
    return assumed(foundations_of(scenario, file, policies))


def assumed(foundations: Sequence[Foundation]) -> tuple[Assumption, ...]:
    """Return the influential settings of grade D among what results rest on."""
    return tuple(
        Assumption(item.key, item.value, item.source, item.acts)
        for item in foundations
        if item.is_influential and item.grade == ASSUMED
    )


def foundations_of(
    scenario: Scenario,
    file: str | Path | None = None,
    policies: Sequence[str] | None = None,
) -> tuple[Foundation, ...]:
    """Return the settings whose grade is known, the influential ones among them.

    Influential ones that act come first, and among them those that move results most;
    then influential ones that do not act; then the others, as the file has them.

    Args:
        scenario: As it is simulated, overrides included.
        file: Where it was read; a ready scenario's is known by its name.
        policies: Those compared; the scenario's where absent.
    """
    names = scenario.policy_names if policies is None else policies
    compared = [scenario.policy(name) for name in names if name != FLAWLESS]
    settings = dict(_leaves(tomllib.loads(scenario.to_toml())))
    evidence = _evidence(scenario, settings, file)
    found = []
    for pattern, usual in INFLUENTIAL.items():
        for key in _matching(pattern, settings):
            grade, source = evidence.get(key, usual)
            acts = _acts(key, scenario.spec, compared)
            found.append(
                Foundation(key, settings[key], grade, source, acts, is_influential=True)
            )
    found.sort(key=_rank)
    known = {item.key for item in found}
    found += [
        Foundation(key, settings[key], *rest, acts=True, is_influential=False)
        for key, rest in evidence.items()
        if key in settings and key not in known
    ]
    return tuple(found)


def foundations_for(
    foundations: Sequence[Foundation], scenario: Scenario, policies: Sequence[str]
) -> tuple[Foundation, ...]:
    """Return what `foundations_of` returns for fewer of the policies.

    Args:
        foundations: Of more policies.
        scenario: As it is simulated.
        policies: Those compared.
    """
    compared = [scenario.policy(name) for name in policies if name != FLAWLESS]
    found = [
        item._replace(acts=_acts(item.key, scenario.spec, compared))
        if item.is_influential
        else item
        for item in foundations
    ]
    found.sort(key=_rank)
    return tuple(found)


def _rank(item: Foundation) -> tuple[bool, bool, int]:
    """Return where a setting stands among others: those that move most come first."""
    if not item.is_influential:
        return True, False, 0
    patterns = (i for i, p in enumerate(INFLUENTIAL) if _matching(p, {item.key: ""}))
    return False, not item.acts, next(patterns)


def evidence_for(scenario: Scenario, file: str | Path) -> dict[str, Evidence]:
    """Return what a scenario's settings rest on, by dotted key.

    As the file says where a setting is as the file has it; the influential ones of
    grade D also where no file says so.
    """
    settings = dict(_leaves(tomllib.loads(scenario.to_toml())))
    evidence = _evidence(scenario, settings, file)
    graded = {key: found for key, found in evidence.items() if found != CHANGED}
    assumed = assumptions_of(scenario, file)
    return graded | {a.key: Evidence(ASSUMED, a.reason) for a in assumed}


def goes_wrong(spec: Spec, policy: Policy) -> bool:
    """Return whether mistakes happen under a policy."""
    probable = any(mistake.probability > 0.0 for mistake in spec.mistakes)
    return probable and policy.prevention.mistakes > 0.0


def _acts(key: str, spec: Spec, compared: Sequence[Policy]) -> bool:
    """Return whether a setting has anything to act on under the policies compared.

    Where nobody is there, or no time passes, nothing has. Where no mistake happens, an
    ordinary contact that nobody answers may still be one.
    """
    if not spec.horizon or _is_empty(spec.population):
        return False
    name = key.rpartition(".")[2]
    failing = [policy for policy in compared if goes_wrong(spec, policy)]
    if name in OF_LIES:
        return any(_lies(policy) for policy in failing)
    if name == "endurance":
        return any(_refers(policy) for policy in failing)
    if key.startswith("mistakes."):
        return bool(failing)
    is_ignored = max(spec.market.ordinary_contacts) > 0.0
    return bool(failing) or (is_ignored and bool(compared))


def _is_empty(population: Population) -> bool:
    """Return whether nobody is a customer at the start or may become one."""
    if population.transactions is not None or population.customers:
        return False
    return prospects_per_day(population.prospects, 0) == 0.0


def _lies(policy: Policy) -> bool:
    honesty = policy.honesty
    return honesty.fob_off > 0.0 or (honesty.lie > 0.0 and _refers(policy))


def _refers(policy: Policy) -> bool:
    """Return whether some cases may be beyond what an agent settles alone."""
    return policy.authority.limit < math.inf


def _evidence(
    scenario: Scenario, settings: Mapping[str, str], file: str | Path | None
) -> dict[str, Evidence]:
    """Return the evidence for settings that are as the file has them."""
    path = file or ready_files("scenarios").get(scenario.name)
    if path is None:
        return {}
    try:
        written = load_scenario(Path(path))
        graded = evidence_of(path)
    except ChurnsimError:  # gone or changed since: then it proves nothing
        return {}
    before = dict(_leaves(tomllib.loads(written.to_toml())))
    changed = [key for key, value in settings.items() if before.get(key) != value]
    return graded | dict.fromkeys(changed, CHANGED)


def _leaves(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield each setting of a scenario as dotted key and text; laws are settings."""
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and "law" not in value:
            yield from _leaves(value, f"{name}.")
        elif isinstance(value, list) and value and "name" in value[0]:
            for item in value:
                yield from _leaves(item, f"{name}.{item['name']}.")
        else:
            yield name, shown(value)


def shown(value: object) -> str:
    """Return a value on one line: "lognormal, mean 1.53, cv 0.3" for a law."""
    if isinstance(value, list):
        return "; ".join(map(shown, value))
    if isinstance(value, dict) and "law" not in value:
        return ", ".join(f"{key} {shown(item)}" for key, item in value.items())
    if isinstance(value, dict):
        rest = (f"{key} {item}" for key, item in value.items() if key != "law")
        return ", ".join((str(value["law"]), *rest))
    return str(value)


def _matching(pattern: str, settings: Mapping[str, str]) -> list[str]:
    """Return the settings that a pattern with at most one "*" stands for."""
    head, star, tail = pattern.partition("*")
    if not star:
        return [key for key in (pattern,) if key in settings]
    return [key for key in settings if key.startswith(head) and key.endswith(tail)]
