"""One scenario out of many files: extended files, presets, defaults and overrides.

A scenario lies over the one it extends, key by key. A setting that excludes others
drops those that lie lower; in one file they are a contradiction. A policy is, from the
bottom up: the preset at the root of its chain, the scenario's `policy_defaults`, the
presets that deviate from the root, the scenario's own `[policy.NAME]`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from churnsim.errors import InputError, Problem
from churnsim.given import refused
from churnsim.scenario.checks import NOT_WITH_TRANSACTIONS, ONLY_SUBSCRIPTION
from churnsim.scenario.files import (
    EXTENDS_MAX,
    chain,
    close_to,
    find,
    is_path,
    parse,
    read,
    ready_files,
)
from churnsim.scenario.model import FLAWLESS, LIST_MAX
from churnsim.scenario.nodes import Node, Place, laid_over, plain, to_node
from churnsim.scenario.writing import toml_value

OVERRIDE_RANK = 1000  # above every file
LOG = ("population", "transactions")

Overrides = Mapping[str, str] | Sequence[str]


class Assembled(NamedTuple):
    """A scenario put together, not yet validated."""

    root: Node  # policies complete under "policy"
    problems: list[Problem]  # found on the way
    bases: dict[str, bool]  # policies put together: whether on top of a preset


def assembled(top: Node, overrides: Overrides) -> Assembled:
    """Return a scenario with all that it extends and all its policies.

    Raises:
        InputError: A file is missing or damaged, or an override is no KEY=VALUE.
    """
    nodes = chain(top, "scenarios")
    root = _with_log_as_table(nodes[0])
    for above in nodes[1:]:
        root = _with_log_as_table(laid_over(root, above))
    for key, value in pairs_of(overrides):
        root = _with_log_as_table(_overridden(root, key, value))
    root = _without_excluded(root)
    builder = _Policies(root)
    names = [FLAWLESS]
    listed = root.get("policies")
    for item in listed.array()[:LIST_MAX] if listed else []:
        if isinstance(item.value, str) and item.value not in names:
            builder.check_known(item)
            names.append(item.value)
    policies = {name: node for name in names if (node := builder.policy(name, ()))}
    builder.check_used(listed)
    builder.check_chains()
    entries = root.without("extends", "policy", "policy_defaults").table()
    written = root.get("policy") or Node(root.place, {})
    is_table = isinstance(written.value, dict)
    entries["policy"] = Node(written.place, policies) if is_table else written
    if listed and listed.array() and "baseline" not in entries:
        entries["baseline"] = listed.array()[0]
    return Assembled(Node(root.place, entries), builder.problems, builder.bases)


def _without_excluded(root: Node) -> Node:
    """Return a scenario without what settings that lie over it exclude.

    Whoever extends a file cannot take a key out of it, only state what makes it void.
    """
    if (log := root.get(*LOG)) is not None:
        root = _without_lower(root, log, "population", NOT_WITH_TRANSACTIONS)
    tenure = root.get("population", "starting_tenure")
    if tenure is not None and tenure.value != "stationary":
        root = _without_lower(root, tenure, "population", ("history",))
    relationship = root.get("market", "relationship")
    if relationship is not None and relationship.value == "purchase":
        root = _without_lower(root, relationship, "market", ONLY_SUBSCRIPTION)
    return root


def _without_lower(root: Node, over: Node, table: str, keys: tuple[str, ...]) -> Node:
    """Return a scenario without those keys of a table that lie lower than a setting."""
    entries = root.table()[table]
    lower = [
        key
        for key in keys
        if (node := entries.get(key)) and node.place.rank < over.place.rank
    ]
    return root.put(entries.without(*lower), table)


def _with_log_as_table(root: Node) -> Node:
    """Return a scenario whose log is a table, so that others can lie over its keys."""
    log = root.get(*LOG)
    if log is None or not isinstance(log.value, str):
        return root
    return root.put(Node(log.place, {"file": log}), *LOG)


class _Policies:
    """Puts policies together from presets and a scenario's own tables."""

    def __init__(self, root: Node) -> None:
        empty = Node(root.place, {})
        self.own = (root.get("policy") or empty).table()
        self.defaults = root.get("policy_defaults") or empty
        self.presets = ready_files("policies")
        self.problems: list[Problem] = []
        self.bases: dict[str, bool] = {}
        self.read: dict[str, Node] = {}  # presets, each read once

    def policy(self, name: str, asking: tuple[str, ...]) -> Node | None:
        """Return a complete policy, or None where its problem has been noted."""
        own = self.own.get(name)
        if own is None:
            return self.preset(name) if name in self.presets else None
        extends = own.get("extends")
        base = self.base(name, extends, asking)
        if base is None:
            return None
        self.bases[name] = extends is not None or name in self.presets
        return laid_over(base, own.without("extends") if own.table() else own)

    def base(
        self, name: str, extends: Node | None, asking: tuple[str, ...]
    ) -> Node | None:
        """Return what a policy of the scenario lies over."""
        if extends is None or extends.value == name:
            if name in self.presets:
                return self.preset(name)
            if extends is None:
                return self.defaults
        parent = extends.value
        if not isinstance(parent, str):
            self.note(extends.place.problem("must be a name or a path in quotes"))
            return None
        if len(asking) >= EXTENDS_MAX:
            rule = f"must not be the end of a chain of more than {EXTENDS_MAX} policies"
            self.note(extends.place.problem(rule, parent))
            return None
        if parent in (*asking, name):
            names = " -> ".join([*asking, name, parent])
            rule = f"must not lead back to itself: {names}"
            self.note(extends.place.problem(rule))
            return None
        if parent in self.own or parent in self.presets:
            return self.policy(parent, (*asking, name))
        if is_path(parent):
            return self.from_file(read(find(parent, "policies", extends.place), 0))
        known = [*self.presets, *self.own]
        hint = close_to(parent, known)
        self.note(extends.place.problem("must be a known policy", parent, hint))
        return None

    def preset(self, name: str) -> Node:
        """Return a ready policy under this scenario's defaults."""
        if name not in self.read:
            self.read[name] = self.from_file(read(self.presets[name], 0))
        return self.read[name]

    def from_file(self, file: Node) -> Node:
        """Return a policy file with its chain; the defaults lie on the root."""
        nodes = chain(file, "policies")
        node = laid_over(nodes[0].without("extends"), self.defaults)
        for deviation in nodes[1:]:
            node = laid_over(node, deviation.without("extends"))
        return node

    def check_known(self, name: Node) -> None:
        """Note a policy that is neither ready nor defined here."""
        if name.value not in self.own and name.value not in self.presets:
            hint = close_to(name.value, [*self.presets, *self.own])
            rule = "must be a ready policy or one defined as [policy.NAME]"
            self.note(name.place.problem(rule, name.value, hint))

    def check_used(self, listed: Node | None) -> None:
        """Note policies that nobody runs, where whoever lists policies defined them."""
        if listed is None:
            return
        names = [item.value for item in listed.array()]
        parents = {
            extends.value
            for own in self.own.values()
            if (extends := own.get("extends"))
        }
        for name, own in self.own.items():
            used = name in names or name in parents or name == FLAWLESS
            if not used and own.place.rank >= listed.place.rank:
                rule = "must be one of `policies`, or nobody runs it"
                hint = close_to(name, [str(n) for n in names])
                self.note(own.place.problem(rule, name, hint))

    def check_chains(self) -> None:
        """Note policies that lead back to themselves, whether anybody runs them or not.

        Those that are run have been followed to their root as they were put together.
        """
        for name in self.own:
            if name not in self.bases:
                self.policy(name, ())

    def note(self, problem: Problem) -> None:
        """Keep a problem, once."""
        if problem not in self.problems:
            self.problems.append(problem)


