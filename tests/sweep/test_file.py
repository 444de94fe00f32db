"""A sweep's file: all that is wrong with it at once, and what its digest stands for."""

import itertools
import re
import shutil
from pathlib import Path

import pytest

from churnsim.errors import InputError
from churnsim.sweep.plan import load_sweep

HEAD = """scenario = "telecom"
policies = ["empowered", "slow"]
replications = 2
"""
SET = """
[set]
"population.customers" = 50
"""
BASE = HEAD + SET
GRID = '\n[[factor]]\nfield = "market.lock_in"\nvalues = [0.1, 0.2, 0.4]\n'
SAMPLED = """
[design]
kind = "sobol"
points = 8

[[factor]]
field = "market.lock_in"
low = 0.1
high = 0.8

[[factor]]
field = "policy.slow.authority.limit"
low = "$10"
high = "$90"
scale = "log"
"""


def told(folder: Path, text: str | bytes) -> list[str]:
    """Return what is wrong with a file, each as `line: field: rule` and so on."""
    file = folder / "sweep.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as refused:
        load_sweep(file)
    assert all(problem.file == str(file) for problem in refused.value.problems)
    return [str(p).removeprefix(f"{file}:") for p in refused.value.problems]


def digest(folder: Path, text: str) -> str:
    """Return the digest of a file's text."""
    file = folder / "sweep.toml"
    file.write_text(text, encoding="utf-8")
    return load_sweep(file).digest


def factor(field: str, **settings: str) -> str:
    """Return a factor's table."""
    lines = [f"{key} = {value}" for key, value in settings.items()]
    return "\n".join(["", "[[factor]]", f'field = "{field}"', *lines, ""])


