"""What analyses ask of a sweep and of the folder that its rows are kept in.

They are handed a sweep and read no files, so a test can hand them any rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from churnsim.experiment.inverse.lever import Lever
from churnsim.scenario import Scenario

if TYPE_CHECKING:
    import pyarrow as pa

ALWAYS_KEPT = ("revenue", "contribution", "kept", "lost")  # outcomes in every store


class Level(Protocol):
    """One setting of a factor."""

    @property
    def number(self) -> float:
        """Return it in the measure's own unit; the place in the list of texts."""

    @property
    def text(self) -> str:
        """Return it for people."""


class Factor(Protocol):
    """A setting that is varied."""

    @property
    def field(self) -> str:
        """Return its dotted name."""

    @property
    def values(self) -> Sequence[str]:
        """Return the settings in turn; none of a range."""

    @property
    def levels(self) -> Sequence[Level]:
        """Return the settings in turn, with their numbers; none of a range."""

    @property
    def low(self) -> float:
        """Return where a range begins, in the measure's own unit."""

    @property
    def high(self) -> float:
        """Return where a range ends."""

    @property
    def is_log(self) -> bool:
        """Return whether the logarithm is what is even."""

    @property
    def lever(self) -> Lever | None:
        """Return how its numbers are told; None where settings are texts."""

    @property
    def is_range(self) -> bool:
        """Return whether any value between two ends is a setting."""


class Design(Protocol):
    """Which combinations are run."""

    @property
    def name(self) -> str:
        """Return its kind: "grid", "list", "sobol", "saltelli" and so on."""

    @property
    def n_points(self) -> int:
        """Return how many there are."""

    def numbers(self, index: int) -> Sequence[float]:
        """Return the number of each factor's level at a point."""

    def unit(self, index: int) -> Sequence[float]:
        """Return a point of a sampled design in the unit cube."""


class Sweep(Protocol):
    """What was to be run."""

    @property
    def name(self) -> str:
        """Return what its file is called."""

    @property
    def title(self) -> str:
        """Return what it is called in words."""

    @property
    def scenario(self) -> Scenario:
        """Return the scenario that points change."""

    @property
    def factors(self) -> Sequence[Factor]:
        """Return what is varied."""

    @property
    def design(self) -> Design:
        """Return which combinations are run."""

    @property
    def policies(self) -> Sequence[str]:
        """Return the policies compared at each point."""

    @property
    def replications(self) -> int:
        """Return how many there are of each point."""

    @property
    def seed(self) -> int:
        """Return the seed of all randomness."""

    @property
    def draws(self) -> str:
        """Return "common" or "independent": whether points share their luck."""

    @property
    def outcomes(self) -> Sequence[str]:
        """Return the outcomes kept besides those always kept."""

    @property
    def digest(self) -> str:
        """Return the SHA-256 of all that it means."""


class Finished(Protocol):
    """A folder of a sweep, read as far as it is done."""

    @property
    def sweep(self) -> Sweep:
        """Return what was to be run."""

    @property
    def folder(self) -> Path:
        """Return where it is."""

    @property
    def n_done(self) -> int:
        """Return how many are in the store, failed ones among them."""

    @property
    def n_failed(self) -> int:
        """Return how many failed."""

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the order of points."""
