"""The section on money: what comes in, what goes out, and how well it is known."""

from pathlib import Path
from typing import Any

import pytest

from churnsim.experiment import Execution, compare
from churnsim.experiment.intervals import ROUGH_BELOW
from churnsim.report.page.figures import Results
from churnsim.report.page.money import money
from tests.experiment.conftest import SHOP
from tests.report.numbers import check

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
    """Revenue stands there with and without the control; each loss with its pairing."""
    assert document["control"] is not None
    section = money(Results(document))
    table, pairs = section.tables
    assert [row[0] for row in table.rows][:2] == [
        "revenue",
        "revenue, with control variate",
    ]
    for each in (table, pairs):
        cells = [cell for row in each.rows for cell in row[1:]]
        assert check(each.caption, cells, document) > len(document["policies"])
    assert "by a closed form" in section.texts[-1]


def test_money__adds_up(document: dict[str, Any]) -> None:
    """Contribution is the margin on revenue less the rows between, policy by policy."""
    for policy in document["policies"].values():
        mean = {name: figure["mean"] for name, figure in policy["figures"].items()}
        spent = ("make_good", "cost", "wages", "training", "prevention")
        margin = sum(mean[name] for name in (*spent, "contribution")) / mean["revenue"]
        assert margin == pytest.approx(MARGIN, abs=1e-5)


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
    assert not any("control" in row[0] for row in table.rows)
    assert len(section.texts) == 1
