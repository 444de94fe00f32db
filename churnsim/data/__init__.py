"""What a firm has: logs of events and cross-sections, read as targets.

    log = read_events("events.csv", read_mapping("mapping.toml"))
    print(log.profile.n_rows, log.profile.faulty)
    found = observed(log)
    print(targets_toml(found.figures, "slow", "events of 2025", ()))

    table = read_cross_section("customers.csv", Mapping({"churned": "Exited"}))
    found = observed_across(table, period=365.25)

What cannot be used is refused by `InputError`, with every mistake in it. This package
reads files; nothing in it is on the result path of a simulation, which starts from the
numbers that a fit finds.
"""

from churnsim.data.cross_section import (
    CrossSection,
    observed_across,
    read_cross_section,
)
from churnsim.data.events import read_events
from churnsim.data.figures import observed
from churnsim.data.mapping import LAYOUTS, Mapping, problems_of, read_mapping
from churnsim.data.records import (
    KINDS,
    OUTCOMES,
    Cases,
    Customers,
    EventLog,
    Figure,
    LeftOut,
    Observed,
    Profile,
    Windows,
)
from churnsim.data.targets import require_figures, targets_toml

__all__ = [
    "read_events",
    "read_cross_section",
    "read_mapping",
    "Mapping",
    "problems_of",
    "Windows",
    "LAYOUTS",
    "KINDS",
    "OUTCOMES",
    "EventLog",
    "Profile",
    "Customers",
    "Cases",
    "CrossSection",
    "observed",
    "observed_across",
    "Observed",
    "Figure",
    "LeftOut",
    "require_figures",
    "targets_toml",
]
