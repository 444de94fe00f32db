"""Counterfactuals: by hand, against plain runs, and one customer's two lives."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from churnsim.engines.books import Account
from churnsim.errors import InputError, ResourceError
from churnsim.experiment import (
    Asked,
    Execution,
    Life,
    Person,
    Story,
    counterfactuals,
    story,
)
from churnsim.experiment.counterfactuals import logs
from churnsim.experiment.counterfactuals.logs import (
    Log,
    other_course,
    parting,
    time_of,
)
from churnsim.experiment.counterfactuals.pairs import Lives, crossed, turned_of
from churnsim.experiment.counterfactuals.record import (
    Fates,
    Turn,
    fates_of,
    necessity,
    sufficiency,
    turns_of,
)
from churnsim.experiment.counterfactuals.wording import (
    Finding,
    moment_text,
    sentence_of_turning,
)
from churnsim.experiment.intervals import SHARE, Estimate, estimate
from churnsim.experiment.sentences import Extent
from churnsim.records import MICRO, Cause
from churnsim.scenario import Scenario, load_scenario
from churnsim.simulation import simulate, with_events

PAIR = ("dishonest", "empowered")
EXTENT = Extent(20, 20, 0, "$")
INF = float("inf")


def lives(*people: tuple[bool, float, Cause]) -> Lives:
    """Return lives by hand; each person's revenue is ten times the number."""
    won, departure, cause = zip(*people, strict=True)
    n = len(people)
    return Lives(
        np.array(won),
        np.array(departure, np.float64),
        np.array(cause, np.int64),
        10 * np.arange(n),
        np.ones(n, np.int64),
    )


KEPT = (True, INF, Cause.NONE)
NEVER = (False, INF, Cause.NONE)
SOURCE = lives(
    KEPT, (True, 5.0, Cause.BETRAYED), (True, 6.0, Cause.BETRAYED), KEPT,
    (True, 7.0, Cause.NATURAL), KEPT, NEVER, (True, 8.0, Cause.SILENT),
)  # fmt: skip
TARGET = lives(
    KEPT, KEPT, (True, 9.0, Cause.SILENT), (True, 2.0, Cause.SETTLED),
    (True, 7.0, Cause.NATURAL), KEPT, (True, 1.0, Cause.SILENT), KEPT,
)  # fmt: skip


def test_fates__by_hand() -> None:
    """Eight people: the one who is a customer in one world only does not count.

    Kept in both: 0 and 5; kept, then lost: 3; lost, then kept: 1 and 7; lost in both: 2
    and 4. So PN = 2/4 and PS = 2/4.
    """
    cross = crossed(SOURCE, TARGET)
    assert fates_of(cross) == Fates(2, 1, 2, 2)
    assert cross.sum() == fates_of(cross).people == 7
    assert cross[Cause.BETRAYED, Cause.SILENT] == 1
    assert turns_of(cross) == (
        Turn("from", "natural", 1, 0, 0.0),
        Turn("from", "silent", 1, 1, 1.0),
        Turn("from", "betrayed", 2, 1, 0.5),
        Turn("to", "natural", 1, 0, 0.0),
        Turn("to", "silent", 1, 0, 0.0),
        Turn("to", "settled", 1, 1, 1.0),
    )


def test_turned__by_hand() -> None:
    """Customers 1, 3 and 7 are lost in one world and kept in the other."""
    turned = turned_of(SOURCE, TARGET, None)
    assert turned.customer.tolist() == [1, 3, 7]
    assert turned.departure.tolist() == [[5.0, INF], [INF, 2.0], [8.0, INF]]
    assert turned.cause.tolist() == [
        [Cause.BETRAYED, Cause.NONE],
        [Cause.NONE, Cause.SETTLED],
        [Cause.SILENT, Cause.NONE],
    ]
    assert turned.revenue.tolist() == [[10, 10], [30, 30], [70, 70]]
    assert np.isnan(turned.parted).all()


@pytest.mark.parametrize(
    ("fates", "necessary", "sufficient"),
    [
        (Fates(6, 0, 3, 1), 0.75, 1 / 3),  # 3 of 4 lost, 3 of 9 kept
        (Fates(5, 4, 0, 1), 0.0, 0.0),  # nobody is helped, though four are harmed
        (Fates(0, 0, 4, 0), 1.0, 1.0),  # the policy decides alone
        (Fates(5, 0, 0, 0), None, 0.0),  # nobody is lost under source
        (Fates(0, 2, 0, 3), 0.0, None),  # nobody is kept under target
        (Fates(0, 0, 0, 0), None, None),  # nobody at all
    ],
)
def test_probabilities__by_hand(
    fates: Fates, necessary: float | None, sufficient: float | None
) -> None:
    """PN has those lost under source below the line, PS those kept under target."""
    assert necessity(fates) == necessary
    assert sufficiency(fates) == sufficient


