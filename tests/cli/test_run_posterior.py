"""`churnsim run --posterior`: ignorance in the intervals, as one types it."""

import json
from pathlib import Path
from typing import Any

import pytest

from churnsim.experiment.posterior import Posterior, posterior_text
from churnsim.scenario import load_scenario
from tests.calibration.drawn import of_shop
from tests.cli.conftest import Command
from tests.cli.test_json import validator
from tests.experiment.conftest import SHOP

pytestmark = pytest.mark.compiled

RUN = ("run", "shop.toml", "--policy", "slow", "--policy", "dishonest")
DRAWN = (*RUN, "--posterior", "posterior.json")


def replications(n: int) -> tuple[str, str]:
    """Return the option for a number of replications."""
    return "--replications", str(n)


def contents(folder: str) -> dict[str, bytes]:
    """Return every file of a folder."""
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@pytest.fixture
def posterior(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Posterior:
    """Write a shop and its posterior into the folder of the command; return it."""
    monkeypatch.chdir(tmp_path)
    Path("shop.toml").write_text(SHOP, encoding="utf-8")
    found = of_shop(load_scenario("shop.toml"))
    Path("posterior.json").write_text(posterior_text(found), encoding="utf-8")
    return found


def test_run__says_how_much_is_ignorance(
    churnsim: Command, posterior: Posterior
) -> None:
    """The text has both parts of each loss, and the document has them too."""
    answer = churnsim(*DRAWN, *replications(40))
    assert answer.code == 0
    assert "  Monte Carlo, standard deviation" in answer.out
    assert "  ignorance, of the variance" in answer.out
    words = " ".join(answer.out.split())
    assert "not known but drawn: 40 replications under" in words
    assert "--posterior posterior.json --replications 40" in words
    assert "separate runs would need" not in words
    document = json.loads(churnsim(*DRAWN, *replications(40), "--json").out)
    validator("run").validate(document)
    told = document["posterior"]
    assert " ".join(told["sentence"].split()) in words
    assert (told["policy"], told["changed"]) == ("slow", [])
    assert told["draws"] == len(posterior.draws)
    assert told["draws_used"] == len(set(told["drawn"]))
    assert told["drawn"][::2] == told["drawn"][1::2]
    assert len(told["losses"]) == len(document["losses"])
    for item, loss in zip(told["losses"], document["losses"], strict=True):
        parts, total = item["total"], loss["total"]
        assert item["policy"] == loss["policy"]
        squares = parts["monte_carlo"] ** 2 + parts["ignorance"] ** 2
        assert parts["total"] ** 2 == pytest.approx(squares)
        half = 0.5 * (total["high"] - total["low"])
        assert half >= 1.9 * parts["total"]


def test_run__is_wider_than_with_settings_that_are_known(
    churnsim: Command, posterior: Posterior
) -> None:
    """Losses against flawless, which hang on the draws most, have wider intervals.

    Without a posterior the document is what it was: not a word of draws is in it.
    """
    assert posterior.weights is None
    plain = json.loads(churnsim(*RUN, *replications(40), "--json").out)
    drawn = json.loads(churnsim(*DRAWN, *replications(40), "--json").out)
    assert "posterior" not in plain
    assert plain["losses"][0]["variance_factor"] is not None

    def width(document: dict[str, Any]) -> float:
        found: list[float] = [
            loss["total"]["high"] - loss["total"]["low"]
            for loss in document["losses"]
            if (loss["policy"], loss["against"]) == ("slow", "flawless")
            and loss["measure"] == "revenue"
        ]
        return found[0]

    assert width(drawn) > 1.5 * width(plain)


def test_run__is_the_same_with_any_number_of_threads(
    churnsim: Command, posterior: Posterior
) -> None:
    """One thread and three: not a byte differs, where draws weigh differently too."""
    weighed = posterior._replace(
        weights=tuple(float(i % 4) for i in range(len(posterior.draws)))
    )
    Path("posterior.json").write_text(posterior_text(weighed), encoding="utf-8")
    one, three = (
        churnsim(*DRAWN, *replications(7), "--json", "--threads", n) for n in "13"
    )
    assert one.out == three.out
    drawn = json.loads(one.out)["posterior"]["drawn"]
    assert all((number - 1) % 4 for number in drawn)


def test_run__keeps_what_is_verified_and_extended(
    churnsim: Command, posterior: Posterior
) -> None:
    """Kept results come out again under their draws, and go on as the longer run."""
    churnsim(*DRAWN, *replications(5), "--out", "few")
    many = churnsim(*DRAWN, *replications(8), "--out", "many")
    assert many.code == 0
    assert {"posterior.json", "draws.csv", "uncertainty.csv"} <= contents("many").keys()
    first = Path("many/draws.csv").read_text(encoding="utf-8").splitlines()
    assert first[0] == "replication,draw,market.lock_in,market.stated_to_actual"
    draw = int(first[1].split(",")[1])
    assert first[1].split(",")[2:] == list(posterior.draws[draw - 1])
    verified = churnsim("verify", "many")
    assert (verified.code, verified.err) == (0, "")
    assert "32 of 32 runs made again" in verified.out
    extended = churnsim("extend", "few", *replications(8))
    assert (extended.code, extended.out) == (0, many.out)
    assert "note:" not in extended.err
    assert contents("few") == contents("many")


def test_extend__notes_a_posterior_that_was_replaced(
    churnsim: Command, posterior: Posterior
) -> None:
    """Results go on under the draws that they were made with, and it is said."""
    churnsim(*DRAWN, *replications(2), "--out", "few")
    other = posterior._replace(draws=posterior.draws[::-1])
    Path("posterior.json").write_text(posterior_text(other), encoding="utf-8")
    extended = churnsim("extend", "few", *replications(3))
    assert extended.code == 0
    assert "note: posterior.json is not what it was, or not here" in extended.err
    assert churnsim("verify", "few").code == 0


def test_verify__finds_a_posterior_that_was_changed(
    churnsim: Command, posterior: Posterior
) -> None:
    """The kept posterior is one of the files that must be as they were written."""
    churnsim(*DRAWN, *replications(2), "--out", "out")
    path = Path("out/posterior.json")
    changed = posterior_text(posterior._replace(draws=posterior.draws[:5]))
    path.write_text(changed, encoding="utf-8")
    answer = churnsim("verify", "out")
    assert answer.code == 4
    assert "posterior.json was changed since it was written" in answer.err


def test_run__tells_it_on_the_page(churnsim: Command, posterior: Posterior) -> None:
    """The page has a section on what is not known, and levers only of known firms."""
    assert posterior.draws
    answer = churnsim(*DRAWN, *replications(20), "--report", "page.html")
    assert answer.code == 0
    page = Path("page.html").read_text(encoding="utf-8")
    assert 'id="not-known"' in page
    assert "where its uncertainty comes from" in page
    assert "what is not known of it is in the line" in page
    churnsim(*DRAWN, *replications(20), "--out", "out")
    assert "## " not in Path("out/table.md").read_text(encoding="utf-8")
    assert churnsim("report", "out", "--out", "again.html").code == 0
    again = Path("again.html").read_text(encoding="utf-8")
    assert 'id="not-known"' in again


def test_run__names_what_was_changed_since_the_fit(
    churnsim: Command, posterior: Posterior
) -> None:
    """A setting changed for this run is a warning, with its name."""
    assert posterior.draws
    answer = churnsim(*DRAWN, *replications(4), "--set", "market.drift=0.3")
    assert answer.code == 0
    words = " ".join(answer.out.split())
    assert "was fitted on shop with other settings: market.drift changed" in words
    assert "hardly known below 10" in words


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--explain",), "--explain and --posterior exclude each other"),
        (("--half-width", "2%"), "--half-width and --budget exclude --posterior"),
        (("--budget", "5s"), "--half-width and --budget exclude --posterior"),
        (("--set", "market.lock_in=1"), "must not be set: the posterior draws"),
    ],
)
def test_run__refuses_what_draws_cannot_tell(
    churnsim: Command, posterior: Posterior, options: tuple[str, ...], says: str
) -> None:
    """Each refusal comes before anything is run."""
    assert posterior.draws
    answer = churnsim(*DRAWN, *options)
    assert (answer.code, answer.out) == (2, "")
    assert says in answer.err


def test_run__refuses_a_posterior_of_another_scenario(
    churnsim: Command, posterior: Posterior
) -> None:
    """It is told which file it is, what it was fitted on, and what to do."""
    assert posterior.draws
    answer = churnsim("run", "telecom", "--posterior", "posterior.json")
    assert (answer.code, answer.out) == (2, "")
    assert "posterior.json: digest: must be of the scenario that is run" in answer.err
    assert "run shop, or fit telecom" in answer.err
    answer = churnsim("run", "shop.toml", "--posterior", "none.json")
    assert (answer.code, answer.out) == (2, "")
    assert "none.json: must be a file that can be read" in answer.err
