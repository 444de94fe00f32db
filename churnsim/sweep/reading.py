"""A file as it is read, and what is wrong in it so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from churnsim.errors import InputError, Problem
from churnsim.scenario.files import close_to
from churnsim.scenario.nodes import Node

T = TypeVar("T")


class Reading:
    """A file as it is read, and what is wrong in it so far."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self.found: list[Problem] = []

    def refuse(self, node: Node, rule: str, hint: str = "") -> None:
        """Note a problem with a value."""
        value = None if isinstance(node.value, dict | list) else node.value
        self.found.append(node.place.problem(rule, value, hint))

    def text(self, node: Node | None, key: str, default: str = "") -> str:
        """Return a text; the default where it is absent or none."""
        found = node.get(key) if node else None
        if found is None:
            return default
        if isinstance(found.value, str):
            return found.value
        self.refuse(found, "must be a text in quotes")
        return default

    def whole(self, node: Node | None, key: str, ends: tuple[int, int]) -> int | None:
        """Return a whole number between two ends; None where it is absent or none."""
        found = node.get(key) if node else None
        if found is None:
            return None
        value, (low, high) = found.value, ends
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if is_whole and isinstance(value, int) and low <= value <= high:
            return value
        self.refuse(found, f"must be a whole number from {low:,} to {high:,}")
        return None

    def texts(self, node: Node | None) -> list[Node]:
        """Return the texts of an array."""
        items = node.array() if node else []
        if node is not None and not isinstance(node.value, list):
            self.refuse(node, 'must be an array of texts, such as ["a", "b"]')
        for item in items:
            if not isinstance(item.value, str):
                self.refuse(item, "must be a text in quotes")
        return [item for item in items if isinstance(item.value, str)]

    def one_of(self, node: Node, known: Iterable[str], default: str) -> str:
        """Return a word that is known; the default where it is not."""
        words = list(known)
        if node.value in words:
            return str(node.value)
        rule = f"must be one of {', '.join(words)}"
        self.refuse(node, rule, close_to(node.value, words))
        return default

    def known_keys(self, node: Node, keys: Sequence[str]) -> None:
        """Note the keys of a table that mean nothing."""
        for key, item in node.table().items():
            if key not in keys:
                hint = close_to(key, keys) or f"allowed are {', '.join(keys)}"
                self.found.append(item.place.problem("unknown key", hint=hint))

    def tables(self, key: str) -> list[Node]:
        """Return the tables of an array of tables."""
        node = self.root.get(key)
        if node is None:
            return []
        items = node.array()
        if not isinstance(node.value, list) or not all(
            isinstance(item.value, dict) for item in items
        ):
            self.refuse(node, f"must be tables, each under [[{key}]]")
            return []
        return items

    def trying(self, work: Callable[[], T]) -> T | None:
        """Return what work returns; None, its problems noted, where it is refused."""
        try:
            return work()
        except InputError as error:
            self.found += error.problems
            return None
