"""From what was asked for to a scenario that can be run, and what to warn about."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from churnsim.errors import InputError, Problem
from churnsim.experiment.bound import MistakeShare, share_warning
from churnsim.experiment.intervals import ROUGH_BELOW
from churnsim.given import names
from churnsim.population import history_of, log_warnings, n_prospects
from churnsim.scenario import Scenario, list_policies, load_scenario
from churnsim.scenario.assemble import Overrides, pairs_of
from churnsim.scenario.assumptions import goes_wrong
from churnsim.scenario.files import close_to, find, is_path
from churnsim.scenario.model import FLAWLESS
from churnsim.units import format_duration, year_days


class Question(NamedTuple):
    """Two policies of a scenario, one held against the other."""

    scenario: Scenario
    source: str  # the policy that is asked about
    target: str  # what it is held against
    levers: tuple[str, ...]  # those that differ


def prepared(
    scenario: Scenario | str | Path,
    policies: Sequence[str] | None,
    overrides: Overrides,
) -> Scenario:
    """Return the scenario with all policies that are asked for.

    Args:
        scenario: A ready one's name, a file, or what `load_scenario` returned.
        policies: Ready ones may be named that the scenario does not list.
        overrides: Settings that lie over the file's.

    Raises:
        InputError: Settings or policies that there cannot be.
    """
    asked = () if policies is None else names("policies", policies)
    loaded = load_scenario(scenario, overrides=overrides)
    if isinstance(scenario, Scenario):
        for name in asked:
            loaded.policy(name)
        return loaded
    new = [name for name in asked if name not in loaded.policy_names]
    if not new:
        return loaded
    known = tuple(dict.fromkeys([*loaded.policy_names, *list_policies()]))
    for name in new:
        if name not in known:
            rule = f"must be one of {', '.join(known)}"
            hint = close_to(name, known)
            raise InputError(Problem(rule, field="policy", value=name, hint=hint))
    added = {
        "seed": str(loaded.seed),
        "baseline": json.dumps(loaded.baseline),
        "policies": json.dumps([*loaded.policy_names, *new]),
    }
    return load_scenario(scenario, overrides={**dict(pairs_of(overrides)), **added})


def question_of(
    scenario: Scenario | str | Path,
    source: str | None,
    target: str | None,
    overrides: Overrides,
) -> Question:
    """Return which two policies are held against each other.

    Args:
        scenario: A ready one's name, a file, or what `load_scenario` returned.
        source: The last of the scenario's policies where absent.
        target: The scenario's baseline where absent.
        overrides: Settings that lie over the file's.

    Raises:
        InputError: Settings or policies that there cannot be.
    """
    named = [name for name in (source, target) if name is not None]
    loaded = prepared(scenario, named or None, overrides)
    others = [name for name in loaded.policy_names if name != FLAWLESS]
    if source is None:
        end = loaded.baseline if target is None else target
        others = [name for name in others if name != end]
        source = others[-1] if others else loaded.baseline
        if not others and target is None:
            target = FLAWLESS  # the baseline is the only policy
    target = loaded.baseline if target is None else target
    return Question(loaded, source, target, loaded.levers_between(source, target))


def file_of(scenario: Scenario | str | Path) -> Path | None:
    """Return the file that a scenario is read from; None where it is loaded."""
    if isinstance(scenario, Scenario):
        return None
    if isinstance(scenario, Path):
        return scenario
    return Path(scenario) if is_path(scenario) else find(scenario, "scenarios", None)


def warnings_of(
    scenario: Scenario,
    shares: Sequence[MistakeShare],
    policies: Sequence[str],
    n_finished: int,
) -> list[str]:
    """Return what the reader of the results ought to know.

    Args:
        scenario: What was simulated.
        shares: How much churn each policy's mistakes explain.
        policies: Those that were run.
        n_finished: Replications that finished.
    """
    return [
        *standing_warnings(scenario, shares, policies),
        *extent_warnings(n_finished),
    ]


def standing_warnings(
    scenario: Scenario, shares: Sequence[MistakeShare], policies: Sequence[str]
) -> list[str]:
    """Return what there is to know however many replications there are."""
    told = [str(warning) for warning in scenario.warnings]
    told += log_warnings(scenario)
    told += _outgrown(scenario)
    told += _harmless(scenario, policies)
    told += [
        text
        for share in shares
        if share.policy in policies and (text := share_warning(share))
    ]
    return told


def won_later(scenario: Scenario, n_customers: int) -> float:
    """Return how many customers are to be won before the horizon, news left out.

    Args:
        scenario: What is simulated.
        n_customers: At the start.
    """
    conversion = min(1.0, scenario.spec.market.word_of_mouth.conversion)
    here = n_prospects(scenario.population, n_customers // scenario.sites)
    return conversion * here * scenario.sites


def years_in_all(scenario: Scenario, n_customers: int) -> float | None:
    """Return the years that amounts are told over in all, for `Extent`.

    None where 1,000 customers at the start are a fair measure: time passes, and no more
    are won later than there are.
    """
    if scenario.horizon and n_customers >= won_later(scenario, n_customers):
        return None
    return scenario.horizon / year_days()


def _outgrown(scenario: Scenario) -> Iterator[str]:
    """Yield that customers at the start are no measure, where more are won later."""
    history = history_of(scenario)
    start = (scenario.population.customers or 0) * scenario.sites
    n_customers = start if history is None else len(history.label)
    won = won_later(scenario, n_customers)
    if 0 < n_customers < won:
        yield (
            f"about {won:,.0f} customers are won in"
            f" {format_duration(scenario.horizon)}, more than the {n_customers:,} at"
            " the start: an amount per 1,000 customers divides by those at the start"
            " alone and says too much. Prospects may grow with them, such as"
            ' population.prospects = "200/year per 1000"'
        )


def _harmless(scenario: Scenario, policies: Sequence[str]) -> Iterator[str]:
    """Yield that nothing goes wrong under any policy, where that is so."""
    named = [scenario.policy(name) for name in policies if name != FLAWLESS]
    if any(goes_wrong(scenario.spec, policy) for policy in named):
        return
    contacts = max(scenario.spec.market.ordinary_contacts) > 0.0
    what = "but ordinary contacts that nobody answers" if contacts else "at all"
    yield f"no mistakes: nothing goes wrong {what}, whatever the policy"


def extent_warnings(n_finished: int) -> list[str]:
    """Return what there is to know where few replications finished."""
    if n_finished == 1:
        return ["one replication: there are no intervals"]
    if n_finished < ROUGH_BELOW:
        return [f"{n_finished} replications: intervals are rough below {ROUGH_BELOW}"]
    return []
