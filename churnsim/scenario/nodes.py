"""Values together with the place that each comes from, and how they lie over another.

A scenario is put together from several files. Every value keeps the file, the line and
the key under which its author wrote it, so that a problem is reported there.
"""

from __future__ import annotations

from typing import NamedTuple

from churnsim.errors import Problem
from churnsim.scenario.lines import Key, Path


class Place(NamedTuple):
    """Where something was written."""

    file: str  # as the user would open it
    line: int | None
    field: str  # dotted, as in that file
    rank: int  # of the file: a higher one lies over the lower ones

    def problem(self, rule: str, value: object = None, hint: str = "") -> Problem:
        """Return the problem that a rule is not kept here."""
        return Problem(rule, self.file, self.line, self.field, value, hint)

    def under(self, key: Key) -> Place:
        """Return the place of a key that is missing from this table."""
        return self._replace(field=_dotted((self.field, str(key))))


class Node(NamedTuple):
    """A value of a file: a table or array holds nodes again."""

    place: Place
    value: object  # dict[str, Node], list[Node] or a scalar

    def table(self) -> dict[str, Node]:
        """Return the entries of a table; none where the value is no table."""
        return self.value if isinstance(self.value, dict) else {}

    def array(self) -> list[Node]:
        """Return the items of an array; none where the value is no array."""
        return self.value if isinstance(self.value, list) else []

    def get(self, *keys: str) -> Node | None:
        """Return what stands under a path of keys, if anything does."""
        node: Node | None = self
        for key in keys:
            node = node.table().get(key) if node else None
        return node

    def put(self, node: Node, *keys: str) -> Node:
        """Return the table with a node under a path of keys, whose tables are there."""
        head, *rest = keys
        below = self.table()[head].put(node, *rest) if rest else node
        return Node(self.place, {**self.table(), head: below})

    def without(self, *keys: str) -> Node:
        """Return the table without some keys."""
        left = {key: node for key, node in self.table().items() if key not in keys}
        return Node(self.place, left)


def to_node(value: object, place: Place, lines: dict[Path, int], path: Path) -> Node:
    """Return parsed TOML as nodes.

    Args:
        place: Of the value itself.
        lines: Line of each path, from `lines_of`; a path without one takes its
            table's.
        path: Of the value.
    """

    def below(key: Key, item: object) -> Node:
        inner = (*path, key)
        line = lines.get(inner, place.line)
        return to_node(
            item, place._replace(line=line, field=_dotted(inner)), lines, inner
        )

    if isinstance(value, dict):
        return Node(place, {key: below(key, item) for key, item in value.items()})
    if isinstance(value, list):
        return Node(place, [below(index, item) for index, item in enumerate(value)])
    return Node(place, value)


def plain(node: Node) -> object:
    """Return the values without their places."""
    if isinstance(node.value, dict):
        return {key: plain(item) for key, item in node.value.items()}
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    return node.value


def laid_over(base: Node, over: Node) -> Node:
    """Return `base` with all that `over` states.

    Tables are merged key by key; all else is replaced, and so is a table that names a
    law or a file, since its other keys belong to that law or file.
    """
    both_tables = isinstance(base.value, dict) and isinstance(over.value, dict)
    if not both_tables or any(_is_text(over.get(key)) for key in ("law", "file")):
        return over
    entries = dict(base.table())
    for key, node in over.table().items():
        entries[key] = laid_over(entries[key], node) if key in entries else node
    return Node(over.place, entries)


def _is_text(node: Node | None) -> bool:
    return node is not None and isinstance(node.value, str)


def _dotted(path: tuple[Key, ...]) -> str:
    """Return a path as its author would write it: `mistakes[1].sting`."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key + 1}]"
        elif key:
            text += f".{key}" if text else key
    return text
