"""A validated scenario: what it is called, what it means, what it compiles to."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from churnsim.errors import Problem
from churnsim.given import chosen
from churnsim.scenario.files import close_to
from churnsim.scenario.market import MESSAGE_PATIENCE
from churnsim.scenario.model import Spec
from churnsim.scenario.policy import LEVERS, OF_PEOPLE, PEOPLE, Policy, mixture
from churnsim.scenario.profile import Profile
from churnsim.scenario.traits import PopulationSpec, to_population
from churnsim.scenario.writing import to_toml

if TYPE_CHECKING:
    from churnsim.records import Plan

PPM = 1_000_000
# Settings that came later, and what they meant before: a scenario that does without
# them keeps its digest.
LATER: tuple[tuple[str, object], ...] = (
    ("start", None),
    ("sites", 1),
    ("market.when_closed", "wait"),
    ("market.profile", Profile()),
    ("strain", None),
    ("market.observed_under", None),
    ("market.message_share", 0.0),
    ("market.message_patience", MESSAGE_PATIENCE.model_dump()),
    ("mistakes.*.message_share", 0.0),
    ("policy.*.speed.message_agents", None),
    ("policy.*.speed.message_handle", None),
)


class Costs(NamedTuple):
    """What the firm earns and pays, whatever its policy."""

    margin: int  # share of revenue kept [parts per million]
    agent_pay: int  # per staffed seat [micro-units per day]
    supervisor_pay: int  # per staffed seat [micro-units per day]
    follow_up: int  # a call [micro-units]
    acquisition: int  # a prospect won [micro-units]


class PolicyCosts(NamedTuple):
    """What a policy costs beside staff and make-good."""

    training: int  # per agent [micro-units per day]
    prevention: int  # [micro-units per day]


@dataclass(frozen=True)
class Scenario:
    """A market, its mistakes, a horizon and the policies to compare; never changes.

    Equal digests mean equal scenarios: comments, spelling of units, order of keys,
    titles and where the settings were read do not count.
    """

    name: str
    spec: Spec
    warnings: tuple[Problem, ...] = ()
    log_digest: str = ""  # SHA-256 of the transactions, where there are some

    def __repr__(self) -> str:
        """Return its name, its policies and its digest on one line."""
        policies = ", ".join(self.policy_names)
        return f"<Scenario {self.name}: {policies}; digest {self.digest[:12]}>"

    @property
    def title(self) -> str:
        """Return its free text, or its name where there is none."""
        return self.spec.title or self.name

    @property
    def currency(self) -> str:
        """Return the symbol that amounts are shown with."""
        return self.spec.currency

    @property
    def horizon(self) -> float:
        """Return how long is simulated [days]."""
        return self.spec.horizon

    @property
    def replications(self) -> int:
        """Return how many replications are asked for."""
        return self.spec.replications

    @property
    def seed(self) -> int:
        """Return the seed of all randomness."""
        return self.spec.seed

    @property
    def sites(self) -> int:
        """Return how many sites the firm has, each with customers of its own."""
        return self.spec.sites

    @property
    def baseline(self) -> str:
        """Return the policy that revenue lost is measured against."""
        return self.spec.baseline

    @property
    def policy_names(self) -> tuple[str, ...]:
        """Return the policies in order, flawless among them."""
        return self.spec.policies

    def policy(self, name: str) -> Policy:
        """Return a policy's settings.

        Raises:
            InputError: The scenario has no such policy.
        """
        known = self.policy_names
        if name not in known:  # looking for a near word takes a while
            chosen("policy", name, known, close_to(name, known))
        return self.spec.policy[name]

    @cached_property
    def costs(self) -> Costs:
        """Return what the firm earns and pays."""
        costs = self.spec.costs
        return Costs(
            margin=math.floor(costs.margin * PPM + 0.5),
            agent_pay=costs.agent_pay,
            supervisor_pay=costs.supervisor_pay,
            follow_up=costs.follow_up,
            acquisition=costs.acquisition,
        )

    def policy_costs(self, policy: str | Policy) -> PolicyCosts:
        """Return what a policy costs beside staff and make-good."""
        settings = self.policy(policy) if isinstance(policy, str) else policy
        prevention = settings.prevention
        return PolicyCosts(
            settings.authority.training,
            prevention.cost
            + prevention.personality_cost
            + prevention.recovery_training_cost,
        )

    @property
    def has_people(self) -> bool:
        """Return whether agents tire, quit and learn."""
        return self.spec.strain is not None

    @cached_property
    def untiring(self) -> Scenario:
        """Return the same scenario with agents who never tire, quit or learn."""
        return replace(self, spec=self.spec.model_copy(update={"strain": None}))

    def levers_between(self, source: str, target: str) -> tuple[str, ...]:
        """Return the groups of settings in which two of its policies differ.

        Where agents are people, whatever differs may tire them: `people` is one then.
        """
        a, b = self.policy(source), self.policy(target)
        others = tuple(
            name
            for name in LEVERS
            if name != PEOPLE and mixture(a, b, [name]) != mixture(a, b, [])
        )
        tires = self.has_people and mixture(a, b, LEVERS) != mixture(a, b, [])
        return (*others, PEOPLE) if tires else others

    @cached_property
    def population(self) -> PopulationSpec:
        """Return what customers and prospects are drawn from."""
        return to_population(self.spec)

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of all that the scenario means, as 64 hex digits."""
        meaning = self.spec.model_dump(mode="python", exclude={"title": True})
        for policy in meaning["policy"].values():
            del policy["title"]
            if self.spec.strain is None:
                # Where agents are not people, what it says of them does not count.
                del policy[PEOPLE]
                for key in OF_PEOPLE:
                    del policy["prevention"][key]
        meaning["population"]["transactions"] = self._meaning_of_log()
        for path, usual in LATER:
            _leave_out(meaning, path, usual)
        text = json.dumps(
            _canonical(meaning),
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=True,
            allow_nan=False,
        )
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def _meaning_of_log(self) -> object:
        """Return the log's content and how it is read, wherever the file lies."""
        log = self.spec.population.transactions
        options = log.options if log else {}
        return {"log": self.log_digest, **options} if options else self.log_digest

    def plan(
        self, policy: str | Policy, n_starting_customers: int | None = None
    ) -> Plan:
        """Return a policy compiled for an engine.

        Args:
            policy: A name of this scenario's, or settings mixed from several.
            n_starting_customers: What staffing "per 1000" counts; the scenario's own
                number where absent, and needed where a log of transactions tells it.

        Raises:
            InputError: The scenario has no such policy.
            ValueError: The number of customers is needed and absent.
        """
        from churnsim.scenario.compile import to_plan

        settings = self.policy(policy) if isinstance(policy, str) else policy
        n_customers = n_starting_customers
        if n_customers is None:
            n_customers = self.spec.population.customers
        if n_customers is None:
            raise ValueError("the number of customers in the log must be given")
        key = settings, n_customers
        if key not in self._plans:
            self._plans[key] = to_plan(self.spec, settings, n_customers)
        return self._plans[key]

    @cached_property
    def _plans(self) -> dict[tuple[Policy, int], Plan]:
        """Return what was compiled: all sites and replications ask for the same."""
        return {}

    def to_toml(self) -> str:
        """Return the resolved scenario as TOML that loads to the same digest."""
        return to_toml(self.spec, self.currency)


def _leave_out(part: Any, path: str, usual: object) -> None:
    """Take a setting out where it has a value; a * stands for each item or policy."""
    key, _, rest = path.partition(".")
    if key == "*":
        for item in part.values() if isinstance(part, dict) else part:
            _leave_out(item, rest, usual)
    elif rest:
        _leave_out(part[key], rest, usual)
    elif part[key] == usual:
        del part[key]


def _canonical(value: object) -> object:
    """Return a value that JSON can hold: infinity spelled out, records as lists."""
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    return "inf" if value == math.inf else value
