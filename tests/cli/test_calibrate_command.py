"""`churnsim calibrate`: text, JSON, files, refusals, and Ctrl-C."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from churnsim.calibration import Plan, calibrate
from churnsim.cli import calibrate as command
from churnsim.cli.progress import Report
from churnsim.errors import ExitCode, InputError
from churnsim.experiment import Execution
from churnsim.scenario import Scenario, load_scenario
from tests.calibration.conftest import SHOP, TARGETS
from tests.cli.conftest import Answer, Command
from tests.data.made import SMALL, twice, write_log

pytestmark = pytest.mark.compiled

PROBABILITY = "mistakes.late.probability=0.01..0.2"
LOCK_IN = "market.lock_in=-1..4"
ASKED = ("shop.toml", "--targets", "targets.toml", "--parameter", PROBABILITY)
QUICK = """\
policy = "slow"
[[targets]]
figure = "repurchase"
outcome = "quick"
value = 0.9
of = 50
"""
WAIT = 'policy = "slow"\n[[targets]]\nfigure = "wait"\nvalue = "2 min"\nerror = "1 min"'
FEW = ("--simulations", "100", "--replications", "5", "--draws", "100")


@pytest.fixture(autouse=True)
def _files(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text(SHOP, encoding="utf-8")
    (tmp_path / "targets.toml").write_text(TARGETS, encoding="utf-8")


def words(answer: Answer) -> str:
    """Return what was told, whatever the lines."""
    return " ".join(answer.out.split())


def test_calibrate__text_json_and_files_agree(churnsim: Command) -> None:
    """The text has the document's sentence; files are what they are said to be."""
    given = ("calibrate", *ASKED, "--parameter", LOCK_IN, *FEW)
    answer = churnsim(*given, "--out", "fitted")
    assert answer.code == 0
    whole = json.loads(churnsim(*given, "--json").out)
    assert whole == json.loads(Path("fitted/calibration.json").read_text("utf-8"))
    assert whole["sentence"] in words(answer)
    assert all(text in words(answer) for text in whole["identifiability"])
    posterior = json.loads(Path("fitted/posterior.json").read_text("utf-8"))
    fields = [PROBABILITY.partition("=")[0], "market.lock_in"]
    assert [p["field"] for p in posterior["parameters"]] == fields
    assert len(posterior["draws"]) == 100
    assert posterior["weights"] is None
    assert posterior["kind"] == "posterior"
    base = load_scenario("shop.toml")
    assert posterior["digest"] == base.digest
    for draw in posterior["draws"][:3]:
        load_scenario("shop.toml", overrides=dict(zip(fields, draw, strict=True)))
    values = {p["field"]: p["setting"] for p in whole["parameters"]}
    fitted = load_scenario("fitted/fitted.toml")
    assert fitted.digest == load_scenario("shop.toml", overrides=values).digest
    refused = churnsim(*given, "--out", "fitted")
    assert refused.code == ExitCode.INPUT
    assert "--force" in refused.err


def test_calibrate__is_the_same_whatever_the_threads(churnsim: Command) -> None:
    """One thread and three give the same document, to the last bit."""
    given = ("calibrate", *ASKED, *FEW, "--json")
    outs = [churnsim(*given, "--threads", n).out for n in ("1", "3")]
    assert outs[0] == outs[1]


def test_calibrate__recovers_what_a_firm_was_made_with(
    churnsim: Command, tmp_path: Path
) -> None:
    """Figures of other customers, at known settings, lead back to these settings."""
    truth = {"mistakes.late.probability": 0.08, "market.lock_in": 0.5}
    written = made(tmp_path, {key: str(value) for key, value in truth.items()})
    (tmp_path / "targets.toml").write_text(written, encoding="utf-8")
    given = (*ASKED, "--parameter", LOCK_IN, "--simulations", "200")
    answer = churnsim("calibrate", *given, "--replications", "10", "--json")
    found = json.loads(answer.out)
    assert found["is_determined"]
    for parameter in found["parameters"]:
        assert parameter["low"] < truth[parameter["field"]] < parameter["high"]
        assert parameter["left"] < 0.5


