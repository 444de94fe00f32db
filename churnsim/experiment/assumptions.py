"""The assumptions a result hangs on: influential settings that no source gives."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from churnsim.errors import ChurnsimError
from churnsim.scenario import Scenario, load_scenario
from churnsim.scenario.evidence import ASSUMED, Evidence, evidence_of
from churnsim.scenario.files import ready_files

CHANGED = Evidence(ASSUMED, "set for this run")

# The settings that move results most, and what they rest on where a file is silent.
INFLUENTIAL: dict[str, Evidence] = {
    "market.stated_to_actual": Evidence(
        "D", "only its product with the rate of mistakes shows in churn"
    ),
    "market.lock_in": Evidence("D", "no study measures it in log-odds"),
    "market.discovery": Evidence(
        "D", "47 % of lies are called lies in the laboratory; none studied staff"
    ),
    "market.lie_sting": Evidence("D", "no study of lies told by staff"),
    "market.betrayal": Evidence("D", "the direction is known, not the size"),
    "market.placated": Evidence("D", "no study of lies told by staff"),
    "market.memory": Evidence("D", "half-lives from 14 to 180 days fit"),
    "market.double": Evidence("D", "1.6 to 3.3 times the first, in one survey"),
    "market.drift": Evidence("D", "no study measures it"),
    "market.spend_sensitivity": Evidence("B", "5 to 10 % less spend after a late trip"),
    "market.patience": Evidence("C", "planning rules say 1 to 3 minutes"),
    "market.endurance": Evidence("D", "no study measures it"),
    "market.retry": Evidence("D", "0.3 to 0.8 are used in planning"),
    "mistakes.*.probability": Evidence("D", "serious mistakes are rarely counted"),
    "mistakes.*.sting": Evidence("D", "set so that stated repurchase comes out"),
}


class Assumption(NamedTuple):
    """An influential setting that is our assumption."""

    key: str  # dotted
    value: str  # as a file would say it
    reason: str


def assumptions_of(
    scenario: Scenario, file: str | Path | None = None
) -> tuple[Assumption, ...]:
    """Return the influential settings of grade D, with their values.

    Args:
        scenario: As it is simulated, overrides included.
        file: Where it was read; a ready scenario's is known by its name.
    """
    settings = dict(_leaves(tomllib.loads(scenario.to_toml())))
    evidence = _evidence(scenario, settings, file)
    found = []
    for pattern, usual in INFLUENTIAL.items():
        for key in _matching(pattern, settings):
            grade, reason = evidence.get(key, usual)
            if grade == ASSUMED:
                found.append(Assumption(key, settings[key], reason))
    return tuple(found)


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
    changed = {key for key, value in settings.items() if before.get(key) != value}
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
            yield name, _shown(value)


def _shown(value: object) -> str:
    """Return a value on one line: "lognormal, mean 1.53, cv 0.3" for a law."""
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