def pairs_of(overrides: Overrides) -> list[tuple[str, str]]:
    """Return key and value of each override, as texts.

    Raises:
        InputError: They are no texts, or one is no KEY=VALUE.
    """
    if isinstance(overrides, Mapping):
        return [(str(key), _as_text(value)) for key, value in overrides.items()]
    if isinstance(overrides, str) or not isinstance(overrides, Sequence | Set):
        rule = "must be a list of texts, or a dict"
        raise refused("overrides", overrides, rule, 'write ["market.lock_in=1.5"]')
    pairs = []
    for text in overrides:
        rule = "must be KEY=VALUE, such as market.lock_in=1.5"
        if not isinstance(text, str):
            raise refused("overrides", text, rule)
        key, equals, value = text.partition("=")
        if not equals:
            raise InputError(Problem(rule, f"--set {text}"))
        pairs.append((key.strip(), value.strip()))
    return pairs


def _as_text(value: object) -> str:
    """Return a value as TOML would have it, so that Python's own may be given."""
    is_plain = isinstance(value, bool | list | dict)
    return toml_value(value) if is_plain else str(value)


def _overridden(root: Node, key: str, value: str) -> Node:
    """Return the scenario with one setting replaced.

    Raises:
        InputError: The key is no dotted key, or names an item that is not there.
    """
    place = Place(f"--set {key}={value}", None, key, OVERRIDE_RANK)
    path: list[str] = []
    table = _parsed(f"{key} = 0", place)
    while isinstance(table, dict) and len(table) == 1:
        part, table = next(iter(table.items()))
        path.append(part)
    if table != 0 or path[0] == "extends":
        rule = "must be a dotted key other than extends, such as market.lock_in"
        raise InputError(place.problem(rule, key))
    parsed = _parsed(f"value = {value}", place)
    is_toml = isinstance(parsed, dict) and list(parsed) == ["value"]
    leaf = parsed["value"] if isinstance(parsed, dict) and is_toml else value
    return _with(root, path, 0, to_node(leaf, place, {}, tuple(path)))


def _parsed(text: str, place: Place) -> object:
    try:
        return plain(parse(text, place))
    except InputError:
        return None


def _with(node: Node | None, path: list[str], depth: int, leaf: Node) -> Node:
    """Return the node at a depth of the path, with the leaf laid over its end."""
    if depth == len(path):
        return laid_over(node, leaf) if node else leaf
    head = path[depth]
    if node is not None and isinstance(node.value, list):
        index = _index(node, head, leaf.place)
        items = list(node.value)
        items[index] = _with(items[index], path, depth + 1, leaf)
        return Node(node.place, items)
    entries = dict(node.table()) if node else {}
    entries[head] = _with(entries.get(head), path, depth + 1, leaf)
    place = leaf.place._replace(field=".".join(path[:depth]))
    if node and isinstance(node.value, dict):
        place = node.place
    return Node(place._replace(rank=OVERRIDE_RANK), entries)


def _index(array: Node, key: str, place: Place) -> int:
    """Return the index of an item by its name, or by its number from 1."""
    items = array.array()
    names = [str(name.value) if (name := item.get("name")) else "" for item in items]
    if key in names:
        return names.index(key)
    if key.isdecimal() and len(key) < 6 and 1 <= int(key) <= len(items):
        return int(key) - 1
    rule = f"must name an item, or number one from 1 to {len(items)}"
    raise InputError(place.problem(rule, key, close_to(key, names)))
