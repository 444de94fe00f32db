"""`churnsim fit`: from a log of purchases to parameters and to a scenario."""

import datetime as dt
import random
import tomllib
from pathlib import Path

import pytest

from churnsim.errors import ExitCode
from churnsim.fit import fit_log, market_block, read_transactions
from churnsim.report.fits import BASE
from churnsim.scenario import load_scenario
from tests.cli.conftest import Command


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log of two years: 800 customers drawn from a BG/NBD model."""
    coins = random.Random(3)
    start = dt.date(2022, 1, 1)
    rows = ["customer,date,amount"]
    for customer in range(800):
        rate = coins.gammavariate(0.6, 1 / 60)
        leaving = coins.betavariate(0.8, 2.4)
        mean = 15.0 * 6.0 / coins.gammavariate(4.0, 1.0)
        day = coins.uniform(0, 200)
        is_first = True
        while day < 730:
            amount = mean * coins.gammavariate(6.0, 1 / 6.0) + 0.01
            rows.append(f"c{customer},{start + dt.timedelta(day)},{amount:.2f}")
            if not is_first and coins.random() < leaving:
                break
            is_first = False
            day += 1 + coins.expovariate(rate)
    path = tmp_path / "orders.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


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
    assert scenario.population.transactions == log.resolve()
    assert scenario.population.prospects == 0.0
    assert scenario.costs.follow_up == load_scenario(BASE).costs.follow_up
    shape = fit_log(read_transactions(log))[0].params.r
    assert scenario.population.rate.a == pytest.approx(shape, rel=1e-5)


def test_fit__scenario_reads_the_log_as_it_is(log: Path, churnsim: Command) -> None:
    """Options that a scenario could not repeat are refused together with it."""
    answer = churnsim("fit", log.name, "--end", "2023-01-01", "--scenario", "mine.toml")
    assert answer.code == ExitCode.INPUT
    assert "--end" in answer.err
    assert not Path("mine.toml").exists()


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
