"""Logs of transactions that scenarios name: found, read as told, digested."""

from pathlib import Path

import pytest

from churnsim.errors import InputError
from churnsim.fit import DATE_FORMATS, LAYOUTS
from churnsim.report.settings import scenario_text
from churnsim.scenario import json_schema, load_scenario
from churnsim.scenario.transactions import Transactions
from tests.scenario.examples import changed

TABLE = 'transactions = { file = "log.csv", end = "2024-09-30" }'


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log beside the scenarios of a test."""
    path = tmp_path / "log.csv"
    path.write_text("a,2020-01-01,5\n", encoding="utf-8")
    return path


def scenario(log: Path, line: str, name: str = "shop.toml") -> Path:
    """Return the file of a scenario whose log is named by a line."""
    path = log.with_name(name)
    path.write_text(changed("customers", line), encoding="utf-8")
    return path


def refusal(path: Path, *overrides: str) -> str:
    """Return what the author of a refused file is told."""
    with pytest.raises(InputError) as caught:
        load_scenario(path, overrides=overrides)
    return str(caught.value)


def read(path: Path, *overrides: str) -> Transactions:
    """Return the log of a scenario."""
    found = load_scenario(path, overrides=overrides).population.transactions
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("field", "known"), [("layout", LAYOUTS), ("date_format", DATE_FORMATS)]
)
def test_choices__are_those_of_the_reader(field: str, known: tuple[str, ...]) -> None:
    """What a scenario may say is what the reader of logs knows, in its order."""
    definition = json_schema()["$defs"]["Transactions"]["properties"][field]
    assert tuple(definition["enum"]) == known


def test_table__says_how_the_log_is_read(log: Path) -> None:
    """Every option is taken, the day as a text or as TOML's own, and shown."""
    line = TABLE.replace(
        " }", ', layout = "csv", date_format = "iso", drop_duplicates = true }'
    )
    path = scenario(log, line)
    found = read(path)
    assert found.model_dump(mode="json") == {
        "file": str(log),
        "end": "2024-09-30",
        "layout": "csv",
        "date_format": "iso",
        "drop_duplicates": True,
    }
    own = scenario(log, line.replace('"2024-09-30"', "2024-09-30"), "own.toml")
    assert read(own) == found
    loaded = load_scenario(path)
    again = log.with_name("again.toml")
    again.write_text(loaded.to_toml(), encoding="utf-8")
    assert load_scenario(again).digest == loaded.digest
    shown = " ".join(scenario_text(loaded, {}, 100).split())
    assert "[population.transactions]" in shown
    assert "end 2024-09-30 Last day to learn from" in shown


def test_text__stands_for_the_whole_log_as_it_is(log: Path) -> None:
    """A path and a table of nothing but that path mean the same and are one digest."""
    plain = scenario(log, 'transactions = "log.csv"')
    table = scenario(log, 'transactions = { file = "log.csv" }', "table.toml")
    assert read(plain) == read(table) == Transactions(file=str(log))
    assert load_scenario(plain).digest == load_scenario(table).digest
    assert f'\ntransactions = "{log}"\n' in load_scenario(table).to_toml()
    assert f"transactions {log}" in " ".join(
        scenario_text(load_scenario(plain), {}, 100).split()
    )


@pytest.mark.parametrize(
    "option",
    [
        'end = "2024-09-30"',
        'layout = "csv"',
        'date_format = "iso"',
        "drop_duplicates = true",
    ],
)
def test_digest__knows_how_the_log_is_read(option: str, log: Path) -> None:
    """The same log read in another way is another scenario."""
    plain = scenario(log, 'transactions = "log.csv"')
    other = scenario(log, f'transactions = {{ file = "log.csv", {option} }}', "o.toml")
    assert load_scenario(plain).digest != load_scenario(other).digest


def test_extends__lays_options_over_the_log_below(log: Path) -> None:
    """Options lie over a log named below; a file named anew brings its own options."""
    base = scenario(log, 'transactions = "log.csv"', "base.toml")
    (log.parent / "sub").mkdir()
    path = log.parent / "sub" / "own.toml"
    above = f'extends = "../{base.name}"\n[population.transactions]\n'
    path.write_text(above + "drop_duplicates = true\n", encoding="utf-8")
    assert read(path) == Transactions(file=str(log), drop_duplicates=True)
    other = log.parent / "sub" / "other.csv"
    other.write_text("b,2020-01-01,5\n", encoding="utf-8")
    path.write_text(above + 'file = "other.csv"\n', encoding="utf-8")
    assert read(path) == Transactions(file=str(other))
    scenario(log, TABLE, base.name)
    assert read(path) == Transactions(file=str(other))


