"""What pydantic found wrong, as problems with place, rule, value and cure."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from churnsim.errors import Problem
from churnsim.scenario.files import close_to
from churnsim.scenario.model import Spec
from churnsim.scenario.nodes import Node, Place, plain

ROOT_ONLY = ("extends", "policy_defaults")  # keys of files, gone once resolved
ALLOWED_SHOWN = 12  # longer lists of allowed keys would hide the message

_FIXED_RULES = {
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "dict_type": "must be a table",
    "tuple_type": "must be an array",
    "string_type": "must be a text in quotes",
    "string_too_short": "must not be empty",
    "string_too_long": "must be shorter",
    "bool_type": "must be true or false",
    "string_pattern_mismatch": (
        "must be a symbol of 1 to 8 characters, without digits, spaces or . , + - / %"
    ),
    "union_tag_not_found": 'must name its law, such as law = "lognormal"',
}


def problems(errors: list[ErrorDetails], root: Node) -> list[Problem]:
    """Return each error once, where its author can mend it."""
    return distinct(_problem(error, root) for error in errors)


def distinct(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems without those that read the same."""
    return list({str(problem): problem for problem in problems}.values())


def at(root: Node, *path: str | int) -> Place:
    """Return the place of a setting: its own, or the one of the table it belongs to."""
    node, _, rest = _walk(root, path)
    return node.place.under(".".join(map(str, rest))) if rest else node.place


def _problem(error: ErrorDetails, root: Node) -> Problem:
    kind, loc = error["type"], error["loc"]
    context: Mapping[str, Any] = error.get("ctx", {})
    node, path, rest = _walk(root, loc)
    value = None if isinstance(node.value, dict | list) else node.value
    if kind == "missing":
        missing = ".".join(map(str, rest))
        place = node.place.under(missing) if missing else node.place
        return place.problem("is required")
    if kind == "extra_forbidden":
        return _unknown_key(node, path)
    if kind in {"literal_error", "union_tag_invalid"}:
        allowed = context.get("expected", context.get("expected_tags", ""))
        words = [word.strip("' ") for word in allowed.replace(" or ", ",").split(",")]
        tag = node.get("law") if kind == "union_tag_invalid" else None
        where = tag or node
        rule = f"must be one of {', '.join(words)}"
        return where.place.problem(rule, where.value, close_to(where.value, words))
    if kind == "rule":
        return node.place.problem(context["rule"], value)
    if kind in {"too_long", "too_short"}:
        bound = context.get("max_length", context.get("min_length"))
        most = "most" if kind == "too_long" else "least"
        return node.place.problem(f"must have at {most} {bound} items")
    shown = plain(node) if kind in {"model_type", "dict_type", "tuple_type"} else value
    rule = _FIXED_RULES.get(kind, error["msg"])
    return node.place.problem(rule, None if kind == "string_too_short" else shown)


def _unknown_key(node: Node, path: list[str | int]) -> Problem:
    known = sorted(known_keys(path[:-1]))
    hint = close_to(path[-1], known)
    if not hint and len(known) <= ALLOWED_SHOWN:
        hint = f"allowed are {', '.join(known)}"
    return node.place.problem("unknown key", hint=hint)


def _walk(
    root: Node, loc: tuple[str | int, ...]
) -> tuple[Node, list[str | int], list[str | int]]:
    """Return the node nearest to a location, its path, and what lies beyond it.

    Locations name the law of a distribution as a step of its own: it is passed over.
    """
    node, path = root, list[str | int]()
    for i, key in enumerate(loc):
        tag = node.get("law")
        if isinstance(key, str) and key in node.table():
            node = node.table()[key]
        elif isinstance(key, int) and key < len(node.array()):
            node = node.array()[key]
        elif tag is not None and tag.value == key:
            continue
        else:
            is_table = isinstance(node.value, dict)
            return node, path, list(loc[i:]) if is_table else []
        path.append(key)
    return node, path, []


def known_keys(path: list[str | int]) -> set[str]:
    """Return the keys that the models know in the table at a path."""
    annotations: list[Any] = [Spec]
    for key in path:
        annotations = [below for a in annotations for below in _below(a, key)]
    return {
        name
        for annotation in annotations
        for model in _models(annotation)
        for name in model.model_fields
    } | (set(ROOT_ONLY) if not path else set())


def _below(annotation: Any, key: str | int) -> list[Any]:
    """Return what the models may hold under a key of a table or array."""
    found = [
        model.model_fields[key].annotation
        for model in _models(annotation)
        if isinstance(key, str) and key in model.model_fields
    ]
    for part in _parts(annotation):
        arguments = get_args(part)
        if get_origin(part) is dict:
            found.append(arguments[1])
        elif get_origin(part) is tuple:
            found.append(arguments[0])
    return found


def _models(annotation: Any) -> list[type[BaseModel]]:
    return [
        part
        for part in _parts(annotation)
        if isinstance(part, type) and issubclass(part, BaseModel)
    ]


def _parts(annotation: Any) -> list[Any]:
    """Return the members of a union, without what Annotated adds."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _parts(get_args(annotation)[0])
    if origin in {Union, types.UnionType}:
        return [part for item in get_args(annotation) for part in _parts(item)]
    return [annotation]
