"""Simulate what mistakes and their recovery cost in customers and revenue.

The names below load what they need when they are first used, so that importing the
package costs next to nothing.
"""

import importlib

from churnsim._version import __version__ as __version__

TYPE_CHECKING = False  # as in typing, which takes longer to load than all of this
if TYPE_CHECKING:
    from churnsim.errors import ChurnsimError
    from churnsim.experiment import breakeven, compare, explain, staff
    from churnsim.experiment.counterfactuals import counterfactuals, story
    from churnsim.report.plots import plot
    from churnsim.scenario import list_scenarios, load_scenario
    from churnsim.simulation import simulate, with_events
del TYPE_CHECKING

# What is done, not what comes of it: the records are in the parts that make them.
_PLACES = {
    "ChurnsimError": "churnsim.errors",
    "breakeven": "churnsim.experiment",
    "compare": "churnsim.experiment",
    "counterfactuals": "churnsim.experiment.counterfactuals",
    "explain": "churnsim.experiment",
    "list_scenarios": "churnsim.scenario",
    "load_scenario": "churnsim.scenario",
    "plot": "churnsim.report.plots",
    "simulate": "churnsim.simulation",
    "staff": "churnsim.experiment",
    "story": "churnsim.experiment.counterfactuals",
    "with_events": "churnsim.simulation",
}

__all__ = [
    "ChurnsimError",
    "__version__",
    "breakeven",
    "compare",
    "counterfactuals",
    "explain",
    "list_scenarios",
    "load_scenario",
    "plot",
    "simulate",
    "staff",
    "story",
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
