"""From the document of a comparison to one file of HTML that needs nothing else."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from altair.utils.schemapi import debug_mode
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from churnsim._version import __version__
from churnsim.report.page import (
    drawn,
    front_line,
    grounds,
    levers,
    losing,
    money,
    months,
    service,
    week,
)
from churnsim.report.page.blocks import Chart, LegendItem, Section
from churnsim.report.page.bundle import bundle
from churnsim.report.page.figures import Results
from churnsim.report.page.theme import NIGHT, PAGE, PAPER, variables
from churnsim.units import format_duration

PACKAGE: Final = "churnsim.report.page"  # beside whose modules the templates are

Document = dict[str, Any]
HANDLING: Final = "what handling mistakes costs"


class Page(NamedTuple):
    """What stands over the sections of a page."""

    title: str
    about: str  # the kind of page, in a browser's title
    sentence: str  # the answer
    heading: str  # what was run
    notices: tuple[str, ...]  # what limits the whole page
    n_warnings: int  # in the section "warnings"


# In this order on the page; a section more is a line more. None: it has nothing to say.
SECTIONS: Final[tuple[Callable[[Results], Section | None], ...]] = (
    losing.revenue_lost,
    drawn.what_is_not_known,
    levers.why,
    losing.where_customers_go,
    money.money,
    months.how_long_customers_stay,
    months.month_by_month,
    service.waits_and_desks,
    week.hour_by_hour,
    front_line.agents,
    service.perception_gap,
    grounds.assumptions,
    grounds.warnings,
    grounds.origin,
)
# What a text sets off as it would be typed.
_TYPED: Final = re.compile("`([^`]+)`")
# What would end or open a script, or is a line's end to one and not to the other.
_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}


def page_of(document: Document) -> str:
    """Return the page about a comparison.

    Everything is in it, scripts, styles and data; it asks no network for anything, and
    a policy in its head forbids it to.

    Args:
        document: What `Comparison.to_json_dict` or `read_results` returned.
    """
    results = Results(document)
    page = Page(
        title=document["title"],
        about=HANDLING,
        sentence=document["sentence"],
        heading=_heading(document),
        notices=tuple(grounds.notices(results)),
        n_warnings=len(document["warnings"]),
    )
    return rendered(page, _sections(results))


def rendered(page: Page, sections: Sequence[Section]) -> str:
    """Return a page from what stands over it and its sections, as one file.

    Args:
        page: What stands over the sections.
        sections: At least one; names of their charts are all different.
    """
    with debug_mode(arg=False):  # thrice as fast; the tests check the charts
        specs = {
            chart.name: chart.build(PAGE)
            for section in sections
            for chart in section.charts
        }
    scripts = [Markup(bundle()), Markup(_template_text("page.js"))]  # noqa: S704
    template = _environment().get_template("page.html")
    return template.render(
        page=page,
        sections=sections,
        style=Markup(_style()),  # noqa: S704 - ours, with no text from outside
        scripts=scripts,
        policy=_content_policy(scripts),
        specs=Markup(inlined(specs)),  # noqa: S704 - escaped there
        swatch=swatch,
        version=__version__,
    )


def charts_of(document: Document) -> list[Chart]:
    """Return every chart of the page."""
    sections = _sections(Results(document))
    return [chart for section in sections for chart in section.charts]


def inlined(data: Any) -> str:
    """Return data as JSON that can stand inside a script: no text in it ends one."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return "".join(_ESCAPES.get(mark, mark) for mark in text)


def swatch(item: LegendItem) -> Markup:
    """Return the sign of an item in a legend."""
    colour = f"var(--s{item.colour})"
    shapes = {
        "line": f'<path d="M0 7H28" stroke="{colour}" stroke-width="3" fill="none"'
        f' stroke-dasharray="{" ".join(map(str, item.dash))}"/>',
        "block": f'<rect x="6" y="0" width="16" height="14" rx="2" fill="{colour}"'
        f' fill-opacity="{item.share:.3g}"/>',
        "dot": f'<circle cx="14" cy="7" r="6" fill="{colour}"/>',
        "square": f'<rect x="8" y="1" width="12" height="12" fill="{colour}"/>',
    }
    body = shapes[item.mark]
    return Markup(  # noqa: S704 - built from numbers alone
        f'<svg width="28" height="14" aria-hidden="true" focusable="false">{body}</svg>'
    )


def coded(text: str) -> Markup:
    """Return a text in which what stands between backticks is code."""
    return Markup(_TYPED.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


def key(name: str) -> Markup:
    """Return a setting's dotted name as code that breaks between its words only."""
    text = re.sub(r"([._])", r"\1<wbr>", str(escape(name)))
    return Markup(f'<code class="key">{text}</code>')  # noqa: S704 - escaped


def _sections(results: Results) -> list[Section]:
    return [found for section in SECTIONS if (found := section(results)) is not None]


def _heading(document: Document) -> str:
    n = document["replications_finished"]
    sites = document.get("sites")
    where = f" at {sites['count']:,} sites" if sites else ""
    return (
        f"{document['customers']:,} customers{where}, "
        f"{format_duration(document['horizon_days'])}, mean of "
        f"{n:,} replication{'' if n == 1 else 's'}"
    )


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        autoescape=True,
        loader=PackageLoader(PACKAGE),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"coded": coded, "key": key}
    return environment


def _template_text(name: str) -> str:
    environment = _environment()
    return PackageLoader(PACKAGE).get_source(environment, name)[0]


def _style() -> str:
    text = _template_text("page.css")
    return text.replace("/* paper */", variables(PAPER)).replace(
        "/* night */", variables(NIGHT)
    )


def _content_policy(scripts: list[Markup]) -> str:
    """Return what a browser may do for the page: these scripts, and no requests."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'"
        for s in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
