"""The section on the front line as people: the JSON's figures, where there are any."""

from typing import Any

import altair as alt
import pytest

from churnsim.report.page import front_line, money, service
from churnsim.report.page.figures import Results
from churnsim.report.page.rendering import charts_of, page_of
from churnsim.report.page.theme import PAPER
from tests.report.conftest import Page
from tests.report.numbers import AGENTS, check, figure

pytestmark = pytest.mark.compiled

HEADING = "The front line as people"
DRAWN = {"wrath": "log-odds", "turnover": "a year", "vacant_share": "time on duty"}


def test_front_line__is_there_only_where_agents_are_people(
    page: Page, document: dict[str, Any], week: dict[str, Any]
) -> None:
    """Neither heading nor chart, nor a link to it, where they never tire."""
    assert all(HEADING not in element.text for element in page.all("h2", "a"))
    assert not [c for c in charts_of(document) if c.name.startswith("agents_")]
    found = Page(page_of(week))
    assert [e.text for e in found.all("h2", "a") if HEADING in e.text] == [HEADING] * 2


def test_front_line__documents_of_before_have_none(document: dict[str, Any]) -> None:
    """A document that tells nothing of agents is one of agents who never tire."""
    policies = {
        name: {
            **policy,
            "figures": {k: v for k, v in policy["figures"].items() if k not in AGENTS},
        }
        for name, policy in document["policies"].items()
    }
    assert front_line.agents(Results({**document, "policies": policies})) is None


def test_front_line__its_table_is_the_json_s(week: dict[str, Any]) -> None:
    """Wrath, quits, turnover, vacancies, newcomers, hiring: with their intervals."""
    section = front_line.agents(Results(week))
    assert section is not None
    (table,) = section.tables
    cells = [cell for _, *row in table.rows for cell in row]
    n_policies = len(week["policies"])
    assert check(table.caption, cells, week) == 3 * len(AGENTS) * n_policies
    assert [row[0].split(",")[0] for row in table.rows] == [
        *("wrath per seat and year", "agents who quit", "turnover"),
        *("seats vacant", "contacts answered by newcomers", "hiring"),
    ]
    assert all(e["mean"] > 0.0 for e in figure(week, "quits"))


@pytest.mark.parametrize("name", ["wrath", "turnover", "vacant_share"])
def test_front_line__bars_are_the_json_s(week: dict[str, Any], name: str) -> None:
    """A bar for each policy with its interval, which the words for it repeat."""
    (chart,) = [c for c in charts_of(week) if c.name == f"agents_{name}"]
    spec = chart.build(PAPER)
    alt.LayerChart.validate(spec)
    rows = spec["datasets"]["rows"]
    known = [[e["mean"], e["low"], e["high"]] for e in figure(week, name)]
    assert [[row["value"], row["low"], row["high"]] for row in rows] == known
    assert all(row["shown"] in chart.alt for row in rows)
    assert len({row["colour"] for row in rows}) == len(week["policies"])
    assert DRAWN[name] in str(spec["layer"][0]["encoding"]["x"]["title"])


def test_money__says_that_hiring_is_paid_for(
    week: dict[str, Any], document: dict[str, Any]
) -> None:
    """What the firm pays for those who win and hire is one row, called by both."""
    for told, is_there in ((week, True), (document, False)):
        rows = [row[0] for row in money.money(Results(told)).tables[0].rows]
        assert (money.WITH_HIRING in rows) == is_there


def test_desks__tell_messages_apart_where_somebody_writes(
    document: dict[str, Any], week: dict[str, Any]
) -> None:
    """Their waits stand below those of calls, and a sentence says whose is what."""
    n_rows = []
    for told in (document, week):
        section = service.waits_and_desks(Results(told))
        (table,) = section.tables
        cells = [cell for _, *row in table.rows for cell in row]
        assert check(table.caption, cells, told) > 0
        n_rows.append(sum(row[0].startswith("messages") for row in table.rows))
        assert ("Messages" in section.texts[-1]) == (told is week)
    assert n_rows == [0, len(service.FIGURES_OF_DESK)]
    assert any(e["mean"] for e in figure(week, "messages_utilisation"))
