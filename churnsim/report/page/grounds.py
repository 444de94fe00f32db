"""Sections on what stands behind the numbers: assumptions, warnings, origin."""

from __future__ import annotations

from typing import Any

from churnsim.experiment.intervals import ROUGH_BELOW
from churnsim.report.evidence import value_text
from churnsim.report.page.blocks import Section, Table
from churnsim.report.page.figures import Results
from churnsim.report.settings import GRADES, meaning_of

LIMITS = (
    "If customers behave as the scenario says, then these are the consequences of each"
    " policy. The page does not claim that they behave so."
)
PUSHES = (
    "Figures in log-odds say how strongly something pushes customers to stay or to go:"
    " a push of 1 makes the odds 2.7 times as large."
)


def assumptions(results: Results) -> Section:
    """Return what the numbers rest on, grade and source; what matters most first."""
    found: list[dict[str, Any]] = results.document["foundations"]
    groups = (
        (
            "What moves the results most, in that order",
            [item for item in found if item["is_influential"] and item["acts"]],
        ),
        (
            "Would matter, but nothing under these policies depends on it",
            [item for item in found if item["is_influential"] and not item["acts"]],
        ),
        (
            "Other figures whose source is known",
            [item for item in found if not item["is_influential"]],
        ),
    )
    return Section(
        "assumptions",
        "What it rests on",
        texts=(LIMITS, f"Each figure has a grade. {GRADES}.", PUSHES),
        tables=tuple(
            Table(
                caption,
                ("what it is", "value", "plausible", "grade", "source or reason"),
                tuple(
                    (
                        meaning_of(item["key"]),
                        value_text(item["value"]),
                        item.get("range", ""),  # older folders have none
                        item["grade"],
                        item["source"],
                    )
                    for item in items
                ),
                keys=tuple(item["key"] for item in items),
                is_text=True,
                is_folded=not items[0]["is_influential"],
            )
            for caption, items in groups
            if items
        ),
    )


def warnings(results: Results) -> Section:
    """Return what the reader ought to keep in mind."""
    document = results.document
    told = [*document["warnings"], *document["failures"]]
    return Section(
        "warnings",
        "Warnings",
        texts=() if told else ("There are none.",),
        items=tuple(told),
    )


def origin(results: Results) -> Section:
    """Return how to make the same numbers again, and what made these."""
    document = results.document
    made = document["origin"]
    asked, finished = document["replications_asked"], document["replications_finished"]
    rows = [
        ("seed", str(document["seed"])),
        ("replications", f"{finished:,} of {asked:,}"),
        ("scenario", document["scenario"]),
        ("digest of the scenario", document["scenario_digest"]),
        ("digest of all results", made["results_digest"]),
        ("version of the random streams", str(made["stream_version"])),
        ("engine", document["engine"]),
        *made["versions"].items(),
    ]
    command = document["command"]
    text = (
        "The same seed, scenario and version of the random streams give the same"
        " numbers, to the last digit, on any machine."
    )
    if command:
        text += " To make them again, type:"
    return Section(
        "origin",
        "How to make it again",
        texts=(text,),
        tables=(
            Table(
                "What made these numbers", ("what", "value"), tuple(rows), is_text=True
            ),
        ),
        command=command,
    )


def notices(results: Results) -> list[str]:
    """Return what limits the whole page, to be told before any number."""
    document = results.document
    asked, finished = document["replications_asked"], document["replications_finished"]
    told = []
    if document["is_stopped"]:
        told.append(f"Partial: stopped after {finished:,} of {asked:,} replications.")
    elif finished < asked:
        told.append(f"Partial: {asked - finished:,} of {asked:,} replications failed.")
    if finished == 1:
        told.append(
            "One replication: there are no intervals, and chance may have made any of"
            " these numbers. Take 20 or more."
        )
    elif finished < ROUGH_BELOW:
        told.append(f"Intervals are rough below {ROUGH_BELOW} replications.")
    return told
