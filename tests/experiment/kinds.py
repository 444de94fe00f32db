"""One record of each kind that Python gives back, of a small scenario."""

from typing import NamedTuple

from churnsim import breakeven, compare, counterfactuals, explain, staff, story
from churnsim.experiment import (
    Attribution,
    Breakeven,
    Comparison,
    Counterfactuals,
    Effort,
    Search,
    Staffing,
    Story,
)
from churnsim.scenario import Scenario

Record = Comparison | Attribution | Counterfactuals | Story | Breakeven | Staffing


class Kinds(NamedTuple):
    """One record of each kind."""

    comparison: Comparison
    attribution: Attribution
    counterfactuals: Counterfactuals
    story: Story
    breakeven: Breakeven
    staffing: Staffing


def kinds(shop: Scenario, replications: int) -> Kinds:
    """Return one record of each kind, of so many replications."""
    search = Search(replications=replications, n_grid=2, high=0.1)
    turned = counterfactuals(shop, "dishonest", replications=replications)
    return Kinds(
        compare(shop, replications=replications),
        explain(shop, "dishonest", replications=replications),
        turned,
        story(shop, turned.to_arrow()["customer"][0].as_py(), "dishonest"),
        breakeven(shop, "market.discovery", "dishonest", search=search),
        staff(shop, "99.5% in 0 s", effort=Effort(replications)),
    )
