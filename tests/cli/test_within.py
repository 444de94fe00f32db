"""How far a long replication, or a long point, has come: told by all that simulates."""

from pathlib import Path

import pytest

from churnsim.cli import progress as bars
from churnsim.errors import InputError
from tests.cli.conftest import Command

# More than are drawn at once, so that drawing them tells, too; half a second a policy.
MANY = "population.customers=50000"
SIZE = ("--set", MANY, "--horizon", "6 months", "--threads", "1")
ONCE = ("--replications", "1", *SIZE)
KEPT = ("--replications", "2", *SIZE, "--out", "kept")
ENOUGH = 3  # shares that are told, after which it need not go on
SWEEP = """
scenario = "telecom"
policies = ["slow"]
replications = 1

[set]
"population.customers" = 50000
horizon = "6 months"

[[factor]]
field = "market.lock_in"
values = [3.0, 4.0]
"""
COMMANDS = {
    "run": (("run", "telecom", *ONCE),),
    "explain": (("explain", "telecom", "--from", "slow", *ONCE),),
    "counterfactuals": (("counterfactuals", "telecom", *ONCE),),
    "staff": (("staff", "telecom", "--target", "80% in 20s", *ONCE),),
    "breakeven": (
        (
            *("breakeven", "telecom", "--lever", "market.discovery"),
            *("--policy", "dishonest", *ONCE),
        ),
    ),
    "robust": (
        (
            *("robust", "telecom", "--points", "1", "--replications", "2"),
            *("--set", MANY, "--set", "horizon=6 months", "--threads", "1"),
        ),
    ),
    "sweep": (("sweep", "sweep.toml", "--out", "swept", "--threads", "1"),),
    "extend": (
        ("run", "telecom", *KEPT),
        ("extend", "kept", "--replications", "3", "--threads", "1"),
    ),
    "verify": (("run", "telecom", *KEPT), ("verify", "kept", "--threads", "1")),
}


@pytest.mark.compiled
@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_within__is_told_by_every_command(
    churnsim: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """While one replication or point is under way, the share of it that is done."""
    (tmp_path / "sweep.toml").write_text(SWEEP)
    *before, words = COMMANDS[name]
    for others in before:
        assert churnsim(*others).code == 0
    shares: list[float] = []

    def within(_: bars.Report, share: float) -> None:
        shares.append(share)
        if len(set(shares)) == ENOUGH:
            raise InputError("enough")

    monkeypatch.setattr(bars.Report, "within", within)
    churnsim(*words)
    assert len(set(shares)) == ENOUGH
    assert all(0.0 < share <= 1.0 for share in shares)


def test_within__tells_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """From a second on, by the speed since the first share; afresh for the next one."""
    now = [100.0]
    monkeypatch.setattr("churnsim.cli.progress.time.monotonic", lambda: now[0])
    told: list[str] = []
    report = bars.Report(lambda *_: None, told.append)
    moments = [(100.5, 0.1), (102.0, 0.2), (104.0, 0.4), (105.0, 0.1), (107.0, 0.2)]
    for at, share in moments:
        now[0] = at
        report.within(share)
    assert told == [
        "10% of the next one",
        "20% of the next one, about 8 s left of it",
        "40% of the next one, about 6 s left of it",
        "10% of the next one",
        "20% of the next one, about 16 s left of it",
    ]
