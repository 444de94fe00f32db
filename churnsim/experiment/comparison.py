"""Policies compared: figures with intervals, what each loses, and one sentence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from churnsim.errors import InputError, PartialError, Problem
from churnsim.experiment.attribution import Attribution, Method, explain
from churnsim.experiment.bound import MistakeShare
from churnsim.experiment.control import Control, control_of
from churnsim.experiment.failures import Failure, partial_error
from churnsim.experiment.intervals import Estimate
from churnsim.experiment.losses import Loss
from churnsim.experiment.notebook import (
    PER_YEAR,
    Grid,
    dataframe,
    estimate_text,
    notebook_html,
    one_line,
)
from churnsim.experiment.posterior.ignorance import Ignorance, ignorance_of
from churnsim.experiment.posterior.uncertain import Uncertain
from churnsim.experiment.preparing import years_in_all
from churnsim.experiment.replications import (
    THREADS,
    Execution,
    Replications,
)
from churnsim.experiment.sentences import Extent, money_text, sentence_of
from churnsim.experiment.summary import Summary
from churnsim.scenario import Scenario
from churnsim.scenario.assumptions import (
    Assumption,
    Foundation,
    assumed,
    foundations_for,
)
from churnsim.scenario.model import FLAWLESS

if TYPE_CHECKING:
    import pyarrow as pa


class PolicyFigures(NamedTuple):
    """How one policy did on average, each figure with its interval."""

    name: str
    title: str
    n: int  # replications
    figures: dict[str, Estimate]  # by the names of FIGURES


class Sites(NamedTuple):
    """How a firm of several sites was run."""

    n_sites: int
    passes: int  # of news between them, the most in any run; 1: nobody had to listen
    runs_per_site: float  # on average, in all passes


@dataclass(frozen=True, eq=False)
class Comparison:
    """What the policies of a scenario come to, paired by replication."""

    scenario: Scenario
    seed: int
    engine: str
    replications: Replications
    policies: dict[str, PolicyFigures]
    losses: tuple[Loss, ...]
    mistake_shares: tuple[MistakeShare, ...]
    foundations: tuple[Foundation, ...]
    warnings: tuple[str, ...]
    attribution: Attribution | None = None  # of the headline; see `explained`
    uncertain: Uncertain | None = None  # where settings are drawn from a posterior

    @property
    def runs(self) -> tuple[Summary, ...]:
        """Return the rows of all finished replications."""
        return self.replications.runs

    @property
    def n_customers(self) -> int:
        """Return how many customers there were at the start, in the first run."""
        return self.runs[0].n_customers

    @property
    def sites(self) -> Sites | None:
        """Return how the sites were run; None where there is one."""
        news = [row.news for row in self.runs if row.news is not None]
        if not news:
            return None
        count = self.scenario.sites
        mean = sum(of.site_runs for of in news) / (count * len(news))
        return Sites(count, max(of.passes for of in news), mean)

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """Return the influential settings that are our assumption."""
        return assumed(self.foundations)

    @cached_property
    def control(self) -> Control | None:
        """Return revenues with a control variate, and what it is worth.

        None with fewer than 20 replications, and where a firm without mistakes has no
        closed form, or another one under each draw of a posterior.
        """
        if self.uncertain is not None:
            return None
        return control_of(self.scenario, self.replications, self.losses)

    @cached_property
    def ignorance(self) -> Ignorance | None:
        """Return how much of each loss's uncertainty is ignorance; None: none drawn."""
        if self.uncertain is None:
            return None
        return ignorance_of(self.replications, self.losses, self.scenario.horizon)

    @property
    def n_asked(self) -> int:
        """Return how many replications were asked for."""
        return len(self.replications.asked)

    @property
    def n_finished(self) -> int:
        """Return how many replications finished under every policy."""
        return len(self.replications.finished)

    @property
    def is_stopped(self) -> bool:
        """Return whether the user stopped it before all was done."""
        return self.replications.is_stopped

    @property
    def is_partial(self) -> bool:
        """Return whether fewer replications finished than were asked for."""
        return self.n_finished < self.n_asked

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Return the replications that failed."""
        return self.replications.failures

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

    def loss(
        self, policy: str, against: str = "baseline", measure: str = "revenue"
    ) -> Loss:
        """Return what a policy loses against "baseline" or "flawless".

        Raises:
            InputError: No such policy, or it is what losses are measured against.
        """
        for loss in self.losses:
            if (loss.policy, loss.against, loss.measure) == (policy, against, measure):
                return loss
        known = dict.fromkeys(loss.policy for loss in self.losses)
        rule = f'must be one of {", ".join(known)}, against "baseline" or "flawless"'
        raise InputError(Problem(rule, field="policy", value=policy))

    def headline(self) -> Loss | None:
        """Return the largest loss of revenue against the baseline, if there is any.

        Against flawless where the baseline is the only other policy.
        """
        for against in ("baseline", "flawless"):
            losses = [
                loss
                for loss in self.losses
                if loss.against == against
                and loss.measure == "revenue"
                and loss.policy != FLAWLESS
            ]
            if losses:
                return max(losses, key=lambda loss: loss.total.mean or 0.0)
        return None

    def explained(self, execution: Execution = THREADS) -> Comparison:
        """Return the comparison with its headline's loss told lever by lever.

        Every mixture of the two policies' levers is run in the replications that
        finished here, so the levers' parts add up to the headline's loss to the last
        micro-unit. Without a headline nothing is added.

        Args:
            execution: Threads, progress, a way to stop; the engine is that of the
                comparison.

        Raises:
            InputError: Settings are drawn from a posterior.
            ResourceError: More memory would be needed than there is.
            InterruptedRun: Stopped before any replication was finished.
            ChurnsimError: Every replication failed; this is the first one's error.
        """
        if self.uncertain is not None:
            rule = "must be of settings that are known: parts are told of one firm"
            hint = "explain the scenario without its posterior"
            raise InputError(Problem(rule, field="explained", hint=hint))
        headline = self.headline()
        if headline is None:
            return self
        ends = (headline.policy, headline.other)
        how = execution._replace(engine=self.engine)
        found = explain(
            self.scenario,
            *ends,
            replications=self.replications.finished,
            method=Method(headline.measure, self.seed, how),
        )
        foundations = foundations_for(self.foundations, self.scenario, ends)
        assumptions = assumed(foundations)
        return replace(self, attribution=replace(found, assumptions=assumptions))

    def sentence(self, policy: str | None = None) -> str:
        """Return what a policy costs the firm in one sentence; the dearest policy's.

        Raises:
            InputError: No such policy.
        """
        if policy is not None:
            is_base = policy == self.scenario.baseline
            against = "flawless" if is_base else "baseline"
            return sentence_of(self.loss(policy, against), self.extent)
        headline = self.headline()
        if headline is None:
            return "There is nothing to compare: a flawless firm is the only policy."
        return sentence_of(headline, self.extent)

    def to_arrow(self) -> pa.Table:
        """Return one row for each policy and replication."""
        from churnsim.experiment.store.tables import runs_table

        return runs_table(self)

    def to_dataframe(self) -> Any:
        """Return `to_arrow` as a pandas data frame.

        Raises:
            InputError: pandas is not installed.
        """
        return dataframe(self.to_arrow())

    def to_json_dict(self, command: str = "") -> dict[str, Any]:
        """Return the whole comparison in numbers, texts and lists.

        Args:
            command: What makes the same numbers again, where there is one.
        """
        from churnsim.experiment.run_document import run_document

        return run_document(self, command)

    def __repr__(self) -> str:
        """Return how far it got, and its sentence, on one line."""
        kind = (
            f"Comparison of {self.scenario.name}, {self.n_finished} of {self.n_asked} "
            "replications"
        )
        return one_line(kind, self.sentence())

    def _repr_html_(self) -> str:
        """Return the sentence and a table for notebooks."""

        def money(amount: float) -> str:
            return money_text(amount, self.extent)

        def lost(policy: str, against: str) -> str:
            for loss in self.losses:
                known = (loss.policy, loss.against, loss.measure)
                if known == (policy, against, "revenue") and policy != FLAWLESS:
                    return estimate_text(loss.yearly, money)
            return ""

        ends = {"baseline": self.scenario.baseline, "flawless": FLAWLESS}
        ends = {key: end for key, end in ends.items() if key == end or end != FLAWLESS}
        of_ends = (f"revenue lost {PER_YEAR} against {end}" for end in ends.values())
        rows = [
            (
                policy.title,
                estimate_text(policy.figures["revenue"], money),
                estimate_text(policy.figures["kept"], "{:,.0f}".format),
                *(lost(name, against) for against in ends),
            )
            for name, policy in self.policies.items()
        ]
        head = ("policy", "revenue", "customers at the end", *of_ends)
        return notebook_html(self.sentence(), [Grid(head, rows)], self.warnings)
