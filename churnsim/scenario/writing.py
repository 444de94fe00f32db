"""A resolved scenario as TOML text, and names as safe file names."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from churnsim.scenario.model import Spec
from churnsim.scenario.policy import Policy

SLUG_BYTES = 80
_HASH_DIGITS = 10
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SAFE = re.compile(r"[a-z0-9][a-z0-9_-]*")
_UNSAFE = re.compile(r"[^a-z0-9_-]+")
# Names that Windows keeps for devices.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)")


def to_toml(resolved: Spec | Policy, currency: str) -> str:
    """Return a scenario or policy as TOML, values in the unit that says them shortest.

    Args:
        resolved: With every setting in it.
        currency: Symbol that amounts begin with.
    """
    data = resolved.model_dump(
        mode="json", exclude_none=True, context={"currency": currency}
    )
    return "\n".join(_table_lines(data, ())) + "\n"


def toml_value(value: object) -> str:
    """Return a value as TOML; tables within a line, as laws and hoops are written."""
    if isinstance(value, dict):
        pairs = (f"{_key(key)} = {toml_value(item)}" for key, item in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return _text(value) if isinstance(value, str) else repr(value)


def slug(name: str) -> str:
    """Return a name as a file name: at most 80 bytes, safe on every system.

    A name of lower-case letters, digits, "_" and "-" stays as it is. Any other gets
    part of its SHA-256, so that two names never share a file, whatever the case.
    """
    if (
        _SAFE.fullmatch(name)
        and len(name) <= SLUG_BYTES
        and not _DEVICES.fullmatch(name)
    ):
        return name
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem = _UNSAFE.sub("-", ascii_name.lower()).strip("-_")
    raw = name.encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(raw).hexdigest()[:_HASH_DIGITS]
    return f"{stem[: SLUG_BYTES - _HASH_DIGITS - 1] or 'name'}-{digest}"


def _table_lines(table: dict[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Yield a table's lines: plain values, then tables, then arrays of tables."""
    inline = {key: v for key, v in table.items() if _is_inline(v)}
    for key, value in inline.items():
        yield f"{_key(key)} = {toml_value(value)}"
    for key, value in table.items():
        header = ".".join(map(_key, (*path, key)))
        if key in inline:
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(value, list):
                yield f"\n[[{header}]]"
            elif any(_is_inline(inner) for inner in item.values()):
                yield f"\n[{header}]"
            yield from _table_lines(item, (*path, key))


def _is_inline(value: object) -> bool:
    """Return whether a value stands on its key's line: laws and hoops do."""
    if isinstance(value, dict):
        return "law" in value
    if isinstance(value, list):
        return not value or not isinstance(value[0], dict) or "give_up" in value[0]
    return True


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    """Return a basic TOML string; JSON's escapes are TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