def test_override__sets_options_and_files(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--set` reaches each option of a path, and a file keeps the options it has."""
    monkeypatch.chdir(log.parent)
    plain = scenario(log, 'transactions = "log.csv"')
    assert read(plain, "population.transactions.end=2024-09-30") == read(
        plain, 'population.transactions={ file = "log.csv", end = "2024-09-30" }'
    )
    other = log.with_name("other.csv")
    other.write_text("b,2020-01-01,5\n", encoding="utf-8")
    table = scenario(log, TABLE)
    moved = read(table, "population.transactions.file=other.csv")
    assert moved == read(table).model_copy(update={"file": str(other)})
    assert read(table, "population.transactions=other.csv") == Transactions(
        file=str(other)
    )
    counted = scenario(log, "customers = 5", "counted.toml")
    assert read(counted, "population.transactions.file=log.csv").file == str(log)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("transactions = 5", "transactions: must be a path in quotes, or a table"),
        ("transactions = {}", "transactions.file: is required"),
        ("transactions = { file = 5 }", "file: must be a text in quotes; got 5"),
        ('transactions = { file = "log.csv", ned = "x" }', "did you mean 'end'?"),
        (
            'transactions = { file = "log.csv", layout = "cdnwo" }',
            'must be one of auto, csv, parquet, cdnow; got "cdnwo"; did you mean \'cd',
        ),
        (
            'transactions = { file = "log.csv", date_format = "ymd" }',
            "date_format: must be one of auto, iso, compact, dmy, mdy",
        ),
        (
            'transactions = { file = "log.csv", drop_duplicates = 1 }',
            "drop_duplicates: must be true or false; got 1",
        ),
    ]
    + [
        (
            f'transactions = {{ file = "log.csv", end = {day} }}',
            'end: must be a day of the calendar, such as "2024-09-30"; got',
        )
        for day in ('"30/09/2024"', '"2023-02-29"', "2024", "2024-09-30T00:00:00")
    ],
)
def test_table__is_refused_in_words(line: str, words: str, log: Path) -> None:
    """A wrong option is told with rule, value, line and the word that was meant."""
    told = refusal(scenario(log, line))
    assert words in told
    assert f"{log.parent}/shop.toml:7: population.transactions" in told
    assert "\n" not in told


def test_table__may_leave_the_file_to_nobody(log: Path) -> None:
    """Options for a log that no file names are refused."""
    told = refusal(scenario(log, "customers = 5"), "population.transactions.end=2024")
    assert "population.transactions.file: is required" in told


def test_file__is_looked_for_beside_the_scenario(tmp_path: Path) -> None:
    """A log is looked for beside the file that names it; its content is digested."""
    path = tmp_path / "shop.toml"
    path.write_text(changed("customers", 'transactions = "log.csv"'), encoding="utf-8")
    assert "population.transactions: must be a file that exists" in refusal(path)
    log = tmp_path / "log.csv"
    log.write_text("a,2020-01-01,5\n", encoding="utf-8")
    loaded = load_scenario(path)
    assert loaded.population.transactions == Transactions(file=str(log))
    assert loaded.population.customers is None
    assert loaded.plan("slow", 3000).policy.agents == 2
    with pytest.raises(ValueError, match="the number of customers in the log"):
        loaded.plan("slow")
    log.write_text("b,2020-01-01,5\n", encoding="utf-8")
    assert load_scenario(path).digest != loaded.digest


def test_file__excludes_what_it_tells(tmp_path: Path) -> None:
    """Customers and tenure beside a log, or constant traits, are refused."""
    (tmp_path / "log.csv").write_text("a,2020-01-01,5\n", encoding="utf-8")
    text = changed("customers", 'customers = 5\ntransactions = "log.csv"')
    text = changed("dropout", "dropout = 0.1", text)
    path = tmp_path / "shop.toml"
    path.write_text(text, encoding="utf-8")
    told = refusal(path)
    assert "population.customers: must be absent: `transactions` tells it" in told
    assert 'market.dropout: must have law = "beta", to learn from the log' in told
