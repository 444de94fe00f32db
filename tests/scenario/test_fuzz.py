"""Whatever a file holds, it is loaded or refused in words."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from churnsim.errors import ChurnsimError
from churnsim.scenario import load_scenario
from tests.scenario.examples import PURCHASE

LINES = PURCHASE.splitlines()
KEYS = sorted({line.split(" =")[0] for line in LINES if " = " in line})
ODD = [
    *["nan", "inf", "-inf", "1e400", "-1", "0", "0.5", "1e308", "true", "1979-05-27"],
    *['""', '"inf"', '"6 min"', '"$5"', '"12/year"', '"60 %"', '"\\u0000"', '"¤1e9"'],
    *["[]", "{}", "[[]]", '{ law = "constant" }', '{ law = "gamma", shape = 1 }'],
    *['{ law = "uniform", low = 1, high = 0 }', '["slow", 3]', '["x"]', "[{ a = 1 }]"],
    *[str(2**64), str(2**2000), '"1e99999999 s"', '"stationary"', '"slow"', '"€"'],
]
HEADERS = [
    *["[policy.slow]", "[policy.x.speed]", "[policy_defaults.reach]", "[[mistakes]]"],
    *["[market.word_of_mouth]", "[unanswered]", "[costs]", "[policy]", "[population]"],
]
edits = st.lists(
    st.tuples(
        st.integers(0, len(LINES)),
        st.sampled_from(
            [*KEYS, "extends", "transactions", "agents", "period", "handle"]
        ),
        st.sampled_from(ODD),
        st.sampled_from(["replace", "insert", "delete", "header"]),
        st.sampled_from(HEADERS),
    ),
    min_size=1,
    max_size=5,
)


def answer(path: Path, overrides: dict[str, str] | None = None) -> None:
    """Load a file and compile it; anything but a refusal in words fails the test."""
    try:
        scenario = load_scenario(path, overrides=overrides or {})
    except ChurnsimError as error:
        told = str(error).splitlines()
    else:
        scenario.plan(scenario.baseline)
        told = [scenario.digest]
    assert told
    assert all(line.isprintable() for line in told)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file to be written again and again."""
    return tmp_path_factory.mktemp("fuzz") / "scenario.toml"


@given(st.binary(max_size=300))
def test_bytes__are_answered_in_words(file: Path, content: bytes) -> None:
    """Random bytes are refused, never a traceback."""
    file.write_bytes(content)
    answer(file)


@given(st.integers(0, len(PURCHASE)), st.binary(min_size=1, max_size=4))
def test_damage__is_answered_in_words(file: Path, at: int, content: bytes) -> None:
    """A valid file with some bytes overwritten is loaded or refused."""
    raw = PURCHASE.encode()
    file.write_bytes(raw[:at] + content + raw[at + len(content) :])
    answer(file)


@settings(max_examples=200)
@given(edits)
def test_edits__are_answered_in_words(file: Path, changes: list[Any]) -> None:
    """Keys, values and headers in wrong places are loaded or refused."""
    lines = list(LINES)
    for index, key, value, action, header in changes:
        at = min(index, len(lines))
        if action == "insert":
            lines.insert(at, f"{key} = {value}")
        elif action == "header":
            lines.insert(at, header)
        elif at < len(lines) and " = " in lines[at]:
            name = lines[at].split(" =")[0]
            lines[at : at + 1] = [f"{name} = {value}"] * (action == "replace")
    file.write_text("\n".join(lines), encoding="utf-8")
    answer(file)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=40), st.text(max_size=40))
def test_overrides__are_answered_in_words(file: Path, key: str, value: str) -> None:
    """Random overrides are taken or refused."""
    file.write_text(PURCHASE, encoding="utf-8")
    answer(file, {key: value})


@given(st.sampled_from(KEYS), st.sampled_from(ODD))
def test_odd_values__are_read_as_toml(key: str, value: str) -> None:
    """The values of this file are TOML, so that they reach the validation."""
    assert key in tomllib.loads(f"{key} = {value}")