def log(*events: tuple[float, int, int, float]) -> Log:
    """Return one customer's log by hand: time, event, word, value."""
    columns = np.array(events, np.float64).reshape(-1, 4).T
    times, codes, words, values = columns
    who = np.zeros(len(times), np.int64)
    return Log(who, times, codes.astype(int), words.astype(int), values)


A = (0.0, 0, 0, 0.0)
B = (3.0, 2, 1, 1.5)


@pytest.mark.parametrize(
    ("first", "second", "parted", "course", "at"),
    [
        ([A, B], [A, B], None, None, None),
        ([], [], None, None, None),
        ([A], [A, B], 1, 1, 3.0),
        ([], [A], 0, 0, 0.0),
        ([A, B], [A, (2.5, 2, 1, 1.5)], 1, None, 2.5),
        ([A, B], [A, (3.0, 2, 1, 1.6)], 1, None, 3.0),
        ([A, B, B], [A, (4.0, 2, 1, 1.5), A], 1, 2, 3.0),
        ([A, B], [A, (3.0, 2, 2, 1.5)], 1, 1, 3.0),
    ],
)
def test_parting__by_hand(
    first: Any, second: Any, parted: int | None, course: int | None, at: float | None
) -> None:
    """Lives part where anything differs, and take another course where the event does.

    The time is that of the earlier of both; it is the same from either side.
    """
    a, b = log(*first), log(*second)
    assert parting(a, b) == parting(b, a) == parted
    assert other_course(a, b) == other_course(b, a) == course
    times = {time_of(parted, a, b), time_of(parted, b, a)}
    assert np.isnan(times.pop()) if at is None else times == {at}


@pytest.mark.compiled
def test_counterfactuals__are_those_of_two_plain_runs(shop: Scenario) -> None:
    """Each customer's fates, revenues and episodes are those of `simulate`."""
    found = counterfactuals(shop, *PAIR, replications=[2, 0])
    rows = found.to_arrow().to_pylist()
    assert [pair.replication for pair in found.pairs] == [2, 0]
    assert rows
    expected = []
    counts = np.zeros(4, int)
    per_replication = []
    for replication in (2, 0):
        worlds = [simulate(shop, name, replication=replication) for name in PAIR]
        tables = [world.customers().to_pylist() for world in worlds]
        fates = np.zeros(4, int)
        for a, b in zip(*tables, strict=True):
            if not (a["is_won"] and b["is_won"]):
                continue
            is_lost = [row["departure"] is not None for row in (a, b)]
            fates[2 * is_lost[0] + is_lost[1]] += 1
            if is_lost[0] == is_lost[1]:
                continue
            expected.append(
                {
                    "replication": replication,
                    "customer": a["customer"],
                    "is_prospect": a["is_prospect"],
                    "lost_under": PAIR[0] if is_lost[0] else PAIR[1],
                    **{
                        f"{name}_{world}": row[column]
                        for world, row in (("from", a), ("to", b))
                        for name, column in (
                            ("departure", "departure"),
                            ("cause", "cause"),
                            ("micro_revenue", "revenue"),
                            ("episodes", "episodes"),
                        )
                    },
                }
            )
        counts += fates
        per_replication.append(fates)
    assert rows == expected
    assert found.fates == tuple(counts)
    necessary = estimate([f[2] / (f[2] + f[3]) for f in per_replication], SHARE)
    sufficient = estimate([f[2] / (f[2] + f[0]) for f in per_replication], SHARE)
    assert found.necessary == necessary
    assert found.sufficient == sufficient
    both = estimate([f[2] / f.sum() for f in per_replication], SHARE)
    assert found.both == both
    assert sum(turn.kept_by_other for turn in found.turns) == len(rows)


@pytest.mark.compiled
def test_counterfactuals__threads_change_nothing(shop: Scenario) -> None:
    """One thread and two give the same rows and the same document."""
    one, two = (
        counterfactuals(
            shop, *PAIR, asked=Asked(execution=Execution(threads=n), parting=True)
        )
        for n in (1, 2)
    )
    assert one.to_arrow().equals(two.to_arrow())
    assert one.to_json_dict() == two.to_json_dict()


