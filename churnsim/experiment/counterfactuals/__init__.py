"""The same customers in two worlds: whose fate turns on the policy, and their lives."""

from churnsim.experiment.counterfactuals.record import Counterfactuals, Turn
from churnsim.experiment.counterfactuals.running import Asked, counterfactuals
from churnsim.experiment.counterfactuals.stories import (
    Life,
    Moment,
    Person,
    Story,
    story,
)

__all__ = [
    "counterfactuals",
    "story",
    "Counterfactuals",
    "Turn",
    "Asked",
    "Story",
    "Life",
    "Moment",
    "Person",
]
