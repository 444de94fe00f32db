"""Posterior files: read strictly, laid over the scenario fitted, drawn evenly."""

import functools
import json
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from churnsim.calibration.drawn_runs import under
from churnsim.errors import InputError
from churnsim.experiment.posterior import (
    Parameter,
    Posterior,
    lots_of,
    posterior_of,
    posterior_text,
    read_posterior,
)
from churnsim.scenario import Scenario, load_scenario
from churnsim.scenario.scenario import Scenario as Loaded
from tests.calibration.drawn import document, of_shop, raw
from tests.experiment.conftest import SHOP

Document = dict[str, Any]


def without(key: str) -> bytes:
    """Return the content of a file that lacks a key."""
    whole = document()
    del whole[key]
    return json.dumps(whole).encode()


def told(action: Callable[[], object]) -> str:
    """Return what is refused, in words."""
    with pytest.raises(InputError) as refusal:
        action()
    return str(refusal.value)


@pytest.fixture(scope="module")
def shop_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of the small shop."""
    path = tmp_path_factory.mktemp("shop") / "shop.toml"
    path.write_text(SHOP, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def shop(shop_path: Path) -> Scenario:
    """Return the small shop."""
    return load_scenario(shop_path)


def test_posterior__is_read_as_it_is_written(tmp_path: Path) -> None:
    """Every field comes back, weights to the last bit."""
    posterior = Posterior(
        "shop",
        "ab" * 32,
        "slow",
        (Parameter("market.lock_in", "1"), Parameter("market.value", "$")),
        (("0.1", "$30"), ("0.2", "$31.50")),
        (1.0 / 3.0, 2.0 / 3.0),
        "0.1.0",
    )
    path = tmp_path / "posterior.json"
    path.write_text(posterior_text(posterior), encoding="utf-8")
    assert read_posterior(path) == posterior
    assert posterior.settings(1) == {"market.lock_in": "0.2", "market.value": "$31.50"}
    assert posterior.effective == pytest.approx(1.8)
    assert read_posterior(str(path)).effective == posterior.effective


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "p.json:1: must be JSON: Expecting property name"),
        (b'{"a": NaN}', "p.json: must be JSON in UTF-8"),
        (b"[" * 100_000, "p.json: must be JSON in UTF-8"),
        (b"\xff\xfe\x00", "p.json: must be JSON in UTF-8"),
        (b"[]", "p.json: must be a JSON object"),
        (raw(kind="fit"), 'kind: must be a file whose kind is "posterior"; got "fit"'),
        (without("kind"), 'kind: must be a file whose kind is "posterior"'),
        (without("weights"), "weights: must be there"),
        (raw(drawz=[]), "drawz: unknown key; did you mean 'draws'?"),
        (raw(digest=""), 'digest: must be a text that is not empty; got ""'),
        (raw(policy=3), "policy: must be a text that is not empty; got 3"),
        (raw(parameters=[]), "parameters: must be an array of 1 to 100 parameters"),
        (raw(parameters=[1]), "parameter 1: must be an object such as"),
        (
            raw(parameters=[{"field": "a", "units": "1"}] * 2),
            "parameter 1, units: unknown key; did you mean 'unit'?",
        ),
        (
            raw(parameters=[{"field": "a", "unit": "1"}] * 2),
            'parameter 2, field: must be drawn by one parameter only; got "a"',
        ),
        (
            raw(parameters=[{"field": "", "unit": "1"}] * 2),
            'parameter 1, field: must be a text that is not empty; got ""',
        ),
        (raw(draws=[]), "draws: must be an array of 1 to 100,000 draws"),
        (raw(draws={}), "draws: must be an array of 1 to 100,000 draws"),
        (raw(draws=["0.5"]), 'draw 1: must be an array of texts; got "0.5"'),
        (
            raw(draws=[["1", "2"], ["1"]]),
            "draw 2: must have a value for each of the 2 parameters; it has 1",
        ),
        (
            raw(draws=[["1", 0.5]]),
            'must be a text as --set FIELD=TEXT takes it; got 0.5; write "0.5"',
        ),
        (raw(draws=[["1", " "]]), "draw 1, value 2: must be a text as --set"),
        (raw(weights="equal"), "weights: must be an array of numbers, or null"),
        (
            raw(weights=[1, 2]),
            "weights: must have a weight for each of the 3 draws; it has 2",
        ),
        (
            raw(weights=[1, -0.5, 1]),
            "weight 2: must be a finite number that is not below 0; got -0.5",
        ),
        (raw(weights=[1, True, 1]), "weight 2: must be a finite number"),
        (raw(weights=[1, 1, 10**400]), "weight 3: must be a finite number"),
        (raw(weights=[0, 0, 0]), "weights: must come to a finite sum above 0"),
        (b'{"kind": "posterior", "digest": 1, "digest": 2}', "must be given once"),
    ],
)
def test_posterior__refuses_what_is_none(content: bytes, says: str) -> None:
    """Each refusal names the file, the place and the rule."""
    text = told(lambda: posterior_of(content, "p.json"))
    assert says in text
    assert all(line.startswith("p.json") for line in text.splitlines())


def test_posterior__tells_all_that_is_wrong() -> None:
    """Two mistakes are two lines."""
    text = told(lambda: posterior_of(raw(digest=1, weights=[-1, 1, 1]), "p.json"))
    assert [line.split(": ")[1] for line in text.splitlines()] == ["digest", "weight 1"]


def test_posterior__must_be_a_file(tmp_path: Path) -> None:
    """One that is not there, or a folder, is told with what writes one."""
    for path in (tmp_path / "none.json", tmp_path):
        text = told(functools.partial(read_posterior, path))
        assert "must be a file that can be read" in text
        assert "churnsim calibrate" in text


def test_lots__give_each_draw_its_weight() -> None:
    """Of any number of pairs of replications a draw has its share, give or take two."""
    weights = (0.0, 3.0, 1.0, 0.0, 4.0, 0.0)
    posterior = posterior_of(
        raw(draws=[["0.5", "0.5"]] * 6, weights=list(weights)), "p.json"
    )
    lots = lots_of(posterior)
    for n_pairs in (1, 2, 5, 13, 40, 1000):
        drawn = [lots.draw(n) for n in range(2 * n_pairs)]
        assert drawn[::2] == drawn[1::2]
        count = Counter(drawn[::2])
        for draw, weight in enumerate(weights):
            assert abs(count[draw] - n_pairs * weight / 8.0) < 2.0, (n_pairs, draw)
            assert weight or not count[draw]


def test_lots__use_different_draws_while_there_are_some() -> None:
    """Of 200 equal draws the first 20 pairs have 20, and 2,000 pairs have them all."""
    posterior = posterior_of(raw(draws=[["0.5", "0.5"]] * 200), "p.json")
    lots = lots_of(posterior)
    assert len({lots.draw(n) for n in range(40)}) == 20
    assert Counter(lots.draw(n) for n in range(4000)).keys() == set(range(200))
    assert max(Counter(lots.draw(n) for n in range(4000)).values()) <= 24


def test_under__is_the_scenario_with_a_draw(shop: Scenario) -> None:
    """A replication's scenario is what `--set` would make of it, digest for digest."""
    posterior = of_shop(shop, 5)
    uncertain = under(posterior, shop)
    assert uncertain.changed == ()
    for n, scenario in uncertain.scenarios(range(8)).items():
        settings = posterior.settings(uncertain.lots.draw(n))
        assert scenario.digest == load_scenario(shop, overrides=settings).digest
        assert isinstance(scenario, Loaded)


