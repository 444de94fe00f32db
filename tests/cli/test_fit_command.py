"""`churnsim fit`: from a log of purchases to parameters and to a scenario."""

import datetime as dt
import json
import os
import random
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from churnsim.cli import churnsim as group
from churnsim.errors import ExitCode
from churnsim.fit import (
    choose_law,
    fit_log,
    fit_pareto_nbd,
    fit_sbg,
    market_block,
    read_durations,
    read_transactions,
)
from churnsim.fit.sbg import expected_lifetime
from churnsim.report import fitted
from churnsim.report.fits import BASE
from churnsim.scenario import json_schema, load_scenario
from churnsim.scenario.transactions import Transactions
from churnsim.simulation import make_population
from churnsim.units import DAYS
from tests.cli.conftest import ROOT, Command

SURVIVORS = "period,survivors\n" + "".join(
    f"{t},{n}\n" for t, n in enumerate((1000, 869, 743, 653, 593, 551, 517, 491))
)


def test_fit__prints_parameters_and_the_block(log: Path, churnsim: Command) -> None:
    """Parameters with standard errors, likelihoods, checks and the [market] table."""
    answer = churnsim("fit", "orders.csv")
    assert answer.code == 0
    read = read_transactions(log)
    bgnbd, gamma_gamma = fit_log(read)
    assert market_block(bgnbd, gamma_gamma, read) in answer.out
    rows = {line.split()[0]: line.split() for line in answer.out.splitlines() if line}
    assert rows["alpha"][1:4] == [
        f"{bgnbd.params.alpha:.5g}",
        "s.e.",
        f"{bgnbd.standard_errors.alpha:.2g}",
    ]
    assert f"{gamma_gamma.log_likelihood:.2f}" in answer.out
    assert "converged" in rows


def test_fit__writes_the_block(log: Path, churnsim: Command) -> None:
    """`--out` writes the table, and does not overwrite it the next time."""
    assert churnsim("fit", log.name, "--currency", "£", "--out", "m.toml").code == 0
    block = tomllib.loads(Path("m.toml").read_text(encoding="utf-8"))
    assert block["market"]["value"]["v"].startswith("£")
    assert churnsim("fit", log.name, "--out", "m.toml").code == ExitCode.INPUT
    assert churnsim("fit", log.name, "--out", "m.toml", "--force").code == 0


def test_fit__writes_a_scenario_that_is_valid(log: Path, churnsim: Command) -> None:
    """`--scenario` writes a scenario of the log's customers that loads and says so."""
    Path("out").mkdir()
    answer = churnsim("fit", log.name, "--scenario", "out/mine.toml", "--currency", "€")
    assert answer.code == 0
    assert "churnsim run out/mine.toml" in answer.out
    scenario = load_scenario("out/mine.toml")
    assert scenario.currency == "€"
    assert scenario.population.transactions == Transactions(file=str(log.resolve()))
    assert scenario.population.prospects == 0.0
    assert scenario.costs.follow_up == load_scenario(BASE).costs.follow_up
    shape = fit_log(read_transactions(log))[0].params.r
    assert scenario.population.rate.a == pytest.approx(shape, rel=1e-5)


