"""configs/evidence.toml and the ready files' comments say the same of each figure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from churnsim.configs import configs_folder
from churnsim.scenario import list_scenarios, load_scenario
from churnsim.scenario.assumptions import INFLUENTIAL, foundations_of
from churnsim.scenario.evidence import Graded, graded_lines
from churnsim.scenario.files import read
from churnsim.scenario.grounds import Ground, grounds_of, with_ranges
from churnsim.scenario.recorded import KINDS, Record, recorded

FILES = sorted(
    path for kind in KINDS for path in (configs_folder() / kind).glob("*.toml")
)
FIXED = {"definition", "choice", "rest"}
WHOSE = {"source", "ours"}


def said_in(path: Path) -> dict[str, Graded]:
    """Return what a file's comments say, by key."""
    text = path.read_text(encoding="utf-8")
    return {said.key: said for said in graded_lines(text, read(path, 0)).values()}


def value_at(data: object, key: str) -> object:
    """Return what stands under a dotted key; items of arrays by name or number."""
    for word in key.split("."):
        if isinstance(data, list):
            names = [item.get("name") for item in data]
            data = data[names.index(word) if word in names else int(word) - 1]
        else:
            assert isinstance(data, dict)
            data = data[word]
    return data


def disagreements(path: Path, rows: Mapping[str, Record]) -> Iterator[str]:
    """Yield where a file and its record do not say the same."""
    said = said_in(path)
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    yield from (f"{key} is not recorded" for key in said.keys() - rows.keys())
    yield from (f"{key} is not in the file" for key in rows.keys() - said.keys())
    for key in said.keys() & rows.keys():
        if rows[key].value != value_at(data, key):
            yield f"{key}: the value"
        if rows[key].grade != said[key].evidence.grade:
            yield f"{key}: the grade"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_record__agrees_with_the_file(path: Path) -> None:
    """No figure is missing, none is left over, and value and grade are the file's."""
    rows = recorded().files[path.parent.name, path.stem]
    assert sorted(disagreements(path, rows)) == []


def test_record__has_no_file_that_is_not_there() -> None:
    """Each table of the record is of a ready file."""
    assert recorded().files.keys() == {(path.parent.name, path.stem) for path in FILES}


def test_disagreements__are_all_found() -> None:
    """A figure left out, one left over, another value and another grade are found."""
    path = configs_folder() / "policies" / "slow.toml"
    rows = dict(recorded().files["policies", "slow"])
    rows["speed.repair"] = rows["speed.repair"]._replace(value="2 days")
    rows["speed.approval"] = rows["speed.approval"]._replace(grade="A")
    rows["speed.agents"] = rows.pop("authority.limit")
    assert sorted(disagreements(path, rows)) == [
        "authority.limit is not recorded",
        "speed.agents is not in the file",
        "speed.approval: the grade",
        "speed.repair: the value",
    ]


def test_record__says_all_that_it_must() -> None:
    """What is assumed has a range or a reason for none; sources are known, and used."""
    record = recorded()
    used = {name for told in record.told for name in told.sources}
    for (kind, file), rows in record.files.items():
        for key, row in rows.items():
            where = f"{kind}/{file}: {key}"
            used |= set(row.sources)
            assert row.basis in {"seen", "assumed"}, where
            assert row.grade != "D" or row.basis == "assumed", where
            assert (row.low is None) == (row.high is None) == (row.whose is None), where
            if row.grade == "D":
                assert (row.low is None) == (row.fixed in FIXED), where
            else:
                assert row.fixed is None, where
            assert row.whose in {*WHOSE, None}, where
            assert row.sources, where
    assert used == set(record.sources)


@pytest.mark.parametrize("name", list_scenarios())
def test_grounds__of_a_ready_scenario_are_whole(name: str) -> None:
    """Each graded figure has sources; what policies share is one figure, told once."""
    grounds = grounds_of(name)
    keys = [key for ground in grounds for key in ground.keys]
    assert len(keys) == len(set(keys))
    settings = tomllib.loads(load_scenario(name).to_toml())
    missing = object()
    for ground in grounds:
        for key in ground.keys:
            found: object = settings
            for word in key.split("."):
                if isinstance(found, list):
                    found = next(item for item in found if item["name"] == word)
                else:
                    assert isinstance(found, dict)
                    found = found.get(word, missing)
            assert found is not missing, key
        assert ground.sources or ground.value == "the default", ground.keys
    grades = [ground.grade for ground in grounds]
    assert grades == sorted(grades, reverse=True)


