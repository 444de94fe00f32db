"""Posteriors: draws of what is not known of a firm, and what follows for results."""

from churnsim.experiment.posterior.components import (
    Components,
    Uncertainty,
    components,
    drawn_estimate,
    uncertainty,
)
from churnsim.experiment.posterior.reading import (
    posterior_of,
    posterior_text,
    read_posterior,
)
from churnsim.experiment.posterior.record import Lots, Parameter, Posterior, lots_of
from churnsim.experiment.posterior.uncertain import Uncertain

__all__ = [
    "read_posterior",
    "posterior_of",
    "posterior_text",
    "lots_of",
    "components",
    "uncertainty",
    "drawn_estimate",
    "Posterior",
    "Parameter",
    "Lots",
    "Uncertain",
    "Components",
    "Uncertainty",
]
