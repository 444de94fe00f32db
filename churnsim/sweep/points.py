"""From a point to a scenario that can be run: what thousands of points share is kept.

A scenario is read and validated once. A point changes some of its settings; what they
cannot touch is neither validated nor built again. What comes out is the scenario that
`load_scenario` returns with the point's settings, and where it refuses them, it is
asked to, so that the refusal is the same.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from churnsim.scenario import Scenario, load_scenario
from churnsim.scenario.checks import Sections, clock_problems, conflicts, too_much
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


class _Unsure(Exception):  # noqa: N818 - a way out, told to nobody
    """Changing the one setting may not be all that loading would do."""


class _Place(NamedTuple):
    """Where a setting stands in a scenario."""

    path: tuple[str | int, ...]
    adapter: TypeAdapter[Any]  # reads and checks its values


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
        try:
            spec = self.base.spec
            for key, setting in settings.items():
                spec = self._changed(spec, key, setting)
            # Of the whole: shares of one may be changed in turn.
            for key in settings:
                _check_rules(spec, self._places[key])
        except (_Unsure, ValidationError, PydanticCustomError):
            return self._loaded(settings)
        parts = Sections(spec.population, spec.market, spec.mistakes, spec.policy)
        root = self._root
        if conflicts(root, parts) or too_much(spec, root) or clock_problems(spec, root):
            return self._loaded(settings)
        return Scenario(self.base.name, spec, (), self.base.log_digest)

    def _loaded(self, settings: Mapping[str, str | AnyLevel]) -> Scenario:
        """Return the base with some settings changed, validated whole."""
        told = {
            key: setting if isinstance(setting, str) else setting.setting
            for key, setting in settings.items()
        }
        return load_scenario(self.base, overrides=told)

    def _changed(self, spec: Spec, key: str, setting: str | AnyLevel) -> Spec:
        if key not in self._places:
            self._places[key] = _place_of(self.base.spec, key)
        place = self._places[key]
        if place is None:
            raise _Unsure
        if isinstance(setting, Numbered):
            leaf = self._exact(place, setting)
        else:
            text = setting if isinstance(setting, str) else setting.setting
            leaf = place.adapter.validate_python(_parsed(text), context=self._context)
        changed: Spec = _with(spec, place.path, leaf)
        return changed

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
    return _Place(tuple(path), TypeAdapter(kind))


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


def _with(value: Any, path: Sequence[str | int], leaf: object) -> Any:
    """Return a record, table or array with what lies at a path replaced.

    Rules of records about their own settings are not looked at.
    """
    if not path:
        return leaf
    head, *rest = path
    if isinstance(value, BaseModel):
        below = _with(getattr(value, str(head)), rest, leaf) if rest else leaf
        return value.model_copy(update={str(head): below})
    if isinstance(value, Mapping):
        return {**value, head: _with(value[str(head)], rest, leaf)}
    index = int(head)
    return (*value[:index], _with(value[index], rest, leaf), *value[index + 1 :])


def _check_rules(value: Any, place: _Place | None) -> None:
    """Check the rules of all records that a setting lies in.

    Raises:
        PydanticCustomError: A record's rule about its own settings does not hold.
    """
    for step in place.path if place else ():
        if _is_record(value):
            rules = type(value).__pydantic_decorators__.model_validators
            for rule in rules.values():
                rule.func(value)
            value = getattr(value, str(step))
        else:
            value = value[step]


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
