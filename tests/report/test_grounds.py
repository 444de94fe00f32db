"""The page's tables of what the numbers rest on."""

from churnsim.report.page.figures import Results
from churnsim.report.page.grounds import assumptions

ITEM = {
    "key": "market.memory",
    "value": "exponential, mean 86.6 days",
    "grade": "D",
    "source": "half-lives vary",
    "acts": True,
    "is_influential": True,
}


def test_assumptions__show_the_range_that_is_plausible() -> None:
    """Value, range, grade and reason stand in a row; an older folder has no range."""
    newer = {**ITEM, "range": "20.2 days to 260 days"}
    document = {
        "currency": "$",
        "baseline": "empowered",
        "policies": {},
        "replications_finished": 4,
        "foundations": [newer, ITEM],
    }
    (table,) = assumptions(Results(document)).tables
    assert table.columns[1:4] == ("value", "plausible", "grade")
    rest = ("D", "half-lives vary")
    value = "mean 86.6 days (exponential)"
    assert [row[1:] for row in table.rows] == [
        (value, "20.2 days to 260 days", *rest),
        (value, "", *rest),
    ]
