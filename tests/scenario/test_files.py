"""Files that are no scenario at all: encodings, sizes, depths, names, chains."""

import os
import time
from pathlib import Path

import pytest

from churnsim.errors import ExitCode, InputError
from churnsim.scenario import list_policies, list_scenarios, load_scenario
from churnsim.scenario.lines import DEPTH_MAX, excess
from tests.scenario.examples import PURCHASE, changed


def refusal(path: Path) -> str:
    """Return what the author of a refused file is told."""
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    assert caught.value.exit_code == ExitCode.INPUT
    return str(caught.value)


def test_bom__is_accepted(tmp_path: Path) -> None:
    """A byte order mark in front changes nothing."""
    plain, marked = tmp_path / "plain.toml", tmp_path / "marked.toml"
    plain.write_text(PURCHASE, encoding="utf-8")
    marked.write_text(PURCHASE, encoding="utf-8-sig")
    assert load_scenario(plain).digest == load_scenario(marked).digest


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1", "cp1252"])
def test_other_encodings__are_named_with_the_cure(
    encoding: str, tmp_path: Path
) -> None:
    """Text that is not UTF-8 is refused and told how to be saved."""
    path = tmp_path / "shop.toml"
    path.write_bytes(changed("title", 'title = "Café"').encode(encoding))
    text = refusal(path)
    assert "save as UTF-8" in text or "valid TOML" in text
    assert text.startswith(f"{path}:1: ")


def test_large_file__is_refused_before_it_is_read(tmp_path: Path) -> None:
    """A file of 64 GiB is refused at once."""
    path = tmp_path / "huge.toml"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 2**36)
    assert refusal(path) == f"{path}: must not be larger than 1 MiB"


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000,
        "a = " + "{b = " * 100_000,
        "a" + ".a" * 100_000 + " = 1",
        "[" + "a." * 100_000 + "a]",
        "a = " + "[" * 33 + "]" * 33,
        "a = " + "{b = " * 33 + "1" + "}" * 33,
    ],
    ids=["arrays", "tables", "dots", "header", "33 arrays", "33 tables"],
)
def test_depth__is_limited(text: str, tmp_path: Path) -> None:
    """What nests deeper than 32 is refused before it is parsed."""
    path = tmp_path / "deep.toml"
    path.write_text("# one line above\n" + text, encoding="utf-8")
    assert refusal(path) == f"{path}:2: must not be nested deeper than 32"


@pytest.mark.parametrize("unit", ["k{} = 1\n", "[[mistakes]]\n", "[policy.p{}]\n"])
def test_number_of_keys__is_limited(unit: str, tmp_path: Path) -> None:
    """A file of very many keys is answered in little time, and so is a shorter one."""
    path = tmp_path / "many.toml"
    for n, words in ((60_000, "more than 5000 keys"), (2000, "horizon: is required")):
        path.write_text("".join(unit.format(i) for i in range(n)), encoding="utf-8")
        start = time.process_time()
        assert words in refusal(path)
        assert time.process_time() - start < 2


def test_depth__is_not_seen_in_texts_and_comments() -> None:
    """Brackets and dots in strings and comments do not nest."""
    deep = "[" * 2 * DEPTH_MAX + "." * 2 * DEPTH_MAX
    quoted = f"""a = "{deep}\\"{deep}"\nb = '{deep}'\nc = '''{deep}\n{deep}'''\n"""
    assert excess(f'{quoted}d = """{deep}\n\\"""{deep}"""\n# {deep}\n') is None
    assert excess("e = [" + "[], " * 2 * DEPTH_MAX + "]") is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("telecmo", "did you mean 'telecom'?"),
        ("", "must be one of"),
        ("no/such.toml", "must be a file that exists"),
        ("/etc", "must be a file that exists"),
        ("a\0b.toml", "must be a file that exists"),
        ("configs/scenarios/telecmo.toml", "did you mean 'telecom.toml'?"),
    ],
)
def test_unknown_scenario__is_refused(name: str, words: str) -> None:
    """A name that is no ready scenario, or no file, is told what is near."""
    with pytest.raises(InputError) as caught:
        load_scenario(name)
    assert words in str(caught.value)


def test_path__needs_no_suffix(tmp_path: Path) -> None:
    """A Path is a file, whatever it is called."""
    path = tmp_path / "telecom"
    path.write_text(PURCHASE, encoding="utf-8")
    assert load_scenario(path).title == "Corner shop"
    assert load_scenario(str(path)).name == "telecom"


def test_directory__is_refused(tmp_path: Path) -> None:
    """A folder given as a file is refused in words."""
    assert "must be a file that can be read" in refusal(tmp_path)


@pytest.mark.parametrize("name", list_scenarios())
def test_ready_scenarios__compile(name: str) -> None:
    """Every ready scenario loads without a warning, and all its policies compile."""
    scenario = load_scenario(name)
    assert scenario.warnings == ()
    for policy in scenario.policy_names:
        plan = scenario.plan(policy)
        assert plan.market.mistake_probability > 0
    assert scenario.plan("flawless").policy.mistakes == 0


def test_ready_policies__are_the_documented_ones() -> None:
    """The presets of docs/model.md, section 6, are there."""
    expected = "blame_game by_the_book dishonest empowered flawless no_recovery slow"
    assert list_policies() == (*expected.split(), "slow_and_dishonest")


@pytest.mark.parametrize("name", list_policies())
def test_ready_policies__fit_any_currency(name: str, tmp_path: Path) -> None:
    """Presets load into a scenario whose currency is not the dollar."""
    text = changed("title", 'currency = "€"').replace("$", "€")
    path = tmp_path / "shop.toml"
    path.write_text(changed("policies", f'policies = ["{name}"]', text), "utf-8")
    scenario = load_scenario(path)
    assert scenario.policy_names == tuple(dict.fromkeys([name, "flawless"]))
    assert scenario.plan(name).policy.handle.kind == 2


