"""The figures of a firm as a targets file, which a scenario is fitted to."""

from churnsim.data.records import Figure, Observed
from churnsim.errors import InputError, Problem
from churnsim.scenario.writing import toml_value


def targets_toml(
    figures: tuple[Figure, ...], policy: str, source: str, about: tuple[str, ...]
) -> str:
    """Return figures as a targets file.

    Args:
        figures: What was observed.
        policy: Of the scenario, under which the firm worked when it was.
        source: Where from, in words.
        about: Lines of comment at its head.
    """
    lines = [f"# {line}".rstrip() for line in about]
    lines.append(f"policy = {toml_value(policy)}")
    for figure in figures:
        lines += ["", "[[targets]]", *_lines(figure), f"source = {toml_value(source)}"]
    return "\n".join(lines) + "\n"


def require_figures(observed: Observed, data: str) -> None:
    """Refuse data that tell no figure at all, with the reasons.

    Raises:
        InputError: So it is.
    """
    if not observed.figures:
        told = "; ".join(f"{item.figure}: {item.reason}" for item in observed.left_out)
        raise InputError(Problem(f"must tell a figure at least ({told})", data))


def written(figure: Figure, value: float) -> str:
    """Return a value of a figure in its unit, as files write it."""
    if figure.figure == "churn":
        return f"{100.0 * value:.6g} %/year"
    return f"{value:.6g}/year" if figure.is_rate else f"{value:.6g}"


def _lines(figure: Figure) -> list[str]:
    lines = [f"figure = {toml_value(figure.figure)}"]
    if figure.outcome is not None:
        lines.append(f"outcome = {toml_value(figure.outcome)}")
    lines.append(f"value = {_value(figure, figure.value)}  # {figure.counted}")
    if figure.error is not None:
        lines.append(f"error = {_value(figure, figure.error)}")
    else:
        lines.append(f"of = {figure.of}")
    return lines


def _value(figure: Figure, value: float) -> str:
    text = written(figure, value)
    if figure.is_rate:
        return toml_value(text)
    # An integer would be another type of TOML.
    return text if set(text) & set(".e") else f"{text}.0"
