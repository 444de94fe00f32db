"""Every figure of the ready scenarios and policies says where it comes from."""

from __future__ import annotations

import re
import runpy
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from churnsim.configs import configs_folder
from churnsim.scenario.evidence import comments_in
from churnsim.scenario.lines import lines_of

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    path
    for kind in ("scenarios", "policies")
    for path in (configs_folder() / kind).glob("*.toml")
)
TEXTS = {"title", "currency", "name", "law", "extends", "baseline", "policies"}
GRADED = re.compile(r"#\s*[ABCD]: \S+( \S+)+")
BARE_KEY = re.compile(r"\bS\d+[a-z]?\b")

Keys = tuple[str | int, ...]


def figures(value: object, path: Keys = ()) -> Iterator[Keys]:
    """Yield the path of each numeric setting: numbers, and texts that hold one."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in TEXTS:
                yield from figures(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from figures(item, (*path, index))
    elif isinstance(value, str):
        if value == "inf" or any(c.isdigit() for c in value):
            yield path
    elif not isinstance(value, bool):
        yield path


def unsourced(text: str) -> list[str]:
    """Return the settings whose line ends without a grade and a source."""
    lines, comments = lines_of(text), dict(comments_in(text))
    return [
        ".".join(map(str, path))
        for path in figures(tomllib.loads(text))
        if not GRADED.fullmatch(comments.get(lines[path], ""))
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file__gives_a_grade_and_a_source_for_every_figure(path: Path) -> None:
    """Each line with a figure ends in "# A: source", with a grade from A to D."""
    assert unsourced(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file__names_sources_so_that_a_stranger_finds_them(path: Path) -> None:
    """No comment hides its source behind a key of some list kept elsewhere."""
    comments = dict(comments_in(path.read_text(encoding="utf-8")))
    assert [text for text in comments.values() if BARE_KEY.search(text)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file__says_what_is_assumed_and_never_calls_it_a_finding(path: Path) -> None:
    """What is set by definition or without a source has grade D."""
    comments = dict(comments_in(path.read_text(encoding="utf-8"))).values()
    bare = re.compile(r"# [ABC]: (no source|by definition|convention)")
    assert [text for text in comments if bare.match(text)] == []


def test_unsourced__finds_a_figure_without_a_source() -> None:
    """A missing comment, a missing grade and a lone grade are all found."""
    text = (
        'title = "7 seas"\n'
        "a = 1\n"
        'b = "3 days" # a guess\n'
        "c = 2.0 # D:\n"
        'd = { law = "lognormal", mean = 3.0 }\n'
        'e = ["$5"] # B: some survey\n'
        "f = true\n"
    )
    assert unsourced(text) == ["a", "b", "c", "d.mean"]


@pytest.mark.parametrize("name", ["differing", "mistakes", "common"])
def test_docs__show_the_figures_of_the_files(name: str) -> None:
    """Each table that is read off the files is as they are now."""
    tables: Any = runpy.run_path(str(ROOT / "tools" / "library_tables.py"))
    page = (ROOT / "docs" / "scenarios_library.md").read_text(encoding="utf-8")
    shown = {found[2]: found[3] for found in tables["TABLE"].finditer(page)}
    assert shown[name] == tables["text_of"](name)
