"""What is simulated: scenario and policy files, validated and compiled."""

from churnsim.scenario.files import list_policies, list_scenarios
from churnsim.scenario.loading import load_scenario
from churnsim.scenario.measures import (
    Tenure,
)
from churnsim.scenario.policy import LEVERS, PEOPLE, Policy, mixture
from churnsim.scenario.scenario import Costs, PolicyCosts, Scenario
from churnsim.scenario.schema import json_schema
from churnsim.scenario.traits import PopulationSpec, TraitKind, TraitLaw, trait_mean
from churnsim.scenario.writing import slug

__all__ = [
    "load_scenario",
    "list_scenarios",
    "list_policies",
    "json_schema",
    "slug",
    "Scenario",
    "Policy",
    "LEVERS",
    "PEOPLE",
    "mixture",
    "Costs",
    "PolicyCosts",
    "PopulationSpec",
    "Tenure",
    "TraitKind",
    "TraitLaw",
    "trait_mean",
]
