"""JSON Schemas of documents, made from the types and comments that define them."""

from __future__ import annotations

import ast
import functools
import inspect
import io
import sys
import tokenize
import types
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

Schema = dict[str, Any]
Fields = dict[str, tuple[int, int]]  # first and last line of each, by name

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


def schema_of(document: type) -> Schema:
    """Return the JSON Schema of a document; a key that it does not name is refused.

    Args:
        document: A typed dictionary. Named tuples in it are objects by their fields.
    """
    definitions: dict[str, Schema] = {}
    whole = _record(document, definitions)
    about = {"$schema": DIALECT, "title": document.__doc__ or ""}
    return {**about, **whole, "$defs": dict(sorted(definitions.items()))}


def _record(record: type, definitions: dict[str, Schema]) -> Schema:
    """Return a record's schema: all of its keys that must be there, and no other."""
    comments = _comments(record)
    properties = {}
    required = []
    for name, hint in get_type_hints(record, include_extras=True).items():
        if get_origin(hint) is NotRequired:
            (hint,) = get_args(hint)  # noqa: PLW2901 - what it is where it is there
        else:
            required.append(name)
        part = _part(hint, definitions)
        about = {"description": comments[name]} if comments.get(name) else {}
        properties[name] = {**part, **about}
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _part(hint: Any, definitions: dict[str, Schema]) -> Schema:
    """Return the schema of a value's type."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return {}
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if origin is Annotated:
        return {**_part(inner[0], definitions), "description": inner[1]}
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in {Union, types.UnionType}:
        return {"anyOf": [_part(each, definitions) for each in inner]}
    if origin is dict:
        return {"type": "object", "additionalProperties": _part(inner[1], definitions)}
    if origin is list or inner[1:] == (...,):
        return {"type": "array", "items": _part(inner[0], definitions)}
    if origin is tuple:
        parts = [_part(each, definitions) for each in inner]
        n = len(parts)
        return {"type": "array", "prefixItems": parts, "minItems": n, "maxItems": n}
    if hint.__name__ not in definitions:
        definitions[hint.__name__] = {}  # for records within themselves
        found = _record(hint, definitions)
        about = (hint.__doc__ or "").partition("\n")[0]
        definitions[hint.__name__] = {"description": about, **found}
    return {"$ref": f"#/$defs/{hint.__name__}"}


def _comments(record: type) -> dict[str, str]:
    """Return what stands beside each field of a record, or else in lines above it.

    Nothing where there is no source.
    """
    found: dict[str, str] = {}
    fields, comments = _source(record.__module__)
    own = fields.get(record.__name__, {})
    trailing = {last for _, last in own.values()}
    for name, (first, last) in own.items():
        beside, line = comments.get(last, ""), first - 1
        above: list[str] = []
        while not beside and line in comments and line not in trailing:
            above.insert(0, comments[line])
            line -= 1
        found[name] = beside or " ".join(above)
    return found


@functools.cache
def _source(module: str) -> tuple[dict[str, Fields], dict[int, str]]:
    """Return where each class's fields stand in a module, and comments by line.

    Fields of bases in the same module are among them.
    """
    try:
        text = inspect.getsource(sys.modules[module])
    except OSError:
        return {}, {}
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    }
    fields: dict[str, Fields] = {}
    for node in ast.parse(text).body:
        if not isinstance(node, ast.ClassDef):
            continue
        known = fields[node.name] = {}
        for base in node.bases:
            known |= fields.get(ast.unparse(base), {})
        for field in node.body:
            if isinstance(field, ast.AnnAssign):
                name = ast.unparse(field.target)
                known[name] = field.lineno, field.end_lineno or field.lineno
    return fields, comments
