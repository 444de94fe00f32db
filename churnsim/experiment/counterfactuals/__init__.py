"""The same customers in two worlds: whose fate turns on the policy, and their lives."""

from churnsim.experiment.counterfactuals.beats import Beat, Moment
from churnsim.experiment.counterfactuals.record import Counterfactuals, Turn
from churnsim.experiment.counterfactuals.running import Asked, counterfactuals
from churnsim.experiment.counterfactuals.stories import (
    Life,
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
    "Beat",
    "Person",
]
