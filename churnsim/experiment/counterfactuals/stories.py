"""One customer's two lives, event by event."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from churnsim.engines.books import Account, Event
from churnsim.engines.outcome import Outcome
from churnsim.errors import InputError, Problem
from churnsim.experiment.counterfactuals.beats import Beat, Moment, merged
from churnsim.experiment.counterfactuals.logs import (
    Log,
    events_of,
    log_of,
    other_course,
    parting,
)
from churnsim.experiment.counterfactuals.wording import (
    Scene,
    cause_text,
    moment_text,
    words_of,
)
from churnsim.experiment.notebook import Grid, dataframe, notebook_html, one_line
from churnsim.experiment.preparing import question_of
from churnsim.experiment.replications import checked_seed
from churnsim.given import whole_number
from churnsim.mechanisms.episode import kind_index
from churnsim.memory import check_memory, need_of
from churnsim.records import Cause
from churnsim.scenario import Scenario
from churnsim.scenario.assemble import Overrides
from churnsim.simulation import make_population, require_one_site, simulate
from churnsim.streams import Purpose, key_from_seed, uniforms
from churnsim.units import format_money

if TYPE_CHECKING:
    from churnsim.experiment.documents import LifeDocument

ENGINE = "kernel"
HOURS = 24.0  # in a day
BEATS_MAX = 40  # that a notebook shows


class Person(NamedTuple):
    """Whose story is told: the same person under every policy."""

    customer: int
    replication: int = 0
    seed: int | None = None  # the scenario's where absent


class Life(NamedTuple):
    """A person in one world."""

    policy: str
    is_won: bool  # is or was a customer
    departure: float | None  # [days]; None: still a customer, or never one
    cause: str  # "none": still a customer, or never one
    revenue: int  # [micro-units]
    make_good: int  # paid to the customer [micro-units]
    episodes: int
    moments: tuple[Moment, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Story:
    """The same customer under two policies."""

    scenario: Scenario
    person: Person  # with the seed that was used
    lives: tuple[Life, Life]  # under source, and under target
    parted: int | None  # place of the first moment that differs; None: nowhere
    other_course: int | None  # place of the first that is something else; None: nowhere

    @property
    def seed(self) -> int:
        """Return the seed that was used."""
        seed = self.person.seed
        return self.scenario.seed if seed is None else seed

    @property
    def is_same(self) -> bool:
        """Return whether both lives are the same, moment by moment and in money."""
        a, b = self.lives
        return self.parted is None and a[1:7] == b[1:7]

    @property
    def parted_at(self) -> float | None:
        """Return when the lives part [days]; None: never."""
        return self._time_of(self.parted)

    @property
    def other_course_at(self) -> float | None:
        """Return when first something else happens in one life [days]; None: never."""
        return self._time_of(self.other_course)

    @property
    def difference(self) -> int:
        """Return what is earned under target beyond source [micro-units]."""
        return self.lives[1].revenue - self.lives[0].revenue

    @cached_property
    def _name(self) -> str:
        return f"customer {self.person.customer:,}"

    def _time_of(self, place: int | None) -> float | None:
        """Return when the earlier of the two moments at a place is [days]."""
        if place is None:
            return None
        nexts = [life.moments[place : place + 1] for life in self.lives]
        return min(moment.time for moments in nexts for moment in moments)

    def sentence(self) -> str:
        """Return how the two lives differ, in one sentence."""
        a, b = self.lives
        if not (a.is_won or b.is_won):
            return (
                f"{self._name[0].upper()}{self._name[1:]} never becomes a customer, "
                f"under {a.policy} as under {b.policy}: there is nothing to compare."
            )
        if self.is_same:
            return (
                f"The policy makes no difference to {self._name}: both lives are the "
                f"same under {a.policy} and {b.policy}."
            )
        return (
            f"{self._name[0].upper()}{self._name[1:]} {_ending(a)} under {a.policy} "
            f"and {_ending(b)} under {b.policy}.{self._parting()} {self._revenue()}."
        )

    def _revenue(self) -> str:
        """Return what the two lives differ in, in money."""
        policy = self.lives[1].policy
        if not self.difference:
            return f"Revenue under {policy} is the same"
        more = "more" if self.difference > 0 else "less"
        amount = format_money(abs(self.difference), self.scenario.currency)
        return f"Revenue under {policy} is {amount} {more}"

    def _parting(self) -> str:
        """Return when the lives part, as a sentence after another."""
        if self.parted_at is None:
            return ""
        when = moment_text(self.parted_at)
        if self.parted == self.other_course:
            return f" The two lives part on {when}."
        text = f" The two lives part on {when}, in when and how strongly things happen"
        if self.other_course_at is None:
            return f"{text} only."
        return (
            f"{text}, and take another course on {moment_text(self.other_course_at)}."
        )

    def beats(self) -> tuple[list[Beat], list[Beat]]:
        """Return what is the same in both lives, and what comes after, in time."""
        a, b = (life.moments for life in self.lives)
        n_shared = len(a) if self.parted is None else self.parted
        beats = list(merged(a, b))
        return beats[:n_shared], beats[n_shared:]

    def to_arrow(self) -> pa.Table:
        """Return one row for each moment of each life, with the policy first."""
        rows = [
            {"policy": life.policy, **moment._asdict()}
            for life in self.lives
            for moment in life.moments
        ]
        reals, texts = ("time", "grievance"), ("policy", "event", "text")
        names = ("policy", *Moment._fields)
        types = {name: pa.int64() for name in names}
        types |= dict.fromkeys(reals, pa.float64()) | dict.fromkeys(texts, pa.string())
        return pa.Table.from_pylist(rows, pa.schema(types.items()))

    def to_dataframe(self) -> Any:
        """Return `to_arrow` as a pandas data frame.

        Raises:
            InputError: pandas is not installed.
        """
        return dataframe(self.to_arrow())

    def to_json_dict(self) -> dict[str, Any]:
        """Return both whole lives in numbers, texts and lists."""
        from churnsim.experiment import documents

        document: documents.StoryDocument = {
            "scenario": self.scenario.name,
            "scenario_digest": self.scenario.digest,
            "title": self.scenario.title,
            "currency": self.scenario.currency,
            "horizon_days": self.scenario.horizon,
            "from": self.lives[0].policy,
            "to": self.lives[1].policy,
            "customer": self.person.customer,
            "replication": self.person.replication,
            "seed": self.seed,
            "engine": ENGINE,
            "is_same": self.is_same,
            "parted_at_days": self.parted_at,
            "parted_at_event": self.parted,
            "other_course_at_days": self.other_course_at,
            "other_course_at_event": self.other_course,
            "micro_difference": self.difference,
            "sentence": self.sentence(),
            "lives": [_life(life) for life in self.lives],
        }
        return documents.as_dict(document)

    def __repr__(self) -> str:
        """Return what it is, on one line."""
        return one_line("Story", self.sentence())

    def __str__(self) -> str:
        """Return the sentence."""
        return self.sentence()

    def _repr_html_(self) -> str:
        """Return the sentence and what happens after the lives part, for notebooks."""
        a, b = self.lives
        _, own = self.beats()
        rows = [(moment_text(beat.time), *beat.texts) for beat in own[:BEATS_MAX]]
        grids = [Grid(("", f"under {a.policy}", f"under {b.policy}"), rows)]
        n_more = len(own) - len(rows)
        notes = [f"{n_more:,} later moments are in to_dataframe()"] if n_more else []
        return notebook_html(self.sentence(), grids, notes=notes)


def story(
    scenario: Scenario | str | Path,
    person: Person | int,
    source: str | None = None,
    target: str | None = None,
    *,
    overrides: Overrides = (),
) -> Story:
    """Return the same customer's life under two policies.

    Args:
        scenario: A ready one's name, a file, or what `load_scenario` returned.
        person: Which customer, in which replication, at which seed; a bare number is
            a customer of replication 0 at the scenario's seed.
        source: The last of the scenario's policies where absent.
        target: The scenario's baseline where absent.
        overrides: Settings that lie over the file's.

    Raises:
        InputError: Settings, policies or a customer that there cannot be.
        ResourceError: More memory would be needed than there is.
    """
    question = question_of(scenario, source, target, overrides)
    loaded = question.scenario
    require_one_site(loaded, "a single customer")
    person = person if isinstance(person, Person) else Person(person)
    seed = checked_seed(loaded, person.seed)
    number = whole_number("replication", person.replication, 0, 2**32 - 1)
    check_memory(need_of(loaded, ENGINE, 2, 1))
    people = make_population(loaded, seed=seed, replication=number)
    n_people = len(people.arrival)
    if not n_people:
        rule = "must be somebody; this scenario has no customers and no prospects"
        raise InputError(Problem(rule, field="customer", value=person.customer))
    _check_customer(person.customer, people.n_customers, n_people)
    person = Person(person.customer, number, seed)
    found = []
    for policy in question[1:3]:
        outcome = simulate(
            loaded, policy, seed=seed, replication=number, population=people
        )
        found.append((outcome, events_of(log_of(outcome), person.customer)))
    a, b = (_lived(loaded, outcome, log, person) for outcome, log in found)
    logs = found[0][1], found[1][1]
    return Story(loaded, person, (a, b), parting(*logs), other_course(*logs))


def _check_customer(customer: object, n_customers: int, n_people: int) -> None:
    """Refuse who does not exist.

    Raises:
        InputError: No number of a customer or prospect.
    """
    try:
        whole_number("customer", customer, 0, n_people - 1)
    except InputError as error:
        (problem,) = error.problems
        hint = f"{n_customers:,} are customers at the start, prospects come after them"
        raise InputError(problem._replace(hint=hint)) from None


def _lived(scenario: Scenario, outcome: Outcome, log: Log, person: Person) -> Life:
    """Return a person's life in one world."""
    customer = person.customer
    books = outcome.books
    is_kept = books.cause[customer] == Cause.NONE
    return Life(
        policy=outcome.policy,
        is_won=bool(books.is_won[customer]),
        departure=None if is_kept else float(books.departure[customer]),
        cause=Cause(books.cause[customer]).name.lower(),
        revenue=int(books.accounts[customer, Account.REVENUE]),
        make_good=int(books.accounts[customer, Account.MAKE_GOOD]),
        episodes=int(books.accounts[customer, Account.EPISODES]),
        moments=_moments(scenario, outcome, log, person),
    )


