"""docs/from_log_to_decision.md: typed as it stands, it prints what it shows."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import ROOT, Command

TEXT = (ROOT / "docs" / "from_log_to_decision.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
APART = 0.1  # share of a figure that libraries of linear algebra may move


def numbers(line: str) -> list[float]:
    """Return the numbers of a line."""
    return [float(text.replace(",", "")) for text in NUMBER.findall(line)]


def is_like(shown: str, printed: str) -> bool:
    """Return whether two lines have the same words, and nearly the same figures."""
    words = [" ".join(NUMBER.sub("#", line).split()) for line in (shown, printed)]
    return words[0] == words[1] and numbers(printed) == pytest.approx(
        numbers(shown), rel=APART, abs=0.1
    )


@pytest.mark.compiled
def test_decision_page__prints_what_it_shows(
    churnsim: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log is made, read and fitted to; both intervals hold the hidden settings."""
    monkeypatch.chdir(tmp_path)
    (firm,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    Path("my_firm.toml").write_text(firm, encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - what a reader would type
    steps = re.findall(r"(?m)^    churnsim (.*)\n\n```text\n((?s:.*?))```", TEXT)
    assert len(steps) == 3
    for typed, shown in steps:
        answer = churnsim(*shlex.split(typed))
        assert answer.code == 0, answer.err
        printed = iter(answer.out.splitlines())
        for line in shown.splitlines():
            if line != "...":  # lines are left out there
                assert any(is_like(line, other) for other in printed), line
    hidden = dict(setting.split("=") for setting in names["hidden"])
    table = re.findall(r"(?m)^(\w+\.\S+) +\S+ % +(\S+) % +(\S+) %", steps[1][1])
    assert {field for field, _, _ in table} == hidden.keys()
    for field, low, high in table:
        assert float(low) < 100 * float(hidden[field]) < float(high)


def test_is_like__tells_words_and_figures_apart() -> None:
    """A figure a fifth off, another word, or a figure less is another line."""
    assert is_like("lost  $1,000 of 7", "lost $1,050 of 7")
    assert not is_like("lost $1,000 of 7", "lost $1,200 of 7")
    assert not is_like("lost $1,000 of 7", "kept $1,000 of 7")
    assert not is_like("lost $1,000 of 7", "lost $1,000 of")
