"""Evidence: grades read from the comments of scenario and policy files."""

from pathlib import Path

import pytest

from churnsim.errors import InputError
from churnsim.scenario.evidence import Evidence, comments_in, evidence_of
from churnsim.scenario.files import list_scenarios, ready_files

FILE = """\
title = "No # D: comment" # just words
horizon = "1 year" # D: convenient
seed = 1 # E: no such grade

[market] # C: the whole table
lock_in = 1.0 # B: a survey
memory = { law = "exponential", mean = "86 days" } # D: half-lives vary
"stated_to_actual" = 0.35 #A: measured, see # 12

[[mistakes]]
name = "late"
probability = 0.1 # D: rarely counted

[[mistakes]]
probability = 0.2 # C: recalled

[policy.slow]
speed.agents = 3 # D: a round number
speed.handle = "6 min" # B: a report
reach.hoops = [{ time = "30 s", give_up = 0.01 }] # D: a menu

[costs]
text = \"\"\"
lock_in = 3 # D: not a comment
\"\"\"
"""


def write(folder: Path, name: str, text: str) -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_evidence__is_read_by_key(tmp_path: Path) -> None:
    """Each grade belongs to the key that begins its line, laws and arrays included."""
    assert evidence_of(write(tmp_path, "a.toml", FILE)) == {
        "horizon": Evidence("D", "convenient"),
        "market": Evidence("C", "the whole table"),
        "market.lock_in": Evidence("B", "a survey"),
        "market.memory": Evidence("D", "half-lives vary"),
        "market.stated_to_actual": Evidence("A", "measured, see # 12"),
        "mistakes.late.probability": Evidence("D", "rarely counted"),
        "mistakes.2.probability": Evidence("C", "recalled"),
        "policy.slow.speed.agents": Evidence("D", "a round number"),
        "policy.slow.speed.handle": Evidence("B", "a report"),
        "policy.slow.reach.hoops": Evidence("D", "a menu"),
    }


def test_evidence__of_a_replaced_value_goes_with_it(tmp_path: Path) -> None:
    """A file inherits grades, but not those of values that it replaces."""
    write(tmp_path, "a.toml", FILE)
    path = write(
        tmp_path,
        "b.toml",
        'extends = "a.toml"\nhorizon = "2 years"\n[market]\nlock_in = 2.0 # D: mine\n',
    )
    found = evidence_of(path)
    assert "horizon" not in found
    assert found["market.lock_in"] == Evidence("D", "mine")
    assert found["market.memory"].grade == "D"


def test_evidence__of_a_policy_file(tmp_path: Path) -> None:
    """Policy files are graded the same way, along their own chain."""
    path = write(
        tmp_path,
        "p.toml",
        'extends = "slow"\n[authority]\nlimit = "$20" # B: a hotel chain\n',
    )
    assert evidence_of(path)["authority.limit"] == Evidence("B", "a hotel chain")


def test_evidence__of_all_ready_files_can_be_read() -> None:
    """No ready scenario or policy holds a grade that is read wrongly."""
    assert list_scenarios()
    for kind in ("scenarios", "policies"):
        for path in ready_files(kind).values():
            assert all(e.grade in "ABCD" for e in evidence_of(path).values())


def test_comments__are_not_found_in_texts() -> None:
    """A hash in quotes is no comment, after the quotes it is."""
    text = 'a = \'# no\' # yes\nb = """\n# no\n"""\n# end'
    assert list(comments_in(text)) == [(1, "# yes"), (5, "# end")]


def test_evidence__of_a_broken_file_is_refused(tmp_path: Path) -> None:
    """What is no TOML has no evidence."""
    with pytest.raises(InputError):
        evidence_of(write(tmp_path, "c.toml", "a = # D: what?"))