def test_under__tells_what_was_changed_since_the_fit(shop_path: Path) -> None:
    """Settings changed for a run are allowed and named; an edited file is refused."""
    shop = load_scenario(shop_path)
    posterior = of_shop(shop, 3)
    changed = under(posterior, shop_path, overrides=["market.drift=0.3", "horizon=9d"])
    assert changed.changed == ("market.drift", "horizon")
    same = under(posterior, shop_path, overrides=["market.lock_in=0.5"][:0])
    assert same.changed == ()
    other = load_scenario(shop_path, overrides=["market.drift=0.3"])
    text = told(lambda: under(posterior, other))
    assert "digest: must be of the scenario that is run: it was fitted on shop" in text
    assert shop.digest[:12] in text
    assert other.digest[:12] in text
    assert "fit it again" in text
    text = told(lambda: under(posterior, "telecom"))
    assert "run shop, or fit telecom" in text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"fields": ("market.lock_on",)},
            'p: parameter 1, field: unknown key; got "market.lock_on"; did you mean',
        ),
        (
            {"fields": ("mistakes.lat.sting",)},
            "p: parameter 1, field: must name an item, or number one from 1 to 1",
        ),
        (
            {"fields": ("market.stated_to_actual",), "values": ("0.5", "1.5", "0.6")},
            'p: draw 2, market.stated_to_actual: must be in [0, 1]; got "1.5"',
        ),
        (
            {"fields": ("market.rate",), "values": ("1/week", "12", "1/day")},
            "p: draw 2, market.rate: must be a rate with its unit",
        ),
        (
            {"fields": ("seed",)},
            "p: parameter 1, field: must not be drawn: all replications have",
        ),
        (
            {"fields": ("population.customers",)},
            "must not be drawn: all replications have the same population.customers",
        ),
        (
            {"fields": ("mistakes.late.voice", "mistakes.1.voice")},
            'p: parameter 2, field: must not be drawn by two parameters; got "mistakes',
        ),
        (
            {"policy": "slwo"},
            "under which the firm was observed; got \"slwo\"; did you mean 'slow'?",
        ),
    ],
)
def test_under__refuses_a_draw_that_cannot_be(
    shop: Scenario, changes: Document, says: str
) -> None:
    """Each refusal names the parameter or the draw, whether it would be used or not."""
    fields = changes.get("fields", ("market.lock_in",))
    posterior = Posterior(
        "shop",
        shop.digest,
        changes.get("policy", "slow"),
        tuple(Parameter(field, "1") for field in fields),
        tuple((text,) * len(fields) for text in changes.get("values", ("0.5",))),
        None,
    )
    found = told(lambda: under(posterior, shop)).replace("posterior:", "p:")
    assert says in found
    assert len(found.splitlines()) == 1


def test_under__refuses_to_set_what_is_drawn(shop_path: Path) -> None:
    """A setting that is drawn cannot be set as well, however it is spelt."""
    shop = load_scenario(shop_path)
    posterior = of_shop(shop, 3)._replace(
        parameters=(Parameter("mistakes.late.voice", "1"),), draws=(("0.4",),)
    )
    text = told(lambda: under(posterior, shop_path, overrides=["mistakes.1.voice=0.2"]))
    assert text == (
        "--set mistakes.1.voice=0.2: mistakes.1.voice: must not be set: the posterior"
        " draws mistakes.late.voice; leave one of both out"
    )
    assert math.isclose(posterior.effective, 1.0)