@pytest.mark.compiled
def test_counterfactuals__parting_is_that_of_the_story(shop: Scenario) -> None:
    """The times in the rows are those at which the two stories differ."""
    found = counterfactuals(shop, *PAIR, replications=1, asked=Asked(parting=True))
    rows = found.to_arrow().to_pylist()
    assert rows
    for row in rows[:5]:
        told = story(shop, Person(row["customer"]), *PAIR)
        assert row["parted"] == told.parted_at
        assert row["other_course"] == told.other_course_at
        assert row["micro_revenue_from"] == told.lives[0].revenue
        assert row["cause_to"] == told.lives[1].cause


@pytest.mark.compiled
def test_counterfactuals__same_policy_turns_nobody(shop: Scenario) -> None:
    """A policy held against itself has the same lives twice."""
    asked = Asked(parting=True)
    found = counterfactuals(shop, "slow", "slow", replications=2, asked=asked)
    assert found.to_arrow().num_rows == 0
    assert found.fates.kept_lost == found.fates.lost_kept == 0
    assert found.won_once == (0, 0)
    assert found.fates.people > 0
    assert found.sentence() == "slow is held against itself: no customer's fate turns."


@pytest.mark.compiled
def test_counterfactuals__one_replication_has_no_interval(shop: Scenario) -> None:
    """With one replication there are shares without bounds, and it is said."""
    found = counterfactuals(shop, *PAIR, replications=1)
    assert found.necessary.mean is not None
    assert found.necessary.low is None
    assert "one replication, so no interval" in found.sentence()
    assert "one replication: there are no intervals" in found.warnings


@pytest.mark.compiled
def test_counterfactuals__refuse_unknown_policies(shop: Scenario) -> None:
    """A policy that nobody knows is refused with the nearest name."""
    with pytest.raises(InputError, match="did you mean 'slow'"):
        counterfactuals(shop, "slwo")
    with pytest.raises(InputError, match="did you mean 'empowered'"):
        story(shop, Person(0), "slow", "empwered")


