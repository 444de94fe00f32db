"""The JSON Schema accepts what loads, refuses what is misspelt, explains every key."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from churnsim.configs import configs_folder
from churnsim.scenario import json_schema, load_scenario
from tests.scenario.examples import PURCHASE, changed

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "number": (int, float),
    "integer": (int,),
    "null": (),  # TOML has none
}
READY = sorted(configs_folder().glob("[sp][co]*/*.toml"))


def faults(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> list[str]:
    """Return what a value breaks of a schema, in the part of JSON Schema used here."""
    schema = target(schema, root)
    found = []
    for name in ("anyOf", "oneOf"):
        options = [faults(value, option, root) for option in schema.get(name, [])]
        if options and all(options):
            found.append(f"{value!r} is none of {name}")
    kinds = TYPES.get(schema.get("type", ""))
    if kinds is not None and (
        not isinstance(value, kinds)
        or (isinstance(value, bool) and schema["type"] != "boolean")
    ):
        return [f"{value!r} is no {schema['type']}"]
    if "const" in schema and value != schema["const"]:
        found.append(f"{value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{value!r} is not listed")
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        found.append(f"{value!r} does not match")
    if isinstance(value, int | float) and (
        value < schema.get("minimum", value)
        or value > schema.get("maximum", value)
        or ("exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"])
    ):
        found.append(f"{value!r} is out of range")
    if isinstance(value, list):
        for item in value:
            found += faults(item, schema.get("items", {}), root)
    return found + (
        table_faults(value, schema, root) if isinstance(value, dict) else []
    )


def table_faults(
    table: dict[str, Any], schema: dict[str, Any], root: dict[str, Any]
) -> list[str]:
    """Return what a table breaks of a schema."""
    others = schema.get("additionalProperties", True)
    found = [
        f"{key} is missing" for key in schema.get("required", []) if key not in table
    ]
    for key, value in table.items():
        known = schema.get("properties", {}).get(key, others)
        if known is False:
            found.append(f"{key} is unknown")
        elif isinstance(known, dict):
            found += faults(value, known, root)
    if "if" in schema and faults(table, schema["if"], root):
        found += faults(table, schema["else"], root)
    return found


def check(text: str, kind: Any = "scenario") -> list[str]:
    """Return what a file breaks of its schema."""
    schema = json_schema(kind)
    return faults(tomllib.loads(text), schema, schema)


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_schema__accepts_ready_files(path: Path) -> None:
    """Every ready scenario and policy keeps to the schema of its kind."""
    kind = "policy" if path.parent.name == "policies" else "scenario"
    assert check(path.read_text(encoding="utf-8"), kind) == []


def test_schema__knows_both_kinds_of_ready_files() -> None:
    """The test above sees scenarios and policies."""
    assert {path.parent.name for path in READY} == {"scenarios", "policies"}


def test_schema__accepts_a_short_file_that_extends() -> None:
    """Nothing is required of a file that extends another."""
    log = "[population.transactions]\nend = '2024-09-30'\n"
    assert check(f'extends = "shop.toml"\n{log}') == []
    assert check('extends = "telecom"\n[market]\nlock_in = 0.5\n') == []
    assert check('extends = "slow"\n[reach]\nnotice = 0.5\n', "policy") == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("horizon", "horizon = 3", "3 is no string"),
        ("horizon", 'horizon = "3 yaers"', "'3 yaers' does not match"),
        ("horizon", "", "horizon is missing"),
        ("rate", 'rte = "12/year"', "rte is unknown"),
        ("margin", "margin = 1.5", "1.5 is none of anyOf"),
        ("customers", "customers = true", "True is none of anyOf"),
        ("relationship", 'relationship = "lease"', "'lease' is not listed"),
        ("tau", "", "tau is missing"),
        ("value", "value = 35", "35 is none of anyOf"),
        ("agent_pay", "", "agent_pay is missing"),
        ("customers", "transactions = { end = '2024-09-30' }", "file is missing"),
        ("customers", "transactions = 5", "5 is none of anyOf"),
        ("tau", "tau = 1e308", "1e+308 is none of anyOf"),
        ("tau", "tau = -inf", "-inf is none of anyOf"),
    ],
)
def test_schema__refuses_what_does_not_load(old: str, new: str, fault: str) -> None:
    """An editor marks misspelt keys, missing units and values out of range."""
    assert check(PURCHASE) == []
    assert fault in check(changed(old, new))


@pytest.mark.parametrize("spelled", ["inf", "+inf", '"inf"'])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tau", "tau = {}"),
        ("value", 'value = "$35"\nmemory = {}\npatience = {}\nendurance = {}'),
        ("value", 'value = "$35"\nmemory = {{ law = "constant", mean = {} }}'),
        ("[costs]", "[policy_defaults]\nauthority.limit = {}\n[costs]"),
        ("[costs]", "[policy.slow]\nauthority.limit = {}\n[costs]"),
    ],
)
def test_schema__knows_both_spellings_of_no_limit(
    old: str, new: str, spelled: str, tmp_path: Path
) -> None:
    """TOML's own inf loads as the text does, to one digest; editors accept both."""
    path = tmp_path / "shop.toml"
    digests = set()
    for spelling in (spelled, '"inf"'):
        text = changed(old, new.format(*[spelling] * 3))
        assert check(text) == []
        path.write_text(text, encoding="utf-8")
        digests.add(load_scenario(path).digest)
    assert len(digests) == 1


@pytest.mark.parametrize(
    "line",
    [
        'transactions = "log.csv"',
        'transactions = { file = "log.csv" }',
        'transactions = { file = "log.csv", end = "2024-09-30", layout = "cdnow" }',
        'transactions = { file = "log.csv", date_format = "dmy" }',
        'transactions = { file = "log.csv", drop_duplicates = true }',
    ],
)
def test_schema__accepts_a_log_and_how_it_is_read(line: str) -> None:
    """A log may be a path, or a table with its options."""
    assert check(changed("customers", line)) == []


def target(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """Return the definition that a schema refers to, itself where it refers to none."""
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    found: dict[str, Any] = root["$defs"].get(name, schema)
    return found


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every property of a schema with its path."""
    if isinstance(schema, dict):
        for key, item in schema.get("properties", {}).items():
            yield f"{path}.{key}", item
        for key, item in schema.items():
            if key == "else":  # says again which of them are required
                continue
            yield from properties(item, f"{path}.{key}")
    elif isinstance(schema, list):
        for item in schema:
            yield from properties(item, path)


@pytest.mark.parametrize("kind", ["scenario", "policy"])
def test_schema__describes_every_key(kind: Any) -> None:
    """Each key that an editor offers comes with a sentence."""
    schema = json_schema(kind)
    silent = {
        path
        for path, item in properties(schema)
        if "description" not in {**target(item, schema), **item}
        and not path.endswith(".law")
    }
    assert silent == set()


def test_schema__writes_defaults_as_a_file_would() -> None:
    """A default is shown with its unit, not in days or micro-units."""
    definitions = json_schema()["$defs"]
    assert definitions["Market"]["properties"]["patience"]["default"] == {
        "law": "exponential",
        "mean": "3 min",
    }
    assert definitions["Costs"]["properties"]["discount"]["default"] == "10 %/year"
    assert definitions["WordOfMouth"]["properties"]["period"]["default"] == "1 day"
