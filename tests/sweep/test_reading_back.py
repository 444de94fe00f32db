"""A store is one table to every program that reads Parquet."""

import warnings
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from churnsim.scenario import Scenario
from churnsim.sweep.plan import Point
from churnsim.sweep.rows import Failed, Row, schema_of
from churnsim.sweep.running import Threads, run_sweep
from tests.sweep.toy import cheap, toy_work

POINTS = 30
CHUNK_POINTS = 5
# Of each point that is well: two policies in two replications.
ROWS = 4 * 25 + 5
REVENUE = 4.0 * sum((*range(10), *range(15, 30)))


def first_fail(point: Point) -> list[Row] | Failed:
    """Return what a point comes to; those of the third chunk fail, all of them."""
    if point.number // CHUNK_POINTS == 2:
        return Failed("all of the chunk fail", "churnsim run shop")
    return cheap(point._replace(number=point.number * 13))


@pytest.fixture(scope="module")
def chunks(few: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the chunks of a sweep of which one holds failures only."""
    folder = tmp_path_factory.mktemp("store")
    run_sweep(toy_work(few, POINTS, CHUNK_POINTS, first_fail), folder, Threads(1))
    return folder / "chunks"


def installed(name: str) -> Any:
    """Return a package that people may have, or skip."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name, reason=f"{name} is not installed")


def test_store__has_one_schema_whatever_failed(few: Scenario, chunks: Path) -> None:
    """A column without a single value is of the type that it has elsewhere."""
    files = sorted(chunks.rglob("*.parquet"))
    assert len(files) == POINTS // CHUNK_POINTS
    expected = schema_of(toy_work(few, POINTS, CHUNK_POINTS).sweep)
    for file in files:
        assert pq.read_schema(file).equals(expected)
    failed = pq.read_table(files[2])
    assert failed["revenue"].null_count == failed.num_rows == CHUNK_POINTS


def test_store__is_read_by_pandas(chunks: Path) -> None:
    """The folder is named, nothing else; what failed has no outcomes."""
    rows = installed("pandas").read_parquet(chunks)
    assert len(rows) == ROWS
    assert rows["point"].is_monotonic_increasing
    assert rows["revenue"].sum() == 13 * REVENUE
    assert rows["revenue"].dtype == "float64"
    failed = rows[rows["error"].notna()]
    assert list(failed["point"]) == [10, 11, 12, 13, 14]
    assert failed["revenue"].isna().all()


def test_store__is_read_by_pyarrow(few: Scenario, chunks: Path) -> None:
    """As a dataset, of which only what is asked for is read."""
    found = ds.dataset(chunks)
    assert found.schema.equals(schema_of(toy_work(few, POINTS, CHUNK_POINTS).sweep))
    well = found.to_table(columns=["revenue"], filter=ds.field("error").is_null())
    assert (well.num_rows, sum(well["revenue"].to_pylist())) == (100, 13 * REVENUE)


def test_store__is_read_by_polars(chunks: Path) -> None:
    """Lazily, over all files."""
    pl = installed("polars")
    rows = pl.scan_parquet(chunks / "**" / "*.parquet")
    found = rows.select(pl.len(), pl.col("revenue").sum()).collect()
    assert found.row(0) == (ROWS, 13 * REVENUE)
    assert rows.filter(pl.col("error").is_not_null()).collect().height == 5


def test_store__is_read_by_duckdb(chunks: Path) -> None:
    """By a pattern of names, in SQL."""
    duckdb = installed("duckdb")
    query = "select count(*), sum(revenue), count(error) from read_parquet(?)"
    with duckdb.connect() as base:
        found = base.execute(query, [f"{chunks}/**/*.parquet"]).fetchall()
    assert found == [(ROWS, 13 * REVENUE, 5)]