def test_file__all_problems_are_told_at_once(tmp_path: Path) -> None:
    """Settings, policies, design, factors, outcomes: none hides another's problem."""
    text = """title = 3
draws = "comon"
replications = 0
seed = -1
scenario = "telecom"
filters = ["market.lok_in < 1"]
outcomes = ["revenu"]
policies = ["slwo", "slow", "nobody"]
relpications = 3

[set]
"market.discovery" = 7
"market.lokin" = 1

[design]
kind = "sobol"
points = 0

[[factor]]
field = "market.lock_in"
low = 1
high = 0

[[factor]]
field = "policies.slow.honesty.lie"
low = "some"
high = 2
"""
    starts = [
        "1: title: must be a text in quotes; got 3",
        "2: draws: must be one of common, independent; got",
        "3: replications: must be a whole number from 1 to 1,000,000; got 0",
        "4: seed: must be a whole number from 0 to",
        "6: filters[1]: must name a factor of the sweep; got",
        "7: outcomes[1]: must be one of revenue,",
        "8: policies[1]: must be one of empowered,",
        "8: policies[3]: must be one of empowered,",
        "9: relpications: unknown key; did you mean 'replications'?",
        "12: market.discovery: must be in [0, 1]; got 7",
        "13: market.lokin: unknown key; did you mean 'lock_in'?",
        "17: design.points: must be a whole number from 1 to 1,073,741,824; got 0",
        "21: market.lock_in: must be below high, 0; got",
        '26: policy.slow.honesty.lie: must be a share such as 0.6 or "60 %"; got',
        "27: policy.slow.honesty.lie: must be in [0, 1]; got 2",
    ]
    found = told(tmp_path, text)
    assert len(found) == len(starts), found
    for line, start in zip(found, starts, strict=True):
        assert line.startswith(start), line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("this is no toml", "1: must be valid TOML"),
        (b"\n\xff\xfe\x00", "2: must be UTF-8 text; save as UTF-8"),
        (b"#" * 2**21, "must not be larger than 1 MiB"),
        (BASE, "factor: must vary something: a [[factor]] with its field"),
        (GRID, "scenario: is required: a ready scenario's name, or a path"),
        (BASE.replace("telecom", "telcom") + GRID, "did you mean 'telecom'?"),
        (BASE.replace("telecom", "no/x.toml") + GRID, "must be a file that exists"),
        (BASE + factor("market.lok_in", values="[1]"), "did you mean 'lock_in'?"),
        (BASE + GRID + "stps = 3", "factor[1].stps: unknown key; did you mean 'steps'"),
        (BASE + factor("market.lock_in"), "needs values, or low and high"),
        (BASE + factor("market.lock_in", low="0"), "needs values, or low and high"),
        (BASE + "\n[[factor]]\nvalues = [1]\n", "needs a field, such as field ="),
        (BASE + GRID + "low = 0\n", "must be absent where low and high tell a range"),
        (BASE + factor("market.lock_in", values="[]"), "at least one setting"),
        (BASE + factor("market.lock_in", values="0.3"), "at least one setting"),
        (BASE + factor("market.lock_in", values="[0.1, 1e-1]"), "differ from the oth"),
        (BASE + factor("horizon", values='["1 year", "12 months"]'), "differ from the"),
        (BASE + factor("market.discovery", values="[0.1, 2]"), "in [0, 1]; got 2"),
        (BASE + factor("market.lock_in", low="2", high="1"), "must be below high, 1"),
        (BASE + factor("market.lock_in", low="1", high="1"), "must be below high, 1"),
        (BASE + factor("market.lock_in", low="nan", high="1"), "must be finite"),
        (
            BASE + factor("policy.slow.authority.limit", low='"$1"', high="inf"),
            "policy.slow.authority.limit: must be finite; got",
        ),
        (
            BASE + factor("market.discovery", low="0", high="1", scale='"log"'),
            'must be above 0 where scale = "log"; got "0 %"',
        ),
        (
            BASE + factor("market.discovery", low="0", high="1", scale='"lgo"'),
            "did you mean 'log'?",
        ),
        (
            BASE + factor("market.discovery", low="0", high="1", steps="1"),
            "steps: must be a whole number from 2 to 100,000; got 1",
        ),
        (
            BASE + factor("market.relationship", low='"purchase"', high='"x"'),
            "must be one of purchase, subscription",
        ),
        (
            BASE + factor("policy.slow.speed.agents", low="1", high='"2 per 1000"'),
            'must both be whole or plain numbers, or both such as "2 per 1000"',
        ),
        (BASE + GRID + GRID, "factor[2].field: must be varied by one factor only"),
        (
            BASE
            + factor("policies.slow.speed.agents", values="[1]")
            + factor("policy . slow.speed.agents", values="[2]"),
            "factor[2].field: must be varied by one factor only",
        ),
        (BASE + '"market.lock_in" = 0.4\n' + GRID, "not be set here: a factor varies"),
        (
            BASE
            + '"mistakes.billing.heard" = 0.4\n'
            + factor("mistakes.1.heard", values="[0.1, 0.2]"),
            "mistakes.billing.heard: must be given once; mistakes.1.heard is the same",
        ),
        (
            BASE + "mistakes.billing.heard = 0.4\nmistakes.1.heard = 0.3\n" + GRID,
            "must be given once; mistakes.billing.heard is the same",
        ),
        (
            BASE + factor("currency", values='["€", "$"]'),
            "factor[1].field: must not be varied: all amounts are in it",
        ),
        (BASE + '"market.lock_in" = 1\nmarket.lock_in = 2\n', "must be set once"),
        (BASE.replace('["empowered", "slow"]', "[]") + GRID, "must name a policy, or"),
        (BASE.replace("empowered", "slow") + GRID, "must name each policy once"),
        (BASE + factor("policies", values='["slow"]'), "array of different names"),
        (BASE + factor("policies", values='[["slow", "slow"]]'), "different names"),
        (BASE + factor("policies", values='[["slow"], ["slow"]]'), "from the others"),
        (BASE + factor("policies", values='[["slwo"]]'), "did you mean 'slow'?"),
        (BASE + factor("policies", low="1", high="2"), "must be in values, such as"),
        (BASE + "factor = 3\n", "7: factor: unknown key"),
        ("factor = 3\n" + BASE, "factor: must be tables, each under [[factor]]"),
        ("design = 3\n" + BASE + GRID, "design: needs a kind"),
        (BASE + '[design]\nkind = "soboll"\n' + GRID, "did you mean 'sobol'?"),
        (BASE + '[design]\nkind = "grid"\npoints = 3\n' + GRID, "points: unknown key"),
        (BASE + '[design]\nkind = "sobol"\n' + GRID, "needs points, such as"),
        (BASE + '[design]\nkind = "list"\n' + GRID, "must list its points, each under"),
        (
            BASE + '[design]\nkind = "morris"\ntrajectories = 4\nlevels = 3\n' + GRID,
            "levels: must be even",
        ),
        (
            BASE
            + '[design]\nkind = "latin_hypercube"\npoints = 1000000000\n'
            + factor("market.lock_in", low="0", high="1"),
            "design.points: must be at most 10,000,000 with 1 factors",
        ),
        (
            BASE
            + '[design]\nkind = "sobol"\npoints = 4\n'
            + factor("market.lock_in", low="0", high="1", steps="3"),
            "must be absent with sobol: a grid alone cuts a range into steps; got 3",
        ),
    ],
)
def test_file__is_refused_with_the_cure(
    text: str | bytes, expected: str, tmp_path: Path
) -> None:
    """The one thing that is wrong, and where."""
    found = told(tmp_path, text)
    assert expected in "\n".join(found), found


