"""What a file of a firm's own tells, and what was read of it, as text."""

from __future__ import annotations

from churnsim.data import CrossSection, EventLog, Figure, Observed, Profile
from churnsim.data.documents import moment
from churnsim.data.records import Dropped
from churnsim.data.targets import written
from churnsim.errors import shown
from churnsim.report.columns import aligned, paragraph

PLURALS = {
    "purchase": "purchases",
    "renewal": "renewals",
    "problem": "problems",
    "contact": "contacts",
    "resolution": "resolutions",
    "cancel": "cancels",
}


def profile_text(data: EventLog | CrossSection, width: int) -> str:
    """Return what was read of a file, what was left out and why."""
    profile = data.profile
    rows = _log_rows(data) if isinstance(data, EventLog) else _table_rows(data)
    rows.insert(0, ("columns", _columns(profile)))
    if profile.unused:
        rows.insert(1, ("not read", ", ".join(map(shown, profile.unused))))
    lines = [head(profile), *aligned(rows, width, indent=2)]
    for title, groups in (
        ("Left out since they make no sense", profile.faulty),
        ("Left out by choice", profile.dropped),
        ("Kept, but", profile.noted),
    ):
        if groups:
            lines += ["", title, *_group_lines(groups, profile.unit, width)]
    return "\n".join(lines)


def figures_text(found: Observed, width: int) -> str:
    """Return the figures with their errors, and why others are missing."""
    lines = []
    if found.figures:
        rows = [_figure_row(figure) for figure in found.figures]
        lines += ["Figures", *aligned(rows, width, indent=2)]
    if found.left_out:
        left = [(item.figure, item.reason) for item in found.left_out]
        lines += ["", "Not told", *aligned(left, width, indent=2)]
    return "\n".join(lines).lstrip("\n")


def head(profile: Profile) -> str:
    """Return how many rows were read and kept, in one line."""
    text = f"{profile.name}: {profile.n_rows:,} rows read, {profile.n_kept:,} kept"
    if profile.n_faulty:
        verb = "makes" if profile.n_faulty == 1 else "make"
        text += f", {profile.n_faulty:,} {verb} no sense"
    return text


def summary(data: EventLog | CrossSection, width: int) -> str:
    """Return what was read in a few lines; the profile says more."""
    if isinstance(data, CrossSection):
        return head(data.profile)
    counted = (
        f"{len(data.customers.entered):,} customers, {len(data.cases.opened):,} cases, "
        f"from {moment(data.start)} to {moment(data.end)} UTC"
    )
    return "\n".join([head(data.profile), paragraph(counted, width, "  ", "  ")])


def _figure_row(figure: Figure) -> tuple[str, str, str, str]:
    name = figure.figure
    if figure.outcome:
        name += f" {figure.outcome}"
    value = _short(figure, figure.value)
    if figure.error is None:
        return name, value, f"of {figure.of:,}", figure.counted
    return name, value, f"s.e. {_short(figure, figure.error)}", figure.counted


def _short(figure: Figure, value: float) -> str:
    """Return a value with three digits."""
    return written(figure, float(f"{value:.3g}"))


def _columns(profile: Profile) -> str:
    return ", ".join(f"{ours} = {shown(own)}" for ours, own in profile.columns.items())


def _log_rows(log: EventLog) -> list[tuple[str, str]]:
    """Return what a log holds."""
    counts = log.counts.items()
    events = [f"{count:,} {PLURALS[kind]}" for kind, count in counts if count]
    n_bought = log.counts["purchase"] + log.counts["renewal"]
    n = len(log.cases.opened)
    rows = [
        ("rows from", f"{moment(log.first)} to {moment(log.last)} UTC"),
        ("window", f"{moment(log.start)} to {moment(log.end)} UTC"),
        ("customers", f"{len(log.customers.entered):,}"),
        ("events", ", ".join(events)),
        ("no amount", f"{log.n_without_amount:,} of {n_bought:,} bought or renewed"),
        ("cases", f"{n:,}, {log.n_opened_by_contact:,} of them told by a contact only"),
    ]
    if log.n_promises:
        kept = f"{log.n_promises_kept:,} of {log.n_promises:,} that fell due"
        rows.append(("promises kept", kept))
    if log.n_compensated:
        paid = f"{log.compensation:,.2f} in {log.n_compensated:,} rows"
        rows.append(("compensation", paid))
    return rows


def _table_rows(table: CrossSection) -> list[tuple[str, str]]:
    """Return what a cross-section holds."""
    rows = [("customers", f"{table.n:,}, of whom {table.n_churned:,} churned")]
    if table.n_complained is not None and table.n_both is not None:
        silent = table.n - table.n_complained
        others = table.n_churned - table.n_both
        rows += [
            (
                "complained",
                f"{table.n_complained:,}, of whom {table.n_both:,} churned",
            ),
            ("did not", f"{silent:,}, of whom {others:,} churned"),
        ]
    for name, means in (("tenure", table.tenure), ("spend", table.spend)):
        if name in table.profile.columns:
            stayed, churned = ("none" if x is None else f"{x:.4g}" for x in means)
            rows.append((f"mean {name}", f"{stayed} stayed, {churned} churned"))
    return rows


def _group_lines(groups: tuple[Dropped, ...], unit: str, width: int) -> list[str]:
    rows = [
        (f"{group.n_rows:,}", f"{group.reason} ({_places(group, unit)})")
        for group in groups
    ]
    return aligned(rows, width, indent=2)


def _places(group: Dropped, unit: str) -> str:
    """Return where the first rows of a group stand, as in "lines 2, 3, 7, …"."""
    plural = "s" if group.n_rows > 1 else ""
    more = ", …" if group.n_rows > len(group.rows) else ""
    return f"{unit}{plural} {', '.join(map(str, group.rows))}{more}"
