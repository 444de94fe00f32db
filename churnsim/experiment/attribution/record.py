"""An attribution: what each lever, pair of levers and segment has to do with a loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from churnsim.errors import InputError, PartialError, Problem
from churnsim.experiment.attribution.groups import GROUPS, Customers
from churnsim.experiment.attribution.shapley import Scheme, apportioned, numerators
from churnsim.experiment.attribution.wording import (
    Finding,
    lever_text,
    sentence_of_finding,
)
from churnsim.experiment.failures import Failure, partial_error
from churnsim.experiment.intervals import ROUGH_BELOW, Estimate
from churnsim.experiment.notebook import (
    PER_YEAR,
    Grid,
    dataframe,
    estimate_text,
    notebook_html,
    one_line,
    share_text,
)
from churnsim.experiment.plain import plain
from churnsim.experiment.preparing import years_in_all
from churnsim.experiment.sentences import Extent, money_text
from churnsim.records import Integers
from churnsim.scenario import Scenario
from churnsim.scenario.assumptions import Assumption
from churnsim.scenario.files import close_to

WHOLE = "all"  # the segment that is everybody and the firm
FIRM = "firm"  # what no single customer causes: wages, training, prevention


class Share(NamedTuple):
    """A lever's Shapley share of the loss; below zero it makes up for some of it."""

    lever: str
    micro: int  # over all replications, exact [micro-units]
    total: Estimate  # per run [units of currency]
    yearly: Estimate  # a year and 1,000 starting customers [units of currency]
    # Of the loss [-]; None: it cannot be told from zero, or has no interval.
    fraction: float | None
    # Standard error for want of more orders, per run [units]; the intervals of `total`
    # and `yearly` have it in them. None: exact.
    sampling_error: float | None


class Interaction(NamedTuple):
    """Shapley interaction index of two levers (Grabisch & Roubens 1999).

    What mending both brings beyond what mending each brings, on average over what else
    is mended. Above zero they need each other; below, one makes up for the other.
    """

    levers: tuple[str, str]
    total: Estimate  # per run [units of currency]
    yearly: Estimate  # a year and 1,000 starting customers [units of currency]


class Segment(NamedTuple):
    """What is lost with some of the customers, and by which levers."""

    by: str  # "all", "origin", "spend", "dropout", or "firm": no customer's
    name: str
    people: float  # mean number, prospects who come included
    micro: int  # lost over all replications, exact [micro-units]
    total: Estimate  # per run [units of currency]
    yearly: Estimate  # a year and 1,000 starting customers, of all segments [units]
    shares: tuple[Share, ...]  # by lever


class Chosen(NamedTuple):
    """One replication customer by customer, in each run of the scheme."""

    replication: int
    firm: tuple[int, ...]  # what no customer causes, by value of the scheme [micro]
    customers: tuple[Customers, ...]  # by value of the scheme


