"""The reference of all settings as Markdown, made from the JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from churnsim.scenario.measures import INFINITE
from churnsim.scenario.writing import toml_value

Schema = Mapping[str, Any]

POLICY = "Policy"  # its tables are described once, in a part of their own
HEAD = """\
# Settings of {kind} files

<!-- made by: churnsim schema {kind} --markdown -->

Made by `churnsim schema {kind} --markdown`; a test holds it to the code.

- Durations are texts with a unit, such as `"6 min"`: s, min, h, day, week, month, year.
  A year is 365.25 days, a month a twelfth of it.
- Rates are texts per unit of time, such as `"12/year"`; amounts are texts that begin
  with the scenario's currency, such as `"$50"`; pay is an amount per time, such as
  `"$26.77/hour"`. Shares are numbers from 0 to 1 or percentages, such as `"60 %"`.
- Where a law is allowed, a plain value stands for a law with that mean: always the
  same value, but exponential for memory, patience and endurance.
- Pushes on goodwill are in log-odds of staying.
"""


def reference(schema: Schema) -> str:
    """Return a schema's settings as Markdown: one table for each table of the file."""
    definitions = schema["$defs"]
    lines = [HEAD.format(kind=str(schema["title"]).removeprefix("churnsim "))]
    for heading, table, required in _tables(schema, definitions):
        lines += [f"## {heading}", ""]
        if "description" in table:
            lines += [table["description"], ""]
        lines += ["| setting | value | default | meaning |", "|---|---|---|---|"]
        for name, field in table["properties"].items():
            if _table_of(field, definitions) is None:
                lines.append(_row(name, field, name in required))
        lines.append("")
    lines += ["## Laws", "", "| law | settings | meaning |", "|---|---|---|"]
    lines += _law_rows(definitions)
    return "\n".join(lines) + "\n"


def _tables(
    schema: Schema, definitions: Schema
) -> Iterator[tuple[str, Schema, frozenset[str]]]:
    """Yield each table of a file with its heading and the settings it cannot lack."""
    otherwise = schema.get("else", {})
    below = otherwise.get("properties", {})
    is_policy = "properties" in schema and "reach" in schema["properties"]
    yield "Top of the file", schema, frozenset(otherwise.get("required", ()))
    stack = [("", schema)]
    while stack:
        path, table = stack.pop()
        if path:
            needs = _under(below, path).get("required", table.get("required", ()))
            if _has_own_settings(table, definitions):
                yield _heading(path, is_policy=is_policy), table, frozenset(needs)
        inner_tables = []
        for name, field in table["properties"].items():
            inner = _table_of(field, definitions)
            about = field if inner else {}  # what may stand instead says what it is
            inner = inner or _table_instead(field, definitions)
            # Defaults of policies are described with the policies.
            if inner is not None and (inner != POLICY or name == "policy"):
                dotted = f"{path}.{name}" if path else name
                dotted += ".NAME" if inner == POLICY else ""
                dotted += "[]" if field.get("type") == "array" else ""
                found = definitions[inner]
                told = about.get("description", found.get("description", ""))
                shown = {**found, "description": told}
                inner_tables.append((dotted, shown))
        stack += reversed(inner_tables)


def _under(properties: Schema, path: str) -> Schema:
    """Return what a schema's properties say of the table at a dotted path."""
    head, _, rest = path.partition(".")
    found: Schema = properties.get(head, {})
    return _under(found.get("properties", {}), rest) if rest else found


def _heading(path: str, *, is_policy: bool) -> str:
    """Return a table's header as a file has it."""
    plain = path.replace("[]", "")
    if path.endswith("[]"):
        return f"`[[{plain}]]`"
    if not is_policy and path.startswith("policy.NAME"):
        return f"`[{plain}]` and `[{plain.replace('policy.NAME', 'policy_defaults')}]`"
    return f"`[{plain}]`"


def _has_own_settings(table: Schema, definitions: Schema) -> bool:
    fields = table["properties"].values()
    return any(_table_of(field, definitions) is None for field in fields)


def _table_of(field: Schema, definitions: Schema) -> str | None:
    """Return the definition of the table that a field holds; None for plain values."""
    held = field
    for step in ("items", "additionalProperties"):
        if isinstance(held.get(step), dict):
            held = held[step]
    name = str(held.get("$ref", "")).rpartition("/")[2]
    return name if name and "law" not in definitions[name]["properties"] else None


def _table_instead(field: Schema, definitions: Schema) -> str | None:
    """Return the definition of the table that may stand in place of a plain value."""
    parts = field.get("anyOf", ())
    found = (_table_of(p, definitions) or _table_instead(p, definitions) for p in parts)
    return next(filter(None, found), None)


def _row(name: str, field: Schema, is_required: bool) -> str:
    default = "required" if is_required else ""
    if "default" in field:
        default = f"`{toml_value(field['default'])}`"
    meaning = str(field.get("description", ""))
    cells = (f"`{name}`", " or ".join(_kinds(field)), default, meaning)
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _kinds(field: Schema) -> list[str]:
    """Return in words what a field may hold."""
    parts = field.get("anyOf", ())
    if parts:
        return list(dict.fromkeys(kind for part in parts for kind in _kinds(part)))
    if "oneOf" in field:
        return [f"a law: {', '.join(field['discriminator']['mapping'])}"]
    if "enum" in field:
        return [f"`{json.dumps(word)}`" for word in field["enum"]]
    if field in INFINITE:
        return ["`inf`"]
    if "const" in field:
        return [f"`{field['const']}`"]
    if "examples" in field:
        return [f'such as `"{field["examples"][0]}"`']
    kind = field.get("type")
    if kind in {"number", "integer"}:
        return [_number(field, "number" if kind == "number" else "whole number")]
    if kind == "array":
        return ["a list of tables" if "properties" in field["items"] else "a list"]
    names = {"string": ["a text"], "boolean": ["`true`", "`false`"], "null": []}
    return names.get(str(kind), ["a table"])


def _number(field: Schema, noun: str) -> str:
    low, high = field.get("minimum"), field.get("maximum")
    above = field.get("exclusiveMinimum")
    if above is not None:
        return f"{noun} above {_bound(above)}"
    if low is not None and high is not None:
        return f"{noun} in [{_bound(low)}, {_bound(high)}]"
    return noun if low is None else f"{noun} ≥ {_bound(low)}"


def _bound(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def _law_rows(definitions: Schema) -> list[str]:
    """Return a row for each law; those that differ in their unit only share one."""
    rows: dict[str, str] = {}
    for definition in definitions.values():
        fields = definition["properties"]
        if "law" not in fields:
            continue
        law = fields["law"]["const"]
        settings = ", ".join(f"`{name}`" for name in fields if name != "law")
        meaning = definition.get("description") or _LAWS.get(law, "")
        rows.setdefault(law, f"| `{law}` | {settings} | {meaning} |")
    return [rows[law] for law in sorted(rows)]


_LAWS = {
    "constant": "Always the mean.",
    "exponential": "Without memory: the standard deviation is the mean.",
    "lognormal": "Skewed, the usual law of handling times and amounts.",
    "uniform": "Any value between two bounds, equally likely.",
    "weibull": "Times whose end grows more (cv < 1) or less (cv > 1) likely with age.",
}
