"""What was measured, as text, as a page of Markdown and as a chart."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from churnsim.cli.bench_documents import (
    AgreementDocument,
    BenchDocument,
    ComparisonDocument,
    SpreadDocument,
    StartDocument,
)
from churnsim.experiment.store.markdown import escaped, markdown_table
from churnsim.report.columns import aligned, paragraph
from churnsim.report.page.blocks import Chart
from churnsim.report.page.theme import Palette, config

Rows = list[tuple[str, ...]]
Part = tuple[str, Rows]  # a title, then rows, of which the first are headings
UNITS = {"model": "customer-years", "desk": "calls"}
PARTS = {"model": "the whole model", "desk": "the front desk alone"}


def text_of(document: BenchDocument, width: int) -> str:
    """Return a document for the terminal."""
    lines = [paragraph(document["sentence"], width), ""]
    for title, rows in parts_of(document):
        lines += [title, *aligned(rows, width, indent=2), ""]
    lines += [f"left out: {x['name']}: {x['reason']}" for x in document["left_out"]]
    if document["comparison"] is not None:
        lines += [f"warning: {text}" for text in document["comparison"]["warnings"]]
    return "\n".join(lines).rstrip()


def page_of(document: BenchDocument) -> str:
    """Return a document as a page of Markdown."""
    lines = ["# Benchmarks", "", escaped(document["sentence"]), ""]
    lines += ["![speeds, on a logarithmic axis](bench.svg)", ""]
    for title, rows in parts_of(document):
        is_text = [True, *(False for _ in rows[0][1:])]
        lines += [
            f"## {escaped(title)}",
            "",
            markdown_table(rows[0], rows[1:], is_text),
        ]
    notes = [f"left out: {x['name']}: {x['reason']}" for x in document["left_out"]]
    if document["comparison"] is not None:
        notes += [f"warning: {text}" for text in document["comparison"]["warnings"]]
    lines += [f"- {escaped(text)}" for text in notes]
    return "\n".join(lines).rstrip() + "\n"


def parts_of(document: BenchDocument) -> list[Part]:
    """Return the tables of a document."""
    machine, settings = document["machine"], document["settings"]
    versions = ", ".join(f"{k} {v}" for k, v in machine["versions"].items())
    about: Rows = [
        ("", "what"),
        ("machine", f"{machine['processor']}, {machine['cores']} cores"),
        ("system", machine["system"]),
        ("versions", versions),
        ("scenario", f"{settings['scenario']}, policy {settings['policy']}"),
    ]
    parts = [("Measured on", about), ("Answers", _agreement(document["agreement"]))]
    for part in UNITS:
        rows = _speeds(document, part)
        if len(rows) > 1:
            parts.append((f"Speed of {PARTS[part]}, in processor time", rows))
    if document["starts"]:
        parts.append(("Fresh processes", _starts(document["starts"])))
    if document["comparison"] is not None:
        parts.append(_compared(document["comparison"]))
    return parts


def chart_of(document: BenchDocument) -> Chart:
    """Return the speeds as a chart."""
    title = "How fast each engine is, one core"
    told = "; ".join(
        f"{one['title']}: {one['speed']['median']:,.3g} {UNITS[one['part']]} a second"
        for one in document["contestants"]
    )
    return Chart("bench", title, told, partial(_spec, document), None)


def _spec(document: BenchDocument, palette: Palette) -> dict[str, Any]:
    """Return a dot for each contestant's median and a bar from least to largest."""
    rows: list[dict[str, Any]] = [
        {
            "title": one["title"],
            "part": PARTS[one["part"]],
            "unit": f"{UNITS[one['part']]} a second",
            **{k: one["speed"][k] for k in ("low", "median", "high")},
        }
        for one in document["contestants"]
    ]
    scale = {"type": "log"}
    by_speed = sorted(rows, key=lambda row: -float(row["median"]))
    y = {
        "field": "title",
        "type": "nominal",
        "sort": [row["title"] for row in by_speed],
        "axis": {"title": None, "labelLimit": 260},
    }
    panels = [
        {
            "title": {"text": PARTS[part], "anchor": "start"},
            "width": 460,
            "height": {"step": 26},
            "transform": [{"filter": f"datum.part == '{PARTS[part]}'"}],
            "layer": [
                {
                    "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.5},
                    "encoding": {
                        "y": y,
                        "x": {
                            "field": "low",
                            "type": "quantitative",
                            "scale": scale,
                            "title": f"{UNITS[part]} a second, from least to largest",
                        },
                        "x2": {"field": "high"},
                    },
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                    "encoding": {
                        "y": y,
                        "x": {
                            "field": "median",
                            "type": "quantitative",
                            "scale": scale,
                        },
                    },
                },
            ],
        }
        for part in UNITS
        if any(one["part"] == part for one in document["contestants"])
    ]
    return {
        "data": {"values": rows},
        "vconcat": panels,
        "resolve": {"scale": {"x": "independent"}},
        "config": {**config(palette), "mark": {"color": palette.series[0]}},
    }


def _agreement(found: Sequence[AgreementDocument]) -> Rows:
    rows: Rows = [("contestant", "agrees", "replications", "customers", "furthest")]
    words = {
        "bits": "to the bit",
        "equal": "in all answers and events",
        "law": "in law",
    }
    for one in found:
        furthest = ""
        if one["rule"] == "law":
            z, name = max(
                (abs(z), name)
                for z, name in zip(one["distances"], one["answers"], strict=True)
            )
            furthest = f"{name}, {z:.1f} standard errors of {one['bound']:.1f}"
        row = (one["contestant"], words[one["rule"]], f"{one['replications']}")
        rows.append((*row, f"{one['customers']:,}", furthest))
    return rows


def _speeds(document: BenchDocument, part: str) -> Rows:
    rows: Rows = [
        (
            "",
            f"{UNITS[part]}/s",
            "events/s",
            "customers",
            "kernel is faster",
            "quartiles",
        )
    ]
    for one in document["contestants"]:
        if one["part"] != part:
            continue
        rate, times = one["events_per_second"], one["times_kernel"]
        rows.append(
            (
                one["title"],
                f"{one['speed']['median']:,.0f}",
                f"{rate['median']:,.0f}" if rate else "",
                f"{one['customers']:,}",
                f"{times['median']:,.3g} x" if times else "",
                _range(times) if times else "",
            )
        )
    return rows


def _range(times: SpreadDocument) -> str:
    inner = f"{times['lower']:,.3g} to {times['upper']:,.3g}"
    return f"{inner}; least {times['low']:,.3g}, {times['n']} rounds"


def _starts(starts: Sequence[StartDocument]) -> Rows:
    rows: Rows = [("contestant", "start", "seconds", "peak memory")]
    for one in starts:
        what = "one customer" if one["what"] == "empty" else one["what"]
        peak = f"{one['peak_bytes'] / 1e6:,.0f} MB"
        rows.append((one["contestant"], what, f"{one['seconds']:.2f}", peak))
    return rows


def _compared(found: ComparisonDocument) -> Part:
    rows: Rows = [("kernel against", "then", "now", "now/then", "at the quartiles")]
    for one in found["ratios"]:
        rows.append(
            (
                f"{one['contestant']}, {PARTS[one['part']]}",
                f"{one['old']:,.3g} x",
                f"{one['new']:,.3g} x",
                f"{one['ratio']:.3f}",
                f"{one['low']:.3f} to {one['high']:.3f}",
            )
        )
    return f"Against {found['file']}", rows