def made(folder: Path, settings: dict[str, str], seed: int = 99) -> str:
    """Return targets of a firm with settings, of twenty times as many customers."""
    import numpy as np

    from churnsim.calibration.figures import FIGURES, Seen, value_of
    from churnsim.simulation import simulate, with_events

    many = {
        **settings,
        "population.customers": "6000",
        "policy.slow.speed.agents": "20",
    }
    scenario = load_scenario(folder / "shop.toml", overrides=many)
    seen = Seen(with_events(simulate(scenario, "slow", seed=seed)))
    lines = ['policy = "slow"']
    for name, unit, of in (
        ("churn", "/year", 6000),
        ("complaint_rate", "/year", 6000),
        ("repurchase.silent", "", 1500),
    ):
        figure, _, outcome = name.partition(".")
        value = float(value_of(np.array(FIGURES[name].of(seen))))
        told = f'"{value}{unit}"' if unit else f"{value}"
        lines += ["[[targets]]", f'figure = "{figure}"', f"value = {told}"]
        lines += [f'outcome = "{outcome}"'] if outcome else []
        lines += [f"of = {of}"]
    return "\n".join(lines) + "\n"


def test_calibrate__says_what_moves_nothing_and_what_is_too_few(
    churnsim: Command,
) -> None:
    """A parameter without effect is named, as are more parameters than targets."""
    extra = ("--parameter", "costs.margin=0.3..0.9", "--parameter", LOCK_IN)
    more = ("--simulations", "115", *FEW[2:])
    answer = churnsim("calibrate", *ASKED, *extra, *more)
    assert answer.code == 0
    assert "costs.margin moves nothing" in words(answer)
    assert "3 parameters and 2 targets" in words(answer)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "needs --targets or --data"),
        (("--data", "events.csv"), "--data needs --policy"),
        (("--targets", "targets.toml", "--policy", "slow"), "it needs --data"),
        (("--targets", "targets.toml", "--mapping", "m.toml"), "it needs --data"),
    ],
)
def test_calibrate__says_what_goes_with_a_log(
    options: tuple[str, ...], told: str, churnsim: Command
) -> None:
    """Something must be observed, and of a log it must be known under which policy."""
    answer = churnsim("calibrate", "shop.toml", *options, "--parameter", PROBABILITY)
    assert answer.code == ExitCode.INPUT
    assert told in answer.err


def test_calibrate__reads_a_log_beside_targets(
    churnsim: Command, tmp_path: Path
) -> None:
    """Both are met side by side, and the command that is told again has both."""
    rows = twice(SMALL, 40).replace("contact", "COMPLAINT")
    write_log(tmp_path / "events.csv", rows)
    (tmp_path / "mapping.toml").write_text('[events]\nCOMPLAINT = "contact"\n')
    log = ("--data", "events.csv", "--mapping", "mapping.toml", "--policy", "slow")
    given = ("calibrate", "shop.toml", "--parameter", PROBABILITY, *log, *FEW)
    alone = json.loads(churnsim(*given, "--json").out)
    assert {target["source"] for target in alone["targets"]} == {"events.csv"}
    (tmp_path / "targets.toml").write_text(WAIT, encoding="utf-8")
    answer = churnsim(*given, "--targets", "targets.toml")
    assert answer.code == 0, answer.err
    met = [*(target["figure"] for target in alone["targets"]), "wait"]
    assert all(f" {figure}" in words(answer) for figure in met)
    assert f"--targets targets.toml {' '.join(log)}" in words(answer)


