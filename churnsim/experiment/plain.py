"""Results as dictionaries for JSON."""

from __future__ import annotations

from typing import Any


def plain(value: Any) -> Any:
    """Return a record as a dictionary, and so the records in it; tuples as lists."""
    if hasattr(value, "_asdict"):
        return {name: plain(item) for name, item in value._asdict().items()}
    return [plain(item) for item in value] if isinstance(value, tuple) else value