@pytest.mark.compiled
def test_counterfactuals__a_log_too_large_is_refused(
    shop: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that memory does not hold is refused before it is made."""
    monkeypatch.setattr(logs, "BYTES_OF_EVENT", 2**60)
    with pytest.raises(ResourceError, match="of memory"):
        story(shop, Person(0), *PAIR)


@pytest.mark.compiled
def test_story__has_the_events_of_the_log(shop: Scenario) -> None:
    """Each life's moments are the customer's events, in the order of the event log."""
    table = [
        with_events(simulate(shop, name, replication=1)).events().to_pylist()
        for name in PAIR
    ]
    columns = ("time", "event", "episode", "grievance")
    for customer in range(0, 150, 10):
        told = story(shop, Person(customer, 1), *PAIR)
        for life, events in zip(told.lives, table, strict=True):
            own = [
                tuple(row[name] for name in columns)
                for row in events
                if row["customer"] == customer
            ]
            assert [moment[:4] for moment in life.moments] == own
            assert life.moments[0].text == "is a customer"


@pytest.mark.compiled
def test_story__tells_the_sting_and_the_kind(shop_file: Path) -> None:
    """Kinds are those of the engines: where a kind's sting is fixed, it is told so."""
    text = shop_file.read_text(encoding="utf-8")
    text = text.replace('{ law = "lognormal", mean = 1.6, cv = 0.3 }', "1.25")
    kind = text.partition("[[mistakes]]")[2].partition("[costs]")[0]
    other = kind.replace('"late"', '"broken"').replace("= 1.25", "= 2.5")
    text = text.replace("[costs]", f"[[mistakes]]{other}[costs]")
    text = text.replace("[market]", "[market]\ndouble = 1.0")
    place = shop_file.with_name("kinds.toml")
    place.write_text(text, encoding="utf-8")
    scenario = load_scenario(place)
    told = [story(scenario, Person(customer), *PAIR) for customer in range(10)]
    words = {
        moment.text
        for each in told
        for life in each.lives
        for moment in life.moments
        if moment.event == "mistake"
    }
    assert words == {
        "a mistake happens (late, sting 1.2)",
        "a mistake happens (broken, sting 2.5)",
    }


@pytest.mark.compiled
def test_story__same_policy_has_the_same_life(shop: Scenario) -> None:
    """Two lives under one policy never part, and it is said plainly."""
    told = story(shop, Person(3), "slow", "slow")
    assert told.is_same
    assert told.parted is told.parted_at is told.other_course is None
    assert told.difference == 0
    assert "makes no difference to customer 3" in told.sentence()


@pytest.mark.compiled
def test_story__of_prospects(shop_file: Path) -> None:
    """The last number is a prospect's; one who is never a customer has a story too."""
    shop = load_scenario(shop_file, overrides=["market.word_of_mouth.conversion=0.5"])
    outcome = simulate(shop, PAIR[0])
    last = len(outcome.population.arrival) - 1
    told = story(shop, Person(last), *PAIR)
    assert told.lives[0].revenue == outcome.books.accounts[last, Account.REVENUE]
    assert told.to_arrow().num_rows == sum(len(life.moments) for life in told.lives)
    lost = int(np.flatnonzero(outcome.books.is_won == 0)[0])
    told = story(shop, Person(lost), "dishonest", "dishonest")
    assert told.lives[0].moments[0].text == "does not become a customer"
    assert not told.lives[0].is_won
    assert told.sentence() == (
        f"Customer {lost:,} never becomes a customer, under dishonest as under "
        "dishonest: there is nothing to compare."
    )


def test_story__equal_revenue_is_the_same(shop: Scenario) -> None:
    """Lives that differ, though not in money, are not told to differ by $0."""
    first = Life("slow", True, 12.0, "natural", 5 * MICRO, 0, 1, ())
    second = first._replace(policy="patient", departure=13.0)
    told = Story(shop, Person(3), (first, second), None, None)
    assert told.sentence().endswith("Revenue under patient is the same.")
    more = second._replace(revenue=6 * MICRO)
    told = Story(shop, Person(3), (first, more), None, None)
    assert told.sentence().endswith("Revenue under patient is $1 more.")


@pytest.mark.compiled
@pytest.mark.parametrize("customer", [-1, 10**6])
def test_story__refuses_unknown_customers(shop: Scenario, customer: int) -> None:
    """A number that nobody has is refused with the range that there is."""
    last = len(simulate(shop, PAIR[0]).population.arrival) - 1
    with pytest.raises(InputError, match=f"must be from 0 to {last}"):
        story(shop, Person(customer), *PAIR)


@pytest.mark.compiled
def test_story__of_nobody_is_refused(shop_file: Path) -> None:
    """Where there is nobody, no number is right, and it is said so."""
    nobody = ["population.customers=0", "population.prospects=0/year"]
    with pytest.raises(InputError, match="no customers and no prospects"):
        story(shop_file, Person(0), overrides=nobody)


@pytest.mark.parametrize(
    ("necessary", "by_cause", "told"),
    [
        (
            Estimate(0.067, 0.065, 0.069, 20),
            (("betrayed", 6), ("slow", 4)),
            (
                "Of 100 customers lost under bad, 6.7 (95 % CI 6.5 to 6.9) stay under "
                "good; most of them are customers who found out a lie."
            ),
        ),
        (
            Estimate(0.0004, None, None, 1),
            (("betrayed", 4), ("slow", 3), ("natural", 3)),
            (
                "Of 100 customers lost under bad, 0.04 (one replication, so no "
                "interval) stay under good; the largest part of them (40%) are "
                "customers who found out a lie."
            ),
        ),
        (
            Estimate(0.0, 0.0, 0.0, 3),
            (),
            "Nobody who is lost under bad stays under good.",
        ),
        (Estimate(None, None, None, 0), (), "Nobody is lost under bad."),
    ],
)
def test_sentence__tells_how_many_would_have_stayed(
    necessary: Estimate, by_cause: tuple[tuple[str, int], ...], told: str
) -> None:
    """The share, its interval and the main cause, or that there is nobody."""
    finding = Finding("bad", "good", necessary, by_cause)
    assert sentence_of_turning(finding, EXTENT) == told


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (0.0, "day 0, 00:00"),
        (412.75, "day 412, 18:00"),
        (1234.99999, "day 1,234, 23:59"),
    ],
)
def test_moment_text__counts_from_the_start(day: float, text: str) -> None:
    """Days and the time of the day, cut to the minute and never 24:00."""
    assert moment_text(day) == text
