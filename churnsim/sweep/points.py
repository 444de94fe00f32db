"""From a point to a scenario that can be run: what thousands of points share is kept.

A scenario is read and validated once. A point changes some of its settings; what they
cannot touch is neither validated nor built again. What comes out is the scenario that
`load_scenario` returns with the point's settings, and where it refuses them, it is
asked to, so that the refusal is the same.
"""

from __future__ import annotations

import functools
import json
import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from churnsim.scenario import Scenario, load_scenario
from churnsim.scenario.checks import (
    ULP_SHARE,
    Sections,
    clock_problems,
    conflicts,
    too_much,
)
from churnsim.scenario.model import Spec
from churnsim.scenario.nodes import Place, to_node
from churnsim.sweep.factors import AnyLevel, Numbered

# What decides which other settings there are: such a change is validated whole.
STRUCTURAL = (
    "baseline",
    "currency",
    "policies",
    "population.history",
    "population.starting_tenure",
    "population.transactions",
    "market.exit",
    "market.period",
    "market.relationship",
)

# Where durations stand, of which the clock must resolve the shortest; inside of what
# the policies do, too.
TIMED = (
    *("horizon", "strain", "market.period", "market.word_of_mouth"),
    *("market.memory", "market.voice_delay", "market.patience", "market.endurance"),
    *("market.message_patience", "market.return_delay"),
)
TIMED_LEVERS = ("speed", "honesty", "reach")
# Of the market: what says how much happens, and how much is paid.
EXTENT = ("rate", "value", "ordinary_contacts", "period", "spend_cap")


class _Unsure(Exception):  # noqa: N818 - a way out, told to nobody
    """Changing the one setting may not be all that loading would do."""


class _Place(NamedTuple):
    """Where a setting stands in a scenario."""

    path: tuple[str | int, ...]
    adapter: TypeAdapter[Any]  # reads and checks its values
    is_timed: bool  # it may be a duration


class _Leaf(NamedTuple):
    """What a setting is changed to."""

    value: object


_Changes = dict[str | int, Any]  # by the step to take: a leaf, or the changes below


class Variations:
    """A scenario, and what it is with other settings."""

    def __init__(self, base: Scenario) -> None:
        self.base = base
        place = Place(base.name, None, "", 0)
        self._root = to_node(tomllib.loads(base.to_toml()), place, {}, ())
        self._context = {"currency": base.currency}
        self._places: dict[str, _Place | None] = {}  # None: validated whole

    def scenario(self, settings: Mapping[str, str | AnyLevel]) -> Scenario:
        """Return the base with some settings changed.

        Args:
            settings: By dotted key, as `load_scenario` takes them or as a sweep does.

        Raises:
            InputError: There are no such settings.
            ResourceError: Valid, but more than any machine could do.
        """
        changes: _Changes = {}
        is_timed = False
        try:
            for key, setting in settings.items():
                place = self._place(key)
                value = self._value(place, setting)
                is_timed |= place.is_timed and not self._is_long(place, value)
                _add(changes, place.path, value)
            spec: Spec = _with(self.base.spec, changes)
        except (_Unsure, ValidationError, PydanticCustomError):
            return self._loaded(settings)
        if not self._agrees(spec, is_timed=is_timed):
            return self._loaded(settings)
        return Scenario(self.base.name, spec, (), self.base.log_digest)

    def _agrees(self, spec: Spec, *, is_timed: bool) -> bool:
        """Return whether settings that are valid each for itself go together.

        Rules that no change can touch hold as they do in the base: what was not changed
        is the same object there.
        """
        base, root = self.base.spec, self._root
        if spec.population.transactions is not None and (
            spec.market is not base.market or spec.sites != base.sites
        ):
            return False
        is_spent = spec.policy is not base.policy and any(
            policy.prevention is not base.policy[name].prevention
            for name, policy in spec.policy.items()
        )
        is_same_population = spec.population is base.population
        if not is_same_population or spec.mistakes is not base.mistakes or is_spent:
            parts = Sections(spec.population, spec.market, spec.mistakes, spec.policy)
            if conflicts(root, parts):
                return False
        is_same_extent = (
            is_same_population
            and spec.horizon is base.horizon
            and spec.sites is base.sites
            and are_same(spec.market, base.market, EXTENT)
        )
        if not is_same_extent and too_much(spec, root):
            return False
        return not (is_timed and clock_problems(spec, root))

    def _loaded(self, settings: Mapping[str, str | AnyLevel]) -> Scenario:
        """Return the base with some settings changed, validated whole."""
        told = {
            key: setting if isinstance(setting, str) else setting.setting
            for key, setting in settings.items()
        }
        return load_scenario(self.base, overrides=told)

    def _place(self, key: str) -> _Place:
        """Return where a setting stands.

        Raises:
            _Unsure: Changing it may change others.
        """
        if key not in self._places:
            self._places[key] = _place_of(self.base.spec, key)
        place = self._places[key]
        if place is None:
            raise _Unsure
        return place

    def _value(self, place: _Place, setting: str | AnyLevel) -> object:
        """Return what a setting means, as the scenario holds it."""
        if isinstance(setting, Numbered):
            return self._exact(place, setting)
        text = setting if isinstance(setting, str) else setting.setting
        return place.adapter.validate_python(_parsed(text), context=self._context)

    def _is_long(self, place: _Place, value: object) -> bool:
        """Return whether a value is a mean duration that the clock resolves."""
        if place.path[-1] != "mean" or not isinstance(value, float):
            return False
        return math.ulp(self.base.horizon) <= ULP_SHARE * value

    def _exact(self, place: _Place, level: Numbered) -> object:
        """Return a number as the scenario holds it.

        A law that is all in its mean is built by reading it; what holds a bare number
        takes it as it is: its range was checked at both ends.
        """
        exact = level.lever.exact(level.number)
        here = setting_at(self.base.spec, place.path)
        if type(here) is type(exact):
            return exact
        return place.adapter.validate_python(
            _parsed(level.setting), context=self._context
        )


