"""What was read of a file, and when too little of it makes sense."""

from typing import Final, NamedTuple

from churnsim.data.batches import WIDTH, Source, Tally
from churnsim.data.records import Profile
from churnsim.fit.problems import Problems

FAULTY_MAX: Final = 0.1  # share of rows; where more make no sense, the mapping does not


class Groups(NamedTuple):
    """Where rows go that are left out or need a word."""

    dropped: Tally  # by choice
    faulty: Tally  # make no sense
    noted: Tally  # kept, with a word


class Rows(NamedTuple):
    """How many rows there are."""

    n_read: int  # with blank ones, without those of another width
    n_blank: int
    n_kept: int


def profile_of(
    layout: str, source: Source, at: dict[str, int], rows: Rows, groups: Groups
) -> Profile:
    """Return what was read of a file.

    Args:
        layout: One of `churnsim.data.LAYOUTS`.
        source: The file.
        at: Where each of our columns stands.
        rows: How many there are.
        groups: Which were left out.
    """
    n_wide = groups.faulty.counts.get(WIDTH, 0)
    left = [name for i, name in enumerate(source.header) if i not in at.values()]
    return Profile(
        name=source.path.name,
        sha256=source.sha256,
        layout=layout,
        unit=source.unit(rows.n_read + n_wide),
        n_rows=rows.n_read - rows.n_blank + n_wide,
        n_kept=rows.n_kept,
        dropped=groups.dropped.groups(),
        faulty=groups.faulty.groups(),
        noted=groups.noted.groups(),
        columns={ours: source.header[place] for ours, place in at.items()},
        unused=tuple(left),
    )


def refuse_faulty(profile: Profile, faulty_max: float, problems: Problems) -> None:
    """Refuse a file without rows, or of which too little makes sense.

    Args:
        profile: Of the file.
        faulty_max: Share of rows [-] that may make no sense.
        problems: What the refusal is made from.

    Raises:
        TransactionError: So it is, with every reason.
    """
    problems.unit = profile.unit
    if not profile.n_rows:
        rule = "the data must hold rows under the header; got none"
        raise problems.refuse(rule, "add a row per event, or per customer")
    if profile.n_faulty <= faulty_max * profile.n_rows:
        return
    share = profile.n_faulty / profile.n_rows
    problems.add(
        0,
        f"at most {faulty_max:.3g} of the rows may make no sense; got {share:.3g}",
        "correct the data or the mapping, or allow more with --faulty-max",
    )
    for group in profile.faulty:
        problems.add(group.rows[0], f"{group.n_rows:,} rows {group.reason}", "")
    raise problems.error()
