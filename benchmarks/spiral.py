"""Draw how the desk of the scenario `spiral` empties itself: docs/spiral.svg.

    python -m benchmarks.spiral [--replications 20] [--out docs/spiral.svg]

By quarter and policy, over all replications: agents who quit per seat and year, and the
mean wait of those who joined the line in that quarter, handled or not.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from churnsim import load_scenario, simulate
from churnsim.engines.books import Event
from churnsim.engines.outcome import Outcome
from churnsim.records import Floats
from churnsim.report.page.theme import DASHES, FONT, PAPER
from churnsim.simulation import make_population, with_events
from churnsim.units import year_days

SCENARIO = "spiral"
POLICIES = ("empowered", "slow_and_dishonest")
MINUTES = 1440.0  # in a day
MONTHS = 3  # in a quarter


def main() -> None:
    """Print the last year's figures and write the drawing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("docs/spiral.svg"))
    options = parser.parse_args()
    rows = list(rows_of(options.replications))
    for policy in POLICIES:
        name = policy.replace("_", " ")
        last = [row for row in rows if row["policy"] == name][-4:]
        quits, wait = (np.mean([row[key] for row in last]) for key in ("quits", "wait"))
        print(
            f"{policy}: in the last year {quits:.2f} quits per seat and year,"
            f" {wait:.1f} min of waiting"
        )
    import vl_convert

    from churnsim.report.page.bundle import vega_lite_version

    svg = vl_convert.vegalite_to_svg(drawing(rows), vl_version=vega_lite_version())
    options.out.write_text(svg + "\n", encoding="utf-8")
    print(options.out)


def rows_of(n_replications: int) -> Iterator[dict[str, Any]]:
    """Yield quits and waits of each quarter under each policy."""
    scenario = load_scenario(SCENARIO)
    for policy in POLICIES:
        sums = np.zeros((3, 0))
        for replication in range(n_replications):
            people = make_population(scenario, replication=replication)
            outcome = simulate(
                scenario, policy, replication=replication, population=people
            )
            found = by_quarter(with_events(outcome))
            sums = found if not sums.size else sums + found
        seats = outcome.plan.policy.agents
        years = MONTHS * outcome.plan.month / year_days()
        for quarter, (quits, waited, joined) in enumerate(sums.T.tolist()):
            yield {
                "policy": policy.replace("_", " "),
                "year": (quarter + 0.5) * years,
                "quits": quits / (seats * years * n_replications),
                "wait": waited * MINUTES / max(joined, 1.0),
            }


def by_quarter(outcome: Outcome) -> Floats:
    """Return quits, time waited [days] and waits by quarter, shape (3, n_quarters)."""
    plan, books = outcome.plan, outcome.books
    n = int(books.log_count[0])
    order = np.lexsort((np.arange(n), books.log_times[:n], books.log_codes[:n, 0]))
    times, events = books.log_times[order], books.log_codes[order, 1]
    ends = np.isin(events[1:], (Event.HANDLED, Event.PATIENCE_SPENT))
    begun = np.flatnonzero((events[:-1] == Event.JOINED_FRONT) & ends)
    edges = np.arange(plan.n_months // MONTHS + 1) * (MONTHS * plan.month)
    waits = times[begun + 1] - times[begun]
    return np.stack(
        [
            np.histogram(times[events == Event.QUIT], edges)[0],
            np.histogram(times[begun], edges, weights=waits)[0],
            np.histogram(times[begun], edges)[0],
        ]
    ).astype(np.float64)


def drawing(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the drawing as Vega-Lite: two charts, side by side."""
    names = list(dict.fromkeys(row["policy"] for row in rows))
    colour = {
        "field": "policy",
        "title": None,
        "scale": {"domain": names, "range": list(PAPER.series[: len(names)])},
        "legend": {"orient": "bottom"},
    }
    dash = {
        "field": "policy",
        "title": None,
        "scale": {"domain": names, "range": [list(d) for d in DASHES[: len(names)]]},
    }

    def chart(key: str, title: str) -> dict[str, Any]:
        return {
            "width": 300,
            "height": 200,
            "mark": {"type": "line", "strokeWidth": 2},
            "encoding": {
                "x": {"field": "year", "type": "quantitative", "title": "year"},
                "y": {"field": key, "type": "quantitative", "title": title},
                "color": colour,
                "strokeDash": dash,
            },
        }

    return {
        "data": {"values": rows},
        "config": {"font": FONT, "background": PAPER.surface, "view": {"stroke": None}},
        "hconcat": [
            chart("quits", "agents who quit, per seat and year"),
            chart("wait", "mean wait [min]"),
        ],
    }


if __name__ == "__main__":
    main()