def test_fit__scenario_reads_the_log_as_the_fit_did(
    log: Path, churnsim: Command
) -> None:
    """Each option is written down, and the scenario's customers are those fitted."""
    text = log.read_text(encoding="utf-8")
    rows = [row.split(",") for row in text.splitlines()[1:]]
    late = sorted(row[1] for row in rows)[len(rows) // 2]
    european = [f"{c},{d[8:]}/{d[5:7]}/{d[:4]},{a}" for c, d, a in rows]
    log.write_text("\n".join(["customer,date,amount", *european, european[0]]) + "\n")
    options = ("--end", late, "--date-format", "dmy", "--layout", "csv")
    answer = churnsim(
        "fit", log.name, *options, "--drop-duplicates", "--scenario", "mine.toml"
    )
    assert answer.code == 0
    table = f'{{ file = "orders.csv", end = "{late}", layout = "csv"'
    table += ', date_format = "dmy", drop_duplicates = true }'
    assert f"\ntransactions = {table}\n" in Path("mine.toml").read_text()
    end = dt.date.fromisoformat(late)
    read = read_transactions(log, end=end, date_format="dmy", drop_duplicates=True)
    assert 0 < len(read.customers) < 800 or read.n_held_out > 0
    scenario = load_scenario("mine.toml")
    assert make_population(scenario).n_customers == len(read.customers)
    shape = fit_log(read)[0].params.r
    assert scenario.population.rate.a == pytest.approx(shape, rel=1e-5)


@pytest.mark.data
@pytest.mark.compiled
def test_fit__cdnow_up_to_a_day_is_simulated(churnsim: Command) -> None:
    """The 2,357 customers of the published fit, r .243, are those a run starts with."""
    folder = Path(os.environ.get("CHURNSIM_DATA", ROOT.parent / "shared" / "data"))
    log = folder / "cdnow_sample.txt"
    if not log.is_file():
        pytest.skip(f"no real data in {folder}; set CHURNSIM_DATA to their folder")
    options = ("--end", "1997-09-30", "--scenario", "cdnow.toml")
    assert churnsim("fit", str(log), *options).code == 0
    market = tomllib.loads(Path("cdnow.toml").read_text(encoding="utf-8"))["market"]
    fitted = [market["rate"]["shape"], market["dropout"]["a"], market["dropout"]["b"]]
    assert [round(value, 3) for value in fitted] == [0.243, 0.793, 2.426]
    assert round(float(market["rate"]["scale"].removesuffix(" weeks")), 3) == 4.414
    answer = churnsim("run", "cdnow.toml", "--replications", "2")
    assert answer.code == 0
    assert "cdnow_sample.txt: 2,357 customers, 3 years" in answer.out


def test_fit__tells_all_mistakes_of_a_log(log: Path, churnsim: Command) -> None:
    """A log with mistakes is refused with each of them, and nothing is written."""
    with log.open("a", encoding="utf-8") as file:
        file.write("c1,yesterday,5\nc2,2022-01-01,much\n")
    answer = churnsim("fit", log.name, "--out", "m.toml")
    assert answer.code == ExitCode.INPUT
    assert len(answer.err.splitlines()) == 2
    assert not Path("m.toml").exists()
    assert answer.out == ""


def test_fit__refuses_what_is_no_log(churnsim: Command) -> None:
    """A file that is not there is refused in one line."""
    answer = churnsim("fit", "none.csv")
    assert answer.code == ExitCode.INPUT
    assert len(answer.err.splitlines()) == 1


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """Return 400 waits in minutes of customers who are answered or give up."""
    coins = random.Random(5)
    rows = ["wait,outcome"]
    for _ in range(400):
        patience, answer = coins.weibullvariate(4.0, 1.6), coins.expovariate(1 / 3)
        what = "answered" if answer < patience else "gave up"
        rows.append(f"{min(patience, answer) + 0.001:.3f},{what}")
    path = tmp_path / "calls.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


WAITS = ("--model", "durations", "--column", "wait", "--unit", "min")
ANSWERED = ("--censored", "outcome=answered")


def test_fit__pareto_nbd_stands_beside_the_bg_nbd(log: Path, churnsim: Command) -> None:
    """Parameters, both likelihoods and what is expected; no [market] table."""
    answer = churnsim("fit", log.name, "--model", "pareto-nbd", "--end", "2023-06-30")
    assert answer.code == 0
    read = read_transactions(log, end=dt.date(2023, 6, 30))
    fit = fit_pareto_nbd(read.x, read.t_x_weeks, read.age_weeks)
    rows = {line.split()[0]: line.split() for line in answer.out.splitlines() if line}
    for name, value, error in zip(
        fit.params._fields, fit.params, fit.standard_errors, strict=True
    ):
        assert rows[name][1:4] == [f"{value:.5g}", "s.e.", f"{error:.2g}"]
    assert f"{fit_log(read)[0].log_likelihood:.2f}" in answer.out
    assert f"{int(read.x_held_out.sum()):,} purchases after 2023-06-30" in answer.out
    assert "[market]" not in answer.out


def test_fit__sbg_prints_the_table_and_a_line(churnsim: Command) -> None:
    """The cohort of high-end customers: .668 and 3.806, and lifetimes at 10 %."""
    Path("cohort.csv").write_text(SURVIVORS, encoding="utf-8")
    answer = churnsim("fit", "cohort.csv", "--model", "sbg")
    assert answer.code == 0
    line = tomllib.loads(answer.out.splitlines()[-1])
    assert [round(line["dropout"][name], 3) for name in "ab"] == [0.668, 3.806]
    assert "a new customer stays for 5.922 periods" in answer.out
    rows = [line.split() for line in answer.out.splitlines()]
    assert ["1", "869", "86.9%", "85.1%", "85.1%", "5.901"] in rows
    dearer = churnsim("fit", "cohort.csv", "--model", "sbg", "--discount", "0.2")
    params = fit_sbg([int(row.split(",")[1]) for row in SURVIVORS.split()[1:]]).params
    life = float(expected_lifetime(params, 0.2))
    assert f"a new customer stays for {life:.4g} periods" in dearer.out


def test_fit__sbg_line_is_one_of_a_scenario(churnsim: Command) -> None:
    """The printed line, put into a ready subscription, loads as that law."""
    Path("cohort.csv").write_text(SURVIVORS, encoding="utf-8")
    line = churnsim("fit", "cohort.csv", "--model", "sbg").out.splitlines()[-1]
    key, _, law = line.partition("  #")[0].partition(" = ")
    scenario = load_scenario("telecom", overrides=[f"market.{key}={law}"])
    fit = fit_sbg([int(row.split(",")[1]) for row in SURVIVORS.split()[1:]])
    found = scenario.population.dropout
    assert (found.a, found.b) == pytest.approx(tuple(fit.params), rel=1e-5)


def test_fit__durations_print_both_laws_and_a_line(
    calls: Path, churnsim: Command
) -> None:
    """Means with errors, the curve, which law and how surely, and the better one."""
    answer = churnsim("fit", calls.name, *WAITS, *ANSWERED)
    assert answer.code == 0
    table = read_durations(
        calls, "wait", "outcome=answered", lambda text: float(text) / 1440
    )
    choice = choose_law(table.time, table.is_seen)
    line = tomllib.loads(answer.out.splitlines()[-1])["patience"]
    assert line["law"] == choice.best.law
    assert line["cv"] == pytest.approx(choice.best.cv, rel=1e-4)
    assert line["mean"].endswith(" min")
    mean = float(line["mean"].split()[0])
    assert mean == pytest.approx(choice.best.mean * 1440, rel=1e-4)
    assert f"AIC lower by {choice.aic_difference:.1f}" in answer.out
    assert ("surely:" in answer.out) is not ("but not surely:" in answer.out)
    assert f"{choice.best.n:,} durations, {choice.best.n_seen:,} of them" in answer.out


@pytest.mark.parametrize("field", fitted.FIELDS)
def test_fit__duration_lines_are_those_of_a_scenario(
    field: str, calls: Path, churnsim: Command
) -> None:
    """The line of each field, put where the answer says, is taken by a scenario."""
    answer = churnsim("fit", calls.name, *WAITS, *ANSWERED, "--field", field)
    told, line = answer.out.splitlines()[-2:]
    key, _, law = line.partition("  #")[0].partition(" = ")
    assert key == field
    place = "market" if "[market]" in told else "policy_defaults.speed"
    load_scenario("telecom", overrides=[f"{place}.{key}={law}"])


def test_fit__durations_may_have_units_and_no_censoring(
    calls: Path, churnsim: Command
) -> None:
    """Texts with units need no --unit; without --censored all ends were seen."""
    rows = calls.read_text(encoding="utf-8").split("\n")[1:-1]
    with_units = [f"{row.split(',')[0]} min" for row in rows]
    Path("times.csv").write_text("\n".join(["wait", *with_units]), encoding="utf-8")
    bare = json.loads(churnsim("fit", calls.name, *WAITS, "--json").out)
    options = ("--model", "durations", "--column", "wait", "--json")
    texts = json.loads(churnsim("fit", "times.csv", *options).out)
    assert bare["durations"] == texts["durations"]
    assert bare["durations"]["seen"] == bare["durations"]["durations"] == 400


def test_fit__json_has_what_the_text_has(calls: Path, churnsim: Command) -> None:
    """The line to paste, both laws, the curve; null is what the model has not."""
    document = json.loads(churnsim("fit", calls.name, *WAITS, *ANSWERED, "--json").out)
    text = churnsim("fit", calls.name, *WAITS, *ANSWERED).out
    assert document["setting"] == text.splitlines()[-1]
    found = document["durations"]
    assert found["laws"][0]["aic"] + found["aic_difference"] == pytest.approx(
        found["laws"][1]["aic"]
    )
    assert [point["share"] <= 0.9 for point in found["curve"]] == [True] * 5
    assert (document["bgnbd"], document["sbg"], document["market"]) == (None,) * 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("--model", "sbg", "--end", "2020-01-01"),
            "--end: means nothing with",
        ),
        (("--model", "sbg", "--out", "m.toml"), "choose --model bg-nbd"),
        (("--column", "wait"), "--column: means nothing with --model bg-nbd"),
        (("--discount", "5%"), "choose --model pareto-nbd or sbg"),
        (("--model", "durations"), "--column: must be given"),
        (("--model", "durations", "--column", "wait"), "--unit: must say in what wait"),
        (("--model", "sbg", "--discount", "0"), "--discount: must be a share above 0"),
        (("--model", "sbg", "--discount", "x"), "--discount: must be a share above 0"),
        ((*WAITS, "--censored", "outcom=answered"), 'did you mean "outcome"?'),
        (("--model", "sbg"), "column period is missing"),
        (("--model", "weibull"), "is not one of 'bg-nbd'"),
    ],
)
def test_fit__refuses_options_that_mean_nothing(
    arguments: tuple[str, ...], told: str, calls: Path, churnsim: Command
) -> None:
    """An option that a model does not read is refused, with the model that does."""
    answer = churnsim("fit", calls.name, *arguments)
    assert (answer.code, answer.out) == (ExitCode.INPUT, "")
    assert told in answer.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("wait,outcome\n" + "1,answered\n" * 30, "all of 30 are censored"),
        ("wait,outcome\n0,gave up\n1,answered\n", "wait must be above 0"),
        ("wait,outcome\n-1,gave up\n1,answered\n", "must be finite and at least 0"),
        ("wait,outcome\nlong,gave up\n1,answered\n", "must be a duration such as"),
        ("wait,outcome\n" + "2,gave up\n" * 30 + "1,answered\n", "must settle"),
    ],
)
def test_fit__refuses_waits_that_say_nothing(
    text: str, told: str, churnsim: Command
) -> None:
    """All censored, at once, negative, no time, all alike: one reason each."""
    Path("few.csv").write_text(text, encoding="utf-8")
    answer = churnsim("fit", "few.csv", *WAITS, *ANSWERED)
    assert (answer.code, answer.out) == (ExitCode.INPUT, "")
    assert told in answer.err


