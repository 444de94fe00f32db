"""Which line of a TOML text holds which key.

Parsers of TOML keep no places. This scanner follows the same grammar without judging
it: the text has been parsed already, so what it cannot follow it only fails to place.
"""

from __future__ import annotations

import bisect
import re
import tomllib

Key = str | int
Path = tuple[Key, ...]

DEPTH_MAX = 32  # tables and arrays within each other
MARKS_MAX = 5000  # keys, items and headers: ten times a large scenario's

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"[ \t]*")
_BLANK_LINES = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_SCALAR = re.compile(r"[^,\]}#\n]*")
_STRUCTURE = re.compile(r"""["'\[\]{}.=,]|#[^\n]*""")


def excess(text: str) -> tuple[int, str] | None:
    """Return the line and the limit that a text exceeds, before it is parsed.

    Parsing, placing and judging take time that grows with the keys, and memory that
    grows with the depth, so both are limited whatever the text means.
    """
    position, depth, dots, marks = 0, 0, 0, 0
    while match := _STRUCTURE.search(text, position):
        mark, position = match[0], match.end()
        if mark[0] == "#":
            continue
        if mark in "\"'":
            position = string_end(text, match.start())
        elif mark == ".":
            dots += 1
        else:
            depth += (mark in "[{") - (mark in "]}" and depth > 0)
            marks += mark in "[{=,"
            dots = 0
        if depth > DEPTH_MAX or dots >= DEPTH_MAX:
            rule = f"must not be nested deeper than {DEPTH_MAX}"
        elif marks > MARKS_MAX:
            rule = f"must not hold more than {MARKS_MAX} keys and items"
        else:
            continue
        return text.count("\n", 0, position) + 1, rule
    return None


def string_end(text: str, start: int) -> int:
    """Return where the string that begins at `start` has ended."""
    quote = text[start]
    if not text.startswith(quote * 3, start):
        match = (_BASIC if quote == '"' else _LITERAL).match(text, start)
        if match:
            return match.end()
        newline = text.find("\n", start)
        return len(text) if newline < 0 else newline
    end = start + 3
    while (end := text.find(quote * 3, end)) >= 0:
        n_backslashes = 0
        while text[end - 1 - n_backslashes] == "\\":
            n_backslashes += 1
        if quote == '"' and n_backslashes % 2:
            end += 1
            continue
        extra = 0  # a text may end in one or two quotes of its own
        while extra < 2 and text.startswith(quote, end + 3 + extra):
            extra += 1
        return end + 3 + extra
    return len(text)


def lines_of(text: str) -> dict[Path, int]:
    """Return the line, from 1, of each key, table and array item of a valid text."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


class _Scanner:
    """Walks through a text once, noting where keys stand."""

    def __init__(self, text: str) -> None:
        self.text = text + "\n"
        self.position = 0
        self.newlines = [match.start() for match in re.finditer("\n", self.text)]
        self.lines: dict[Path, int] = {}
        self.n_items: dict[Path, int] = {}  # of arrays of tables

    def document(self) -> None:
        """Walk through headers and keys to the end, or to what is no TOML."""
        table: Path = ()
        while True:
            self.skip(_BLANK_LINES)
            if self.position >= len(self.text):
                return
            start = self.position
            if self.text[start] == "[":
                table = self.header()
            else:
                self.pair(table)
            if self.position == start:
                return

    def header(self) -> Path:
        """Return the path of `[a.b]` or `[[a.b]]`, with the index of its item."""
        line = self.line()
        is_item = self.text.startswith("[[", self.position)
        self.position += 1 + is_item
        parts = self.key()
        self.position = self.text.find("\n", self.position)
        path: Path = ()
        for i in range(len(parts)):
            path = (*path, parts[i])
            self.lines.setdefault(path, line)
            if is_item and i == len(parts) - 1:
                self.n_items[path] = self.n_items.get(path, 0) + 1
            if path in self.n_items:
                path = (*path, self.n_items[path] - 1)
                self.lines.setdefault(path, line)
        # A header may follow those of its own tables: its line is the better place.
        self.lines[path] = line
        return path

    def pair(self, table: Path) -> None:
        """Note a key within a table and what its value holds."""
        line = self.line()
        path = table
        for part in self.key():
            path = (*path, part)
            self.lines.setdefault(path, line)
        self.skip(_BLANK)
        if self.text.startswith("=", self.position):
            self.position += 1
            self.value(path)

    def value(self, path: Path) -> None:
        """Pass a value; note the places within arrays and inline tables."""
        self.skip(_BLANK)
        mark = self.text[self.position : self.position + 1]
        if mark and mark in "\"'":
            self.position = string_end(self.text, self.position)
        elif mark == "[":
            self.items(path)
        elif mark == "{":
            self.inline(path)
        else:
            self.skip(_SCALAR)

    def items(self, path: Path) -> None:
        """Pass an array."""
        self.position += 1
        index = 0
        while self.more("]"):
            self.lines.setdefault((*path, index), self.line())
            self.value((*path, index))
            index += 1

    def inline(self, path: Path) -> None:
        """Pass an inline table."""
        self.position += 1
        while self.more("}"):
            self.pair(path)

    def more(self, closing: str) -> bool:
        """Return whether an item follows; pass commas, or the closing bracket."""
        before = self.position
        self.skip(_BLANK_LINES)
        while self.text.startswith(",", self.position):
            self.position += 1
            self.skip(_BLANK_LINES)
        if self.text.startswith(closing, self.position):
            self.position += 1
            return False
        stuck = self.position == before and self.text[before - 1] not in "[{,"
        return self.position < len(self.text) and not stuck

    def key(self) -> list[str]:
        """Return the parts of a dotted key."""
        parts: list[str] = []
        while True:
            self.skip(_BLANK)
            start = self.position
            if self.text[start : start + 1] in {'"', "'"}:
                self.position = string_end(self.text, start)
                parts.append(_unquoted(self.text[start : self.position]))
            else:
                self.skip(_BARE)
                if self.position == start:
                    return parts
                parts.append(self.text[start : self.position])
            self.skip(_BLANK)
            if not self.text.startswith(".", self.position):
                return parts
            self.position += 1

    def skip(self, pattern: re.Pattern[str]) -> None:
        """Move behind what the pattern finds here, if it does."""
        match = pattern.match(self.text, self.position)
        if match:
            self.position = match.end()

    def line(self) -> int:
        """Return the line of the present position."""
        return bisect.bisect_left(self.newlines, self.position) + 1


def _unquoted(quoted: str) -> str:
    try:
        key = tomllib.loads(f"key = {quoted}")["key"]
    except tomllib.TOMLDecodeError:
        return quoted
    return str(key)
