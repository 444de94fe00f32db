"""Targets of a calibration straight from a firm's data, and beside those of a file."""

from collections.abc import Iterator

from churnsim.calibration.targets import Target, Targets, checked, counted_error
from churnsim.data import Figure, Observed, require_figures
from churnsim.errors import InputError, Problem
from churnsim.scenario.nodes import Place


def targets_of(observed: Observed, policy: str, data: str) -> Targets:
    """Return what data tell as targets.

    Args:
        observed: What was counted.
        policy: Of the scenario, under which the firm worked when it was.
        data: Name of the file.

    Raises:
        InputError: The data tell no figure at all, with the reasons.
    """
    require_figures(observed, data)
    found = tuple(_targets(observed.figures, data))
    return checked(Targets(policy, found, Place(data, None, "", 0)))


def together(given: Targets, told: Targets) -> Targets:
    """Return the targets of a file and those of data as one.

    Raises:
        InputError: They contradict each other, or are of two policies.
    """
    if given.policy != told.policy:
        rule = f"must be the policy of the targets file, {given.policy}"
        raise InputError(Problem(rule, field="--policy", value=told.policy))
    return checked(given._replace(targets=(*given.targets, *told.targets)))


def _targets(figures: tuple[Figure, ...], data: str) -> Iterator[Target]:
    for figure in figures:
        ended = "" if figure.outcome is None else f".{figure.outcome}"
        error = figure.error
        if error is None:
            error = counted_error(
                figure.value, figure.of or 0, is_share=not figure.is_rate
            )
        name = f"{figure.figure}{ended}"
        yield Target(name, figure.value, error, data, Place(data, None, name, 0))