@pytest.mark.parametrize("name", list_scenarios())
def test_told__each_ready_scenario_follows_one_of_both_findings(name: str) -> None:
    """Word of mouth is as TARP or as East et al. found it; both are shipped."""
    word = load_scenario(name).spec.market.word_of_mouth
    pairs = {(told.bad, told.good) for told in recorded().told}
    assert pairs == {(9.0, 5.0), (3.0, 9.0)}
    assert (word.told_bad, word.told_good) in pairs


def of(grounds: tuple[Ground, ...], key: str) -> Ground:
    """Return the figure that a setting has."""
    (found,) = (ground for ground in grounds if key in ground.keys)
    return found


def test_grounds__what_a_line_gives_to_several_is_one_figure() -> None:
    """Policies share a preset's line, kinds of mistakes what is said alike of them."""
    grounds = grounds_of("telecom")
    repair = of(grounds, "policy.slow.speed.repair")
    assert repair.varied == (
        "policy.slow.speed.repair.mean",
        "policy.slow_and_dishonest.speed.repair.mean",
    )
    assert repair.range_text == "8 h to 120 h"
    voice = of(grounds, "mistakes.billing.voice_slope")
    assert len(voice.keys) == 4
    assert len(of(grounds, "mistakes.billing.stake").keys) == 1


def test_grounds__of_a_file_of_ones_own(tmp_path: Path) -> None:
    """Comments grade and give ranges; what is extended keeps its own evidence."""
    path = tmp_path / "mine.toml"
    path.write_text(
        'extends = "telecom"\n'
        "[market]\n"
        "lock_in = 2.0 # D [1.5 .. 2.5]: asked ten customers\n"
        'memory = { law = "exponential", mean = "30 days" }'
        " # B [20 days .. 60 days]: a log\n"
        "discovery = 0.6\n",
        encoding="utf-8",
    )
    grounds = grounds_of(path)
    lock_in = of(grounds, "market.lock_in")
    assert (lock_in.grade, lock_in.basis) == ("D", "assumed")
    assert (lock_in.low, lock_in.high, lock_in.sources) == ("1.5", "2.5", ())
    memory = of(grounds, "market.memory")
    assert (memory.grade, memory.basis) == ("B", "seen")
    assert memory.varied == ("market.memory.mean",)
    assert memory.range_text == "20 days to 60 days"
    assert of(grounds, "market.retry").low == "0.3"
    # A value that is replaced without a word takes its evidence with it.
    discovery = of(grounds, "market.discovery")
    assert (discovery.value, discovery.grade, discovery.low) == ("0.6", "D", None)
    assert discovery.text == INFLUENTIAL["market.discovery"].text


def test_grounds__what_is_set_for_a_run_has_no_range() -> None:
    """A setting, or a part of it, that lies over the file's is an assumption."""
    changes = ["market.lock_in=2", 'market.memory.mean="3 days"']
    grounds = grounds_of("telecom", changes)
    for key in ("market.lock_in", "market.memory"):
        ground = of(grounds, key)
        assert (ground.grade, ground.low) == ("D", None)
        assert ground.text == "set for this run"


def test_foundations__have_the_ranges_that_are_plausible() -> None:
    """What results rest on is told with its range, but for what was set for the run."""
    scenario = load_scenario("telecom", overrides=["market.double=2"])
    found = with_ranges(foundations_of(scenario), scenario, None)
    ranges = {item.key: item.range for item in found}
    assert ranges["market.retry"] == "0.3 to 0.8"
    assert ranges["market.memory"] == "20.2 days to 260 days"
    assert ranges["mistakes.outage.probability"] == "0.0010417 to 0.0052083"
    assert ranges["market.double"] == ""
