"""Reading a sweep's file: every problem at once, each with its place and its cure."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from churnsim.configs import configs_folder
from churnsim.errors import InputError, Problem
from churnsim.experiment.preparing import prepared
from churnsim.experiment.replications import REPLICATIONS_MAX
from churnsim.experiment.summary import FIGURES
from churnsim.scenario import Scenario
from churnsim.scenario.files import close_to, find, is_path, read
from churnsim.scenario.messages import distinct
from churnsim.scenario.nodes import Node, plain
from churnsim.scenario.writing import toml_value
from churnsim.streams import SEED_LIMIT
from churnsim.sweep.factors import POLICIES
from churnsim.sweep.laying import laid
from churnsim.sweep.plan import ALWAYS_KEPT, Sweep
from churnsim.sweep.reading import Reading
from churnsim.sweep.varied import canonical, factors_of, written_factors

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
    settings: dict[str, str]


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
    written = written_factors(reading)
    named = reading.texts(root.get("policies"))
    varied = [
        name
        for factor in written
        if factor.field == POLICIES
        for value in factor.values
        for name in reading.texts(value)
    ]
    base = reading.trying(lambda: _base(reading, [*named, *varied], scenario))
    if base is None:
        raise _all(reading)
    factors = factors_of(reading, written, base.scenario)
    lay = laid(reading, written, factors)
    if reading.found or lay is None:
        raise _all(reading)
    sweep = Sweep(
        name=file.stem,
        title=reading.text(root, "title"),
        text=file.read_text(encoding="utf-8-sig"),
        scenario=base.scenario,
        source=base.source,
        settings=base.settings,
        factors=factors,
        design=lay.design,
        meaning=lay.meaning,
        policies=tuple(str(item.value) for item in named) or base.scenario.policy_names,
        replications=base.scenario.replications,
        seed=base.scenario.seed,
        draws=_draws(reading),
        outcomes=_outcomes(reading),
    )
    if reading.found:
        raise _all(reading)
    return sweep


def _base(
    reading: Reading, policies: list[Node], scenario: str | Path | None
) -> _Base | None:
    """Return the scenario with the settings that all points share.

    Raises:
        InputError: There is no such scenario, setting or policy.
    """
    root = reading.root
    named = root.get("scenario")
    if named is None or not isinstance(named.value, str):
        rule = "is required: a ready scenario's name, or a path to a .toml file"
        place = named.place if named else root.place.under("scenario")
        reading.found.append(place.problem(rule))
        return None
    replications = reading.whole(root, "replications", (1, REPLICATIONS_MAX))
    seed = reading.whole(root, "seed", (0, SEED_LIMIT - 1))
    own = {"seed": str(SEED if seed is None else seed)}
    if replications is not None:
        own["replications"] = str(replications)
    settings = _settings(reading)
    source = named.value
    if scenario is None:
        path = find(source, "scenarios", named.place)
        origin: str | Path = path if is_path(source) else source
        source = str(path) if is_path(source) else source
        laid_over = {**settings, **own}
    else:
        origin, laid_over = Path(scenario), own
    known = [*dict.fromkeys(str(item.value) for item in policies)]
    try:
        found = prepared(origin, known or None, laid_over)
    except InputError as error:
        raise InputError(*_placed(reading, policies, error)) from None
    return _Base(found, source, settings)


def _settings(reading: Reading) -> dict[str, str]:
    """Return the settings that all points share, by dotted key."""
    node = reading.root.get("set")
    if node is None:
        return {}
    if not isinstance(node.value, dict):
        reading.refuse(node, "must be a table")
        return {}
    found: dict[str, str] = {}
    for key, item in node.table().items():
        field = canonical(key)
        if field.partition(".")[0] in OWN:
            rule = f"must not be set here: the sweep has a {field} of its own"
            reading.found.append(item.place.problem(rule))
        found[field] = toml_value(plain(item))
    return found


def _placed(reading: Reading, policies: list[Node], error: InputError) -> list[Problem]:
    """Return what is wrong with the settings and policies, where the file says them."""
    table = reading.root.get("set")
    entries = table.table() if table else {}
    settings = {
        f"--set {canonical(key)}={toml_value(plain(item))}": item.place
        for key, item in entries.items()
    }
    names = {str(item.value): item.place for item in policies}
    placed = []
    for problem in error.problems:
        place = settings.get(problem.file)
        if problem.field == "policy" and problem.value in names:
            place = names[str(problem.value)]
        if place is None:
            placed.append(problem)
        else:
            placed.append(problem._replace(file=place.file, line=place.line))
    return placed


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
