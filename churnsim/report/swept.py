"""The page about a sweep: what was varied, what failed, and what its analyses say."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from churnsim.analysis.discovery import Discovery, Target, discover
from churnsim.analysis.finished import Factor, Finished, Sweep
from churnsim.analysis.responses import Question, asked, compared
from churnsim.analysis.sensitivity import Sensitivity, sensitivity
from churnsim.analysis.subject import number_text
from churnsim.analysis.surface import Surface, surface
from churnsim.errors import InputError
from churnsim.experiment.sentences import replications_text
from churnsim.report.discoveries import discovery_chart, discovery_table
from churnsim.report.page.blocks import Chart, Section, Table
from churnsim.report.page.rendering import Page, rendered
from churnsim.report.sensitivities import sensitivity_chart, sensitivity_table
from churnsim.report.surfaces import surface_chart
from churnsim.scenario.model import FLAWLESS

PAIRS_MAX = 4  # policies that are analysed against the baseline
FAILURES_SHOWN = 10
VALUES_SHOWN = 12
ABOUT = "what a loss hangs on"
PAIRED = (
    "Everything here is about what one policy loses against another on the same"
    " customers and the same luck, point by point: luck that both met is no part of it."
)
NO_BOXES = "Boxes need two policies to compare."


class Answers(NamedTuple):
    """What the analyses say of one pair of policies."""

    sensitivity: Sensitivity
    discovery: Discovery | None  # None: a policy is alone
    surface: Surface | None  # None: one factor


def sweep_page(finished: Finished) -> str:
    """Return the page about a sweep, as one file of HTML that needs nothing else.

    Args:
        finished: The sweep, as far as it is done.
    """
    sweep = finished.sweep
    answers, refusals = _answers(finished)
    warnings = list(
        dict.fromkeys(
            text
            for found in answers
            for part in found
            if part is not None
            for text in part.warnings
        )
    )
    sentence = answers[0].sensitivity.sentence() if answers else " ".join(refusals)
    sections = [
        _varied(finished),
        *_failures(finished),
        *(_sections(answers) if answers else ()),
        Section(
            "warnings",
            "Warnings",
            texts=() if warnings else ("There are none.",),
            items=tuple(warnings),
        ),
        _origin(finished, answers),
    ]
    page = Page(
        title=sweep.title or sweep.name,
        about=ABOUT,
        sentence=sentence,
        heading=_heading(sweep),
        notices=tuple(_notices(finished)),
        n_warnings=len(warnings),
    )
    return rendered(page, sections)


def _answers(finished: Finished) -> tuple[list[Answers], list[str]]:
    """Return what is known of each pair of policies, and why of others nothing is."""
    found, refusals = [], []
    for question in _questions(finished.sweep):
        try:
            found.append(_answer(finished, question))
        except InputError as error:
            refusals.append(f"There is nothing to analyse: {error.problems[0].rule}.")
    return found, refusals


def _questions(sweep: Sweep) -> list[Question]:
    """Return what is asked: what each policy loses against the baseline."""
    names = compared(sweep)
    if len(set(names) - {FLAWLESS}) == 1:
        return [asked(sweep, "revenue", None, None, alone=True)]
    first = asked(sweep, "revenue", None, None)
    others = [name for name in names if name not in {first.against, FLAWLESS}]
    return [first._replace(policy=name) for name in others[:PAIRS_MAX]]


def _answer(finished: Finished, question: Question) -> Answers:
    """Return what is known of one pair: the surface is of what matters most."""
    found = sensitivity(finished, question)
    boxes = None
    if question.against is not None:
        contribution = question._replace(outcome="contribution")
        boxes = discover(finished, contribution, Target(0.0, is_below=True))
    fields = [factor.factor.field for factor in found.factors]
    fields += [f.field for f in finished.sweep.factors if f.field not in fields]
    field = None
    if len(fields) > 1:
        field = surface(finished, question, fields[0], fields[1])
    return Answers(found, boxes, field)


def _sections(answers: list[Answers]) -> Iterator[Section]:
    """Yield a section for each analysis, with every pair of policies in it."""
    texts, charts, tables = [PAIRED], [], []
    for i, found in enumerate(answers):
        texts.append(found.sensitivity.sentence())
        if chart := sensitivity_chart(found.sensitivity):
            charts.append(_numbered(chart._replace(table=None), i))
            tables.append(sensitivity_table(found.sensitivity))
    yield _section("sensitivity", "What it hangs on", texts, charts, tables)
    texts, charts, tables = [], [], []
    for i, found in enumerate(answers):
        if found.discovery is None:
            texts.append(NO_BOXES)
            continue
        texts.append(found.discovery.sentence())
        if chart := discovery_chart(found.discovery):
            charts.append(_numbered(chart._replace(table=None), i))
        if table := discovery_table(found.discovery):
            tables.append(table)
    yield _section("discovery", "Where it turns", texts, charts, tables)
    texts, charts = [], []
    for i, found in enumerate(answers):
        if found.surface is not None:
            texts.append(found.surface.sentence())
            charts.append(_numbered(surface_chart(found.surface), i))
    if charts:
        yield _section("surface", "Over the two that matter most", texts, charts, [])


def _section(
    name: str, title: str, texts: list[str], charts: list[Chart], tables: list[Table]
) -> Section:
    wide = tuple(chart._replace(is_wide=True) for chart in charts)
    return Section(name, title, tuple(texts), wide, tuple(tables))


def _numbered(chart: Chart, place: int) -> Chart:
    """Return a chart under a name that no other has."""
    return chart._replace(name=f"{chart.name}_{place + 1}")


def _varied(finished: Finished) -> Section:
    """Return what was varied, and how."""
    sweep = finished.sweep
    rows = tuple(
        (factor.field, _about(factor), _settings(factor)) for factor in sweep.factors
    )
    draws = (
        "Every point met the same customers and the same luck."
        if sweep.draws == "common"
        else "Every point had customers and luck of its own."
    )
    table = Table("Factors", ("factor", "what it is", "settings"), rows, is_text=True)
    policies = ", ".join(compared(sweep))
    text = f"{_heading(sweep)}; policies: {policies}. {draws}"
    return Section("varied", "What was varied", texts=(text,), tables=(table,))


def _about(factor: Factor) -> str:
    return factor.lever.about if factor.lever else "a setting"


def _settings(factor: Factor) -> str:
    """Return the settings of a factor in words."""
    if factor.is_range:
        low, high = (number_text(factor, x) for x in (factor.low, factor.high))
        even = ", even in its logarithm" if factor.is_log else ""
        return f"{low} to {high}{even}"
    texts = [level.text for level in factor.levels]
    more = len(texts) - VALUES_SHOWN
    shown = ", ".join(texts[:VALUES_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def _failures(finished: Finished) -> Iterator[Section]:
    """Yield which points failed, and the commands that repeat the first few."""
    if not finished.n_failed:
        return
    rows = (
        (f"{row['point']:,}", str(row["error"]), f"`{row['command']}`")
        for batch in finished.batches(("point", "error", "command"))
        for row in batch.filter(batch.column("error").is_valid()).to_pylist()
    )
    shown = tuple(itertools.islice(rows, FAILURES_SHOWN))
    n = finished.n_failed
    text = f"{n:,} point{'' if n == 1 else 's'} failed and stand behind no figure here."
    if n > len(shown):
        text += f" The first {len(shown)}:"
    table = Table(
        "Failed points", ("point", "error", "repeated by"), shown, is_text=True
    )
    yield Section("failures", "What failed", texts=(text,), tables=(table,))


def _notices(finished: Finished) -> Iterator[str]:
    """Yield what limits the whole page."""
    n = finished.sweep.design.n_points
    left = n - finished.n_done
    if left:
        yield f"Partial: {left:,} of {n:,} points are still to be run."
    if finished.n_failed:
        yield f"Partial: {finished.n_failed:,} of {n:,} points failed."
    if finished.sweep.replications == 1:
        yield (
            "One replication of each point: what luck does cannot be told from what"
            " factors do."
        )


def _origin(finished: Finished, answers: list[Answers]) -> Section:
    """Return what made the numbers, and what to type for each."""
    sweep = finished.sweep
    rows = [
        ("sweep", sweep.name),
        ("digest of the sweep", sweep.digest),
        ("scenario", sweep.scenario.name),
        ("digest of the scenario", sweep.scenario.digest),
        ("seed", str(sweep.seed)),
        ("draws", sweep.draws),
    ]
    folder = shlex.quote(str(finished.folder))
    commands = [f"churnsim status {folder}"]
    for found in answers[:1]:
        question = found.sensitivity.responses.question
        policy = f"--policy {shlex.quote(question.policy)}"
        policy += " --alone" if question.against is None else ""
        commands.append(f"churnsim sensitivity {folder} {policy}")
        if found.discovery is not None:
            commands.append(f"churnsim discover {folder} {policy}")
        if found.surface is not None:
            sides = (found.surface.x, found.surface.y)
            x, y = (shlex.quote(side.factor.field) for side in sides)
            commands.append(f"churnsim surface {folder} --x {x} --y {y} {policy}")
    return Section(
        "origin",
        "How to ask it again",
        texts=("Nothing has to be simulated anew for these:",),
        tables=(
            Table(
                "What made these numbers", ("what", "value"), tuple(rows), is_text=True
            ),
        ),
        command="\n".join(commands),
    )


def _heading(sweep: Sweep) -> str:
    """Return how much was run."""
    n, k = sweep.design.n_points, len(sweep.factors)
    return (
        f"{n:,} points of a {sweep.design.name.replace('_', ' ')} design over"
        f" {k} factor{'' if k == 1 else 's'},"
        f" {replications_text(sweep.replications)} each"
    )
