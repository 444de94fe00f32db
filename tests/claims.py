"""Claims in prose: figures that must say where they come from.

A block is a paragraph, an item of a list, a table or a shown output. A claim is a
share, an amount, a factor, a measured time or size, or any other decimal in it. A block
may make claims where one of these holds:

- it cites (a name and a year, or a link), says grade A to D, or names the command in
  code;
- the block before or after it is code with a command;
- what it says is what an output shown on the page says, to the letter;
- it bears a mark, or its section does, right below the heading:
  `<!-- source: ... -->`, `<!-- made by: command -->` or `<!-- set: what -->`, the last
  for what is chosen and not found: a setting, an example, a definition. Right below the
  title it is of the whole page.

Citations and commands count for the sentence they stand in, or the row of a table.
Code spans are what one types and claim nothing. `DEFINED` lists what is no claim
anywhere. Numbers in words, and plain whole numbers, are not looked at.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

NUMBER = r"(?<![\w.,/-])\d[\d,]*(?:\.\d+)?"
CLAIMS = (
    rf"{NUMBER}(?: to {NUMBER})?\s?%",
    r"[$€£]\s?\d[\d,]*(?:\.\d+)?(?:\s?[MkB]\b)?",
    rf"{NUMBER}(?: to {NUMBER})? times\b",
    rf"{NUMBER}(?: to {NUMBER})? (?:ns|µs|ms|s|seconds?|minutes|[KMG]B)\b",
    r"(?<![\w.,/-])\d+\.\d+(?!\w|\.\d)",
)
CLAIM = re.compile("|".join(CLAIMS))
# What is the same everywhere: how sure an interval is, all and nothing.
DEFINED = (
    r"95 % (?:interval|CI)s?",
    r"95 % from",
    r"\b(?:0|100) %",
    r"90 % (?:wait|do not)",
    r"Python 3\.\d+",
    r"\b(?:section|sections|equation|eq\.) [\d.]+",
)
CITATION = re.compile(
    r"[A-Z][\w’'-]+(?:,? (?:& |and )?[A-Z][\w’'-]+)*(?: et al\.)?,? \(?(?:19|20)\d\d\b"
    r"|\]\([^)]+\)|\bgrades? [A-D]\b|(?:\(|; )[A-D](?:\)|, )"
)
MARK = re.compile(r"<!-- (source|made by|set|output|table): (.+?) -->", re.DOTALL)
COMMAND = re.compile(r"\b(?:(?:churnsim|pytest|make) \S+|python (?:-m \S+|\S+\.py))")
CODE_SPAN = re.compile(r"`[^`]+`")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z*`])|(?<=\|)\n")
NUMBERED = re.compile(r"(?m)^\W*(\d+\.\d+) ")  # of a page's own parts


class Block(NamedTuple):
    """A part of a page between blank lines, or a code block."""

    kind: str  # "heading", "prose", "code" or "mark"
    line: int  # its first, counted from 1
    text: str


class Unsourced(NamedTuple):
    """A claim that does not say where it comes from."""

    line: int
    claim: str
    text: str  # of its block


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page."""
    found: list[Block] = []
    lines = page.splitlines()
    at = 0
    while at < len(lines):
        start = at
        if not lines[at].strip():
            at += 1
            continue
        if lines[at].startswith("```"):
            at += 1
            while at < len(lines) and not lines[at].startswith("```"):
                at += 1
            at += 1
            kind = "code"
        elif lines[at].startswith("    ") and (not found or _may_be_code(found[-1])):
            while at < len(lines) and (lines[at].startswith("    ") or not lines[at]):
                at += 1
            kind = "code"
        else:
            kind = "heading" if lines[at].startswith("#") else "prose"
            at += 1
            while kind == "prose" and at < len(lines) and _goes_on(lines[at]):
                at += 1
        text = "\n".join(lines[start:at]).strip("\n")
        if kind == "prose" and not MARK.sub("", text).strip():
            kind = "mark"
        found.append(Block(kind, start + 1, text))
    return found


def unsourced(page: str) -> list[Unsourced]:
    """Return the claims of a page that do not say where they come from."""
    parts = blocks(page)
    shown = "\n".join(part.text for part in parts if part.kind == "code")
    numbered = set(NUMBERED.findall(page))
    found = []
    of_page, of_section = False, False
    for i, part in enumerate(parts):
        before = parts[i - 1] if i else Block("heading", 0, "")
        if part.kind == "heading":
            of_section = False
        if part.kind == "mark" and before.kind == "heading":
            of_section = True
            of_page = of_page or before.text.startswith("# ")
        is_marked = of_page or of_section or before.kind == "mark"
        if part.kind != "prose" or is_marked or MARK.search(part.text):
            continue
        if _has_command(parts[max(0, i - 1) : i + 2]):
            continue
        found += [
            Unsourced(part.line + line, claim, sentence)
            for line, sentence in _sentences(part.text)
            if not _is_cited(sentence)
            for claim in _claims(sentence)
            if claim not in numbered and not _is_shown(claim, shown)
        ]
    return found


def unmade(page: str) -> list[int]:
    """Return the lines at which an output is shown without the command behind it."""
    parts = blocks(page)
    return [
        part.line
        for i, part in enumerate(parts)
        if part.text.startswith("```text")
        and not COMMAND.search(part.text)
        and not _has_command(parts[max(0, i - 2) : i])
        and not any(MARK.search(block.text) for block in parts[max(0, i - 1) : i])
    ]


def marks(page: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and the words of each mark of a page."""
    yield from ((found[1], " ".join(found[2].split())) for found in MARK.finditer(page))


def _sentences(text: str) -> Iterator[tuple[int, str]]:
    """Yield each sentence, or row of a table, with how many lines are above it."""
    at = 0
    for end in SENTENCE_END.finditer(text + "\n"):
        sentence = text[at : end.end()]
        yield text[:at].count("\n"), sentence
        at = end.end()
    yield text[:at].count("\n"), text[at:]


def _claims(sentence: str) -> list[str]:
    """Return what a sentence claims; what cannot be a claim is blanked out."""
    for blank in (CODE_SPAN, *map(re.compile, DEFINED)):
        sentence = blank.sub(" ; ", sentence)
    return CLAIM.findall(sentence)


def _is_cited(sentence: str) -> bool:
    spans = " ".join(CODE_SPAN.findall(sentence))
    return bool(CITATION.search(sentence) or COMMAND.search(spans))


def _has_command(near: list[Block]) -> bool:
    codes = " ".join(block.text for block in near if block.kind == "code")
    return COMMAND.search(codes) is not None


def _is_shown(claim: str, shown: str) -> bool:
    return re.search(rf"(?<![\d.,]){re.escape(claim)}(?!\d)", shown) is not None


def _may_be_code(before: Block) -> bool:
    """Return whether indented lines after a block are code, not an item's own."""
    return not before.text.lstrip().startswith(("- ", "* "))


def _goes_on(line: str) -> bool:
    """Return whether a line belongs to the paragraph, item or table above it."""
    is_new = line.startswith(("#", "```", "- ", "* ")) or re.match(r"\d+\. ", line)
    return bool(line.strip()) and not is_new
