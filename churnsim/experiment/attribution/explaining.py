"""Two policies, and every mixture of their levers, run on the same customers."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from churnsim.experiment.attribution.findings import findings_of
from churnsim.experiment.attribution.groups import (
    Kept,
    Wanted,
    added,
    keeping,
)
from churnsim.experiment.attribution.record import (
    Attribution,
    Chosen,
)
from churnsim.experiment.attribution.shapley import (
    Scheme,
    exact_scheme,
    sampled_scheme,
    with_ends,
)
from churnsim.experiment.attribution.wording import sampled_warning
from churnsim.experiment.bound import MistakeShare, mistake_shares
from churnsim.experiment.losses import MEASURES
from churnsim.experiment.preparing import (
    Question,
    file_of,
    question_of,
    warnings_of,
)
from churnsim.experiment.replications import (
    THREADS,
    Batch,
    Execution,
    checked_execution,
    checked_seed,
    run_job,
)
from churnsim.experiment.workers import Job
from churnsim.given import chosen, of_kind, whole_number
from churnsim.scenario import LEVERS, PEOPLE, Policy, Scenario, mixture
from churnsim.scenario.assemble import Overrides
from churnsim.scenario.assumptions import assumptions_of
from churnsim.scenario.files import close_to
from churnsim.simulation import require_one_site
from churnsim.streams import key_from_seed

ORDERS_MAX = 1_000_000
BYTES_OF_AMOUNT = 16  # a customer's, under one coalition: kept, and in the table


class Method(NamedTuple):
    """How an attribution is made."""

    measure: str = "revenue"  # one of MEASURES
    seed: int | None = None  # the scenario's where absent
    execution: Execution = THREADS  # engine, threads, progress, a way to stop
    customers: int | None = None  # the replication whose customers are kept
    exact_max: int = 7  # with more levers that differ, orders are sampled
    orders: int = 200  # sampled where needed, at least 2


USUAL = Method()  # revenue, exact


def explain(
    scenario: Scenario | str | Path,
    source: str | None = None,
    target: str | None = None,
    *,
    replications: int | Sequence[int] | None = None,
    overrides: Overrides = (),
    method: Method = USUAL,
) -> Attribution:
    """Return why one policy loses against another: Shapley shares of the levers.

    Every mixture of the two policies' levers is run in each replication, on the same
    customers. Where agents are people, mixtures are run with agents who never tire, and
    what the policies differ by beyond that is the part of `people`. Ctrl-C keeps the
    replications that are finished.

    Args:
        scenario: A ready one's name, a file, or what `load_scenario` returned.
        source: The policy that loses; the last of the scenario's where absent.
        target: What it is compared with; the scenario's baseline where absent.
        replications: How many, or their numbers; the scenario's where absent.
        overrides: Settings that lie over the file's.
        method: What is measured, seed, execution, when to sample.

    Raises:
        InputError: Settings that there cannot be, or that contradict observed churn.
        ResourceError: More memory would be needed than there is.
        InterruptedRun: Stopped before any replication was finished.

    Source:
        Shapley 1953; Grabisch & Roubens 1999 (see `shapley.py`).
    """
    _check(method)
    asked = question_of(scenario, source, target, overrides)
    loaded = asked.scenario
    seed = checked_seed(loaded, method.seed)
    shares = mistake_shares(loaded)
    scheme = _scheme(asked, seed, method)
    # Before the replications: whoever stops them waits for nothing that could be known.
    assumptions = assumptions_of(loaded, file_of(scenario), asked[1:3])
    batch: Batch[Kept] = Batch({}, (), (), False)
    if scheme is not None:
        batch = _run(asked, scheme, seed, replications, method)
    told = _warnings(asked, scheme, shares, len(batch.rows))
    found = findings_of(loaded.horizon, asked.levers, scheme, batch)
    return Attribution(
        scenario=loaded,
        source=asked.source,
        target=asked.target,
        measure=method.measure,
        seed=seed,
        engine=method.execution.engine,
        levers=asked.levers,
        scheme=scheme,
        finished=tuple(batch.rows),
        n_asked=len(batch.asked),
        failures=batch.failures,
        is_stopped=batch.is_stopped,
        n_customers=next((rows[0].n_customers for rows in batch.rows.values()), 0),
        micro=found.micro,
        loss=found.loss,
        segments=found.segments,
        interactions=found.interactions,
        chosen=_chosen(batch),
        assumptions=assumptions,
        warnings=tuple(told),
    )


def _check(method: Method) -> None:
    """Refuse what there cannot be.

    Raises:
        InputError: A measure that is not known, or a number out of its bounds.
    """
    of_kind("method", method, Method, 'a Method, such as Method("contribution")')
    checked_execution(method.execution)
    hint = close_to(method.measure, MEASURES)
    chosen("measure", method.measure, MEASURES, hint)
    whole_number("exact_max", method.exact_max, 0, len(LEVERS))
    whole_number("orders", method.orders, 2, ORDERS_MAX)
    if method.customers is not None:
        whole_number("customers", method.customers, 0, 2**32 - 1)


def _mixed(asked: Question) -> tuple[str, ...]:
    """Return the levers that are mixed: all but people, unless they are alone."""
    others = tuple(lever for lever in asked.levers if lever != PEOPLE)
    return others or asked.levers


def _scheme(asked: Question, seed: int, method: Method) -> Scheme | None:
    """Return which mixtures are run; None where there is nothing to mix."""
    n_mixed = len(_mixed(asked))
    if not n_mixed:
        return None
    if n_mixed <= method.exact_max:
        scheme = exact_scheme(n_mixed)
    else:
        scheme = sampled_scheme(n_mixed, method.orders, key_from_seed(seed))
    return scheme if n_mixed == len(asked.levers) else with_ends(scheme)


def _warnings(
    asked: Question,
    scheme: Scheme | None,
    shares: Sequence[MistakeShare],
    n_finished: int,
) -> list[str]:
    """Return what the reader ought to know; of no replication, what the file says."""
    told = [str(warning) for warning in asked.scenario.warnings]
    if n_finished:
        told = warnings_of(asked.scenario, shares, asked[1:3], n_finished)
    if scheme is not None and scheme.orders:
        told.append(sampled_warning(len(_mixed(asked)), len(scheme.orders)))
    return told


def _run(
    asked: Question,
    scheme: Scheme,
    seed: int,
    replications: int | Sequence[int] | None,
    method: Method,
) -> Batch[Kept]:
    """Return what is kept of every mixture in every replication."""
    scenario = asked.scenario
    wanted = Wanted(
        method.measure,
        scenario.costs.margin,
        scenario.spec.market.relationship == "subscription",
        method.customers,
    )
    policies = _policies(asked, scheme)
    engine = method.execution.engine
    if method.customers is not None:
        require_one_site(scenario, "single customers")
    keep = functools.partial(keeping, wanted)
    job = Job(scenario, policies, seed, engine, keep, of_rows=added)
    if scheme.has_ends:
        mixtures = [name for name in policies if name not in asked[1:3]]
        job = job._replace(elsewhere=dict.fromkeys(mixtures, scenario.untiring))
    is_kept = method.customers is not None
    each = BYTES_OF_AMOUNT * len(policies) if is_kept else 0
    return run_job(job, replications, method.execution, each)


def _policies(asked: Question, scheme: Scheme) -> dict[str, Policy]:
    """Return what is run, in the order of the scheme's values, by what it is called."""
    scenario, mixed = asked.scenario, _mixed(asked)
    source, target = scenario.policy(asked.source), scenario.policy(asked.target)
    policies = {}
    for coalition in scheme.coalitions:
        levers = [name for i, name in enumerate(mixed) if coalition >> i & 1]
        label = f"{asked.source} with {' and '.join(levers)} of {asked.target}"
        label = label if levers else asked.source
        if scheme.has_ends:
            label += " and agents who never tire"
        policies[label] = mixture(source, target, levers)
    if not scheme.has_ends:
        return policies
    return {asked.source: source, **policies, asked.target: target}


def _chosen(batch: Batch[Kept]) -> Chosen | None:
    """Return the replication whose customers were kept."""
    for number, rows in batch.rows.items():
        customers = [row.customers for row in rows if row.customers is not None]
        if customers:
            pairs = zip(rows, customers, strict=True)
            firm = tuple(row.total - int(of.amounts.sum()) for row, of in pairs)
            return Chosen(number, firm, tuple(customers))
    return None