@pytest.mark.parametrize("model", ["bg-nbd", "pareto-nbd"])
@pytest.mark.parametrize(
    ("customers", "told"),
    [(1, "at least 10 customers"), (50, "a fit needs repeat purchases; got none")],
)
def test_fit__refuses_logs_that_say_nothing(
    model: str, customers: int, told: str, churnsim: Command
) -> None:
    """One customer only, and customers who all bought once."""
    rows = [f"c{i},2023-01-{1 + i % 28:02},10" for i in range(customers)]
    Path("few.csv").write_text("\n".join(["customer,date,amount", *rows]))
    answer = churnsim("fit", "few.csv", "--model", model)
    assert (answer.code, answer.out) == (ExitCode.INPUT, "")
    assert told in answer.err


def test_choices__of_fit_are_those_of_the_code() -> None:
    """Fields are those that scenarios have, and units those that can be read."""
    options = {option.name: option for option in group.commands["fit"].params}
    choices = {
        name: tuple(getattr(options[name].type, "choices", ()))
        for name in ("field", "unit")
    }
    assert choices == {"field": tuple(fitted.FIELDS), "unit": tuple(DAYS)}
    schema = json.dumps(json_schema())
    assert all(f'"{field}": ' in schema for field in fitted.FIELDS)


def page() -> str:
    """Return the page on fits."""
    return (ROOT / "docs" / "fitting.md").read_text(encoding="utf-8")


