"""Why one policy loses money against another: Shapley shares of the levers."""

from churnsim.experiment.attribution.explaining import USUAL, Method, explain
from churnsim.experiment.attribution.record import (
    Attribution,
    Interaction,
    Segment,
    Share,
)

__all__ = [
    "explain",
    "Attribution",
    "Share",
    "Interaction",
    "Segment",
    "Method",
    "USUAL",
]
