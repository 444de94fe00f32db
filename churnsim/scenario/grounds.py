"""What each setting of a scenario rests on: grade, range, source, seen or assumed.

A scenario is put together out of many files, and each of its settings keeps the line
that it came from. So what is said on that line holds for it, wherever the line stands:
in the scenario's own file, in one that it extends, in a policy.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import NamedTuple

from churnsim.configs import configs_folder
from churnsim.errors import ChurnsimError
from churnsim.scenario.assemble import OVERRIDE_RANK, Overrides, assembled
from churnsim.scenario.assumptions import CHANGED, INFLUENTIAL, Foundation, shown
from churnsim.scenario.evidence import ASSUMED, Graded, graded_lines
from churnsim.scenario.files import find, read, ready_files
from churnsim.scenario.model import FLAWLESS
from churnsim.scenario.nodes import Node, plain
from churnsim.scenario.recorded import Record, recorded
from churnsim.scenario.scenario import Scenario
from churnsim.scenario.writing import toml_value

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ONE_OF_MANY = re.compile(r"^(?:policy|mistakes)\.(?:\"(?:[^\"\\]|\\.)*\"|[^.]+)\.")

WEAKEST_FIRST = "DCBA"
DEFAULT = "the default"  # value of a setting that no file mentions

Key = tuple[str, ...]


class Ground(NamedTuple):
    """One figure, what it rests on, and every setting that it stands in."""

    keys: tuple[str, ...]  # as `--set` spells them: of policies and kinds alike
    value: str  # as a file has it, on one line
    grade: str  # "A", "B", "C" or "D"
    basis: str  # "seen": somebody observed it; "assumed": nobody did
    text: str  # the source or the reason in a few words
    sources: tuple[str, ...]  # in full; none where only the text tells
    vary: str  # part of a law or list that the range is of; "": all of it
    low: str | None  # of the plausible range, as `--set` takes it; None: no range
    high: str | None
    whose: str | None  # who gives the range: "source" or "ours"
    fixed: str | None  # why an assumption has none: "definition", "choice", "rest"

    @property
    def key(self) -> str:
        """Return the setting, the first of several."""
        return self.keys[0]

    @property
    def varied(self) -> tuple[str, ...]:
        """Return what the range is of, as `--set` spells it."""
        part = f".{self.vary}" if self.vary else ""
        return tuple(f"{key}{part}" for key in self.keys)

    @property
    def range_text(self) -> str:
        """Return the range in words: "0.3 to 0.8"; empty where there is none."""
        if self.low is None or self.high is None:
            return ""
        return f"{_unquoted(self.low)} to {_unquoted(self.high)}"


def grounds_of(scenario: str | Path, overrides: Overrides = ()) -> tuple[Ground, ...]:
    """Return what each graded figure of a scenario rests on, the weakest first.

    Within a grade those that move results most come first, then all in the order of
    their files. What several policies or kinds of mistakes have from one line, or from
    lines that say the same, is one figure. Influential settings that no line grades are
    there with what they usually rest on.

    Args:
        scenario: A ready one's name, or a file.
        overrides: Settings that lie over the file's.

    Raises:
        InputError: There is no such file, or it cannot be put together.
    """
    path = scenario if isinstance(scenario, Path) else find(scenario, "scenarios", None)
    root = assembled(read(path, rank=0), overrides).root
    found: dict[tuple[object, ...], Ground] = {}
    for keys, node in _leaves(root, ()):
        ground = _ground(".".join(map(_quoted, keys)), node)
        if ground is None:
            continue
        same = _ONE_OF_MANY.sub("", ground.key)
        is_one_of_many = same != ground.key
        mark = (ground._replace(keys=(same,)), is_one_of_many)
        known = found.get(mark)
        keys_now = ground.keys if known is None else (*known.keys, *ground.keys)
        found[mark] = ground._replace(keys=keys_now)
    grounds = [ground._replace(keys=_ordered(ground.keys)) for ground in found.values()]
    grounds += _ungraded(root, {key for ground in grounds for key in ground.keys})
    grounds.sort(key=lambda ground: (WEAKEST_FIRST.index(ground.grade), _rank(ground)))
    return tuple(grounds)


def with_ranges(
    foundations: Sequence[Foundation], scenario: Scenario, file: Path | None
) -> tuple[Foundation, ...]:
    """Return what results rest on with the ranges that are plausible.

    Args:
        foundations: Of the scenario.
        scenario: As it is simulated.
        file: Where it was read; a ready scenario's is known by its name.
    """
    path = file or ready_files("scenarios").get(scenario.name)
    if path is None:
        return tuple(foundations)
    try:
        grounds = grounds_of(path)
    except ChurnsimError:  # gone or changed since: then it proves nothing
        return tuple(foundations)
    ranges = {key: ground.range_text for ground in grounds for key in ground.keys}
    return tuple(
        item
        if item.source == CHANGED.text
        else item._replace(range=ranges.get(item.key, ""))
        for item in foundations
    )


def _ground(key: str, node: Node) -> Ground | None:
    """Return what a setting rests on; None where its line does not say."""
    value = shown(plain(node))
    if _is_changed(node):
        grade, text = CHANGED
        return Ground((key,), value, grade, "assumed", text, (), "", *[None] * 4)
    if node.place.line is None:
        return None
    said = _said(Path(node.place.file)).get(node.place.line)
    if said is None:
        return None
    grade, text = said.evidence
    record = _record_of(Path(node.place.file), said.key)
    if record is not None:
        return Ground(
            (key,),
            value,
            grade,
            record.basis,
            text,
            tuple(recorded().sources[name] for name in record.sources),
            record.vary,
            record.low,
            record.high,
            record.whose,
            record.fixed,
        )
    basis = "assumed" if grade == ASSUMED else "seen"
    if said.span is None:
        return Ground((key,), value, grade, basis, text, (), "", *[None] * 4)
    low, high = (_setting(end) for end in said.span)
    vary = "mean" if "mean" in node.table() else ""
    return Ground((key,), value, grade, basis, text, (), vary, low, high, "ours", None)


def _ungraded(root: Node, graded: Set[str]) -> Iterator[Ground]:
    """Yield influential settings of which no line says what they rest on."""
    settings = {".".join(map(_quoted, keys)): node for keys, node in _leaves(root, ())}
    for pattern, (grade, text) in INFLUENTIAL.items():
        head, star, tail = pattern.partition("*")
        keys = [pattern]
        if star:
            keys = [k for k in settings if k.startswith(head) and k.endswith(tail)]
        basis = "assumed" if grade == ASSUMED else "seen"
        for key in keys:
            if key not in graded:
                node = settings.get(key)
                value = shown(plain(node)) if node else DEFAULT
                yield Ground((key,), value, grade, basis, text, (), "", *[None] * 4)


def _leaves(node: Node, keys: Key) -> Iterator[tuple[Key, Node]]:
    """Yield each setting with its path; laws and lists of hoops are settings."""
    if isinstance(node.value, list) and any(item.get("name") for item in node.array()):
        for i, item in enumerate(node.array(), start=1):
            name = item.get("name")
            word = name.value if name and isinstance(name.value, str) else str(i)
            yield from _leaves(item, (*keys, word))
    elif isinstance(node.value, dict) and "law" not in node.value:
        for key, below in node.table().items():
            yield from _leaves(below, (*keys, key))
    else:
        yield keys, node


def _is_changed(node: Node) -> bool:
    """Return whether a setting, or a part of it, was set for this run."""
    below = [*node.table().values(), *node.array()]
    is_set = node.place.rank >= OVERRIDE_RANK and node.place.line is None
    return is_set or any(map(_is_changed, below))


@functools.lru_cache(maxsize=64)
def _read(path: Path, _version: tuple[int, int]) -> Mapping[int, Graded]:
    return graded_lines(path.read_text(encoding="utf-8-sig"), read(path, rank=0))


def _said(path: Path) -> Mapping[int, Graded]:
    """Return what the comments of a file say, by line; each version is read once."""
    about = path.stat()
    return _read(path, (about.st_mtime_ns, about.st_size))


def _record_of(path: Path, key: str) -> Record | None:
    """Return what is recorded of a ready file's figure; None of any other file."""
    folder = path.resolve().parent
    if folder.parent != configs_folder().resolve():
        return None
    return recorded().files.get((folder.name, path.stem), {}).get(key)


def _ordered(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return settings with those of the flawless firm, which nobody asks for, last."""
    return tuple(sorted(keys, key=lambda key: key.startswith(f"policy.{FLAWLESS}.")))


def _rank(ground: Ground) -> int:
    """Return where a figure stands among those of its grade."""
    for place, pattern in enumerate(INFLUENTIAL):
        head, star, tail = pattern.partition("*")
        is_it = ground.key.startswith(head) and ground.key.endswith(tail)
        if is_it if star else ground.key == pattern:
            return place
    return len(INFLUENTIAL)


def _quoted(name: str) -> str:
    """Return a part of a key as `--set` takes it."""
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _setting(text: str) -> str:
    """Return an end of a range that a comment names, as `--set` takes it."""
    try:
        float(text)
    except ValueError:
        return toml_value(text.strip("\"'"))
    return text


def _unquoted(setting: str) -> str:
    return json.loads(setting) if setting.startswith('"') else setting
