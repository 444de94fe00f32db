"""A comparison in numbers, texts and lists, as `churnsim run --json` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from churnsim.experiment import documents
from churnsim.experiment.by_hour import hours_of
from churnsim.experiment.firm_view import firm_view_of
from churnsim.experiment.intervals import ROUGH_BELOW
from churnsim.experiment.plain import plain
from churnsim.experiment.posterior.ignorance import drawn_of
from churnsim.experiment.series import months_of, origin_of, waits_of

if TYPE_CHECKING:
    from churnsim.experiment.comparison import Comparison
    from churnsim.experiment.losses import Loss

DOCUMENT_VERSION = 1  # another one where a reader would go wrong


def run_document(comparison: Comparison, command: str) -> dict[str, Any]:
    """Return the whole comparison.

    Args:
        comparison: What is told.
        command: What makes the same numbers again, where there is one.
    """
    told = comparison.attribution
    # Held to its own list of keys where it is made.
    attribution: Any = told.to_json_dict() if told else None
    document: documents.RunDocument = {
        "document_version": DOCUMENT_VERSION,
        "command": command,
        "scenario": comparison.scenario.name,
        "scenario_digest": comparison.scenario.digest,
        "title": comparison.scenario.title,
        "currency": comparison.scenario.currency,
        "horizon_days": comparison.scenario.horizon,
        "baseline": comparison.scenario.baseline,
        "seed": comparison.seed,
        "engine": comparison.engine,
        "replications_asked": comparison.n_asked,
        "replications_finished": comparison.n_finished,
        "is_stopped": comparison.is_stopped,
        "is_rough": comparison.n_finished < ROUGH_BELOW,
        "sentence": comparison.sentence(),
        "sentences": {
            loss.policy: comparison.sentence(loss.policy)
            for loss in _with_a_sentence(comparison)
        },
        "policies": {
            name: {
                "title": policy.title,
                "figures": {
                    figure: plain(value) for figure, value in policy.figures.items()
                },
            }
            for name, policy in comparison.policies.items()
        },
        "losses": [plain(loss) for loss in comparison.losses],
        "control": _control(comparison),
        "attribution": attribution,
        "firm_view": firm_view_of(comparison),
        "mistake_shares": [plain(share) for share in comparison.mistake_shares],
        "assumptions": [plain(item) for item in comparison.assumptions],
        "foundations": [plain(item) for item in comparison.foundations],
        "customers": comparison.n_customers,
        "months": months_of(comparison),
        "waits": waits_of(comparison),
        "origin": origin_of(comparison),
        "warnings": list(comparison.warnings),
        "failures": [str(failure.problem) for failure in comparison.failures],
    }
    drawn = drawn_of(comparison)
    if drawn is not None:
        document["posterior"] = drawn
    hours = hours_of(comparison)
    if hours is not None:
        document["hours"] = hours
    sites = comparison.sites
    if sites is not None:
        document["sites"] = {
            "count": sites.n_sites,
            "passes": sites.passes,
            "runs_per_site": sites.runs_per_site,
        }
    return documents.as_dict(document)


def _control(comparison: Comparison) -> documents.ControlDocument | None:
    control = comparison.control
    if control is None:
        return None
    estimates = [plain(item) for item in control.estimates]
    return {"expected": control.expected, "estimates": estimates}


def _with_a_sentence(comparison: Comparison) -> list[Loss]:
    """Return one loss of revenue for each policy that has a sentence."""
    baseline = comparison.scenario.baseline
    return [
        loss
        for loss in comparison.losses
        if loss.measure == "revenue"
        and (loss.against == "baseline" or loss.policy == baseline)
    ]
