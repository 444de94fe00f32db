"""Tables as Markdown: the CSV's numbers, and no text that is more than text."""

import csv
import io

import pytest

from churnsim.experiment import Comparison, Execution, csv_text
from churnsim.experiment.store.markdown import escaped, markdown_table, markdown_text
from churnsim.experiment.store.tables import SMALL, tables_of

pytestmark = pytest.mark.compiled


def cells(line: str) -> list[str]:
    """Return the cells of a line, as a reader of Markdown splits it."""
    assert line.startswith("| ")
    assert line.endswith(" |")
    return [cell.strip() for cell in line[1:-1].split("|")]


def test_markdown__has_the_numbers_of_the_csv(comparison: Comparison) -> None:
    """Row by row and cell by cell, digits and all."""
    tables = tables_of(comparison.explained(Execution(threads=1)))
    assert set(SMALL) < set(tables)
    for name in SMALL:
        text = markdown_text(tables[name])
        head, rule, *rows = text.splitlines()
        written = list(csv.reader(io.StringIO(csv_text(tables[name]))))
        assert cells(head) == written[0]
        assert set(rule) <= set("|:- ")
        assert len(cells(rule)) == len(written[0])
        for line, row in zip(rows, written[1:], strict=True):
            guarded = [cell.removeprefix("'") for cell in row]
            assert cells(line) == [escaped(cell) for cell in guarded]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("slow_and_dishonest", "slow_and_dishonest"),
        ("a|b", "a&#124;b"),
        ("a\\|b\\", "a&#92;&#124;b&#92;"),
        ("<script>alert(1)</script>", "&#60;script&#62;alert(1)&#60;/script&#62;"),
        ("&lt;b&gt;", "&#38;lt;b&#38;gt;"),
        ("![x](y) [z](w)", "&#33;&#91;x&#93;(y) &#91;z&#93;(w)"),
        ("*bold* _it_ `code` ~~no~~", None),
        ("two\nlines\r\n\u2028three\ttabs", "two lines three tabs"),
        ("https://x.example www.x.example a@x.example", None),
        ("\x1b[31mred\u202e", "&#91;31mred"),
        ("# head", "&#35; head"),
        ("=1+1", "=1+1"),
    ],
)
def test_markdown__text_is_text(text: str, shown: str | None) -> None:
    """No mark of Markdown or HTML is left that could mean anything."""
    found = escaped(text)
    assert shown is None or found == shown
    bare = found.replace("&#", "")
    assert not set(bare) & set("|`*[]<>&\\~\n\r\x1b")
    assert " _" not in bare
    assert "://" not in found
    assert "@" not in found
    assert "www." not in found


def test_markdown__names_cannot_add_a_cell_or_a_row() -> None:
    """Each line has as many cells as there are columns, whatever the names."""
    evil = ["a|b|c", "x\n|---|---|\n| y | z |", "", "\\"]
    text = markdown_table(
        ("name", "n|o"), [(name, "1") for name in evil], (True, False)
    )
    lines = text.splitlines()
    assert len(lines) == 2 + len(evil)
    assert {len(cells(line)) for line in lines} == {2}
