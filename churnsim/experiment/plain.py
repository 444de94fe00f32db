"""Results as dictionaries for JSON."""

from __future__ import annotations

from typing import Any, NamedTuple


def plain(value: NamedTuple) -> dict[str, Any]:
    """Return a record and the records in it as dictionaries."""
    return {
        name: plain(item) if hasattr(item, "_asdict") else item
        for name, item in value._asdict().items()
    }