def test_fit__prints_what_the_page_shows(churnsim: Command) -> None:
    """Each file on the page, fitted as it says there, gives the lines below it."""
    files = dict(re.findall(r"```csv (\S+)\n(.*?)```", page(), re.DOTALL))
    assert files.keys() == {"cohort.csv", "remission.csv"}
    for name, text in files.items():
        Path(name).write_text(text, encoding="utf-8")
        (typed,) = re.findall(rf"(?m)^    churnsim (fit {name} .*)$", page())
        answer = churnsim(*shlex.split(typed))
        lines = [f"    {line}".rstrip() for line in answer.out.rstrip().splitlines()]
        shown = page().partition(f"    churnsim {typed}\n\n")[2]
        assert shown.startswith("\n".join(lines) + "\n")


@pytest.mark.data
def test_fit__finds_of_cdnow_what_the_page_says(churnsim: Command) -> None:
    """Both models of the sample, their likelihoods, and the purchases held out."""
    folder = Path(os.environ.get("CHURNSIM_DATA", ROOT.parent / "shared" / "data"))
    log = folder / "cdnow_sample.txt"
    if not log.is_file():
        pytest.skip(f"no real data in {folder}; set CHURNSIM_DATA to their folder")
    typed = re.findall(r"`churnsim (fit cdnow_sample.txt [^`]*)`", page())
    figures = (
        ("r 0.24259", "log-likelihood -9582.43"),
        ("r 0.55328", "log-likelihood -9594.98", "1,882 purchases", "1,666 expected"),
    )
    told = " ".join(page().split())
    for command, found in zip(typed, figures, strict=True):
        name, _, *options = shlex.split(command)
        answer = " ".join(churnsim(name, str(log), *options).out.split())
        assert all(figure in answer for figure in found)
        words = " ".join(found).split()
        assert all(word in told for word in words if word[-1].isdigit())
