"""Digests, and scenarios written out and read again."""

import tomllib
from pathlib import Path

import pytest

from churnsim.errors import InputError
from churnsim.scenario import list_scenarios, load_scenario, slug
from tests.scenario.examples import PURCHASE, changed

HOSTILE = [
    "../../etc/x",
    "/etc/passwd",
    "C:\\x",
    "<script>alert(1)</script>",
    "=cmd|'/c calc'!A1",
    "CON",
    "aux.txt",
    "dot.",
    "ä" * 255,
    "a b\"c'd\\",
    "plan",
    "Plan",
]


def digest(text: str, tmp_path: Path) -> str:
    """Return the digest of a scenario's text."""
    path = tmp_path / "shop.toml"
    path.write_text(text, encoding="utf-8")
    return load_scenario(path).digest


@pytest.mark.parametrize("name", list_scenarios())
def test_to_toml__of_ready_scenarios_means_the_same(name: str, tmp_path: Path) -> None:
    """A resolved scenario, written out and loaded, has the same digest and plans."""
    scenario = load_scenario(name)
    path = tmp_path / f"{name}.toml"
    path.write_text(scenario.to_toml(), encoding="utf-8")
    again = load_scenario(path)
    assert again.digest == scenario.digest
    assert again.spec == scenario.spec
    assert again.to_toml() == scenario.to_toml()
    for policy in scenario.policy_names:
        assert str(again.plan(policy)) == str(scenario.plan(policy))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("value", "value = { law = 'gamma_gamma', p = 6.25, q = 3.74, v = '$15.44' }"),
        ("value", "value = { law = 'lognormal', mean = '$0.000001', cv = 0.5 }"),
        ("rate", "rate = '0.1234567890123/day'"),
        ("customers", "customers = 3\nprospects = '183.3333/year per 1000'"),
        ("sting", "sting = { law = 'weibull', mean = 1.4, cv = 0.3 }"),
        ("stake", "stake = { law = 'uniform', low = '$1', high = '$2.5' }"),
        ("customers", "customers = 3\nstarting_tenure = '400 days'"),
        ("customers", "customers = 3\nstarting_tenure = 'stationary'"),
        ("title", "title = 'a \"b\" \\ \u2028 c'\ncurrency = '€'"),
        ("tau", "tau = inf"),
        ("value", "value = '¤3'\nordinary_contacts = '0.125/occasion'\nmemory = inf"),
    ],
)
def test_to_toml__means_the_same(old: str, new: str, tmp_path: Path) -> None:
    """Every kind of value survives being written out and read."""
    text = changed(old, new)
    if "€" in new:
        text = text.replace("$", "€")
    path = tmp_path / "shop.toml"
    path.write_text(text, encoding="utf-8")
    scenario = load_scenario(path)
    path.write_text(scenario.to_toml(), encoding="utf-8")
    assert load_scenario(path).digest == scenario.digest
    assert load_scenario(path).title == scenario.title


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title", '# another title\ntitle = "Shop"'),
        ("horizon", 'horizon = "24 months"   # as long'),
        ("customers", "customers = 1_00"),
        ("value", 'value = { law = "constant", mean = "$35.00" }'),
        ("margin", "margin = 0.45"),
        ("policies", 'policies = ["empowered", "slow", "flawless"]'),
        ("seed", "seed = 7\nbaseline = 'empowered'\nreplications = 30"),
        ("customers", "customers = 100\nstarting_tenure = 'new'\nprospects = '0/day'"),
        ("quick", "quick = 2.1"),
        ("tolerance", 'tolerance = "2 days"'),
    ],
)
def test_digest__is_of_the_meaning(old: str, new: str, tmp_path: Path) -> None:
    """Comments, titles, spellings and stated defaults do not count."""
    assert digest(changed(old, new), tmp_path) == digest(PURCHASE, tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seed", "seed = 8"),
        ("horizon", 'horizon = "731 days"'),
        ("policies", 'policies = ["slow", "empowered"]'),
        ("name", 'name = "very late"'),
        ("tau", "tau = '73 h'"),
        ("margin", "margin = 0.46"),
        ("value", 'value = "$35"\nlock_in = 1.0000000000000002'),
    ],
)
def test_digest__sees_every_change(old: str, new: str, tmp_path: Path) -> None:
    """The last bit of a number counts, and so do names."""
    assert digest(changed(old, new), tmp_path) != digest(PURCHASE, tmp_path)


def test_digest__does_not_know_where_a_scenario_was_written(tmp_path: Path) -> None:
    """The same settings in another file, by extension or override, are the same."""
    first = digest(PURCHASE, tmp_path)
    (tmp_path / "upper.toml").write_text('extends = "./shop.toml"\n', encoding="utf-8")
    assert load_scenario(tmp_path / "upper.toml").digest == first
    lowered = changed("customers", "customers = 99")
    (tmp_path / "lower.toml").write_text(lowered, encoding="utf-8")
    overrides = ["population.customers=100"]
    again = load_scenario(tmp_path / "lower.toml", overrides=overrides)
    assert again.digest == first


@pytest.mark.parametrize("name", HOSTILE)
def test_names__are_labels_and_never_paths(name: str, tmp_path: Path) -> None:
    """Any name of one line may be given to a policy and a mistake, and survives."""
    path = tmp_path / "shop.toml"
    path.write_text(PURCHASE, encoding="utf-8")
    key = f'"{_escaped(name)}"'
    overrides = {
        "policies": f"['slow', {key}]",
        f"policy.{key}.extends": "slow",
        "mistakes.1.name": key,
    }
    scenario = load_scenario(path, overrides=overrides)
    assert scenario.policy_names == ("slow", name, "flawless")
    assert scenario.spec.mistakes[0].name == name
    path.write_text(scenario.to_toml(), encoding="utf-8")
    assert load_scenario(path).digest == scenario.digest


def _escaped(text: str) -> str:
    return "".join(f"\\U{ord(character):08x}" for character in text)


def test_slug__is_a_safe_file_name(tmp_path: Path) -> None:
    """Slugs are short, plain, apart from each other whatever the case, and usable."""
    names = [
        *HOSTILE,
        "empowered",
        "slow_and_dishonest",
        "",
        ".",
        "..",
        "nul",
        "\ud800",
    ]
    slugs = [slug(name) for name in names]
    assert len({text.lower() for text in slugs}) == len(set(names))
    for text in slugs:
        assert 0 < len(text.encode()) <= 80
        assert set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
        (tmp_path / text).write_text("")
    assert slug("slow_and_dishonest") == "slow_and_dishonest"
    assert slug("CON").startswith("con-")
    assert len(list(tmp_path.iterdir())) == len(names)


def test_to_toml__is_toml() -> None:
    """What is written out is read by the standard's own parser."""
    data = tomllib.loads(load_scenario("telecom").to_toml())
    assert data["policy"]["slow"]["authority"]["limit"] == "$0"
    assert data["market"]["relationship"] == "subscription"


def test_policy__is_asked_for_by_its_name() -> None:
    """A policy that is not there is answered with the nearest name."""
    with pytest.raises(InputError, match=r"got \"slwo\"; did you mean 'slow'\?"):
        load_scenario("telecom").plan("slwo")
