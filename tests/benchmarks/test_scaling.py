"""How speed scales: curves of what was measured, and nothing else."""

import json
import math
from pathlib import Path

import pytest

from benchmarks import native_loop, scaling
from benchmarks.curves import Curve, Point, curve_of
from benchmarks.scaling import CUSTOMERS


def test_curve__is_of_rounds_in_turn() -> None:
    """The first round is thrown away, points take turns, the median is shown."""
    turns: list[str] = []
    speeds = {"a": iter([9.0, 1.0, 2.0, 6.0]), "b": iter([9.0, 5.0, 5.0, 5.0])}

    def run(name: str) -> tuple[float, int]:
        turns.append(name)
        return next(speeds[name]), 7

    runs = {1.0: lambda: run("a"), 2.0: lambda: run("b")}
    found = curve_of(("it", "size", "speed"), runs, 3)
    assert "".join(turns) == "abababab"
    assert found.points == [Point(1.0, 2.0, 1.0, 6.0, 7), Point(2.0, 5.0, 5.0, 5.0, 7)]


@pytest.mark.parametrize(
    ("told", "rule"),
    [
        ([(1.0, 5), (1.0, 5), (1.0, 6)], "another count of events"),
        ([(1.0, 5), (1.0, 5), (0.0, 5)], "nothing was measured"),
        ([(1.0, 5), (1.0, 5), (math.nan, 5)], "nothing was measured"),
    ],
)
def test_curve__refuses_what_means_nothing(
    told: list[tuple[float, int]], rule: str
) -> None:
    """Events that change from round to round, or no speed, end it."""
    values = iter(told)
    with pytest.raises(SystemExit, match=rule):
        curve_of(("it", "size", "speed"), {1.0: lambda: next(values)}, 2)


@pytest.mark.compiled
def test_scaling__writes_all_curves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tiny run gives each curve, in figures, tables and a chart."""
    size = ["--customers", "300", "--max-customers", "1000", "--max-policies", "2"]
    scaling.main([*size, "--rounds", "1", "--out", str(tmp_path)])
    found = json.loads((tmp_path / "scaling.json").read_text(encoding="utf-8"))
    by_name = {curve["name"]: curve["points"] for curve in found["curves"]}
    assert list(by_name) == [
        "customers",
        *(["native"] if native_loop.available() is None else []),
        *("memory", "threads"),
        *("mistakes", "load", "policies"),
    ]
    assert 30.0 < by_name["memory"][0]["value"] < 2_000.0  # MB, with all libraries
    assert [point["x"] for point in by_name["load"]] == list(scaling.LOADS)
    # More mistakes, and longer contacts, are other runs: the plans did change.
    for name in ("mistakes", "load"):
        assert len({point["events"] for point in by_name[name]}) == len(by_name[name])
    assert [point["x"] for point in by_name["policies"]] == [1, 2]
    page = (tmp_path / "scaling.md").read_text(encoding="utf-8")
    assert page == capsys.readouterr().out.removesuffix("\n")
    assert "load of the front desk" in (tmp_path / "scaling.svg").read_text("utf-8")


def test_scaling__refuses_too_few_customers() -> None:
    """Fewer than the first point leave nothing to draw."""
    with pytest.raises(SystemExit, match="1,000"):
        scaling.main(["--max-customers", str(CUSTOMERS[0] - 1)])


def test_page__shows_large_numbers_whole() -> None:
    """Ten million is written out, since it is what one looks for."""
    curve = Curve("customers", "customers", "events", [Point(1e7, 2.0, 1.0, 3.0, 5)])
    assert "10,000,000" in scaling.page_of([curve], 20_000)


def test_native__is_left_out_without_a_compiler(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other curves are measured all the same, and it is said."""
    monkeypatch.setattr(native_loop, "COMPILERS", ("no-such-compiler",))
    assert scaling.by_native(1_000, 1) is None
    assert "no C++ compiler" in capsys.readouterr().out
