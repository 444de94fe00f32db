"""Simulate what mistakes and their recovery cost in customers and revenue.

The names below load what they need when they are first used, so that importing the
package costs next to nothing.
"""

import importlib
import typing

from churnsim._version import __version__ as __version__

if typing.TYPE_CHECKING:
    from churnsim.engines.outcome import Outcome
    from churnsim.errors import ChurnsimError
    from churnsim.experiment import Comparison, compare, explain
    from churnsim.scenario import Scenario, list_scenarios, load_scenario
    from churnsim.simulation import make_population, simulate, with_events

_PLACES = {
    "ChurnsimError": "churnsim.errors",
    "Comparison": "churnsim.experiment",
    "Outcome": "churnsim.engines.outcome",
    "Scenario": "churnsim.scenario",
    "compare": "churnsim.experiment",
    "explain": "churnsim.experiment",
    "list_scenarios": "churnsim.scenario",
    "load_scenario": "churnsim.scenario",
    "make_population": "churnsim.simulation",
    "simulate": "churnsim.simulation",
    "with_events": "churnsim.simulation",
}

__all__ = [
    "ChurnsimError",
    "Comparison",
    "Outcome",
    "Scenario",
    "__version__",
    "compare",
    "explain",
    "list_scenarios",
    "load_scenario",
    "make_population",
    "simulate",
    "with_events",
]


def __getattr__(name: str) -> object:
    """Return a public name from where it is defined."""
    if name not in _PLACES:
        raise AttributeError(f"module 'churnsim' has no attribute '{name}'")
    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
