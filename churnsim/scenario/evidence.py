"""How well each figure of a file is founded: what its comments say, made readable.

A trailing comment "# B: source" or "# D: reason" on a key's line grades its value:

    A  behavioural or official figure      C  recalled, not read again
    B  survey or vendor figure             D  an assumption: no source gives it

"# D [0.3 .. 0.8]: reason" also says in which range it is plausible. The ready files'
ranges, with sources in full, are in `configs/evidence.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from churnsim.scenario.files import chain, read
from churnsim.scenario.lines import Path as Keys
from churnsim.scenario.lines import lines_of, string_end
from churnsim.scenario.model import Spec
from churnsim.scenario.nodes import Node

ASSUMED = "D"

_SCENARIO_KEYS = Spec.model_fields.keys() - {"title"}

_MARK = re.compile(r"""[#"']""")
_RANGE = r"\[\s*(\S.*?)\s*\.\.\s*(\S.*?)\s*\]"
_GRADED = re.compile(rf"#\s*([ABCD])(?:\s*{_RANGE})?:\s*(\S.*?)\s*$")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'""")


class Evidence(NamedTuple):
    """What a value rests on."""

    grade: str  # "A", "B", "C" or "D"
    text: str  # the source, or the reason


class Graded(NamedTuple):
    """What the comment on a line says of the value there."""

    key: str  # dotted, as in its file; items of arrays by name
    evidence: Evidence
    span: tuple[str, str] | None  # ends of the plausible range, as a file has values


def evidence_of(path: str | Path) -> dict[str, Evidence]:
    """Return the evidence that a scenario or policy file gives, by dotted key.

    Items of arrays are called by their `name`, or else by their number from 1, as on
    the command line. Of the scenarios that a file extends, the nearest word counts.

    Raises:
        InputError: The file cannot be read, or is no TOML.
    """
    found: dict[str, Evidence] = {}
    top = read(Path(path), rank=0)
    kind = "scenarios" if top.table().keys() & _SCENARIO_KEYS else "policies"
    for node in chain(top, kind):
        text = Path(node.place.file).read_text(encoding="utf-8-sig")
        # A value that is replaced takes its evidence with it.
        for keys in lines_of(text):
            found.pop(dotted(keys, node), None)
        found |= evidence_in(text, node)
    return found


def evidence_in(text: str, root: Node) -> dict[str, Evidence]:
    """Return the evidence in one valid text, which `root` holds parsed."""
    return {found.key: found.evidence for found in graded_lines(text, root).values()}


def graded_lines(text: str, root: Node) -> dict[int, Graded]:
    """Return what comments say of values, by line, in one valid text.

    Args:
        text: Of a file.
        root: The same, parsed.
    """
    paths: dict[int, list[Keys]] = {}
    for path, line in lines_of(text).items():
        paths.setdefault(line, []).append(path)
    lines = text.splitlines()
    found = {}
    for line, comment in comments_in(text):
        match = _GRADED.match(comment)
        if match is None or line not in paths:
            continue
        meant = _meant(lines[line - 1], paths[line])
        if meant is not None:
            span = (match[2], match[3]) if match[2] else None
            grounds = Evidence(match[1], match[4])
            found[line] = Graded(dotted(meant, root), grounds, span)
    return found


def comments_in(text: str) -> Iterator[tuple[int, str]]:
    """Yield each comment of a valid text with its line, from 1."""
    position = 0
    while match := _MARK.search(text, position):
        if match[0] == "#":
            end = text.find("\n", match.start())
            position = len(text) if end < 0 else end
            line = text.count("\n", 0, match.start()) + 1
            yield line, text[match.start() : position].rstrip("\r")
        else:
            position = string_end(text, match.start())


def dotted(path: Keys, root: Node) -> str:
    """Return a path as the command line writes it, array items by name."""
    words = []
    node: object = root.value
    for key in path:
        inner = _entries(node).get(key)
        node = inner.value if inner else None
        words.append(_word(key, node))
    return ".".join(words)


def _entries(value: object) -> Mapping[str | int, Node]:
    """Return what a table or an array holds."""
    if isinstance(value, dict):
        return value
    return dict(enumerate(value)) if isinstance(value, list) else {}


def _word(key: str | int, node: object) -> str:
    if isinstance(key, str):
        return key
    name = node.get("name") if isinstance(node, Mapping) else None
    return str(name.value) if isinstance(name, Node) else str(key + 1)


def _meant(line: str, paths: list[Keys]) -> Keys | None:
    """Return the path of the key that a line begins with."""
    key, _, _ = line.partition("=")
    parts = tuple(part.strip("\"'") for part in _PART.findall(key.split("#")[0]))
    for path in sorted(paths, key=len):
        names = tuple(part for part in path if isinstance(part, str))
        if parts and names[-len(parts) :] == parts:
            return path
    return None
