"""Which columns of a file mean what, and which of its words are which events."""

import zoneinfo
from collections.abc import Iterable
from collections.abc import Mapping as Table
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from churnsim.data.records import KINDS
from churnsim.errors import InputError, Problem
from churnsim.fit.dates import DATE_FORMATS
from churnsim.scenario.files import close_to, read
from churnsim.scenario.nodes import Node

DROP: Final = "drop"  # an event of this kind is left out
# Our columns, with the names of files that need no mapping; the first must be there.
COLUMNS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "events": {
        "customer": ("customer", "customer_id", "customerid", "client_id", "user_id"),
        "time": ("time", "timestamp", "date", "datetime", "event_time"),
        "event": ("event", "event_type", "type", "kind"),
        "amount": ("amount", "value", "revenue", "total"),
        "promised_at": ("promised_at",),
        "resolved_at": ("resolved_at",),
        "compensation": ("compensation",),
        "acquired_at": ("acquired_at", "customer_since"),
    },
    "cross-section": {
        "churned": ("churned", "churn", "exited", "attrition"),
        "complained": ("complained", "complains", "complain", "complaint"),
        "tenure": ("tenure",),
        "spend": ("spend",),
    },
}
REQUIRED: Final = {
    "events": ("customer", "time", "event"),
    "cross-section": ("churned",),
}
LAYOUTS: Final = tuple(COLUMNS)

_KEYS: Final = {"time": ("format", "zone"), "drop": ("events", "duplicates")}
_TABLES: Final = ("columns", "events", *_KEYS)


class Mapping(NamedTuple):
    """How a file of the firm's own is to be understood."""

    columns: Table[str, str] = MappingProxyType({})  # name in the file by ours
    events: Table[str, str] = MappingProxyType(
        {}
    )  # kind of event, or "drop", by word in the file
    date_format: str = "auto"  # one of `churnsim.fit.DATE_FORMATS`
    time_zone: str = ""  # of times that name none; "": UTC, and all must name none
    drop_duplicates: bool = False  # all but the first of rows that read the same


def read_mapping(path: str | Path) -> Mapping:
    """Return the mapping that a TOML file holds.

        [columns]
        customer = "cust_id"
        [events]
        ORDER = "purchase"
        NEWSLETTER = "drop"
        [time]
        format = "dmy"
        zone = "Europe/Berlin"
        [drop]
        events = ["LOGIN"]
        duplicates = true

    Raises:
        InputError: The file cannot be read or is no such mapping.
    """
    root = read(Path(path), rank=0)
    found = _unknown(root, _TABLES)
    for name in _TABLES:
        table = root.get(name)
        if table is not None and not isinstance(table.value, dict):
            found.append(table.place.problem("must be a table"))
    for name, keys in _KEYS.items():
        found += _unknown(root.get(name), keys)
    columns = _texts(root.get("columns"), found)
    events = _texts(root.get("events"), found)
    time = _texts(root.get("time"), found)
    for item in _items(root.get("drop", "events"), found):
        events[item] = DROP
    duplicates = root.get("drop", "duplicates")
    if duplicates is not None and not isinstance(duplicates.value, bool):
        found.append(duplicates.place.problem("must be true or false"))
    mapping = Mapping(
        columns=columns,
        events=events,
        date_format=time.get("format", "auto"),
        time_zone=time.get("zone", ""),
        drop_duplicates=duplicates is not None and duplicates.value is True,
    )
    for problem in problems_of(mapping):
        node = root.get(*problem.field.split(".", 1)) or root
        found.append(node.place.problem(problem.rule, problem.value, problem.hint))
    if found:
        raise InputError(*found)
    return mapping


def typed_pairs(option: str, pairs: Iterable[str]) -> dict[str, str]:
    """Return `NAME=VALUE` options as a table.

    Raises:
        InputError: One has no name or no value.
    """
    table = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip() or not value.strip():
            rule = "must be a name, =, and what it stands for"
            raise InputError(Problem(rule, field=option, value=pair))
        table[name.strip()] = value.strip()
    return table


def problems_of(mapping: Mapping) -> list[Problem]:
    """Return what a mapping says that cannot be meant, by dotted keys."""
    known = [name for layout in COLUMNS.values() for name in layout]
    found = [
        _not_one_of(f"columns.{name}", known, name)
        for name in mapping.columns
        if name not in known
    ]
    found += [
        _not_one_of(f"events.{word}", (*KINDS, DROP), kind)
        for word, kind in mapping.events.items()
        if kind not in (*KINDS, DROP)
    ]
    if mapping.date_format not in DATE_FORMATS:
        found.append(_not_one_of("time.format", DATE_FORMATS, mapping.date_format))
    if mapping.time_zone:
        try:
            zoneinfo.ZoneInfo(mapping.time_zone)
        except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
            zones = zoneinfo.available_timezones()
            hint = close_to(mapping.time_zone, zones) or "try Europe/Berlin or UTC"
            rule = "must be a time zone"
            found.append(
                Problem(rule, field="time.zone", value=mapping.time_zone, hint=hint)
            )
    return found


def kinds_of(mapping: Mapping) -> Table[str, str]:
    """Return the kind of each word of a file, compared without case."""
    own = {kind: kind for kind in KINDS}
    return own | {
        word.strip().casefold(): kind for word, kind in mapping.events.items()
    }


def _not_one_of(field: str, known: Iterable[str], value: str) -> Problem:
    rule = f"must be one of {', '.join(known)}"
    return Problem(rule, field=field, value=value, hint=close_to(value, known))


def _unknown(node: Node | None, known: tuple[str, ...]) -> list[Problem]:
    """Return a problem for each key of a table that is none of those known."""
    if node is None:
        return []
    return [
        item.place.problem(
            f"is no key of a mapping: {', '.join(known)}", hint=close_to(key, known)
        )
        for key, item in node.table().items()
        if key not in known
    ]


def _texts(node: Node | None, found: list[Problem]) -> dict[str, str]:
    """Return a table of texts."""
    texts = {}
    for key, item in node.table().items() if node else ():
        if isinstance(item.value, str) and item.value.strip():
            texts[key] = item.value
        else:
            found.append(item.place.problem("must be a text in quotes, not empty"))
    return texts


def _items(node: Node | None, found: list[Problem]) -> list[str]:
    """Return an array of texts."""
    if node is None:
        return []
    items = [item.value for item in node.array()]
    texts = [item for item in items if isinstance(item, str)]
    if not isinstance(node.value, list) or len(texts) < len(items):
        found.append(node.place.problem("must be an array of texts in quotes"))
    return texts
