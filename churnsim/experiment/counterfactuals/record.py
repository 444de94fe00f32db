"""Whose fate turns on the policy: counts, causes, and the two probabilities of Pearl.

The policy `source` is held to be the cause and the loss of a customer by the horizon
the effect; `target` is the policy instead. Both fates of every customer are known, so
the probabilities are shares of customers, not bounds:

    necessary  = P(kept under target | lost under source)
    sufficient = P(lost under source | kept under target)
    both       = P(lost under source, kept under target)

Source:
    Pearl, J. (1999): Probabilities of causation: three counterfactual interpretations
    and their identification. Synthese 121, 93-149: PN, PS and PNS.
    Pearl, J. (2009): Causality, 2nd edition, definitions 9.2.1 to 9.2.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from churnsim.engines.sums import ratio
from churnsim.errors import PartialError
from churnsim.experiment.counterfactuals.pairs import KEPT, Pair
from churnsim.experiment.counterfactuals.wording import (
    Finding,
    sentence_of_turning,
)
from churnsim.experiment.failures import Failure, partial_error
from churnsim.experiment.intervals import ROUGH_BELOW, SHARE, Estimate, estimate
from churnsim.experiment.notebook import (
    Grid,
    dataframe,
    estimate_text,
    notebook_html,
    one_line,
    share_text,
)
from churnsim.experiment.plain import plain
from churnsim.experiment.sentences import Extent, leavers
from churnsim.records import Cause, Integers
from churnsim.scenario import Scenario
from churnsim.scenario.assumptions import Assumption


class Fates(NamedTuple):
    """How many customers are kept or lost in two worlds: source, then target."""

    kept_kept: int
    kept_lost: int
    lost_kept: int
    lost_lost: int

    @property
    def people(self) -> int:
        """Return how many are customers in both worlds."""
        return sum(self)


class Turn(NamedTuple):
    """Customers lost by one cause, and how many of them the other policy keeps."""

    lost_under: str  # "from" or "to"
    cause: str
    lost: int  # over all replications
    kept_by_other: int  # of those
    share: float | None  # of those [-]; None: nobody was lost by it


def fates_of(cross: Integers) -> Fates:
    """Return the table of kept and lost from counts by causes (see `Pair.cross`)."""
    return Fates(
        int(cross[KEPT, KEPT]),
        int(cross[KEPT, 1:].sum()),
        int(cross[1:, KEPT].sum()),
        int(cross[1:, 1:].sum()),
    )


def necessity(fates: Fates) -> float | None:
    """Return the share kept under target of those lost under source; None: no one."""
    return ratio(fates.lost_kept, fates.lost_kept + fates.lost_lost)


def sufficiency(fates: Fates) -> float | None:
    """Return the share lost under source of those kept under target; None: no one."""
    return ratio(fates.lost_kept, fates.lost_kept + fates.kept_kept)


def turns_of(cross: Integers) -> tuple[Turn, ...]:
    """Return by each cause that occurs who is lost and kept by the other policy."""
    found = []
    for lost_under, table in (("from", cross), ("to", cross.T)):
        for cause in Cause:
            lost, kept = int(table[cause].sum()), int(table[cause, KEPT])
            if cause != KEPT and lost:
                name = cause.name.lower()
                found.append(Turn(lost_under, name, lost, kept, ratio(kept, lost)))
    return tuple(found)


@dataclass(frozen=True, eq=False, repr=False)
class Counterfactuals:
    """Customers who are lost under one policy and kept under another."""

    scenario: Scenario
    source: str  # the policy that loses
    target: str  # what it is held against
    seed: int
    engine: str
    pairs: tuple[Pair, ...]  # of each replication that finished
    n_asked: int
    failures: tuple[Failure, ...]
    is_stopped: bool
    has_parting: bool  # whether it is known when lives part
    assumptions: tuple[Assumption, ...]
    warnings: tuple[str, ...]

    @property
    def n_finished(self) -> int:
        """Return how many replications finished."""
        return len(self.pairs)

    @property
    def n_customers(self) -> int:
        """Return how many customers start, in the first replication."""
        return next((pair.n_customers for pair in self.pairs), 0)

    @property
    def extent(self) -> Extent:
        """Return how much of what was asked for stands behind it."""
        return Extent(
            self.n_asked, self.n_finished, len(self.failures), self.scenario.currency
        )

    @cached_property
    def cross(self) -> Integers:
        """Return counts by causes in both worlds, over all replications."""
        counts = np.stack([pair.cross for pair in self.pairs])
        return np.asarray(counts.sum(axis=0), np.int64)

    @property
    def fates(self) -> Fates:
        """Return the table of kept and lost, over all replications."""
        return fates_of(self.cross)

    @property
    def won_once(self) -> tuple[int, int]:
        """Return prospects won under source only and target only, who are left out."""
        first, second = zip(*(pair.won_once for pair in self.pairs), strict=True)
        return sum(first), sum(second)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Return who is lost by which cause and kept by the other policy."""
        return turns_of(self.cross)

    @cached_property
    def necessary(self) -> Estimate:
        """Return PN: of those lost under source, the share kept under target [-].

        The mean over replications; one in which nobody is lost has no data.
        """
        shares = [necessity(fates_of(pair.cross)) for pair in self.pairs]
        return estimate(shares, SHARE)

    @cached_property
    def sufficient(self) -> Estimate:
        """Return PS: of those kept under target, the share lost under source [-].

        The mean over replications; one in which nobody is kept has no data.
        """
        shares = [sufficiency(fates_of(pair.cross)) for pair in self.pairs]
        return estimate(shares, SHARE)

    @cached_property
    def both(self) -> Estimate:
        """Return PNS: the share lost under source and kept under target [-]."""
        fates = [fates_of(pair.cross) for pair in self.pairs]
        shares = [ratio(each.lost_kept, each.people) for each in fates]
        return estimate(shares, SHARE)

    def necessary_by_cause(self) -> dict[Cause, Estimate]:
        """Return PN for the customers lost by each cause under source [-].

        Of those lost by it, the share kept under target, as `necessary`; of causes by
        which somebody is lost.
        """
        lost = self.cross[1:].sum(axis=1)
        return {
            cause: estimate(
                [
                    ratio(int(pair.cross[cause, KEPT]), int(pair.cross[cause].sum()))
                    for pair in self.pairs
                ],
                SHARE,
            )
            for cause in Cause
            if cause != KEPT and lost[cause - 1]
        }

    def error(self) -> PartialError | None:
        """Return the error about failed replications, if there were any."""
        return partial_error(self.failures, self.n_asked)

    def sentence(self) -> str:
        """Return how many of those lost would have stayed, in one sentence."""
        by_cause = tuple(
            (turn.cause, turn.kept_by_other)
            for turn in self.turns
            if turn.lost_under == "from"
        )
        finding = Finding(self.source, self.target, self.necessary, by_cause)
        return sentence_of_turning(finding, self.extent)

    def to_arrow(self) -> pa.Table:
        """Return one row for each customer lost in one world and kept in the other.

        Columns: replication, customer, is_prospect, lost_under (a policy); of each
        world (from, to) departure [days] (null: kept), cause ("none": kept), revenue
        [micro-units] and episodes. Where it was asked for, parted and other_course:
        when their lives first differ at all, and when first something else happens
        than in the other world [days].
        """
        turned = [pair.turned for pair in self.pairs]
        sizes = [len(each.customer) for each in turned]
        numbers = np.repeat([pair.replication for pair in self.pairs], sizes)
        starts = np.repeat([pair.n_customers for pair in self.pairs], sizes)
        who = np.concatenate([each.customer for each in turned])
        departure = np.concatenate([each.departure for each in turned])
        cause = np.concatenate([each.cause for each in turned])
        money = np.concatenate([each.revenue for each in turned])
        episodes = np.concatenate([each.episodes for each in turned])
        losers = np.where(cause[:, 0] == KEPT, self.target, self.source)
        columns: dict[str, Any] = {
            "replication": pa.array(numbers, pa.int64()),
            "customer": pa.array(who, pa.int64()),
            "is_prospect": pa.array(who >= starts, pa.bool_()),
            "lost_under": pa.array(losers.tolist(), pa.string()),
        }
        for world, name in enumerate(("from", "to")):
            left = departure[:, world]
            columns[f"departure_{name}"] = pa.array(left, mask=np.isinf(left))
            causes = [Cause(code).name.lower() for code in cause[:, world]]
            columns[f"cause_{name}"] = pa.array(causes, pa.string())
            columns[f"micro_revenue_{name}"] = pa.array(money[:, world], pa.int64())
            columns[f"episodes_{name}"] = pa.array(episodes[:, world], pa.int64())
        if self.has_parting:
            parted = np.concatenate([each.parted for each in turned])
            for i, name in enumerate(("parted", "other_course")):
                columns[name] = pa.array(parted[:, i], mask=np.isnan(parted[:, i]))
        return pa.table(columns)

    def to_dataframe(self) -> Any:
        """Return `to_arrow` as a pandas data frame.

        Raises:
            InputError: pandas is not installed.
        """
        return dataframe(self.to_arrow())

    def to_json_dict(self) -> dict[str, Any]:
        """Return counts, causes and probabilities in numbers, texts and lists."""
        from churnsim.experiment import documents

        source_only, target_only = self.won_once
        document: documents.CounterfactualsDocument = {
            "scenario": self.scenario.name,
            "scenario_digest": self.scenario.digest,
            "title": self.scenario.title,
            "currency": self.scenario.currency,
            "horizon_days": self.scenario.horizon,
            "from": self.source,
            "to": self.target,
            "seed": self.seed,
            "engine": self.engine,
            "replications_asked": self.n_asked,
            "replications_finished": self.n_finished,
            "is_stopped": self.is_stopped,
            "is_rough": self.n_finished < ROUGH_BELOW,
            "sentence": self.sentence(),
            "fates": plain(self.fates),
            "won_once": {"from": source_only, "to": target_only},
            "causes": [plain(turn) for turn in self.turns],
            "necessary": plain(self.necessary),
            "sufficient": plain(self.sufficient),
            "necessary_and_sufficient": plain(self.both),
            "assumptions": [plain(item) for item in self.assumptions],
            "warnings": list(self.warnings),
            "failures": [str(failure.problem) for failure in self.failures],
        }
        return documents.as_dict(document)

    def __repr__(self) -> str:
        """Return what it is, on one line."""
        return one_line("Counterfactuals", self.sentence())

    def __str__(self) -> str:
        """Return the sentence."""
        return self.sentence()

    def _repr_html_(self) -> str:
        """Return the sentence and tables for notebooks."""
        a, b = self.source, self.target
        shares = (
            (f"of those lost under {a}, kept under {b} (necessary)", self.necessary),
            (f"of those kept under {b}, lost under {a} (sufficient)", self.sufficient),
            (f"of all, lost under {a} and kept under {b} (both)", self.both),
        )
        causes = [
            (leavers(cause.name.lower()), estimate_text(share, share_text))
            for cause, share in self.necessary_by_cause().items()
        ]
        grids = [
            Grid(
                ("share of customers", "mean (95 % interval)"),
                [(name, estimate_text(share, share_text)) for name, share in shares],
            ),
            Grid((f"lost under {a}", f"of them kept under {b}"), causes),
        ]
        grids = grids if a != b else []
        return notebook_html(self.sentence(), grids, self.warnings)
