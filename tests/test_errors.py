"""The exception tree and how a problem reads."""

import pickle

import pytest

from churnsim import errors
from churnsim.errors import ChurnsimError, ExitCode, InputError, Problem, shown


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("InputError", 2),
        ("UnitError", 2),
        ("ResourceError", 3),
        ("StorageError", 4),
        ("PartialError", 5),
        ("InterruptedRun", 130),
    ],
)
def test_exit_code__is_the_documented_one(name: str, code: int) -> None:
    """Each error of the tree ends the command with its own code."""
    kind = getattr(errors, name)
    assert issubclass(kind, ChurnsimError)
    assert kind.exit_code == code == ExitCode(code)
    assert name in (errors.__doc__ or "")


def test_problem__reads_as_one_line() -> None:
    """File, line, field, rule, value and hint stand in this order."""
    problem = Problem("unknown key", "a.toml", 8, "market.rte", 3, "did you mean 'x'?")
    assert str(problem) == "a.toml:8: market.rte: unknown key; got 3; did you mean 'x'?"
    assert str(Problem("must be there")) == "must be there"


def test_error__carries_its_problems() -> None:
    """Texts and problems mix; the message has one line each."""
    error = InputError("no such folder", Problem("must be 1", field="x", value=2))
    assert [problem.rule for problem in error.problems] == [
        "no such folder",
        "must be 1",
    ]
    assert str(error) == "no such folder\nx: must be 1; got 2"


def test_error__survives_the_way_between_processes() -> None:
    """An error raised in a worker arrives whole."""
    error = InputError(Problem("must be 1", "a.toml", 3, "x", 2))
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (copy.problems, copy.exit_code) == (error.problems, 2)


def test_error__does_not_flood() -> None:
    """Of very many problems the first fifty are shown, the others counted."""
    lines = str(InputError(*(f"problem {i}" for i in range(70)))).splitlines()
    assert lines[:2] == ["problem 0", "problem 1"]
    assert lines[50:] == ["and 20 more"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", '"a b"'),
        ("é\n", '"é\\n"'),
        (True, "true"),
        (1.5, "1.5"),
        ({"a": 1}, "a table"),
        ([1, 2], "an array of 2"),
        (10**500, "a number of more than 60 digits"),
        ("x" * 1000, '"' + "x" * 59 + "…"),
        ("\x1b[2J\u202e", '"\\u001b[2J\\u202e"'),
    ],
)
def test_shown__is_short_and_printable(value: object, text: str) -> None:
    """Values are shown as a file would hold them, without what a terminal obeys."""
    assert shown(value) == text