def test_extends__lays_one_scenario_over_another(tmp_path: Path) -> None:
    """What the upper file states wins; the rest comes from the lower one."""
    (tmp_path / "base.toml").write_text(PURCHASE, encoding="utf-8")
    upper = tmp_path / "upper.toml"
    upper.write_text(
        'extends = "base.toml"\n[market]\nlock_in = 0.5\n'
        '[policy.slow.speed]\nhandle = "9 min"\n',
        encoding="utf-8",
    )
    base, above = load_scenario(tmp_path / "base.toml"), load_scenario(upper)
    assert above.name == "upper"
    assert above.spec.market.lock_in == 0.5
    assert base.spec.market.lock_in == 1.0
    assert above.spec.population == base.spec.population
    assert above.plan("slow").policy.handle.a == 9 / 1440
    assert above.plan("empowered").policy.handle == base.plan("slow").policy.handle


def test_extends__replaces_whole_laws(tmp_path: Path) -> None:
    """A table that names a law keeps no keys of the law below it."""
    (tmp_path / "base.toml").write_text(PURCHASE, encoding="utf-8")
    upper = tmp_path / "upper.toml"
    law = 'law = "constant", mean = "5/year"'
    upper.write_text(f'extends = "base.toml"\nmarket.rate = {{ {law} }}\n', "utf-8")
    assert load_scenario(upper).population.rate.a == 5 / 365.25


def test_extends__names_the_file_that_is_wrong(tmp_path: Path) -> None:
    """A mistake in the lower file is reported there, with its line."""
    base, upper = tmp_path / "base.toml", tmp_path / "upper.toml"
    base.write_text(changed("customers", "customers = -1"), encoding="utf-8")
    upper.write_text('extends = "base.toml"\nhorizon = 3\n', encoding="utf-8")
    lines = refusal(upper).splitlines()
    assert lines[0].startswith(f"{base}:7: population.customers: must be at least 0")
    assert lines[1].startswith(f"{upper}:2: horizon: must be a duration")


def test_extends__names_the_policy_file_that_is_wrong(tmp_path: Path) -> None:
    """A mistake in a policy file is reported there, under its own key."""
    gentle, shop = tmp_path / "gentle.toml", tmp_path / "shop.toml"
    gentle.write_text('extends = "slow"\n[reach]\nnotice = 2\n', encoding="utf-8")
    text = changed("policies", 'policies = ["gentle"]')
    shop.write_text(
        f'{text}[policy.gentle]\nextends = "./gentle.toml"\n', encoding="utf-8"
    )
    assert refusal(shop) == f"{gentle}:3: reach.notice: must be in [0, 1]; got 2"


def test_extends__may_not_turn_in_a_circle(tmp_path: Path) -> None:
    """Files that extend each other are named in order."""
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        path = tmp_path / f"{name}.toml"
        path.write_text(f'extends = "{other}.toml"\n', encoding="utf-8")
    assert "a.toml -> b.toml -> c.toml -> a.toml" in refusal(tmp_path / "a.toml")


def test_policies__may_not_turn_in_a_circle(tmp_path: Path) -> None:
    """Policies that extend each other are named in order."""
    path = tmp_path / "shop.toml"
    text = changed("policies", 'policies = ["a"]')
    path.write_text(
        f'{text}[policy.a]\nextends = "b"\n[policy.b]\nextends = "a"\n', "utf-8"
    )
    assert "must not lead back to itself: a -> b -> a" in refusal(path)


def test_policy__is_put_together_in_order(tmp_path: Path) -> None:
    """Root preset, then defaults, then the preset's deviations, then the own ones."""
    path = tmp_path / "shop.toml"
    path.write_text(
        PURCHASE
        + '[policy_defaults.speed]\nagents = 7\nrepair = "5 h"\n'
        + "[policy.slow.reach]\nnotice = 0.25\n",
        encoding="utf-8",
    )
    scenario = load_scenario(path)
    slow, empowered = scenario.plan("slow").policy, scenario.plan("empowered").policy
    assert (slow.agents, empowered.agents) == (7, 7)
    assert empowered.repair.a == 5 / 24  # the defaults lie over the root preset
    assert slow.repair.kind == 2  # and under the preset's own deviation
    assert (slow.notice, empowered.notice) == (0.25, 0.0)


def test_policy__may_extend_one_of_the_same_scenario(tmp_path: Path) -> None:
    """A new policy starts from another with what the scenario says of that one."""
    path = tmp_path / "shop.toml"
    path.write_text(
        changed("policies", 'policies = ["slow", "mine"]')
        + "[policy.slow.reach]\nnotice = 0.25\n"
        + '[policy.mine]\nextends = "slow"\nreach.voice_ease = 1.0\n',
        encoding="utf-8",
    )
    reach = load_scenario(path).policy("mine").reach
    assert (reach.notice, reach.voice_ease) == (0.25, 1.0)


def test_policy__that_extends_nothing_must_be_complete(tmp_path: Path) -> None:
    """A new policy that lacks settings is told in one line how to get them."""
    path = tmp_path / "shop.toml"
    text = changed("policies", 'policies = ["mine"]')
    path.write_text(f"{text}[policy.mine.speed]\nagents = 3\n", encoding="utf-8")
    (line,) = refusal(path).splitlines()
    assert 'policy.mine: must extend a policy, such as extends = "empowered"' in line
    assert "speed.handle" in line
