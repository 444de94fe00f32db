"""A posterior laid over the scenario that it was fitted on, every draw checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from churnsim.errors import InputError, Problem
from churnsim.experiment.posterior import Posterior, Uncertain, read_posterior
from churnsim.experiment.posterior.uncertain import common_fields
from churnsim.experiment.preparing import file_of, prepared
from churnsim.scenario import Scenario, load_scenario
from churnsim.scenario.assemble import Overrides, pairs_of
from churnsim.scenario.files import close_to
from churnsim.sweep.overlapping import is_overlapping, path_of
from churnsim.sweep.points import Variations

SHOWN = 12  # digits of a digest: enough to tell scenarios apart by eye


def under(
    posterior: Posterior | str | Path,
    scenario: Scenario | str | Path,
    *,
    policies: Sequence[str] | None = None,
    overrides: Overrides = (),
) -> Uncertain:
    """Return a scenario whose results carry what a posterior does not know.

    It must be the scenario that was fitted, to the digest: a value that was fitted with
    other settings is another firm's. What is changed for this run alone, with
    `overrides`, is allowed and told as a warning: to ask what a change would bring is
    what a fit is for. A policy that is asked for beside the scenario's changes nothing
    about the firm that was fitted.

    Args:
        posterior: As it was read, or its file.
        scenario: A ready one's name, a file, or what `load_scenario` returned.
        policies: Ready ones may be named that the scenario does not list.
        overrides: Settings that lie over the file's.

    Raises:
        InputError: It is the posterior of another scenario, draws what is set or what
            all replications share, or has a draw that the scenario refuses; or there
            can be no such settings or policies.
        ResourceError: A draw is valid, but more than any machine could do.
    """
    source = "posterior"
    if not isinstance(posterior, Posterior):
        source = str(posterior)
        posterior = read_posterior(posterior)
    changed = _changed(posterior, source, scenario, overrides)
    loaded = prepared(scenario, policies, overrides)
    vary = Variations(loaded).scenario
    uncertain = Uncertain(posterior, loaded, file_of(scenario), changed, source, vary)
    found = [
        *_unknown_policy(posterior, source, loaded),
        *common_fields(posterior, source),
        *_overlaps(posterior, source, loaded, overrides),
    ]
    if found:
        raise InputError(*found)
    _check_draws(uncertain)
    return uncertain


def _changed(
    posterior: Posterior,
    source: str,
    scenario: Scenario | str | Path,
    overrides: Overrides,
) -> tuple[str, ...]:
    """Return the settings that are changed over the scenario that was fitted.

    Raises:
        InputError: It is another one.
    """
    now = load_scenario(scenario, overrides=overrides)
    if now.digest == posterior.digest:
        return ()
    if overrides and load_scenario(scenario).digest == posterior.digest:
        return tuple(dict.fromkeys(key for key, _ in pairs_of(overrides)))
    rule = (
        f"must be of the scenario that is run: it was fitted on {posterior.scenario},"
        f" digest {posterior.digest[:SHOWN]}, and {now.name} has {now.digest[:SHOWN]}"
    )
    hint = f"run {posterior.scenario}, or fit {now.name}"
    if now.name == posterior.scenario:
        hint = (
            "fit it again: it has changed since, or names no seed and so draws one each"
            " time; what is to differ in this run alone is changed with --set"
        )
    raise InputError(Problem(rule, source, field="digest", hint=hint))


def _unknown_policy(
    posterior: Posterior, source: str, loaded: Scenario
) -> Iterator[Problem]:
    known = loaded.policy_names
    name = posterior.policy
    if name not in known:
        rule = f"must be one of {', '.join(known)}, under which the firm was observed"
        hint = close_to(name, known)
        yield Problem(rule, source, field="policy", value=name, hint=hint)


def _overlaps(
    posterior: Posterior, source: str, loaded: Scenario, overrides: Overrides
) -> Iterator[Problem]:
    """Yield settings that are drawn twice, or drawn and set."""
    paths = [path_of(loaded.spec, field) for field in posterior.fields]
    for i, path in enumerate(paths):
        for j in range(i):
            if is_overlapping(path, paths[j]):
                rule = "must not be drawn by two parameters"
                place = f"parameter {i + 1}, field"
                field = posterior.fields[i]
                yield Problem(rule, source, field=place, value=field)
    for key, value in pairs_of(overrides):
        for field, path in zip(posterior.fields, paths, strict=True):
            if is_overlapping(path_of(loaded.spec, key), path):
                rule = f"must not be set: the posterior draws {field}"
                hint = "leave one of both out"
                yield Problem(rule, f"--set {key}={value}", field=key, hint=hint)


def _check_draws(uncertain: Uncertain) -> None:
    """Refuse draws that the scenario refuses, whether any replication has them or not.

    Raises:
        InputError: All that is wrong with them.
        ResourceError: One is more than any machine could do.
    """
    found: dict[Problem, None] = {}
    for draw in range(len(uncertain.posterior.draws)):
        try:
            uncertain.drawn(draw)
        except InputError as error:
            found |= dict.fromkeys(error.problems)
    if found:
        raise InputError(*found)