@pytest.mark.parametrize("key", ["replications", "seed", "title"])
def test_file__what_the_sweep_says_itself_is_no_setting(
    key: str, tmp_path: Path
) -> None:
    """Neither in [set] nor as a factor: it would be read and ignored."""
    value = '"x"' if key == "title" else "3"
    (found,) = told(tmp_path, BASE + f"{key} = {value}\n" + GRID)
    assert found.startswith(f"7: set.{key}: must not be set here")
    (found,) = told(tmp_path, BASE + factor(key, values=f"[{value}]"))
    assert found.startswith("9: factor[1].field: must not be varied: the sweep has")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ('["market.lock_in < 0"]', "filters: must leave a point to run; they drop all"),
        ('"market.lock_in < 0"', "filters: must be an array of texts"),
        ("[4]", "filters[1]: must be a text in quotes; got 4"),
        ('["market.lok_in < 1"]', "did you mean 'market.lock_in'?"),
        ('["1 < 2"]', "must name a factor of the sweep"),
        ('["market.lock_in"]', "must compare two factors, or one with a value"),
        ('["market.lock_in = 3"]', "must compare two factors, or one with a value"),
        ('["market.lock_in < "]', "must compare two factors, or one with a value"),
        ('["market.lock_in < nan"]', "nan is none"),
        ('["market.lock_in < $3"]', "$3 is none"),
        ("[\"market.lock_in < __import__('os')\"]", "is none"),
        ('["0.1 < market.lock_in < 0.3"]', "must compare two factors, or one"),
    ],
)
def test_file__filters_are_rules_and_nothing_else(
    filters: str, expected: str, tmp_path: Path
) -> None:
    """What drops all, names nothing or is no rule is refused; nothing is ever run."""
    (found,) = told(tmp_path, HEAD + f"filters = {filters}\n" + SET + GRID)
    assert expected in found


@pytest.mark.parametrize(
    ("field", "values", "rule", "kept"),
    [
        ("policy.slow.authority.limit", '["$10", "$50", "inf"]', "< $50", ["$10"]),
        ("policy.slow.authority.limit", '["$10", "$50"]', "== '$50'", ["$50"]),
        ("market.discovery", '[0.1, "30 %"]', ">= 30 %", ["30 %"]),
        ("market.discovery", '[0.1, "30 %"]', ">= 0.3", ["30 %"]),
        ("market.patience.mean", '["1 min", "3 min"]', "> 90 s", ["3 min"]),
        (
            "policy.slow.speed.agents",
            '["0.2 per 1000", "0.4 per 1000"]',
            "< 0.3 per 1000",
            ["0.2 per 1000"],
        ),
        ("start", '["2026-01-01", "2026-02-01"]', "!= 2026-01-01", ["2026-02-01"]),
        ("policies", '[["slow"], ["slow", "empowered"]]', "== slow", ["slow"]),
    ],
)
def test_file__filters_take_values_as_a_file_has_them(
    field: str, values: str, rule: str, kept: list[str], tmp_path: Path
) -> None:
    """With their units, and texts by name: never a bare number of another unit."""
    file = tmp_path / "sweep.toml"
    filters = f'filters = ["{field} {rule}"]\n'
    file.write_text(HEAD + filters + SET + factor(field, values=values))
    sweep = load_sweep(file)
    points = [sweep.point(i) for i in range(sweep.n_points)]
    assert [point.levels[0].text for point in points] == kept


