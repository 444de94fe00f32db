"""What went wrong in single replications, and what their owner is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from churnsim.errors import ChurnsimError, PartialError, Problem


class Failure(NamedTuple):
    """A replication that could not be finished."""

    replication: int
    seed: int
    policy: str  # that it failed in; "" while drawing the population
    error: Exception

    @property
    def problem(self) -> Problem:
        """Return what happened, and what makes it happen again."""
        text = " ".join(str(self.error).split())
        what = text if isinstance(self.error, ChurnsimError) else ""
        if not what:
            what = f"{type(self.error).__name__}: {text}".rstrip(": ")
        under = f" under policy {self.policy}" if self.policy else ""
        return Problem(
            f"replication {self.replication}{under} failed: {what}",
            hint=f"it can be repeated with seed {self.seed}",
        )


class PolicyFailed(Exception):  # noqa: N818 - carries another error
    """A run failed: the policy, and what was wrong."""

    def __init__(self, policy: str, error: Exception) -> None:
        super().__init__(policy, error)
        self.policy = policy
        self.error = error


def partial_error(failures: Sequence[Failure], n_asked: int) -> PartialError | None:
    """Return the error about failed replications, if there were any."""
    if not failures:
        return None
    head = Problem(
        f"{len(failures)} of {n_asked} replications failed; the others' results are "
        "whole"
    )
    return PartialError(head, *(failure.problem for failure in failures))