def _moments(
    scenario: Scenario, outcome: Outcome, log: Log, person: Person
) -> tuple[Moment, ...]:
    """Return a person's events with their words.

    A mistake adds its sting to what is left of the grievance before it: max(γ, 0).
    """
    moments = []
    before = 0.0
    for row in zip(*log[1:], strict=True):
        day, value = float(row[0]), float(row[3])
        event, word = Event(row[1]), int(row[2])
        kind = ""
        if event == Event.MISTAKE:
            kind = _kind(scenario, outcome, person, word)
        sting = value - max(before, 0.0)
        text = words_of(Scene(event, word, value, day, sting, kind))
        moments.append(Moment(day, event.name.lower(), word, value, text))
        before = value
    return tuple(moments)


def _kind(scenario: Scenario, outcome: Outcome, person: Person, word: int) -> str:
    """Return what kind a mistake is, by the draw that the engines make for it."""
    key = key_from_seed(outcome.seed)
    u, _ = uniforms(key, person.customer, person.replication, word, Purpose.KIND)
    return scenario.spec.mistakes[kind_index(outcome.plan.kinds, u)].name


def _ending(life: Life) -> str:
    """Return how a life ends, as a verb."""
    if not life.is_won:
        return "is never a customer"
    if life.departure is None:
        return "stays"
    cause = cause_text(Cause[life.cause.upper()])
    return f"leaves on {moment_text(life.departure)} ({cause})"


def _life(life: Life) -> LifeDocument:
    """Return a life for JSON."""
    return {
        "policy": life.policy,
        "is_won": life.is_won,
        "departure_days": life.departure,
        "cause": life.cause,
        "micro_revenue": life.revenue,
        "micro_make_good": life.make_good,
        "episodes": life.episodes,
        "events": [
            {
                "days": moment.time,
                "hours": moment.time * HOURS,
                "when": moment_text(moment.time),
                "event": moment.event,
                "episode": moment.episode,
                "grievance": moment.grievance,
                "text": moment.text,
            }
            for moment in life.moments
        ],
    }
