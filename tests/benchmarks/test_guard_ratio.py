"""The guard's ratio: how often its rule errs, and what it does with times."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

import jsonschema
import numpy as np
import pytest

from benchmarks import contestants, guard, ratios
from benchmarks.contestants import Contestant, Told
from benchmarks.guarding import GuardDocument
from benchmarks.measuring import machine, spread_of
from benchmarks.ratios import ROUNDS, ROUNDS_MAX, Pair, Ratio, error_of, steady, verdict
from benchmarks.tracked import tracked
from churnsim.cli.bench_documents import SpreadDocument
from churnsim.cli.described import schema_of
from churnsim.errors import ChurnsimError, ExitCode, PartialError
from churnsim.records import Plan, Population

KERNEL, TWIN = 0.02, 0.25  # seconds


class Noise(NamedTuple):
    """How times scatter."""

    deviation: float  # of their logarithm
    outliers: float = 0.0  # share that takes twice as long


class Rates(NamedTuple):
    """What comes of many pairs of measurements, as shares."""

    slower: float
    refused: float  # no verdict


def times(
    random: np.random.Generator, slower: float, noise: Noise
) -> Callable[[], Pair]:
    """Return rounds of a kernel that takes so many times as long."""

    def take_turns() -> Pair:
        factor = np.exp(noise.deviation * random.standard_normal(2))
        factor *= 1.0 + (random.random(2) < noise.outliers)
        return KERNEL * slower * float(factor[0]), TWIN * float(factor[1])

    return take_turns


def rates(slower: float, noise: Noise, draws: int) -> Rates:
    """Return how often the rule finds a slowdown, and how often it says nothing."""
    random = np.random.default_rng(20_261_128)
    found = refused = 0
    for _ in range(draws):
        try:
            _, then = steady(times(random, 1.0, noise), 20.0)
            _, now = steady(times(random, slower, noise), 20.0)
        except PartialError:
            refused += 1
        else:
            found += verdict(then, now).is_slower
    return Rates(found / draws, refused / draws)


@pytest.mark.parametrize(
    ("noise", "draws", "errors"),
    [
        (Noise(0.05), 1_500, 0.002),
        (Noise(0.05, 0.05), 1_500, 0.002),
        (Noise(0.1), 400, 0.01),
    ],
)
def test_verdict__errs_rarely_either_way(
    noise: Noise, draws: int, errors: float
) -> None:
    """Scatter raises no alarm, and hides no slowdown of 25 %, nor does it stop both."""
    alarm, found = rates(1.0, noise, draws), rates(1.25, noise, draws)
    assert alarm.slower <= errors
    assert found.slower >= 1.0 - errors - found.refused
    assert max(alarm.refused, found.refused) <= 0.005


def test_verdict__is_none_where_times_say_nothing() -> None:
    """Where times scatter by a fifth, nobody is told that all is well."""
    found = rates(1.25, Noise(0.2), 100)
    assert found.refused >= 0.99


def test_verdict__is_not_a_matter_of_five_percent() -> None:
    """5 % slower for good passes nearly always; 25 % faster, too."""
    assert rates(1.05, Noise(0.05), 500).slower < 0.05
    assert rates(0.8, Noise(0.05), 500).slower == 0.0


def spread(median: float, reach: float = 0.01) -> SpreadDocument:
    """Return ratios whose quartiles lie so far to either side."""
    low, high = median * (1.0 - reach), median * (1.0 + reach)
    return {
        "low": low,
        "lower": low,
        "median": median,
        "upper": high,
        "high": high,
        "n": ROUNDS,
    }


@pytest.mark.parametrize(("now", "is_slower"), [(89.5, False), (89.4, True)])
def test_verdict__lies_at_half_of_the_slowdown(now: float, is_slower: bool) -> None:
    """Of 100, 1/√1.25 is 89.44: less is slower."""
    told = verdict(spread(100.0), spread(now))
    assert told.is_slower is is_slower
    assert told.change == pytest.approx(now / 100.0 - 1.0)
    assert "at least 0.894" in told.why


def test_error__is_that_of_a_median() -> None:
    """For a normal law it is 1.2533 σ/√n, as medians of many samples scatter."""
    random = np.random.default_rng(7)
    samples = np.exp(0.1 * random.standard_normal((4_000, 25)))
    scatter = float(np.log(np.median(samples, axis=1)).std())
    told = float(np.median([error_of(spread_of(row.tolist())) for row in samples]))
    assert told == pytest.approx(scatter, rel=0.08)
    assert error_of(spread(3.0, 0.0)) == 0.0


def test_steady__goes_on_until_the_median_is_known() -> None:
    """Scattering rounds are added to; where they never end, nothing is said."""
    random = np.random.default_rng(4)

    def noisy(deviation: float) -> Callable[[], Pair]:
        return lambda: (1.0, math.exp(deviation * random.standard_normal()))

    pairs, found = steady(noisy(0.16), 1.0)
    assert ROUNDS < len(pairs) <= ROUNDS_MAX
    assert error_of(found) <= ratios.ERROR_MAX
    with pytest.raises(PartialError, match="after 100 rounds; got"):
        steady(noisy(1.5), 1.0)


@pytest.mark.parametrize("pair", [(0.0, 1.0), (1.0, 0.0), (math.nan, 1.0)])
def test_steady__refuses_what_took_no_time(pair: Pair) -> None:
    """A clock that stands still measures nothing, and that is no pass."""
    with pytest.raises(PartialError, match="nothing is measured"):
        steady(lambda: pair, 1.0)


def typed(*words: str) -> int:
    """Return the exit code of the command."""
    with pytest.raises(SystemExit) as left:
        guard.main(words)
    return int(str(left.value.code))


def planted(median: float, **machine_now: str) -> Ratio:
    """Return a ratio without any timing."""
    on: Any = {**machine(), **machine_now}
    return Ratio(on, [0.02, 0.021, 0.03], [0.25, 0.26, 0.27], 10.0, 1.0, spread(median))


@pytest.fixture
def older(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Path:
    """Return what the command printed when the kernel was 200 times as fast."""
    plant(monkeypatch, planted(200.0))
    assert typed("--only", "ratio", "--json") == 0
    file = tmp_path / "before.json"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    return file


def plant(monkeypatch: pytest.MonkeyPatch, found: Ratio) -> None:
    """Let this be what is measured."""
    monkeypatch.setattr(ratios, "measure", lambda _, rounds: found)  # noqa: ARG005


def test_command__holds_a_ratio_against_an_older_one(
    older: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 where it is as it was, 1 where it fell, and both are documented."""
    document = json.loads(older.read_text(encoding="utf-8"))
    jsonschema.validate(document, schema_of(GuardDocument))
    assert document["ratio"]["status"] == "measured"
    words = ("--only", "ratio", "--compare", str(older))
    plant(monkeypatch, planted(190.0))
    assert typed(*words) == 0
    assert "as before: 190 times" in capsys.readouterr().out
    plant(monkeypatch, planted(160.0))
    assert typed(*words) == ExitCode.BUG
    assert "SLOWER: 160 times as fast as its twin, 200" in capsys.readouterr().out
    assert typed(*words, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    jsonschema.validate(told, schema_of(GuardDocument))
    assert told["ratio"]["change"] == pytest.approx(-0.2)


def test_command__compares_nothing_with_another_machine(
    older: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another processor is said, and alone it is no pass."""
    plant(monkeypatch, planted(10.0, processor="slide rule"))
    words = ("--only", "ratio", "--compare", str(older))
    assert typed(*words) == ExitCode.PARTIAL
    told = " ".join(capsys.readouterr().err.split())
    assert "left out: ratio: measured on another machine or versions" in told
    assert "and is slide rule" in told


def test_command__fails_where_nothing_can_be_timed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A clock that stands still ends with a code of its own."""

    def stands_still(*_: Any, **__: Any) -> Ratio:
        raise PartialError("must take time, or nothing is measured")

    monkeypatch.setattr(ratios, "measure", stands_still)
    assert typed("--only", "ratio") == ExitCode.PARTIAL
    assert "must take time" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"ratio": None}, "must hold the ratio of an earlier run"),
        ({"spread": {}}, "must hold the ratio of an earlier run"),
        ({"spread": {**spread(9.0), "lower": 0.0}}, "must hold the ratio"),
        ({"spread": {**spread(9.0), "n": 3}}, "must hold 15 rounds or more"),
        ({"spread": {**spread(9.0, 0.4)}}, "known to 2.5%"),
        ({"machine": None}, "must hold the ratio of an earlier run"),
    ],
)
def test_compare__refuses_what_says_too_little(
    change: dict[str, Any],
    rule: str,
    older: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An older document without ratios that mean something is refused."""
    document = json.loads(older.read_text(encoding="utf-8"))
    if "ratio" in change:
        document |= change
    else:
        document["ratio"] |= change
    older.write_text(json.dumps(document), encoding="utf-8")
    assert typed("--only", "ratio", "--compare", str(older)) == ExitCode.INPUT
    assert rule in capsys.readouterr().err


BENCHMARK = {
    *("group", "name", "fullname", "params", "param", "extra_info", "options", "stats")
}
STATS = {
    *("min", "max", "mean", "stddev", "rounds", "median", "iqr", "q1", "q3"),
    *("iqr_outliers", "stddev_outliers", "outliers", "ld15iqr", "hd15iqr"),
    *("ops", "total", "data", "iterations"),
}


def test_tracked__has_the_keys_of_pytest_benchmark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a file that pytest-benchmark 5.3.1 writes, and no other."""
    plant(monkeypatch, planted(200.0))
    file = tmp_path / "times.json"
    assert typed("--only", "ratio", "--pytest-benchmark", str(file)) == 0
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found.keys() == {
        *("machine_info", "commit_info", "benchmarks", "datetime", "version")
    }
    assert {"node", "cpu", "python_version", "system"} <= found["machine_info"].keys()
    assert {"id", "time", "dirty", "branch"} <= found["commit_info"].keys()
    assert [one["name"] for one in found["benchmarks"]] == ["kernel", "twin"]
    for one in found["benchmarks"]:
        assert one.keys() == BENCHMARK
        assert one["stats"].keys() == STATS
    assert found["benchmarks"][0]["extra_info"]["times_twin"]["median"] == 200.0


def test_tracked__tells_outliers() -> None:
    """Of 1 to 8 and 40: the mean is 76/9, and 40 is beyond both fences."""
    seconds = [*(float(i) for i in range(1, 9)), 40.0]
    ratio = planted(200.0)._replace(kernel_seconds=seconds)
    stats = tracked(ratio, {})["benchmarks"][0]["stats"]
    assert (stats["min"], stats["median"], stats["max"]) == (1.0, 5.0, 40.0)
    assert (stats["q1"], stats["q3"], stats["iqr"]) == (3.0, 7.0, 4.0)
    assert (stats["outliers"], stats["ld15iqr"], stats["hd15iqr"]) == ("1;1", 1.0, 8.0)
    assert stats["mean"] * stats["ops"] == pytest.approx(1.0)
    assert stats["total"] == 76.0


def slowed(share: float) -> Contestant:
    """Return the kernel with a busy loop behind it, of a share of its own time."""
    ours = contestants.kernel()

    def run(plan: Plan, people: Population, replication: int) -> Told:
        told = ours.run(plan, people, replication)
        began = process_time()
        while process_time() - began < share * told.seconds:
            pass
        return told._replace(seconds=told.seconds + process_time() - began)

    return ours._replace(run=run)


def test_measure__insists_on_the_twins_answers() -> None:
    """A kernel that counts one event more is no twin: no time is taken."""
    ours = contestants.kernel()

    def run(plan: Plan, people: Population, replication: int) -> Told:
        told = ours.run(plan, people, replication)
        assert told.n_events is not None
        return told._replace(n_events=told.n_events + 1)

    with pytest.raises(ChurnsimError, match="events"):
        ratios.measure(lambda _: None, ours._replace(run=run))


@pytest.mark.slow
@pytest.mark.compiled
def test_measure__finds_a_seeded_slowdown() -> None:
    """The real kernel passes beside itself, and fails with a busy loop of 25 %."""
    then, again, slow = (
        ratios.measure(lambda _: None, slowed(share)).spread
        for share in (0.0, 0.0, 0.25)
    )
    assert not verdict(then, again).is_slower
    assert verdict(then, slow).is_slower