@pytest.mark.parametrize("width", [60, 140])
def test_calibrate__fits_the_width(
    width: int, churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is wider than the terminal, but for the command to type."""
    monkeypatch.setattr(command, "columns", lambda: width)
    lines = churnsim("calibrate", *ASKED, *FEW).out.splitlines()
    told = [line for line in lines if not line.strip().startswith("churnsim ")]
    assert max(map(len, told)) <= width


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--parameter", "market.lock_inn=1..2"), "did you mean"),
        (("--parameter", "market.lock_in"), "must be FIELD=LOW..HIGH"),
        (("--parameter", "market.lock_in=3..2"), "must be below high"),
        (("--parameter", "market.stated_to_actual=0.2..1.5"), "in [0, 1]"),
        (("--parameter", "market.lock_in=-1..2 log"), "must be above 0"),
        (("--parameter", PROBABILITY), "must not be given twice"),
        (("--parameter", "horizon=1 year..2 years"), "must not be calibrated"),
        (("--parameter", "market.period=1..2"), "must be"),
        (("--simulations", "20"), "must be at least"),
        (("--plots",), "--plots: needs --out"),
        (("--targets", "nowhere.toml"), "must be a file that can be read"),
        (("--set", "sites=2"), "must be 1"),
    ],
)
def test_calibrate__refuses_in_one_line(
    arguments: tuple[str, ...], told: str, churnsim: Command
) -> None:
    """What cannot be is refused with exit code 2, and nothing goes to the output."""
    answer = churnsim("calibrate", *ASKED, *arguments)
    assert (answer.code, answer.out) == (ExitCode.INPUT, "")
    assert told in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("targets", "told"),
    [
        (TARGETS.replace("slow", "slwo"), "did you mean 'slow'?"),
        ('policy = "slow"\n', "needs at least one target"),
        (QUICK, "repurchase (quick) has no data"),
    ],
)
def test_calibrate__refuses_targets_of_another_firm(
    targets: str, told: str, churnsim: Command
) -> None:
    """A policy that is not there, no target, and one that no run has data for."""
    Path("targets.toml").write_text(targets, encoding="utf-8")
    never = ("--set", "policy.slow.speed.repair=90 days")
    answer = churnsim("calibrate", *ASKED, *FEW, *never)
    assert (answer.code, answer.out) == (ExitCode.INPUT, "")
    assert told in answer.err


@pytest.mark.parametrize("value", ["0/year", "50/year"])
def test_calibrate__tells_where_no_values_meet_a_target(
    value: str, churnsim: Command
) -> None:
    """No churn and all churned are targets like others, which may be out of reach."""
    text = f'policy = "slow"\n[[targets]]\nfigure = "churn"\nvalue = "{value}"\n'
    Path("targets.toml").write_text(f"{text}of = 5000\n", encoding="utf-8")
    answer = churnsim("calibrate", *ASKED, *FEW)
    assert answer.code == 0
    assert "meets all targets: churn stays more than 3 errors away" in words(answer)
    assert "late.probability fits best at an end of its range" in words(answer)


def test_calibrate__stopped_shows_what_is_known(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C after the first round tells what is known, writes nothing, leaves 130."""

    @contextmanager
    def impatient(_: str) -> Iterator[Report]:
        def report(done: int, _total: int, _failed: int) -> None:
            if done >= 80:
                raise KeyboardInterrupt

        yield Report(report, lambda _: None)

    left: list[int] = []
    monkeypatch.setattr(command, "progress", impatient)
    monkeypatch.setattr("churnsim.cli.os._exit", left.append)
    answer = churnsim("calibrate", *ASKED, *FEW, "--out", "fitted", "--threads", "1")
    assert left == [ExitCode.INTERRUPTED] == [answer.code]
    assert "PARTIAL: stopped after" in answer.out
    assert "fitted was not written" in answer.err
    assert not Path("fitted").exists()


def test_calibrate__writes_charts(churnsim: Command) -> None:
    """With --plots the fit and what is known are drawn."""
    answer = churnsim("calibrate", *ASKED, *FEW, "--out", "drawn", "--plots")
    assert answer.code == 0
    for name in ("fit.svg", "identifiability.svg"):
        assert Path("drawn", name).read_text(encoding="utf-8").startswith("<svg")


def test_calibrate__refuses_outcomes_that_runs_cannot_tell(tmp_path: Path) -> None:
    """Where mistakes differ in what is quick, a run does not tell which one it was."""
    (tmp_path / "targets.toml").write_text(QUICK, encoding="utf-8")
    with pytest.raises(InputError, match="what is quick differs between the mistakes"):
        calibrate(
            "telecom",
            tmp_path / "targets.toml",
            ["market.lock_in=2..5"],
            overrides={"mistakes.billing.tolerance": "12 h"},
        )


def test_calibrate__takes_a_scenario_that_is_loaded(tmp_path: Path) -> None:
    """In Python the scenario may be a record, and other customers are drawn anew.

    A parameter of the population changes the customers themselves.
    """
    scenario = load_scenario(tmp_path / "shop.toml")
    assert isinstance(scenario, Scenario)
    found = calibrate(
        scenario,
        tmp_path / "targets.toml",
        ["market.dropout.a=0.5..3"],
        plan=Plan(80, 5, 50, execution=Execution(threads=2)),
    )
    assert found.to_arrow().num_rows == 50
    assert found.identifiability.left[0] < 0.9
