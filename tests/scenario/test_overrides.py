"""Settings from the command line."""

from pathlib import Path

import pytest

from churnsim.errors import InputError
from churnsim.scenario import Scenario, load_scenario
from tests.scenario.examples import PURCHASE


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return the file of a scenario that is right."""
    path = tmp_path / "shop.toml"
    path.write_text(PURCHASE, encoding="utf-8")
    return path


def set_(path: Path, *overrides: str) -> Scenario:
    """Return the scenario with settings from the command line."""
    return load_scenario(path, overrides=overrides)


def test_override__lies_over_the_file(shop: Path) -> None:
    """Numbers, texts without quotes, tables and new tables are taken."""
    scenario = set_(
        shop,
        "market.lock_in=1.5",
        "horizon=3 years",
        "population.customers=300",
        "policy.slow.speed.agents=2",
        "policy.empowered.speed.agents = 0.5 per 1000",
        "policy_defaults.speed.supervisors=4",
        'market.rate={law = "constant", mean = "5/year"}',
        "market.word_of_mouth.told_bad=9",
    )
    assert scenario.spec.market.lock_in == 1.5
    assert scenario.horizon == 3 * 365.25
    assert scenario.population.customers == 300
    assert scenario.population.rate.a == 5 / 365.25
    slow, empowered = scenario.plan("slow").policy, scenario.plan("empowered").policy
    assert (slow.agents, empowered.agents) == (2, 1)
    assert (slow.supervisors, empowered.supervisors) == (4, 4)
    assert scenario.plan("slow").market.told_bad == 9000


def test_override__may_be_a_mapping(shop: Path) -> None:
    """Keys and values may come apart as well."""
    scenario = load_scenario(shop, overrides={"market.lock_in": "1.5", "seed": "3"})
    assert (scenario.spec.market.lock_in, scenario.seed) == (1.5, 3)


def test_override__reaches_one_setting_of_a_law(shop: Path) -> None:
    """A part of a law is replaced without naming the law again."""
    scenario = set_(shop, "market.rate.shape=0.5")
    assert scenario.population.rate.a == 0.5
    assert scenario.population.rate.b == pytest.approx(30.898)


@pytest.mark.parametrize("item", ["late", "1"])
def test_override__names_items_by_name_or_number(item: str, shop: Path) -> None:
    """An item of an array is found by its name, or by its number from 1."""
    scenario = set_(shop, f"mistakes.{item}.probability=0.25")
    assert scenario.plan("slow").market.mistake_probability == 0.25


def test_override__chooses_policies(shop: Path) -> None:
    """The policies to compare may be replaced, also by one defined on the spot."""
    scenario = set_(
        shop, 'policies=["empowered", "mine"]', "policy.mine.extends=dishonest"
    )
    assert scenario.policy_names == ("empowered", "mine", "flawless")
    assert scenario.baseline == "empowered"
    assert scenario.policy("mine").honesty.lie > 0


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("market.lockin=1", "market.lockin: unknown key; did you mean 'lock_in'?"),
        ("market.lock_in=high", 'market.lock_in: must be a number; got "high"'),
        ("market.lock_in=nan", "market.lock_in: must be finite; got nan"),
        ("polcy.slow.speed.agents=2", "polcy: unknown key; did you mean 'policy'?"),
        ("policy.slwo.speed.agents=2", "did you mean 'slow'?"),
        ("mistakes.lat.probability=0.1", "did you mean 'late'?"),
        ("mistakes.2.probability=0.1", "must name an item, or number one from 1 to 1"),
        ("mistakes.0.probability=0.1", "must name an item"),
        ("market.lock_in", "must be KEY=VALUE"),
        ("=1", "must be a dotted key"),
        ("a b=1", "must be a dotted key"),
        ("market..lock_in=1", "must be a dotted key"),
        ("extends=telecom", "other than extends"),
        ("x = 1\nhorizon=3 days", "x: unknown key"),
        ("market.lock_in=1\nseed = 3", "must be a number"),
    ],
)
def test_override__is_refused_in_its_own_words(
    override: str, words: str, shop: Path
) -> None:
    """A wrong override is named as it was typed."""
    with pytest.raises(InputError) as caught:
        set_(shop, override)
    told = str(caught.value)
    assert words in told
    assert told.startswith("--set ")
    assert "\n" not in told


def test_override__cures_a_file(shop: Path) -> None:
    """What is replaced need not have been right."""
    text = PURCHASE.replace('"2 years"', "2")
    shop.write_text(text, encoding="utf-8")
    assert set_(shop, "horizon=1 day").horizon == 1


def test_override__changes_a_loaded_scenario(shop: Path) -> None:
    """A loaded scenario with settings over it is the file's with the same settings."""
    settings = ("market.lock_in=1.5", "policy.slow.speed.agents=2", "seed=3")
    changed = load_scenario(load_scenario(shop), overrides=settings)
    assert changed.digest == set_(shop, *settings).digest
    assert changed.name == "shop"
    loaded = load_scenario(shop)
    assert load_scenario(loaded) is loaded


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("policy_defaults.speed.agents=9", "give the scenario's name or file instead"),
        ('policy.slow.extends="dishonest"', "must be set as the file is loaded"),
        ('policies=["empowered", "blame_game"]', "must be one of"),
        ("market.lok_in=1", "did you mean 'lock_in'?"),
    ],
)
def test_override__of_a_loaded_scenario_is_never_ignored(
    override: str, words: str, shop: Path
) -> None:
    """What a loaded scenario's policies were made from is refused, not passed over."""
    with pytest.raises(InputError, match=words.replace("?", "[?]")) as caught:
        load_scenario(load_scenario(shop), overrides=[override])
    assert "\n" not in str(caught.value)


