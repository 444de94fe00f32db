"""One replication of a firm of many sites, as errands: a site each, in rounds.

In each round every site that has something new to hear is run, under all policies that
it concerns: its customers are drawn once. See `churnsim.firm`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from churnsim.firm import Exchange, Firm, SiteRow
from churnsim.records import Elsewhere


class Errand(NamedTuple):
    """A site's part of a round: plain data."""

    number: int  # of the replication
    site: int
    heard: dict[str, Elsewhere | None]  # by the policies to run, what is told elsewhere


class Rounds:
    """What is known of a replication, and what has to be run next."""

    def __init__(self, number: int, n_sites: int, policies: Iterable[str]) -> None:
        """Begin a replication with its number, of which nothing was run."""
        self.number = number
        self._exchanges = {name: Exchange(n_sites) for name in policies}
        self._n_out = self._n_asked = 0
        self._n_rounds = 0

    @property
    def progress(self) -> tuple[int, int, int]:
        """Return the errands done of this round, of how many, and which one it is."""
        return self._n_asked - self._n_out, self._n_asked, self._n_rounds

    @property
    def is_round_over(self) -> bool:
        """Return whether the rows of all errands of the round were taken in."""
        return self._n_out == 0

    def next_errands(self) -> list[Errand]:
        """Return the errands of the next round; none: all is settled."""
        heard: dict[int, dict[str, Elsewhere | None]] = {}
        for name, exchange in self._exchanges.items():
            for site, elsewhere in exchange.next_pass().items():
                heard.setdefault(site, {})[name] = elsewhere
        self._n_out = self._n_asked = len(heard)
        self._n_rounds += bool(heard)
        return [Errand(self.number, site, heard[site]) for site in sorted(heard)]

    def take(self, rows: dict[str, SiteRow]) -> None:
        """Take in what came of an errand, by policy."""
        for name, row in rows.items():
            self._exchanges[name].take(row)
        self._n_out -= 1

    def firms(self) -> dict[str, Firm]:
        """Return what the firm comes to under each policy, once all is settled."""
        return {name: exchange.firm() for name, exchange in self._exchanges.items()}

    def kept(self, policy: str) -> list[Any]:
        """Return what each site kept under a policy besides its sums, by site."""
        return [row.kept for row in self._exchanges[policy].rows()]