@pytest.mark.parametrize(
    ("field", "values", "rule"),
    [
        ("policy.slow.authority.limit", '["$10", "$50"]', "< 50"),
        ("market.patience.mean", '["1 min", "3 min"]', "< 2"),
        ("policy.slow.speed.agents", "[1, 2]", "< 0.2 per 1000"),
        ("start", '["2026-01-01", "2026-02-01"]', "< 2026-01-01"),
        ("start", '["2026-01-01", "2026-02-01"]', "== 0"),
        ("market.patience.mean", '["1 min", "3 min"]', "< market.lock_in"),
    ],
)
def test_file__filters_refuse_what_differs_in_kind(
    field: str, values: str, rule: str, tmp_path: Path
) -> None:
    """A number without its unit, texts in order, time against a share."""
    filters = f'filters = ["{field} {rule}"]\n'
    text = HEAD + filters + SET + factor(field, values=values) + GRID
    (found,) = told(tmp_path, text)
    assert found.startswith("4: filters[1]: must "), found


def test_file__filters_would_break_a_laid_out_design(tmp_path: Path) -> None:
    """Morris and Saltelli points belong together."""
    for kind, count in (("morris", "trajectories"), ("saltelli", "points")):
        design = f'[design]\nkind = "{kind}"\n{count} = 4\n'
        filters = 'filters = ["market.lock_in < 1"]\n'
        ranged = factor("market.lock_in", low="0", high="1")
        (found,) = told(tmp_path, HEAD + filters + SET + design + ranged)
        assert "filters: must be absent: the points of a" in found


def test_file__listed_points(tmp_path: Path) -> None:
    """Keys quoted or not, in any order; a policy by its plural; policies varied too."""
    file = tmp_path / "sweep.toml"
    file.write_text(
        BASE
        + """
[[point]]
"market.lock_in" = 0.1
policies = ["slow"]
"policies.slow.speed.agents" = 2

[[point]]
policies = ["slow", "dishonest"]
policy.slow.speed.agents = 3
market.lock_in = 0.1
"""
    )
    sweep = load_sweep(file)
    assert (sweep.n_points, sweep.design.name) == (2, "list")
    fields = ["market.lock_in", "policies", "policy.slow.speed.agents"]
    assert [one.field for one in sweep.factors] == fields
    first, second = sweep.point(0), sweep.point(1)
    assert (first.policies, second.policies) == (("slow",), ("slow", "dishonest"))
    agents = "policy.slow.speed.agents"
    assert first.overrides == {"market.lock_in": "0.1", agents: "2"}
    assert second.overrides == {"market.lock_in": "0.1", agents: "3"}
    assert "dishonest" in sweep.scenario.policy_names


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (
            '[[point]]\n"market.lock_in" = 0.1\n[[point]]\n"market.discovery" = 0.1\n',
            "10: point[2]: must have the settings of the first point: market.lock_in",
        ),
        (
            "[[point]]\npolicy.slow.speed.agents = 1\npolicies.slow.speed.agents = 2\n",
            "must be set once",
        ),
        ("[[point]]\n", "8: point[1]: must have a setting"),
        ('[[point]]\n"policies" = "slow"\n', "array of different names of policies"),
        ('[[point]]\n"seed" = 3\n', "must not be varied: the sweep has one seed"),
        ('[[point]]\n"market.lock_in" = 0.1\n' + GRID, "must be absent where points"),
        (
            '[design]\nkind = "sobol"\n[[point]]\n"market.lock_in" = 0.1\n',
            'design.kind: must be "list" where points are listed; got',
        ),
    ],
)
def test_file__listed_points_that_cannot_be(
    points: str, expected: str, tmp_path: Path
) -> None:
    """Points that differ in keys, set something twice, or set nothing."""
    found = told(tmp_path, BASE + "\n" + points)
    assert any(expected in line for line in found), found