def are_same(value: BaseModel, other: BaseModel, names: Sequence[str]) -> bool:
    """Return whether nothing of some settings was changed."""
    return all(getattr(value, name) is getattr(other, name) for name in names)


def setting_at(value: Any, path: Sequence[str | int]) -> object:
    """Return what lies at a path of a record, table or array."""
    for step in path:
        value = getattr(value, str(step)) if _is_record(value) else value[step]
    found: object = value
    return found


def _place_of(spec: Spec, key: str) -> _Place | None:
    """Return where a setting stands; None where changing it may change others."""
    if any(key == name or key.startswith(f"{name}.") for name in STRUCTURAL):
        return None
    try:
        table: Any = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return None
    path: list[str | int] = []
    value: Any = spec
    while isinstance(table, dict):
        name, table = next(iter(table.items()))
        step = _step(value, name)
        if step is None:
            return None
        path.append(step)
        if not isinstance(table, dict):
            break
        value = getattr(value, str(step)) if _is_record(value) else value[step]
    if not _is_record(value):
        return None  # a whole policy or kind of mistake, of which some may stay
    info = type(value).model_fields[str(path[-1])]
    kind = info.annotation
    for note in info.metadata:
        kind = Annotated[kind, note]
    return _Place(tuple(path), TypeAdapter(kind), _may_be_timed(path))


def _may_be_timed(path: Sequence[str | int]) -> bool:
    """Return whether durations stand at a path, or below."""
    if path[0] == "policy":
        return path[2] in TIMED_LEVERS
    return str(path[0]) in TIMED or ".".join(map(str, path[:2])) in TIMED


def _step(value: object, name: str) -> str | int | None:
    """Return how to get to a part of a record, table or array; None: no such part."""
    if isinstance(value, BaseModel):
        return name if name in type(value).model_fields else None
    if isinstance(value, Mapping):
        return name if name in value else None
    if isinstance(value, Sequence) and not isinstance(value, str):
        names = [getattr(item, "name", None) for item in value]
        if name in names:
            return names.index(name)
        is_number = name.isdecimal() and 1 <= int(name) <= len(value)
        return int(name) - 1 if is_number else None
    return None


def _is_record(value: object) -> bool:
    return isinstance(value, BaseModel)


def _add(changes: _Changes, path: Sequence[str | int], value: object) -> None:
    """Add a change to others.

    Raises:
        _Unsure: One lies at, over or below it already.
    """
    *way, last = path
    for step in way:
        changes = changes.setdefault(step, {})
        if isinstance(changes, _Leaf):
            raise _Unsure
    if last in changes:
        raise _Unsure
    changes[last] = _Leaf(value)


def _with(value: Any, changes: Any) -> Any:
    """Return a record, table or array with some of what is in it replaced.

    Rules of records about their own settings are not looked at.
    """
    if isinstance(changes, _Leaf):
        return changes.value
    if isinstance(value, BaseModel):
        found = {name: _with(getattr(value, name), changes[name]) for name in changes}
        record = value.model_copy(update=found)
        for rule in _rules(type(record)):
            rule(record)
        return record
    if isinstance(value, Mapping):
        return {**value, **{key: _with(value[key], changes[key]) for key in changes}}
    items = list(value)
    for index, below in changes.items():
        items[index] = _with(items[index], below)
    return tuple(items)


@functools.cache
def _rules(kind: type[BaseModel]) -> tuple[Callable[[Any], object], ...]:
    """Return what a record's settings must obey together."""
    rules = kind.__pydantic_decorators__.model_validators.values()
    return tuple(rule.func for rule in rules)


def _parsed(setting: str) -> object:
    """Return what a setting is in TOML; a text where it is none.

    Raises:
        _Unsure: A table or array, which may lie over what is there, key by key.
    """
    try:
        # Numbers and texts are spelt alike in JSON, which is read more quickly.
        value = json.loads(setting, parse_constant=_no_json)
    except ValueError:
        try:
            value = tomllib.loads(f"value = {setting}")["value"]
        except (tomllib.TOMLDecodeError, KeyError):
            value = setting
    if isinstance(value, dict | list) or value is None:
        raise _Unsure
    if value in (math.inf, -math.inf) and "inf" not in setting:
        raise _Unsure  # a number that no float can hold
    return value


def _no_json(text: str) -> object:
    raise ValueError(text)
