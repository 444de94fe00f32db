"""Comparisons whose pages are looked at: a plain one, and one with hostile names."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, NamedTuple

import pytest

from churnsim.experiment import Comparison, Execution, compare
from tests.experiment.conftest import SHOP
from tests.experiment.test_by_hour import WEEK

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
POLICY = "<b onclick=alert(3)>"
COMMAND = "churnsim run shop.toml --seed 7"
TIRING = (
    'strain.turnover="200 %/year"',
    "strain.contacts_per_year=500",
    "strain.wrath=0.8",
    'strain.hiring="20 days"',
    'strain.hiring_cost="$900"',
    "strain.newcomer=2",
    "strain.learning=20",
)
WRITING = ("market.message_share=0.3", "policy.slow.speed.message_agents=2")
VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "wbr"})


class Element(NamedTuple):
    """An element of a page."""

    tag: str
    attributes: dict[str, str]
    within: tuple[str, ...]  # tags around it, outermost first
    texts: list[str]

    @property
    def text(self) -> str:
        """Return the text in it and in what it holds."""
        return "".join(self.texts)


class Page(HTMLParser):
    """The elements of a page, as a browser would find them."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = source
        self.elements: list[Element] = []
        self.open: list[Element] = []
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that begins."""
        named = {name: value or "" for name, value in attrs}
        around = tuple(outer.tag for outer in self.open)
        self.elements.append(Element(tag, named, around, []))
        if tag not in VOID and "svg" not in around:
            self.open.append(self.elements[-1])

    def handle_endtag(self, tag: str) -> None:
        """Note an element that ends."""
        if self.open and self.open[-1].tag == tag:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        """Note text for all that it stands in."""
        for element in self.open:
            element.texts.append(data)

    def all(self, *tags: str) -> Iterator[Element]:
        """Yield the elements of some kinds, in order."""
        return (element for element in self.elements if element.tag in tags)


@pytest.fixture(scope="session")
def shop_comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Return the small shop compared, its loss told by lever."""
    path = tmp_path_factory.mktemp("plain") / "shop.toml"
    path.write_text(SHOP, encoding="utf-8")
    return compare(path, execution=Execution(threads=2)).explained()


@pytest.fixture(scope="session")
def document(shop_comparison: Comparison) -> dict[str, Any]:
    """Return the document of a comparison."""
    return shop_comparison.to_json_dict(COMMAND)


@pytest.fixture(scope="session")
def page(document: dict[str, Any]) -> Page:
    """Return the page about it."""
    from churnsim.report.page.rendering import page_of

    return Page(page_of(document))


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the document of a scenario whose every name tries to be markup."""
    text = SHOP.replace('"Corner shop"', f'"{HOSTILE}"')
    text = text.replace(
        'policies = ["empowered"', f'policies = ["{POLICY}", "empowered"'
    )
    text += f'\n[policy."{POLICY}"]\ntitle = "{HOSTILE}"\nextends = "slow"\n'
    text = text.replace("lock_in = 0.5", f"lock_in = 0.5 # D: {HOSTILE}")
    path = tmp_path_factory.mktemp("hostile") / "shop.toml"
    path.write_text(text, encoding="utf-8")
    result = compare(path, replications=2, execution=Execution(threads=2))
    return result.explained().to_json_dict(f"churnsim run '{HOSTILE}'")


@pytest.fixture(scope="session")
def single(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the document of one replication."""
    path = tmp_path_factory.mktemp("single") / "shop.toml"
    path.write_text(SHOP, encoding="utf-8")
    return compare(path, replications=1).explained().to_json_dict(COMMAND)


@pytest.fixture(scope="session")
def week(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the document of a shop that closes, under all policies but one.

    Its agents are people, and some customers write.
    """
    path = tmp_path_factory.mktemp("week") / "shop.toml"
    path.write_text(SHOP, encoding="utf-8")
    how = Execution(threads=2)
    all_of_it = [*WEEK, *TIRING, *WRITING]
    result = compare(path, overrides=all_of_it, replications=3, execution=how)
    return result.explained().to_json_dict(COMMAND)