def laid_over(tmp_path: Path, text: str, *overrides: str) -> Scenario:
    """Return the scenario of a file that extends another one."""
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    return load_scenario(path, overrides=overrides)


def test_tenure_laid_over__takes_an_inherited_history_away(tmp_path: Path) -> None:
    """New customers have no history, also where the file below gives one."""
    own = 'extends = "telecom"\n[population]\nstarting_tenure = "new"\n'
    by_file = laid_over(tmp_path, own)
    by_option = load_scenario("telecom", overrides=["population.starting_tenure=new"])
    by_change = load_scenario(
        load_scenario("telecom"), overrides=["population.starting_tenure=new"]
    )
    assert by_file.spec.population.history is None
    assert by_file.digest == by_option.digest == by_change.digest
    back = laid_over(tmp_path, own, "population.starting_tenure=stationary")
    assert back.digest == load_scenario("telecom").digest


def test_purchase_laid_over__takes_what_only_subscriptions_have_away(
    tmp_path: Path,
) -> None:
    """A subscription that becomes single purchases has no renewals any more."""
    own = 'extends = "telecom"\n[market]\nrelationship = "purchase"\n'
    by_file = laid_over(tmp_path, own)
    market = by_file.spec.market
    assert (market.relationship, market.period, market.exit) == ("purchase", None, None)
    by_option = load_scenario("telecom", overrides=["market.relationship=purchase"])
    assert by_option.digest == by_file.digest


@pytest.mark.parametrize(
    ("tables", "field"),
    [
        (
            '[population]\nstarting_tenure = "new"\nhistory = "2 years"\n',
            "population.history",
        ),
        ('[population]\nhistory = "2 years"\nstarting_tenure = 3\n', "population.hist"),
        (
            '[market]\nrelationship = "purchase"\nperiod = "1 month"\n',
            "market.period",
        ),
        (
            '[market]\nexit = "at_renewal"\nrelationship = "purchase"\n',
            "market.exit",
        ),
    ],
)
def test_excluded_setting__in_the_same_file_is_refused(
    tables: str, field: str, tmp_path: Path
) -> None:
    """Only what is inherited gives way; one's own contradiction is told."""
    with pytest.raises(InputError, match=rf"own\.toml:\d+: {field}.*must be absent"):
        laid_over(tmp_path, f'extends = "telecom"\n{tables}')


def test_excluded_setting__of_the_file_above_is_refused(tmp_path: Path) -> None:
    """What lies over a setting that excludes it is a contradiction, not inherited."""
    below = tmp_path / "below.toml"
    below.write_text(
        'extends = "telecom"\n[population]\nstarting_tenure = "new"\n', encoding="utf-8"
    )
    with pytest.raises(InputError, match=r"own\.toml:3: population\.history"):
        laid_over(tmp_path, 'extends = "below.toml"\n[population]\nhistory = "1 year"')
