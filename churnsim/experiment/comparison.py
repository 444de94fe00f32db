"""Policies compared: figures with intervals, what each loses, and one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from churnsim.errors import InputError, PartialError, Problem
from churnsim.experiment.attribution import Attribution, Method, explain
from churnsim.experiment.bound import MistakeShare, mistake_shares
from churnsim.experiment.control import Control, control_of
from churnsim.experiment.failures import Failure, partial_error
from churnsim.experiment.firm_view import firm_view_of
from churnsim.experiment.intervals import ROUGH_BELOW, Estimate, estimate
from churnsim.experiment.losses import MEASURES, Loss, loss_of
from churnsim.experiment.notebook import (
    PER_YEAR,
    Grid,
    dataframe,
    estimate_text,
    notebook_html,
    one_line,
)
from churnsim.experiment.plain import plain
from churnsim.experiment.preparing import (
    extent_warnings,
    file_of,
    prepared,
    standing_warnings,
)
from churnsim.experiment.replications import (
    THREADS,
    Execution,
    Replications,
    run_replications,
)
from churnsim.experiment.sentences import Extent, money_text, sentence_of
from churnsim.experiment.sequential import Until, headline, run_until, shortfall
from churnsim.experiment.series import months_of, origin_of, waits_of
from churnsim.experiment.summary import FIGURES, Summary, range_of
from churnsim.scenario import Scenario
from churnsim.scenario.assemble import Overrides
from churnsim.scenario.assumptions import (
    Assumption,
    Foundation,
    assumed,
    foundations_for,
    foundations_of,
)
from churnsim.scenario.model import FLAWLESS

if TYPE_CHECKING:
    import pyarrow as pa

    from churnsim.experiment import documents


DOCUMENT_VERSION = 1  # of `to_json_dict`; another one where a reader would go wrong


class Grounds(NamedTuple):
    """What a comparison rests on, however many replications it has."""

    scenario: Scenario
    seed: int
    engine: str
    mistake_shares: tuple[MistakeShare, ...]  # of all the scenario's policies
    foundations: tuple[Foundation, ...]
    warnings: tuple[str, ...]


class PolicyFigures(NamedTuple):
    """How one policy did on average, each figure with its interval."""

    name: str
    title: str
    n: int  # replications
    figures: dict[str, Estimate]  # by the names of FIGURES


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

    @property
    def runs(self) -> tuple[Summary, ...]:
        """Return the rows of all finished replications."""
        return self.replications.runs

    @property
    def n_customers(self) -> int:
        """Return how many customers there were at the start, in the first run."""
        return self.runs[0].n_customers

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """Return the influential settings that are our assumption."""
        return assumed(self.foundations)

    @cached_property
    def control(self) -> Control | None:
        """Return revenues with a control variate, and what it is worth.

        None with fewer than 20 replications, and where a firm without mistakes has no
        closed form.
        """
        return control_of(self.scenario, self.replications, self.losses)

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
            self.n_asked, self.n_finished, len(self.failures), self.scenario.currency
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
            ResourceError: More memory would be needed than there is.
            InterruptedRun: Stopped before any replication was finished.
            ChurnsimError: Every replication failed; this is the first one's error.
        """
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
        from churnsim.experiment import documents

        told = self.attribution
        # Held to its own list of keys where it is made.
        attribution: Any = told.to_json_dict() if told else None
        document: documents.RunDocument = {
            "document_version": DOCUMENT_VERSION,
            "command": command,
            "scenario": self.scenario.name,
            "scenario_digest": self.scenario.digest,
            "title": self.scenario.title,
            "currency": self.scenario.currency,
            "horizon_days": self.scenario.horizon,
            "baseline": self.scenario.baseline,
            "seed": self.seed,
            "engine": self.engine,
            "replications_asked": self.n_asked,
            "replications_finished": self.n_finished,
            "is_stopped": self.is_stopped,
            "is_rough": self.n_finished < ROUGH_BELOW,
            "sentence": self.sentence(),
            "sentences": {loss.policy: self.sentence(loss.policy) for loss in self._of},
            "policies": {
                name: {
                    "title": policy.title,
                    "figures": {
                        figure: plain(value) for figure, value in policy.figures.items()
                    },
                }
                for name, policy in self.policies.items()
            },
            "losses": [plain(loss) for loss in self.losses],
            "control": self._control_in_json(),
            "attribution": attribution,
            "firm_view": firm_view_of(self),
            "mistake_shares": [plain(share) for share in self.mistake_shares],
            "assumptions": [plain(item) for item in self.assumptions],
            "foundations": [plain(item) for item in self.foundations],
            "customers": self.n_customers,
            "months": months_of(self),
            "waits": waits_of(self),
            "origin": origin_of(self),
            "warnings": list(self.warnings),
            "failures": [str(failure.problem) for failure in self.failures],
        }
        return documents.as_dict(document)

    def _control_in_json(self) -> documents.ControlDocument | None:
        if self.control is None:
            return None
        estimates = [plain(item) for item in self.control.estimates]
        return {"expected": self.control.expected, "estimates": estimates}

    @property
    def _of(self) -> list[Loss]:
        """Return one loss of revenue for each policy that has a sentence."""
        return [
            loss
            for loss in self.losses
            if loss.measure == "revenue"
            and (loss.against == "baseline" or loss.policy == self.scenario.baseline)
        ]

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


