"""How much of each loss's uncertainty is Monte Carlo, and how much is ignorance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from churnsim.experiment.losses import Loss, amounts_lost
from churnsim.experiment.plain import plain
from churnsim.experiment.posterior.components import (
    Uncertainty,
    components,
    uncertainty,
)
from churnsim.experiment.posterior.uncertain import Uncertain
from churnsim.experiment.replications import Replications
from churnsim.experiment.sentences import Extent, money_text, subject

if TYPE_CHECKING:
    from churnsim.experiment.comparison import Comparison
    from churnsim.experiment.documents import PosteriorDocument

DRAWS_FEW = 10  # different ones; fewer tell little of how much they vary


class LossUncertainty(NamedTuple):
    """How far off a loss may be, and why."""

    policy: str
    against: str  # "baseline" or "flawless"
    other: str  # name of the policy compared with
    measure: str  # as of the loss
    total: Uncertainty | None  # per run [units of currency]; None: fewer than 2 draws
    yearly: Uncertainty | None  # a year and 1,000 starting customers

    def a_year(self, extent: Extent) -> Uncertainty | None:
        """Return it as the sentence tells amounts a year."""
        if extent.years is None:
            return self.yearly
        if self.total is None or not extent.years:
            return None
        *parts, share = self.total
        total, monte_carlo, ignorance = (part / extent.years for part in parts)
        return Uncertainty(total, monte_carlo, ignorance, share)


class Ignorance(NamedTuple):
    """What the draws of a comparison's replications tell of its losses."""

    n_used: int  # different draws
    losses: tuple[LossUncertainty, ...]  # in the order of the comparison's

    def of(self, loss: Loss) -> LossUncertainty:
        """Return what is told of one of the comparison's losses."""
        key = loss.policy, loss.against, loss.measure
        return next(
            item
            for item in self.losses
            if (item.policy, item.against, item.measure) == key
        )


def ignorance_of(
    results: Replications, losses: Sequence[Loss], horizon: float
) -> Ignorance:
    """Return how far off each loss may be, and why.

    Args:
        results: Replications that are run under draws.
        losses: What they come to.
        horizon: How long was simulated [days].
    """
    draws = results.draws

    def told(values: Sequence[float | None]) -> Uncertainty | None:
        pairs = [(v, d) for v, d in zip(values, draws, strict=True) if v is not None]
        found = components([v for v, _ in pairs], [d for _, d in pairs])
        return uncertainty(found) if found else None

    def of(loss: Loss) -> LossUncertainty:
        pair = results.of(loss.policy), results.of(loss.other)
        lost = amounts_lost(*pair, loss.measure, horizon)
        return LossUncertainty(*loss[:4], told([*lost.total]), told([*lost.yearly]))

    return Ignorance(len(set(draws)), tuple(map(of, losses)))


def drawn_warnings(uncertain: Uncertain, results: Replications) -> list[str]:
    """Return what there is to know of draws and of what lies over them.

    Args:
        uncertain: What was simulated.
        results: At least one replication.
    """
    told = []
    posterior = uncertain.posterior
    if uncertain.changed:
        told.append(
            f"the posterior was fitted on {posterior.scenario} with other settings:"
            f" {', '.join(uncertain.changed)} changed since; what the data say of the"
            " drawn settings is taken to hold all the same"
        )
    n_used = len(set(results.draws))
    if n_used == 1:
        told.append(
            "one draw: it tells nothing of ignorance, so there are no intervals"
        )
    elif n_used < min(DRAWS_FEW, len(posterior.draws)):
        told.append(
            f"{n_used} draws: how much they vary is hardly known below {DRAWS_FEW};"
            " take more replications"
        )
    if len(posterior.draws) > 1 and posterior.effective < DRAWS_FEW:
        told.append(
            f"the posterior's draws weigh as much as {posterior.effective:.1f} alike:"
            " too few to tell what is not known of the firm"
        )
    return told


def ignorance_sentence(comparison: Comparison) -> str:
    """Return how much of the headline's uncertainty is ignorance, in words.

    "" where nothing is drawn.
    """
    uncertain, found = comparison.uncertain, comparison.ignorance
    if uncertain is None or found is None:
        return ""
    posterior = uncertain.posterior
    n_draws = len(posterior.draws)
    fields = ", ".join(posterior.fields)
    are = "is" if len(posterior.fields) == 1 else "are"
    text = (
        f"{fields} {are} not known but drawn: {comparison.n_finished:,} replications"
        f" under {found.n_used:,} of the posterior's {n_draws:,} draws. Intervals are"
        " for what is to be expected of this firm, whichever draw it is."
    )
    headline = comparison.headline()
    if headline is None:
        return text
    return f"{text} {_split(found.of(headline), comparison.extent)}"


def drawn_of(comparison: Comparison) -> PosteriorDocument | None:
    """Return what is drawn and how ignorance shows, for JSON; None: nothing is."""
    uncertain, found = comparison.uncertain, comparison.ignorance
    if uncertain is None or found is None:
        return None
    posterior = uncertain.posterior
    return {
        "scenario": posterior.scenario,
        "digest": posterior.digest,
        "policy": posterior.policy,
        "parameters": [plain(item) for item in posterior.parameters],
        "changed": list(uncertain.changed),
        "draws": len(posterior.draws),
        "draws_effective": posterior.effective,
        "draws_used": found.n_used,
        "drawn": [draw + 1 for draw in comparison.replications.draws],
        "sentence": ignorance_sentence(comparison),
        "losses": [plain(item) for item in found.losses],
    }


def _split(item: LossUncertainty, extent: Extent) -> str:
    """Return how the variance of a loss is split."""
    value = item.a_year(extent)
    who = f"what {subject(item.policy)} costs"
    if value is None:
        return f"One draw does not tell how much of {who} is ignorance."
    if value.ignorance_share is None:
        return f"Neither luck nor ignorance changes {who}."
    luck = money_text(value.monte_carlo, extent)
    if value.ignorance == 0.0:
        return (
            f"The draws make no difference to {who} that luck does not explain: all of"
            f" its standard deviation, {luck} {extent.per}, counts as Monte Carlo. More"
            " replications may show what ignorance there is."
        )
    share = value.ignorance_share
    ignorance = money_text(value.ignorance, extent)
    return (
        f"Of the variance of {who}, {share:.0%} is ignorance (standard deviation"
        f" {ignorance} {extent.per}), which no replication takes away, and"
        f" {1.0 - share:.0%} Monte Carlo ({luck}), which more replications would."
    )
