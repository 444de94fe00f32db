"""`churnsim fit`: from a log of purchases to parameters and to a scenario."""

import datetime as dt
import os
import tomllib
from pathlib import Path

import pytest

from churnsim.errors import ExitCode
from churnsim.fit import fit_log, market_block, read_transactions
from churnsim.report.fits import BASE
from churnsim.scenario import load_scenario
from churnsim.scenario.transactions import Transactions
from churnsim.simulation import make_population
from tests.cli.conftest import ROOT, Command


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