def compare(
    scenario: Scenario | str | Path,
    *,
    policies: Sequence[str] | None = None,
    replications: int | Until | None = None,
    seed: int | None = None,
    overrides: Overrides = (),
    execution: Execution = THREADS,
) -> Comparison:
    """Return the policies of a scenario compared, paired by replication.

    Ctrl-C keeps the replications that are finished.

    Args:
        scenario: A ready one's name, a file, or what `load_scenario` returned.
        policies: The scenario's where absent; its baseline and flawless are always run.
        replications: How many, or until when; the scenario's where absent.
        seed: The scenario's where absent.
        overrides: Settings that lie over the file's.
        execution: Engine, threads, progress, a way to stop.

    Raises:
        InputError: Settings that there cannot be, or that contradict observed churn.
        ResourceError: More memory would be needed than there is.
        InterruptedRun: Stopped before any replication was finished.
    """
    loaded = prepared(scenario, policies, overrides)
    shares = mistake_shares(loaded)
    names = list(dict.fromkeys([loaded.baseline, *(policies or loaded.policy_names)]))
    names.sort(key=loaded.policy_names.index)
    # Before the replications: whoever stops them waits for nothing that could be known.
    foundations = foundations_of(loaded, file_of(scenario), names)
    told: list[str] = []
    if isinstance(replications, Until):
        results = run_until(loaded, names, replications, seed=seed, execution=execution)
        told = shortfall(replications, headline(loaded, results))
    else:
        results = run_replications(
            loaded, names, replications=replications, seed=seed, execution=execution
        )
    grounds = Grounds(
        loaded,
        loaded.seed if seed is None else seed,
        execution.engine,
        shares,
        foundations,
        tuple(standing_warnings(loaded, shares, results.policies)),
    )
    return comparison_of(grounds, results, told)


def comparison_of(
    grounds: Grounds, results: Replications, told: Sequence[str] = ()
) -> Comparison:
    """Return what replications come to.

    Args:
        grounds: What they rest on.
        results: At least one replication.
        told: Warnings of one's own, which come last.
    """
    scenario = grounds.scenario
    return Comparison(
        scenario=scenario,
        seed=grounds.seed,
        engine=grounds.engine,
        replications=results,
        policies={
            name: figures_of(scenario, results, name) for name in results.policies
        },
        losses=tuple(losses_of(scenario, results)),
        mistake_shares=tuple(
            share
            for share in grounds.mistake_shares
            if share.policy in results.policies
        ),
        foundations=grounds.foundations,
        warnings=(
            *grounds.warnings,
            *extent_warnings(len(results.finished)),
            *told,
        ),
    )


def figures_of(scenario: Scenario, results: Replications, policy: str) -> PolicyFigures:
    """Return a policy's figures over its replications, each within its range."""
    rows = results.of(policy)
    figures = {
        name: estimate([row.figures[name] for row in rows], range_of(name))
        for name in FIGURES
    }
    title = scenario.policy(policy).title or policy
    return PolicyFigures(policy, title, len(rows), figures)


def losses_of(scenario: Scenario, results: Replications) -> list[Loss]:
    """Return what each policy loses against the baseline and against flawless."""
    return [
        loss_of(
            results.of(policy), results.of(other), against, measure, scenario.horizon
        )
        for against, other in (("baseline", scenario.baseline), ("flawless", FLAWLESS))
        for policy in results.policies
        if policy != other
        for measure in MEASURES
    ]
