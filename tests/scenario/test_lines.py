"""The scanner that finds lines of keys."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnsim.configs import configs_folder
from churnsim.scenario.lines import Path, lines_of

TEXT = """\
# a comment with [brackets] and = signs
a = 1
"b c".d = "x = [1" # { not a table
'e' = '''
two lines = [
'''

[f]
g = [ # items
  1,
  { h = 2, i.j = [3, 4] },
  "]",
]
k = { l = "}", m = { n = 1 } }
[f.o]
p = 2020-01-01T00:00:00

[[q]]
r = 1
[[q]]
r = \"\"\"a \\\"""
b""\"""
[q.s]
t = 1
[[q.u]]
v = 1
[[q.u]]
v = 2
"""


def test_lines_of__places_each_kind_of_key() -> None:
    """Dotted and quoted keys, arrays over lines, inline tables, arrays of tables."""
    lines = lines_of(TEXT)
    expected: dict[Path, int] = {
        ("a",): 2,
        ("b c",): 3,
        ("b c", "d"): 3,
        ("e",): 4,
        ("f",): 8,
        ("f", "g"): 9,
        ("f", "g", 0): 10,
        ("f", "g", 1): 11,
        ("f", "g", 1, "h"): 11,
        ("f", "g", 1, "i", "j"): 11,
        ("f", "g", 1, "i", "j", 1): 11,
        ("f", "g", 2): 12,
        ("f", "k", "m", "n"): 14,
        ("f", "o"): 15,
        ("f", "o", "p"): 16,
        ("q",): 18,
        ("q", 0): 18,
        ("q", 0, "r"): 19,
        ("q", 1): 20,
        ("q", 1, "r"): 21,
        ("q", 1, "s", "t"): 24,
        ("q", 1, "u", 0, "v"): 26,
        ("q", 1, "u", 1): 27,
        ("q", 1, "u", 1, "v"): 28,
    }
    assert {path: lines.get(path) for path in expected} == expected


def paths(value: Any, path: Path = ()) -> set[Path]:
    """Return the path of every key and item below a value."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return {path} | {p for key, item in items for p in paths(item, (*path, key))}


READY = sorted(configs_folder().rglob("*.toml"))


@pytest.mark.parametrize(
    "file", READY, ids=lambda file: f"{file.parent.name}-{file.stem}"
)
def test_lines_of__places_exactly_what_is_parsed(file: Any) -> None:
    """In every ready file the scanner and the parser see the same keys."""
    text = file.read_text(encoding="utf-8")
    assert set(lines_of(text)) | {()} == paths(tomllib.loads(text))


keys = st.sampled_from(["a", "b", '"c d"', "'e.f'", '"\\u0041"'])
scalars = st.sampled_from(
    ['"x]"', "'}'", "1", "-1.5e3", "true", '"""a\n"b"""', "'''\n'''"]
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda v: "[ # c ]\n" + ",\n".join(v) + "]"),
        st.lists(st.tuples(keys, inner), max_size=3).map(
            lambda v: "{" + ", ".join(f"{k} = {x}" for k, x in v) + "}"
        ),
    ),
    max_leaves=6,
)
headers = st.lists(keys, min_size=1, max_size=3).flatmap(
    lambda k: st.sampled_from(["[" + ".".join(k) + "]", "[[" + " . ".join(k) + "]]"])
)
statements = st.one_of(st.tuples(keys, values).map(" = ".join), headers, st.just("# ]"))


@given(st.lists(statements, max_size=8).map("\n".join))
def test_lines_of__places_exactly_what_is_parsed_of_any_text(text: str) -> None:
    """Whatever is valid TOML, the scanner and the parser see the same keys."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        lines_of(text)
        return
    assert set(lines_of(text)) | {()} == paths(data)


@given(st.text(alphabet="[]{}.=,#\"'\\\n ab1", max_size=60))
def test_lines_of__ends_on_any_text(text: str) -> None:
    """Text that is no TOML is scanned to some end, without an error."""
    lines = lines_of(text)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())
