"""Two policies on the same customers, replication by replication."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from churnsim.experiment.bound import mistake_shares
from churnsim.experiment.counterfactuals.pairs import Pair, Wanted, keeping
from churnsim.experiment.counterfactuals.record import Counterfactuals
from churnsim.experiment.preparing import file_of, question_of, warnings_of
from churnsim.experiment.replications import (
    THREADS,
    Execution,
    checked_execution,
    checked_seed,
    numbers_of,
    run_job,
)
from churnsim.experiment.workers import Job
from churnsim.given import of_kind
from churnsim.scenario import Scenario
from churnsim.scenario.assemble import Overrides
from churnsim.scenario.assumptions import assumptions_of
from churnsim.simulation import require_one_site

BYTES_OF_LIVES = 2 * 33  # a person's, in two worlds, while they are held together
# A person's share of the rows: 80 bytes for each whose fate turns, at most a quarter.
BYTES_OF_ROWS = 80 // 4


class Asked(NamedTuple):
    """How counterfactuals are found."""

    seed: int | None = None  # the scenario's where absent
    execution: Execution = THREADS  # engine, threads, progress, a way to stop
    parting: bool = False  # also when the two lives part: twice the work


USUAL = Asked()


def counterfactuals(
    scenario: Scenario | str | Path,
    source: str | None = None,
    target: str | None = None,
    *,
    replications: int | Sequence[int] | None = None,
    overrides: Overrides = (),
    asked: Asked = USUAL,
) -> Counterfactuals:
    """Return whose fate turns on the policy: lost under one, kept under the other.

    Both policies are run on the same customers with the same luck, so that both fates
    of each customer are known. Ctrl-C keeps the replications that are finished.

    Args:
        scenario: A ready one's name, a file, or what `load_scenario` returned.
        source: The policy that loses; the last of the scenario's where absent.
        target: What it is held against; the scenario's baseline where absent.
        replications: How many, or their numbers; the scenario's where absent.
        overrides: Settings that lie over the file's.
        asked: Seed, execution, and whether to find out when lives part.

    Raises:
        InputError: Settings or policies that there cannot be.
        ResourceError: More memory would be needed than there is.
        InterruptedRun: Stopped before any replication was finished.

    Source:
        Pearl 1999; Pearl 2009, chapter 9 (see `record.py`).
    """
    of_kind("asked", asked, Asked, "an Asked, such as Asked(seed=1)")
    of_kind("parting", asked.parting, bool, "True or False")
    checked_execution(asked.execution)
    question = question_of(scenario, source, target, overrides)
    loaded = question.scenario
    require_one_site(loaded, "single customers")
    seed = checked_seed(loaded, asked.seed)
    shares = mistake_shares(loaded)
    names = question[1:3]
    # Before the replications: whoever stops them waits for nothing that could be known.
    assumptions = assumptions_of(loaded, file_of(scenario), names)
    policies = {name: loaded.policy(name) for name in names}
    wanted = Wanted(len(policies) == 1, asked.parting)
    engine = asked.execution.engine
    job = Job(loaded, policies, seed, engine, functools.partial(keeping, wanted))
    each = BYTES_OF_LIVES + BYTES_OF_ROWS * len(numbers_of(loaded, replications))
    batch = run_job(job, replications, asked.execution, each)
    pairs: list[Pair] = [rows[-1] for rows in batch.rows.values() if rows[-1]]
    return Counterfactuals(
        scenario=loaded,
        source=question.source,
        target=question.target,
        seed=seed,
        engine=engine,
        pairs=tuple(pairs),
        n_asked=len(batch.asked),
        failures=batch.failures,
        is_stopped=batch.is_stopped,
        has_parting=asked.parting,
        assumptions=assumptions,
        warnings=tuple(warnings_of(loaded, shares, names, len(pairs))),
    )
