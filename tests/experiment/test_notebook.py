"""What a notebook shows of each record: escaped, with intervals, on one line."""

import dataclasses
from html.parser import HTMLParser
from typing import Any

import pytest

from churnsim.errors import InputError
from churnsim.experiment import (
    Breakeven,
    Comparison,
    Staffing,
    Story,
)
from churnsim.experiment.notebook import NO_INTERVAL
from churnsim.experiment.sentences import leavers
from churnsim.scenario import Scenario
from tests.experiment.kinds import Kinds, Record, kinds

EVIL = "</td><script>alert(1)</script>\n<img src=x onerror=alert(2)>"


class Seen(HTMLParser):
    """The tags of a piece of HTML, and the texts in its cells."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)


@pytest.fixture(scope="module")
def several(shop: Scenario) -> Kinds:
    """Return records of three replications."""
    return kinds(shop, 3)


@pytest.fixture(scope="module")
def single(shop: Scenario) -> Kinds:
    """Return records of one replication."""
    return kinds(shop, 1)


@pytest.mark.compiled
@pytest.mark.parametrize("kind", Kinds._fields)
def test_notebook__shows_sentence_and_table(several: Kinds, kind: str) -> None:
    """Each record shows its sentence and a table, and its repr is one line."""
    record: Record = getattr(several, kind)
    seen = Seen(record._repr_html_())
    assert seen.texts[0] == record.sentence()
    assert {"p", "table", "th", "td"} <= seen.tags
    assert len(repr(record).splitlines()) == 1
    assert record.sentence() in repr(record)
    if kind != "story":
        assert "warning: 3 replications: intervals are rough below 20" in seen.texts


@pytest.mark.compiled
@pytest.mark.parametrize("kind", [k for k in Kinds._fields if k != "story"])
def test_notebook__one_replication_has_no_bare_mean(single: Kinds, kind: str) -> None:
    """Of one replication each mean says that it has no interval, and why."""
    record: Record = getattr(single, kind)
    seen = Seen(record._repr_html_())
    means = [text for text in seen.texts if text[:1].isdigit() or text[:1] in "-$"]
    means = [text for text in means if "(" in text or text not in labels(record)]
    assert any(NO_INTERVAL in text for text in means)
    assert [text for text in means if NO_INTERVAL not in text] == []
    assert "one replication, so no interval" in record.sentence()
    assert "warning: one replication: there are no intervals" in seen.texts


def labels(record: Record) -> set[str]:
    """Return texts that begin like amounts and are none: the values tried."""
    if isinstance(record, Breakeven):
        return {point.text for point in record.points}
    return set()


@pytest.mark.compiled
@pytest.mark.parametrize("kind", Kinds._fields)
def test_notebook__hostile_names_stay_text(several: Kinds, kind: str) -> None:
    """Policies called like markup are shown as they are called, and change no tag."""
    record: Record = getattr(several, kind)
    plain = Seen(record._repr_html_())
    evil = renamed(record)
    shown = evil._repr_html_()
    assert Seen(shown).tags == plain.tags
    assert "&lt;script&gt;" in shown
    assert len(repr(evil).splitlines()) == 1


def renamed(record: Record) -> Record:
    """Return a record of policies whose names are hostile."""
    changes: dict[str, Any]
    if isinstance(record, Comparison):
        policies = record.policies
        changes = {
            "policies": {
                **policies,
                "slow": policies["slow"]._replace(title=EVIL),
            },
            "losses": tuple(loss._replace(policy=EVIL) for loss in record.losses),
        }
    elif isinstance(record, Story):
        a, b = record.lives
        changes = {"lives": (a._replace(policy=EVIL), b)}
    elif isinstance(record, Breakeven | Staffing):
        changes = {"policy": EVIL}
    else:
        changes = {"source": EVIL}
    return dataclasses.replace(record, **changes)


@pytest.mark.compiled
@pytest.mark.parametrize("kind", Kinds._fields)
def test_notebook__data_frame_is_the_table(several: Kinds, kind: str) -> None:
    """Each record's data frame has the rows and columns of its Arrow table."""
    record: Record = getattr(several, kind)
    table, frame = record.to_arrow(), record.to_dataframe()
    assert frame.shape == table.shape
    assert list(frame.columns) == table.column_names
    assert len(frame) > 0


@pytest.mark.compiled
def test_notebook__without_pandas_names_the_cure(
    several: Kinds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pandas is not installed, one line says what to type."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"pip install .churnsim\[notebook\]"):
        several.story.to_dataframe()


@pytest.mark.compiled
def test_comparison__says_what_each_loss_is_against(several: Kinds) -> None:
    """Losses against baseline and flawless stand in columns of their own."""
    texts = Seen(several.comparison._repr_html_()).texts
    per = "revenue lost a year per 1,000 customers against"
    assert f"{per} empowered" in texts
    assert f"{per} flawless" in texts


@pytest.mark.compiled
def test_counterfactuals__causes_are_parts_of_the_whole(several: Kinds) -> None:
    """Of each cause the share kept is that of its table of fates, by replication."""
    found = several.counterfactuals
    shares = found.necessary_by_cause()
    causes = [turn.cause for turn in found.turns if turn.lost_under == "from"]
    assert [cause.name.lower() for cause in shares] == causes
    for turn in found.turns:
        if turn.lost_under == "from" and turn.kept_by_other == 0:
            zero = next(s for c, s in shares.items() if c.name.lower() == turn.cause)
            assert zero.mean == 0.0


@pytest.mark.compiled
def test_story__a_bare_number_is_a_customer_of_the_first_replication(
    shop: Scenario, several: Kinds
) -> None:
    """A number alone is that customer in replication 0 at the scenario's seed."""
    customer = several.counterfactuals.to_arrow()["customer"][0].as_py()
    assert several.story.person == (customer, 0, shop.seed)


@pytest.mark.compiled
def test_counterfactuals__notebooks_name_causes_in_words(several: Kinds) -> None:
    """A notebook's table says who left, as sentences do, and no name of a cause."""
    shown = several.counterfactuals._repr_html_()
    causes = several.counterfactuals.necessary_by_cause()
    assert causes
    for cause in causes:
        assert f">{leavers(cause.name.lower())}<" in shown
        assert f">{cause.name.lower()}<" not in shown