def test_file__ready_policies_need_not_be_in_the_scenario(tmp_path: Path) -> None:
    """As with `churnsim run --policy`; what any point compares is loaded."""
    file = tmp_path / "sweep.toml"
    assert "by_the_book" not in load_sweep("telecom_levers").scenario.policy_names
    file.write_text(HEAD.replace("slow", "by_the_book") + SET + GRID)
    assert load_sweep(file).scenario.policy_names[-1] == "by_the_book"
    values = '[["by_the_book"], ["no_recovery", "slow"]]'
    file.write_text(BASE + factor("policies", values=values))
    sweep = load_sweep(file)
    assert {"by_the_book", "no_recovery"} < {*sweep.scenario.policy_names}
    assert [sweep.point(i).policies for i in range(2)] == [
        ("by_the_book",),
        ("no_recovery", "slow"),
    ]


def test_file__a_share_that_only_others_make_possible_is_a_number(
    tmp_path: Path,
) -> None:
    """Truth, excuses and lies sum to 1: none can be changed alone, two can."""
    file = tmp_path / "sweep.toml"
    point = (
        '[[point]]\n"policy.slow.honesty.lie" = {}\n"policy.slow.honesty.truth" = {}\n'
    )
    base = load_sweep("telecom_levers").scenario.policy("slow").honesty
    rest = 1.0 - base.excuse
    file.write_text(BASE + point.format(0.0, rest) + point.format(rest, 0.0))
    sweep = load_sweep(file)
    assert [level.number for level in sweep.point(1).levels] == [rest, 0.0]
    assert all(one.lever is not None for one in sweep.factors)
    file.write_text(BASE + factor("policy.slow.honesty.lie", low="0.1", high="0.2"))
    assert load_sweep(file).n_points == 5


