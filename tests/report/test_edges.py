"""Pages about little or nothing: nobody, no time, one policy, a month cut short."""

from collections.abc import Sequence

import altair as alt
import pytest

from churnsim.experiment import compare
from churnsim.report.page.rendering import SECTIONS, charts_of, page_of
from churnsim.report.page.theme import PAPER
from churnsim.scenario import load_scenario
from tests.experiment.conftest import SHOP
from tests.report.conftest import Page

pytestmark = pytest.mark.compiled

NOBODY = ("population.customers=0", 'population.prospects="0/year"')


@pytest.mark.parametrize(
    ("overrides", "policies", "said"),
    [
        (NOBODY, None, "There is no data on"),
        (('horizon="0 days"',), None, "There is no data on"),
        (('horizon="40 days"',), None, "The last month is shorter than the others"),
        ((), ["flawless"], "There is no other policy to compare with"),
        ((), ["empowered"], "against a flawless firm"),
    ],
)
def test_page__of_little_is_whole(
    overrides: Sequence[str],
    policies: Sequence[str] | None,
    said: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Every section is there, charts are valid, and what there is not is said."""
    path = tmp_path_factory.mktemp("little") / "shop.toml"
    text = SHOP
    if policies == ["flawless"]:
        text = text.replace('baseline = "empowered"', 'baseline = "flawless"')
        text = text.replace('policies = ["empowered"', 'policies = ["flawless"')
    path.write_text(text, encoding="utf-8")
    scenario = load_scenario(path, overrides=overrides)
    comparison = compare(scenario, policies=policies, replications=2)
    document = comparison.explained().to_json_dict()
    page = Page(page_of(document))
    # No opening hours, agents who never tire, and nothing that is drawn.
    assert len(list(page.all("section"))) == len(SECTIONS) - 3
    assert any(said in element.text for element in page.all("p"))
    for chart in charts_of(document):
        alt.LayerChart.validate(chart.build(PAPER))