@dataclass(frozen=True, eq=False, repr=False)
class Attribution:
    """Why one policy loses money against another: Shapley shares of the levers."""

    scenario: Scenario
    source: str  # the policy that loses
    target: str  # what it is compared with
    measure: str  # one of MEASURES
    seed: int
    engine: str
    levers: tuple[str, ...]  # those whose settings differ, in the order of LEVERS
    scheme: Scheme | None  # None: no lever differs
    finished: tuple[int, ...]  # numbers of the replications
    n_asked: int
    failures: tuple[Failure, ...]
    is_stopped: bool
    n_customers: int  # starting ones, in the first replication
    micro: Integers  # lost, (replications, segments, levers) [micro-units]
    loss: Segment  # everybody's
    segments: tuple[Segment, ...]
    interactions: tuple[Interaction, ...]  # largest first
    chosen: Chosen | None
    assumptions: tuple[Assumption, ...]
    warnings: tuple[str, ...]

    @property
    def shares(self) -> tuple[Share, ...]:
        """Return each lever's share of the loss."""
        return self.loss.shares

    @property
    def n_finished(self) -> int:
        """Return how many replications finished."""
        return len(self.finished)

    @property
    def n_runs(self) -> int:
        """Return how many runs stand behind it: those of each replication, together."""
        return self.n_finished * self.scheme.n_values if self.scheme else 0

    @property
    def is_exact(self) -> bool:
        """Return whether all combinations of levers were run, not a sample."""
        return self.n_orders is None

    @property
    def n_orders(self) -> int | None:
        """Return how many orders of the levers were sampled; None where none were."""
        return len(self.scheme.orders) or None if self.scheme else None

    @property
    def extent(self) -> Extent:
        """Return how much of what was asked for stands behind it."""
        return Extent(
            self.n_asked,
            self.n_finished,
            len(self.failures),
            self.scenario.currency,
            years_in_all(self.scenario, self.n_customers),
        )

    def error(self) -> PartialError | None:
        """Return the error about failed replications, if there were any."""
        return partial_error(self.failures, self.n_asked)

    def share(self, lever: str) -> Share:
        """Return a lever's share of the loss.

        Raises:
            InputError: No such lever, or it is the same in both policies.
        """
        for share in self.shares:
            if share.lever == lever:
                return share
        rule = f"must be one of {', '.join(self.levers) or 'none: no lever differs'}"
        hint = close_to(lever, self.levers)
        raise InputError(Problem(rule, field="lever", value=lever, hint=hint))

    def interaction(self, lever: str, other: str) -> Interaction:
        """Return the interaction of two levers, in either order.

        Raises:
            InputError: No two such levers, or they are the same in both policies.
        """
        for name in (lever, other):
            self.share(name)
        for found in self.interactions:
            if set(found.levers) == {lever, other}:
                return found
        rule = "must be two different levers, all of whose combinations were run"
        raise InputError(Problem(rule, field="levers", value=f"{lever}, {other}"))

    def sentence(self) -> str:
        """Return where the loss comes from, in one sentence."""
        return sentence_of_finding(
            Finding(
                self.source,
                self.target,
                self.measure,
                self.scenario.horizon,
                self.loss.total,
                tuple((share.lever, share.total) for share in self.shares),
                self.n_orders,
            ),
            self.extent,
        )

    def to_arrow(self) -> pa.Table:
        """Return one row for each replication, segment and lever, in micro-units.

        Rows by "all" add up to the loss; so do those of each other `by` with "firm".
        """
        places = (WHOLE, FIRM, *(group.by for group in GROUPS))
        names = (WHOLE, FIRM, *(group.name for group in GROUPS))
        n_replications, n_segments, n_levers = self.micro.shape
        each = n_segments * n_levers
        by = [place for place in places for _ in self.levers]
        segment = [name for name in names for _ in self.levers]
        numbers = [number for number in self.finished for _ in range(each)]
        return pa.table(
            {
                "replication": pa.array(numbers, pa.int64()),
                "by": pa.array(by * n_replications, pa.string()),
                "segment": pa.array(segment * n_replications, pa.string()),
                "lever": pa.array(
                    list(self.levers) * (n_segments * n_replications), pa.string()
                ),
                "micro_lost": pa.array(self.micro.reshape(-1), pa.int64()),
            }
        )

    def to_dataframe(self) -> Any:
        """Return `to_arrow` as a pandas data frame.

        Raises:
            InputError: pandas is not installed.
        """
        return dataframe(self.to_arrow())

    def customers(self) -> pa.Table:
        """Return one row a customer of the chosen replication, in micro-units.

        Each row adds up to what was lost with that customer, each lever's column to
        its share in that replication. The first row, without a number, is the firm's:
        what no single customer causes, 0 of revenue.

        Raises:
            InputError: No replication's customers were kept.
        """
        if self.chosen is None or self.scheme is None:
            rule = "must be a replication that was run, of policies that differ"
            hint = "ask for it with Method(customers=0)"
            raise InputError(Problem(rule, field="customers", hint=hint))
        return customers_table(self.chosen, self.scheme, self.levers)

    def to_json_dict(self) -> dict[str, Any]:
        """Return the whole attribution in numbers, texts and lists."""
        from churnsim.experiment import documents

        document: documents.ExplainDocument = {
            "scenario": self.scenario.name,
            "scenario_digest": self.scenario.digest,
            "title": self.scenario.title,
            "currency": self.scenario.currency,
            "horizon_days": self.scenario.horizon,
            "from": self.source,
            "to": self.target,
            "measure": self.measure,
            "seed": self.seed,
            "engine": self.engine,
            "replications_asked": self.n_asked,
            "replications_finished": self.n_finished,
            "replications": list(self.finished),
            "runs": self.n_runs,
            "is_stopped": self.is_stopped,
            "is_rough": self.n_finished < ROUGH_BELOW,
            "is_exact": self.is_exact,
            "orders": self.n_orders,
            "sentence": self.sentence(),
            "levers": list(self.levers),
            "loss": plain(self.loss),
            "interactions": [plain(pair) for pair in self.interactions],
            "segments": [plain(segment) for segment in self.segments],
            "assumptions": [plain(item) for item in self.assumptions],
            "warnings": list(self.warnings),
            "failures": [str(failure.problem) for failure in self.failures],
        }
        return documents.as_dict(document)

    def __repr__(self) -> str:
        """Return what it is, on one line."""
        return one_line("Attribution", self.sentence())

    def __str__(self) -> str:
        """Return the sentence and a line for each lever."""
        return "\n".join([self.sentence(), *("  ".join(row) for row in self._rows())])

    def _repr_html_(self) -> str:
        """Return the sentence and a table for notebooks."""
        head = ("lever", "lost", f"lost {PER_YEAR}", "of the loss")
        grids = [Grid(head, self._rows())]
        return notebook_html(self.sentence(), grids, self.warnings)

    def _rows(self) -> list[tuple[str, ...]]:
        """Return a row of texts for each lever."""

        def money(amount: float) -> str:
            return money_text(amount, self.extent)

        return [
            (
                lever_text(share.lever),
                estimate_text(share.total, money),
                estimate_text(share.yearly, money),
                "" if share.fraction is None else share_text(share.fraction),
            )
            for share in self.shares
        ]


def customers_table(chosen: Chosen, scheme: Scheme, levers: Sequence[str]) -> pa.Table:
    """Return one row a customer, the firm's before them; see `Attribution.customers`.

    Args:
        chosen: The replication, in each run of the scheme.
        scheme: How their values make shares.
        levers: Its players.
    """
    firm = np.array(chosen.firm, np.int64).reshape(-1, 1)
    values = np.hstack([firm, np.stack([of.amounts for of in chosen.customers])])
    shares = apportioned(numerators(scheme.weights, values), scheme.unit)
    n = values.shape[1] - 1
    origin, *quarters = chosen.customers[0].groups
    spend, dropout = ([None, *(GROUPS[i].name for i in places)] for places in quarters)
    return pa.table(
        {
            "customer": pa.array([None, *range(n)], pa.int64()),
            "is_prospect": pa.array([None, *(origin == 1).tolist()], pa.bool_()),
            "spend": pa.array(spend, pa.string()),
            "dropout": pa.array(dropout, pa.string()),
            "micro_from": values[0],
            "micro_to": values[-1],
            "micro_lost": values[-1] - values[0],
            **{f"micro_{lever}": shares[:, i] for i, lever in enumerate(levers)},
        }
    )
