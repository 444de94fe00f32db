"""Scenario and policy files: found, read with care, parsed, every value placed."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

from churnsim.configs import configs_folder
from churnsim.errors import InputError, Problem
from churnsim.scenario.lines import excess, lines_of
from churnsim.scenario.measures import (
    TooLarge,
)
from churnsim.scenario.nodes import Node, Place, to_node

BYTES_MAX = 2**20
EXTENDS_MAX = 16  # files in a chain

_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_TOML_PLAINLY = {"Cannot overwrite a value": "a key is given twice"}


def list_scenarios() -> tuple[str, ...]:
    """Return the names of the ready scenarios, in order."""
    return tuple(sorted(ready_files("scenarios")))


def list_policies() -> tuple[str, ...]:
    """Return the names of the ready policies, in order."""
    return tuple(sorted(ready_files("policies")))


def ready_files(kind: str) -> dict[str, Path]:
    """Return the files of `configs/<kind>/` by name: names never become paths."""
    folder = configs_folder() / kind
    return {path.stem: path for path in folder.glob("*.toml")}


def close_to(word: object, known: Iterable[str]) -> str:
    """Return "did you mean 'x'?" for the nearest known word, if one is near."""
    text = str(word)[:100]
    cutoff = 0.6 if len(text) > 3 else 0.5  # one letter of two is half of them
    near = difflib.get_close_matches(text, list(known), n=1, cutoff=cutoff)
    return f"did you mean '{near[0]}'?" if near else ""


def find(name: str, kind: str, origin: Place | None) -> Path:
    """Return the file that a ready name or a path stands for.

    Args:
        name: With a slash or the suffix ".toml" it is a path.
        kind: "scenarios" or "policies".
        origin: Where the name was written; a path is relative to that file.

    Raises:
        InputError: There is no such file.
    """
    here = origin or Place("", None, "", 0)
    if not is_path(name):
        ready = ready_files(kind)
        if name in ready:
            return ready[name]
        rule = f"must be one of {', '.join(sorted(ready))}, or a path to a .toml file"
        raise InputError(here.problem(rule, name, close_to(name, ready)))
    folder = Path(here.file).parent if here.line is not None else Path()
    path = folder / name
    if not is_file(path):
        near = [p.name for p in path.parent.glob("*.toml")] if _is_dir(path) else []
        hint = close_to(path.name, near)
        raise InputError(here.problem("must be a file that exists", str(path), hint))
    return path


def read(path: Path, rank: int) -> Node:
    """Return a file's content as nodes.

    Raises:
        InputError: It cannot be read, or is no TOML.
    """
    place = Place(str(path), 1, "", rank)
    try:
        with path.open("rb") as file:
            raw = file.read(BYTES_MAX + 1)
    except ValueError:  # no path holds such a character
        raise InputError(Problem("must be a file that exists", str(path))) from None
    except OSError as error:
        rule = f"must be a file that can be read ({error.strerror})"
        raise InputError(Problem(rule, str(path))) from None
    if len(raw) > BYTES_MAX:
        raise InputError(Problem("must not be larger than 1 MiB", str(path)))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        rule = "must be UTF-8 text; save as UTF-8"
        raise InputError(Problem(rule, str(path), line)) from None
    return parse(text, place)


def parse(text: str, place: Place) -> Node:
    """Return a TOML text as nodes.

    Raises:
        InputError: It is no TOML, nests too deep or is too long.
    """
    if (exceeded := excess(text)) is not None:
        line, rule = exceeded
        raise InputError(place._replace(line=line).problem(rule))
    try:
        # The standard lets a file end lines as Windows does.
        data = tomllib.loads(text, parse_float=_number)
    except tomllib.TOMLDecodeError as error:
        raise InputError(_syntax_problem(str(error), text, place)) from None
    except (ValueError, RecursionError):
        rule = "must be TOML with numbers of at most 4300 digits"
        raise InputError(place.problem(rule)) from None
    return to_node(data, place, lines_of(text), ())


def chain(top: Node, kind: str) -> list[Node]:
    """Return a file and all that it extends, the root first.

    Raises:
        InputError: A file is missing or damaged, or the chain never ends.
    """
    nodes = [top]
    seen = [Path(top.place.file).resolve()]
    while (extends := nodes[-1].get("extends")) is not None:
        if not isinstance(extends.value, str):
            rule = "must be a name or a path in quotes"
            raise InputError(extends.place.problem(rule, _simple(extends.value)))
        path = find(extends.value, kind, extends.place)
        if len(seen) > EXTENDS_MAX:
            rule = f"must not be the end of a chain of more than {EXTENDS_MAX} files"
            raise InputError(extends.place.problem(rule, extends.value))
        if path.resolve() in seen:
            names = " -> ".join(p.name for p in [*seen, path.resolve()])
            rule = f"must not lead back to itself: {names}"
            raise InputError(extends.place.problem(rule))
        seen.append(path.resolve())
        nodes.append(read(path, rank=0))
    # The root lies lowest.
    return [_ranked(node, rank) for rank, node in enumerate(reversed(nodes))]


def _ranked(node: Node, rank: int) -> Node:
    place = node.place._replace(rank=rank)
    if isinstance(node.value, dict):
        return Node(place, {k: _ranked(item, rank) for k, item in node.value.items()})
    if isinstance(node.value, list):
        return Node(place, [_ranked(item, rank) for item in node.value])
    return Node(place, node.value)


def is_file(path: Path) -> bool:
    """Return whether there is such a file; no path is too long to be asked about."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_path(name: str) -> bool:
    """Return whether a name stands for a file of the user's, not for a ready one."""
    return name.endswith(".toml") or "/" in name or "\\" in name


def _is_dir(path: Path) -> bool:
    try:
        return "\0" not in str(path) and path.parent.is_dir()
    except OSError:
        return False


def _number(text: str) -> object:
    """Return a number of a file; one that no float can hold stays as written."""
    value = float(text)
    too_large = value in (float("inf"), float("-inf")) and "inf" not in text
    return TooLarge(text) if too_large else value


def _simple(value: object) -> object:
    return value if isinstance(value, str | int | float) else None


def _syntax_problem(message: str, text: str, place: Place) -> Problem:
    match = _TOML_PLACE.search(message)
    line = int(match[1]) if match and match[1] else text.count("\n") + 1
    what = _TOML_PLACE.sub("", message)
    what = _TOML_PLAINLY.get(what, what)
    return place._replace(line=line).problem(f"must be valid TOML: {what}")
