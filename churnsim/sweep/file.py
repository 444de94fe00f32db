"""Reading a sweep's file: every problem at once, each with its place and its cure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from churnsim.configs import configs_folder
from churnsim.errors import InputError, Problem
from churnsim.experiment.preparing import prepared
from churnsim.experiment.replications import REPLICATIONS_MAX
from churnsim.experiment.summary import FIGURES
from churnsim.scenario import Scenario, load_scenario
from churnsim.scenario.files import close_to, find, is_path, read
from churnsim.scenario.messages import distinct
from churnsim.scenario.nodes import Node, plain
from churnsim.scenario.writing import toml_value
from churnsim.streams import SEED_LIMIT
from churnsim.sweep.factors import POLICIES
from churnsim.sweep.laying import laid
from churnsim.sweep.plan import ALWAYS_KEPT, Sweep
from churnsim.sweep.reading import Reading
from churnsim.sweep.varied import (
    Written,
    factors_of,
    settings_in,
    written_factors,
)

KEYS = (
    "scenario",
    "title",
    "policies",
    "replications",
    "seed",
    "draws",
    "outcomes",
    "set",
    "design",
    "factor",
    "point",
    "filters",
)
DRAWS = ("common", "independent")
SEED = 1  # where the file names none: a sweep that goes on must find the same draws
# What the sweep itself says, so that a scenario's would be read and ignored.
OWN = ("replications", "seed", "policies", "title")


class _Base(NamedTuple):
    """The scenario of a sweep."""

    scenario: Scenario
    source: str


class _Asked(NamedTuple):
    """A scenario, and the settings that lie over it."""

    origin: str | Path
    overrides: dict[str, str]


def sweep_file(name: str | Path) -> Path:
    """Return the file of a ready sweep, or the one that a path names.

    Raises:
        InputError: There is no such file.
    """
    if isinstance(name, Path) and (name.suffix or len(name.parts) > 1):
        return name
    text = str(name)
    if is_path(text):
        return Path(text)
    folder = configs_folder() / "sweeps"
    ready = {path.stem: path for path in sorted(folder.glob("*.toml"))}
    if text in ready:
        return ready[text]
    rule = f"must be one of {', '.join(ready)}, or a path to a .toml file"
    hint = close_to(text, ready)
    raise InputError(Problem(rule, field="FILE", value=text, hint=hint))


def read_sweep(path: str | Path, scenario: str | Path | None) -> Sweep:
    """Return the sweep of a file; see `load_sweep`."""
    file = sweep_file(path)
    root = read(file, rank=0)
    reading = Reading(root)
    reading.known_keys(root, KEYS)
    title = reading.text(root, "title")
    draws, outcomes = _draws(reading), _outcomes(reading)
    written = written_factors(reading)
    policies = _policies(reading, written)
    settings = _settings(reading, written)
    base = _base(reading, policies, settings, scenario)
    factors = factors_of(reading, written, base.scenario, settings) if base else ()
    lay = laid(reading, written, factors)
    if reading.found or lay is None or base is None:
        raise _all(reading)
    return Sweep(
        name=file.stem,
        title=title,
        text=file.read_text(encoding="utf-8-sig"),
        scenario=base.scenario,
        source=base.source,
        settings=_texts(settings),
        factors=factors,
        design=lay.design,
        meaning=lay.meaning,
        policies=tuple(str(item.value) for item in reading.texts(root.get("policies")))
        or base.scenario.policy_names,
        replications=base.scenario.replications,
        seed=base.scenario.seed,
        draws=draws,
        outcomes=outcomes,
    )


def _policies(reading: Reading, written: Sequence[Written]) -> list[Node]:
    """Return the policies that are compared, at all points or at some."""
    node = reading.root.get("policies")
    named = reading.texts(node)
    if node is not None and node.value == []:
        reading.refuse(node, "must name a policy, or be absent: all are compared then")
    if len({item.value for item in named}) < len(named):
        reading.refuse(node or reading.root, "must name each policy once")
    varied = [factor for factor in written if factor.field == POLICIES]
    values = [value for factor in varied for value in factor.values]
    return [*named, *(item for value in values for item in value.array())]


def _settings(reading: Reading, written: Sequence[Written]) -> dict[str, Node]:
    """Return the settings that all points share, by dotted key."""
    node = reading.root.get("set")
    if node is None:
        return {}
    if not isinstance(node.value, dict):
        reading.refuse(node, "must be a table")
        return {}
    varied = {factor.field for factor in written}
    found: dict[str, Node] = {}
    for field, item in settings_in(node):
        if field.partition(".")[0] in OWN:
            rule = f"must not be set here: {field} has a place of its own in a sweep"
            hint = f"write {field} above the first [table]"
            reading.found.append(item.place.problem(rule, hint=hint))
            continue
        if field in varied:
            rule = "must not be set here: a factor varies it"
            reading.found.append(item.place.problem(rule))
        if field in found:
            reading.found.append(item.place.problem("must be set once", field))
        found[field] = item
    return found


def _texts(settings: Mapping[str, Node]) -> dict[str, str]:
    """Return settings as `load_scenario` takes them."""
    return {field: toml_value(plain(node)) for field, node in settings.items()}


def _base(
    reading: Reading,
    policies: list[Node],
    settings: Mapping[str, Node],
    scenario: str | Path | None,
) -> _Base | None:
    """Return the scenario with the settings that all points share.

    What is wrong with settings and policies is noted, and they are left out, so that
    factors can still be held against the rest; None where nothing is left.
    """
    root = reading.root
    named = root.get("scenario")
    replications = reading.whole(root, "replications", (1, REPLICATIONS_MAX))
    seed = reading.whole(root, "seed", (0, SEED_LIMIT - 1))
    if named is None or not isinstance(named.value, str):
        rule = "is required: a ready scenario's name, or a path to a .toml file"
        place = named.place if named else root.place.under("scenario")
        reading.found.append(place.problem(rule))
        return None
    own = {"seed": str(SEED if seed is None else seed)}
    if replications is not None:
        own["replications"] = str(replications)
    source = named.value
    origin: str | Path
    if scenario is None:
        path = reading.trying(lambda: find(source, "scenarios", named.place))
        if path is None:
            return None
        origin = path if is_path(source) else source
        source = str(path) if is_path(source) else source
    else:
        origin, settings = Path(scenario), {}
    asked = _Asked(origin, {**_texts(settings), **own})
    names = [*dict.fromkeys(item.value for item in policies)]
    try:
        found = prepared(origin, [str(n) for n in names] or None, asked.overrides)
    except InputError:
        left = _without(reading, _Asked(origin, own), policies, settings)
        return None if left is None else _Base(left, source)
    if scenario is not None:  # its copy has the store's name for it
        found = replace(found, name=Path(source).stem)
    return _Base(found, source)


def _without(
    reading: Reading,
    asked: _Asked,
    policies: list[Node],
    settings: Mapping[str, Node],
) -> Scenario | None:
    """Return the scenario without the settings and policies that are wrong."""
    left = _well(reading, asked, settings)
    if left is None:
        return None
    asked = asked._replace(overrides={**_texts(left), **asked.overrides})
    names = [name for item in policies if (name := _known(reading, asked, item))]
    return reading.trying(
        lambda: prepared(asked.origin, names or None, asked.overrides)
    )


def _well(
    reading: Reading, asked: _Asked, settings: Mapping[str, Node]
) -> Mapping[str, Node] | None:
    """Return the settings that can be, and note what is wrong with the others.

    None where the scenario cannot be loaded at all.
    """
    for _ in range(2):
        error = _refusal(asked.origin, {**_texts(settings), **asked.overrides})
        if error is None:
            return settings
        places = {
            f"--set {field}={toml_value(plain(node))}": (field, node.place)
            for field, node in settings.items()
        }
        wrong = set()
        for problem in error.problems:
            field, place = places.get(problem.file, ("", None))
            told = problem
            if place is not None:
                wrong.add(field)
                told = problem._replace(file=place.file, line=place.line)
            reading.found.append(told)
        left = {field: node for field, node in settings.items() if field not in wrong}
        settings = left if wrong else {}
    return settings if _refusal(asked.origin, asked.overrides) is None else None


def _refusal(origin: str | Path, overrides: dict[str, str]) -> InputError | None:
    """Return why a scenario cannot be loaded; None where it can."""
    try:
        load_scenario(origin, overrides=overrides)
    except InputError as error:
        return error
    return None


def _known(reading: Reading, asked: _Asked, item: Node) -> str | None:
    """Return a policy's name; None where there is no such policy, which is noted."""
    if not isinstance(item.value, str):
        reading.refuse(item, "must be a text in quotes")
        return None
    try:
        prepared(asked.origin, [item.value], asked.overrides)
    except InputError as error:
        reading.found += [
            item.place.problem(problem.rule, item.value, problem.hint)
            if problem.field == "policy"
            else problem
            for problem in error.problems
        ]
        return None
    return item.value


def _draws(reading: Reading) -> str:
    node = reading.root.get("draws")
    return reading.one_of(node, DRAWS, DRAWS[0]) if node else DRAWS[0]


def _outcomes(reading: Reading) -> tuple[str, ...]:
    """Return what is kept of each run, what is always kept first."""
    named = [
        reading.one_of(item, FIGURES, ALWAYS_KEPT[0])
        for item in reading.texts(reading.root.get("outcomes"))
    ]
    return tuple(dict.fromkeys([*ALWAYS_KEPT, *named]))


def _all(reading: Reading) -> InputError:
    found = distinct(reading.found)
    return InputError(*sorted(found, key=lambda problem: problem.line or 0))
