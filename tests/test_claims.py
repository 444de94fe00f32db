"""No figure in the docs without the source or the command behind it."""

import re
from pathlib import Path

import pytest

from churnsim.cli import churnsim as group
from tests.claims import MARK, blocks, marks, unmade, unsourced

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
PLANTED = (
    "Firms that listen keep 12 % more of their customers.",
    "That is worth $1,200 a year to a firm.",
    "It is 40 times as fast as any other.",
    "A run takes 3 s.",
    "The correlation is 0.8342.",
    "| kept | lost |\n|---|---|\n| 61 % | 39 % |",
    "- Empowered staff keep 7.5 % more.",
)
GROUNDED = (
    "Of the unhappy, 37 % stay (TARP, as printed by Goodman 1999).",
    "Of the unhappy, 37 % stay (B).",
    "Of the unhappy, 37 % stay; see [the table](model.md).",
    "It is 40 times as fast: `python -m benchmarks.memory`.",
    "It keeps 12 % more:\n\n    churnsim run telecom --seed 2026",
    "<!-- made by: churnsim run telecom -->\nIt keeps 12 % more.",
    "<!-- source: a survey of 600 shoppers -->\n\nThey keep 12 % more.",
    "Give `60 %`, with a 95 % interval, on Python 3.11; 0 % is nobody.",
    "```text\nchurnsim run telecom\n  kept 12.5 %\n```\n\nOf them 12.5 % stay.\n\nEnd.",
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_docs__claim_nothing_without_a_source(page: Path) -> None:
    """Each figure cites, says its command, or is marked as chosen (`claims.py`)."""
    text = page.read_text(encoding="utf-8")
    assert [f"{page.name}:{x.line}: {x.claim!r}" for x in unsourced(text)] == []
    assert [f"{page.name}:{line}" for line in unmade(text)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_docs__marks_name_what_there_is(page: Path) -> None:
    """A mark's command is one of churnsim's, or a file of the project."""
    for kind, words in marks(page.read_text(encoding="utf-8")):
        first, *rest = words.split()
        if kind in {"made by", "output"}:
            if first == "churnsim":
                assert rest[0] in group.commands, words
            else:
                assert first in {"pytest", "python"}, words
                assert (ROOT / rest[0]).is_file(), words
        if kind == "table":
            tool = (ROOT / "tools" / "library_tables.py").read_text(encoding="utf-8")
            assert f'"{first}": ' in tool, words


@pytest.mark.parametrize("claim", PLANTED)
@pytest.mark.parametrize("place", ["alone", "in the README", "below a command"])
def test_claim__that_is_planted_is_found(claim: str, place: str) -> None:
    """A claim out of nowhere is found, also on a page full of sourced ones."""
    page = f"# A page\n\n{claim}\n\nMore text.\n"
    if place == "in the README":
        readme = PAGES[0].read_text(encoding="utf-8")
        page = readme.replace("## Your own firm\n", f"## Your own firm\n\n{claim}\n")
        assert page != readme
    if place == "below a command":
        page = f"# A page\n\n    churnsim run\n\nSome text.\n\n{claim}\n\nMore text.\n"
    assert unsourced(page)


@pytest.mark.parametrize("text", GROUNDED)
def test_claim__with_its_grounds_passes(text: str) -> None:
    """A citation, a grade, a link, a command beside it, a mark, an output shown."""
    assert unsourced(f"# A page\n\n{text}\n") == []


def test_claim__is_not_excused_by_another_sentence() -> None:
    """A source counts for its own sentence, a mark for its own block."""
    cited = "Of the unhappy, 37 % stay (TARP 1986). Ours keep 80 %."
    assert [x.claim for x in unsourced(cited)] == ["80 %"]
    marked = "<!-- source: a book -->\nHere 37 % stay.\n\nThere 80 % do."
    assert [x.claim for x in unsourced(marked)] == ["80 %"]
    assert unsourced(marked)[0].line == 4


def test_model__says_of_each_mechanism_what_speaks_against_it() -> None:
    """Each numbered part of the model's page has its evidence, with grades."""
    page = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    model, _, grounds = page.partition("## 11. ")
    parts = set(re.findall(r"(?m)^\W*([457]\.\d+) ", model))
    entries = dict(re.findall(r"(?ms)^\*\*([457]\.\d+) (.*?)(?=^\*\*|\Z)", grounds))
    assert parts == entries.keys()
    assert len(parts) >= 20
    of_convention = {"4.6", "5.4", "7.9"}
    told = {name for name, text in entries.items() if "*Against:*" in text}
    assert parts - told == of_convention


def test_output__without_its_command_is_found() -> None:
    """A shown output needs the command that makes it, right above or as its mark."""
    shown = "```text\nRevenue  $12.3 M\n```\n"
    assert unmade(f"# A page\n\nThis comes out:\n\n{shown}") == [5]
    assert unmade(f"<!-- output: churnsim run -->\n{shown}") == []
    assert unmade(f"    churnsim run\n\ngives\n\n{shown}") == []


def test_blocks__are_told_apart() -> None:
    """Headings, prose, items, tables, both kinds of code, and marks of their own."""
    page = (
        "# T\n\nA text\nof two lines.\n\n    churnsim run\n\n- one\n- two\n  more\n\n"
        "```text\n12 %\n\n13 %\n```\n<!-- set: a limit -->\n\n| a |\n|---|\n| 1 |\n"
    )
    kinds = [(block.kind, block.line) for block in blocks(page)]
    assert kinds == [
        ("heading", 1),
        ("prose", 3),
        ("code", 6),
        ("prose", 8),
        ("prose", 9),
        ("code", 12),
        ("mark", 17),
        ("prose", 19),
    ]
    assert MARK.findall(page) == [("set", "a limit")]
