"""From what was asked for to a scenario that can be run, and what to warn about."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from churnsim.errors import InputError, Problem
from churnsim.experiment.bound import MistakeShare, share_warning
from churnsim.experiment.intervals import ROUGH_BELOW
from churnsim.scenario import Scenario, list_policies, load_scenario
from churnsim.scenario.assemble import Overrides
from churnsim.scenario.files import close_to, find, is_path


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
    if isinstance(scenario, Scenario):
        if overrides:
            rule = "must come with a scenario's name or file, not with one loaded"
            raise InputError(Problem(rule, field="overrides"))
        for name in policies or ():
            scenario.policy(name)
        return scenario
    loaded = load_scenario(scenario, overrides=overrides)
    new = [name for name in policies or () if name not in loaded.policy_names]
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
    if not isinstance(overrides, Mapping):
        texts = (text.partition("=") for text in overrides)
        overrides = {key.strip(): value.strip() for key, _, value in texts}
    return load_scenario(scenario, overrides={**overrides, **added})


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
    told = [str(warning) for warning in scenario.warnings]
    told += [
        text
        for share in shares
        if share.policy in policies and (text := share_warning(share))
    ]
    if n_finished == 1:
        told.append("one replication: there are no intervals")
    elif n_finished < ROUGH_BELOW:
        told.append(
            f"{n_finished} replications: intervals are rough below {ROUGH_BELOW}"
        )
    return told
