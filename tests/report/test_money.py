"""The section on money: what comes in, what goes out, and how well it is known."""

import copy
from pathlib import Path
from typing import Any

import pytest

from churnsim.experiment import Execution, compare
from churnsim.experiment.intervals import ROUGH_BELOW
from churnsim.report.page.figures import Results
from churnsim.report.page.money import money
from tests.experiment.conftest import SHOP
from tests.report.numbers import check, numbers

pytestmark = pytest.mark.compiled

MARGIN = 0.45  # of the small shop


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the small shop's, with replications enough for a control variate."""
    path: Path = tmp_path_factory.mktemp("money") / "shop.toml"
    path.write_text(SHOP, encoding="utf-8")
    execution = Execution(threads=2)
    return compare(path, replications=ROUGH_BELOW, execution=execution).to_json_dict()


def test_money__has_the_control_and_the_pairs(document: dict[str, Any]) -> None:
    """Revenue with the control stands apart from what adds up; so does pairing."""
    assert document["control"] is not None
    table, controlled, pairs = money(Results(document)).tables
    assert [row[0] for row in controlled.rows] == ["as simulated", "corrected for luck"]
    for each in (table, controlled, pairs):
        cells = [cell for row in each.rows for cell in row[1:]]
        assert check(each.caption, cells, document) > len(document["policies"])
    assert "(control variate)" in controlled.note
    assert "(correlation)" in pairs.note


def test_money__adds_up(document: dict[str, Any]) -> None:
    """Down a column, revenue less each row is the contribution, but for rounding."""
    table = money(Results(document)).tables[0]
    titles = [row[0] for row in table.rows]
    assert titles[:2] == ["revenue", "less cost of what is sold"]
    assert titles[-1] == "contribution"
    assert all(title.startswith("less ") for title in titles[1:-1])
    for column in range(1, len(table.columns)):
        revenue, *less, left = (numbers(row[column])[0] for row in table.rows)
        reach = sum(found.reach for found in (revenue, *less, left))
        spent = sum(found.value for found in less)
        assert revenue.value - spent == pytest.approx(left.value, abs=reach)


def test_money__has_the_cost_of_what_is_sold(document: dict[str, Any]) -> None:
    """It is what the margin does not keep of revenue, bounds too; nothing at 100 %."""
    results = Results(document)
    sold = money(results).tables[0].rows[1]
    for cell, earned in zip(sold[1:], results.figure("revenue"), strict=True):
        for shown, true in zip(numbers(cell), earned[:3], strict=True):
            assert true is not None
            assert shown.value == pytest.approx(true * (1 - MARGIN), abs=shown.reach)
    policies = copy.deepcopy(document["policies"])
    for policy in policies.values():
        figures = policy["figures"]
        left = (1 - MARGIN) * figures["revenue"]["mean"]
        figures["contribution"]["mean"] += left
    (table, *_) = money(Results(document | {"policies": policies})).tables
    assert "less cost of what is sold" not in [row[0] for row in table.rows]


def test_money__what_never_varies_has_no_interval(document: dict[str, Any]) -> None:
    """Wages and what is known by calculation stand alone, not as their own bounds."""
    table, controlled, _ = money(Results(document)).tables
    wages = next(row for row in table.rows if row[0] == "less wages")
    alone = [*wages[1:], controlled.rows[1][-1]]
    assert all(len(numbers(cell)) == 1 and "(" not in cell for cell in alone)
    assert len(numbers(controlled.rows[0][-1])) == 3


def test_money__says_nothing_of_the_control_where_there_is_none(
    document: dict[str, Any],
) -> None:
    """Neither a row nor a sentence, and one replication has no pairs."""
    losses = [
        loss | {"correlation": None, "variance_factor": None}
        for loss in document["losses"]
    ]
    section = money(Results(document | {"control": None, "losses": losses}))
    (table,) = section.tables
    assert "control" not in table.note
    assert len(section.texts) == 1
