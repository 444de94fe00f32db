"""A customer's two lives as text, side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from churnsim.experiment import Beat, Life, Story
from churnsim.experiment.counterfactuals.wording import moment_text
from churnsim.report.columns import paragraph
from churnsim.report.grid import Row, grid
from churnsim.streams import STREAM_VERSION
from churnsim.units import format_duration, format_money

GAP = "  "  # between columns
NARROWEST_LIFE = 16  # columns
DIGEST_DIGITS = 12
PART = "here they part"
TURN = "here they take another course"


def story_text(story: Story, again: str, width: int, *, whole: bool) -> str:
    """Return everything that the command shows of a story.

    Args:
        story: Both lives.
        again: The command that tells it again.
        width: Columns to fit into.
        whole: Tell what happens before the lives part, too.
    """
    scenario, person = story.scenario, story.person
    title = (
        f"{scenario.title}: customer {person.customer:,} of replication "
        f"{person.replication:,}, {format_duration(scenario.horizon)}, two worlds"
    )
    lines = [paragraph(title, width), ""]
    shared, own = story.beats()
    if not whole:
        lines += _left_out(story, len(shared), width)
        shared = []
    if shared or own:
        lines += [*_side_by_side(story, shared, own, width), ""]
    lines += [*_account(story, width), "", paragraph(story.sentence(), width), ""]
    origin = (
        "Times count from the start: day 412, 09:35 is 412 days, 9 hours and 35 "
        f"minutes after it. Seed {person.seed}, scenario "
        f"{scenario.digest[:DIGEST_DIGITS]}, random streams version {STREAM_VERSION}; "
        "the same story again with:"
    )
    return "\n".join([*lines, paragraph(origin, width), f"  {again}"])


def _left_out(story: Story, n_shared: int, width: int) -> list[str]:
    """Return how much is not told because it is the same in both worlds."""
    if not n_shared:
        return []
    moments = f"{n_shared:,} moment{'' if n_shared == 1 else 's'}"
    if story.parted is None:
        text = f"{moments}, the same in both worlds; --all tells them."
    else:
        text = f"{moments} before they part, the same in both; --all tells them too."
    return [paragraph(text, width), ""]


def _side_by_side(
    story: Story, shared: Sequence[Beat], own: Sequence[Beat], width: int
) -> list[str]:
    """Return a column for the time and one for each world."""
    whens = [moment_text(beat.time) for beat in (*shared, *own)]
    first = max(map(len, whens))
    room = max(NARROWEST_LIFE, (width - first) // 2 - len(GAP))
    names = (story.lives[0].policy, story.lives[1].policy)
    lines = _line("", names, first, room)
    lines.append("-" * (first + 2 * (room + len(GAP))))
    for beat in shared:
        lines += _line(moment_text(beat.time), beat.texts, first, room)
    rule = f"{'=' * first}{GAP}"
    course = story.other_course
    marks = {i: TURN for i, beat in enumerate(own) if course in beat.places}
    marks = dict(list(marks.items())[:1])  # its later half is no mark of its own
    if own:
        marks[0] = PART
    for i, beat in enumerate(own):
        if i in marks:
            lines.append(f"{rule}{marks[i]}")
        lines += _line(moment_text(beat.time), beat.texts, first, room)
    return lines


def _line(when: str, texts: Sequence[str], first: int, room: int) -> list[str]:
    """Return one beat, each text wrapped in its column."""
    left, right = (textwrap.wrap(text, room) or [""] for text in texts)
    n_lines = max(len(left), len(right))
    left += [""] * (n_lines - len(left))
    right += [""] * (n_lines - len(right))
    heads = [when, *[""] * (n_lines - 1)]
    return [
        f"{head:<{first}}{GAP}{a:<{room}}{GAP}{b}".rstrip()
        for head, a, b in zip(heads, left, right, strict=True)
    ]


def _account(story: Story, width: int) -> list[str]:
    """Return what each world brings in, and the difference."""
    currency = story.scenario.currency
    a, b = story.lives
    rows = [
        _money("Revenue", a.revenue, b.revenue, currency),
        _money("Paid to make good", a.make_good, b.make_good, currency),
        Row("Episodes", (str(a.episodes), str(b.episodes), _signed(a, b))),
    ]
    return grid([a.policy, b.policy, "difference"], rows, width)


def _money(label: str, a: int, b: int, currency: str) -> Row:
    return Row(label, tuple(format_money(x, currency) for x in (a, b, b - a)))


def _signed(a: Life, b: Life) -> str:
    return str(b.episodes - a.episodes)