def test_file__paths_are_relative_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the command is typed, and wherever both lie together."""
    from churnsim.scenario import load_scenario

    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    (first / "shop.toml").write_text(load_scenario("telecom").to_toml())
    text = HEAD.replace("telecom", "./shop.toml") + SET + GRID
    (first / "sweep.toml").write_text(text)
    shutil.copytree(first, second)
    digests = {load_sweep(folder / "sweep.toml").digest for folder in (first, second)}
    monkeypatch.chdir(second)
    digests.add(load_sweep(Path("sweep.toml")).digest)
    digests.add(load_sweep("sweep.toml").digest)
    assert len(digests) == 1


def test_file__a_ready_one_is_known_by_name() -> None:
    """And a name that is near to one is told."""
    assert load_sweep("telecom_levers").n_points == 24
    with pytest.raises(InputError, match="did you mean 'telecom_levers'"):
        load_sweep("telecom_lever")
    with pytest.raises(InputError, match="file that can be read"):
        load_sweep("nowhere/telecom_levers.toml")


def test_digest__is_the_same_for_the_same_meaning(tmp_path: Path) -> None:
    """Comments, units, aliases, titles, the order of keys that mean nothing."""
    text = BASE + SAMPLED
    others = [
        "# A comment.\n" + text,
        text.replace("\n", "\r\n"),
        'title = "A title"\n' + text,
        text.replace("policy.slow", "policies.slow"),
        text.replace('"$10"', '"$10.00"'),
        text.replace("low = 0.1", "low = 1e-1"),
        text.replace("replications = 2\n", "replications = 2\nseed = 1\n"),
        text.replace("low = 0.1\nhigh = 0.8", "high = 0.8\nlow = 0.1"),
        text.replace("points = 8", "points = 8\nseed = 1"),
        text.replace('"population.customers" = 50', "population.customers = 50"),
        SAMPLED.join([HEAD, SET]),
        text.replace("high = 0.8\n", 'high = 0.8\nscale = "linear"\n'),
        'draws = "common"\noutcomes = ["lost"]\n' + text,
    ]
    assert {digest(tmp_path, other) for other in others} == {digest(tmp_path, text)}


def test_digest__is_another_for_another_meaning(tmp_path: Path) -> None:
    """Whatever changes a point, its run or a row; no two of them are alike."""
    text = BASE + SAMPLED
    swapped = SAMPLED.split("\n[[factor]]")
    others = [
        text,
        text.replace("telecom", "spiral"),
        text.replace("= 50", "= 51"),
        text.replace("replications = 2", "replications = 3"),
        text.replace("replications = 2", "replications = 2\nseed = 2"),
        text.replace('["empowered", "slow"]', '["slow", "empowered"]'),
        text.replace('["empowered", "slow"]', '["slow"]'),
        'draws = "independent"\n' + text,
        'outcomes = ["won"]\n' + text,
        'outcomes = ["won", "wages"]\n' + text,
        text.replace("points = 8", "points = 16"),
        text.replace("points = 8", "points = 8\nseed = 2"),
        text.replace("sobol", "saltelli"),
        text.replace("sobol", "latin_hypercube"),
        text.replace("low = 0.1", "low = 0.2"),
        text.replace("high = 0.8", "high = 0.9"),
        text.replace('scale = "log"', 'scale = "linear"'),
        text.replace("market.lock_in", "market.discovery"),
        BASE + "\n[[factor]]".join([swapped[0], swapped[2], "\n" + swapped[1]]),
        'filters = ["market.lock_in < 0.5"]\n' + text,
        'filters = ["market.lock_in < 0.4"]\n' + text,
        BASE + GRID,
        BASE + GRID.replace("0.1, 0.2", "0.2, 0.1"),
        BASE + GRID + factor("market.discovery", low="0", high="1"),
        BASE + GRID + factor("market.discovery", low="0", high="1", steps="3"),
        BASE + GRID.replace("values = [0.1", "values = [0.1, 0.15"),
        BASE + factor("policies", values='[["slow"], ["empowered", "slow"]]'),
        BASE + factor("policies", values='[["slow"], ["slow", "empowered"]]'),
        BASE + "".join(f'\n[[point]]\n"market.lock_in" = {x}\n' for x in (0.1, 0.2)),
        BASE + "".join(f'\n[[point]]\n"market.lock_in" = {x}\n' for x in (0.2, 0.1)),
        BASE + factor("policy.slow.speed.agents", values="[1, 2]"),
        BASE
        + factor("policy.slow.speed.agents", values='["1 per 1000", "2 per 1000"]'),
    ]
    digests = [digest(tmp_path, other) for other in others]
    alike = [
        (one, other)
        for (one, a), (other, b) in itertools.combinations(
            zip(others, digests, strict=True), 2
        )
        if a == b
    ]
    assert not alike
    assert all(re.fullmatch("[0-9a-f]{64}", found) for found in digests)


def test_file__the_examples_on_the_page_are_sweeps(tmp_path: Path) -> None:
    """Of docs/sweeps.md: the file with all keys, and points that are listed."""
    page = Path(__file__).parents[2] / "docs" / "sweeps.md"
    text = page.read_text(encoding="utf-8")
    whole, points = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    file = tmp_path / "sweep.toml"
    file.write_text(whole, encoding="utf-8")
    sweep = load_sweep(file)
    assert (sweep.n_points, sweep.title) == (8, "Lock-in and authority")
    file.write_text('scenario = "telecom"\n' + points, encoding="utf-8")
    assert load_sweep(file).point(1).policies == ("slow", "dishonest")


def test_kept__keeps_its_names(tmp_path: Path) -> None:
    """Read back from a store's copies, sweep and scenario have the names they had."""
    sweep = load_sweep("telecom_levers")
    kept = tmp_path / "scenario.toml"
    kept.write_text(sweep.scenario.to_toml(), encoding="utf-8")
    again = load_sweep("telecom_levers", scenario=kept)
    assert again.scenario.name == sweep.scenario.name == "telecom"
    assert again.digest == sweep.digest
