"""The validation pack: what is in it, and that a broken engine does not get through."""

import math
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from churnsim import simulation
from churnsim.cli.check import GROUPS as TYPED
from churnsim.engines.books import Books, Tally
from churnsim.engines.kernel.run import run_kernel
from churnsim.engines.reference.run import run_reference
from churnsim.errors import InputError
from churnsim.records import Elsewhere, Plan, Population
from churnsim.streams import Key
from churnsim.validation import (
    coverage,
    honesty,
    lifetimes,
    published,
    repurchase,
    twins,
    worlds,
)
from churnsim.validation.checks import Check, Finding, findings_of
from churnsim.validation.pack import GROUPS, Validation, checks_of, run_pack
from tests.experiment.known import known_revenue
from tests.oracles import closed_forms as forms
from tests.oracles import test_engine_lies as liars
from tests.oracles.closed_forms import TARP

pytestmark = pytest.mark.compiled

LABEL_MAX = 44  # columns: else the table is wider than a terminal


def failed(found: Validation) -> list[str]:
    """Return what did not come out."""
    return [finding.figure.what for finding in found.of("fail")]


def test_pack__has_every_group_and_no_figure_twice() -> None:
    """Groups are those that can be typed; each has figures, each with a source."""
    checks = checks_of()
    assert tuple(GROUPS) == TYPED
    assert list(dict.fromkeys(check.group for check in checks)) == list(GROUPS)
    named = [
        (check.group, check.source, figure.what)
        for check in checks
        for figure in check.figures
    ]
    assert len(set(named)) == len(named) >= 150
    assert all(check.source for check in checks)
    assert max(len(what) for _, _, what in named) <= LABEL_MAX


def test_pack__ends_where_the_engine_cannot_even_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What goes wrong as it is compiled fails figures; nobody waits for ever."""

    def broken(*_: object) -> None:
        raise RuntimeError("no engine")

    monkeypatch.setattr(worlds, "run", broken)
    monkeypatch.setattr(repurchase, "run", broken)
    answer: list[Validation] = []
    checks = checks_of(("tarp",))
    run = threading.Thread(
        target=lambda: answer.append(run_pack(checks, threads=1)), daemon=True
    )
    run.start()
    run.join(timeout=60.0)
    assert answer, "the pack does not end"
    assert len(failed(answer[0])) == sum(len(check.figures) for check in checks)


def test_pack__expects_what_closed_forms_from_outside_give() -> None:
    """Figures that the pack states are those of the tests' own closed forms."""
    discount = forms.Span(discount=math.log(1.1))
    for life in lifetimes.LIVES:
        recovery = forms.Recovery(life.voiced, life.settled, float(life.is_quick))
        leave = forms.leave_per_mistake(TARP["minor"], recovery)
        hazard = forms.thinned_hazard(0.15, 0.5, leave)
        assert life.hazard == pytest.approx(hazard, abs=5e-7)
        assert life.alive_1 == pytest.approx(forms.survival(hazard, 1), abs=5e-7)
        assert life.alive_3 == pytest.approx(forms.survival(hazard, 3), abs=5e-7)
        value = forms.lifetime_value(1200.0, hazard, discount)
        assert life.value == pytest.approx(value, abs=5e-5)
    assert {kind: tuple(row) for kind, row in TARP.items()} == repurchase.TARP
    damage = forms.market_damage(
        20_000, TARP["minor"], forms.Recovery(0.5, 0.5, 0.5), 500
    )
    silent, unresolved, resolved, quick = damage.cells
    assert [*repurchase.DAMAGED.values()] == [silent, unresolved, resolved + quick]
    assert (damage.customers, damage.money) == (repurchase.LOST, repurchase.MONEY)
    assert liars.break_even() == pytest.approx(honesty.BREAK_EVEN, abs=1e-5)
    slow = known_revenue("alike", "slow")
    loss = known_revenue("alike", "flawless") - slow
    assert coverage.known_loss() == pytest.approx(loss, rel=1e-9)


def test_pack__is_the_same_on_one_thread_and_on_three() -> None:
    """Who makes a check changes nothing; progress counts to the end."""
    checks = [*checks_of(("contacts",))[:2], *checks_of(("tarp",))[:3]]
    seen: list[tuple[int, int]] = []
    alone = run_pack(checks, threads=1)
    together = run_pack(checks, threads=3, progress=lambda *n: seen.append(n))
    assert alone == together
    assert seen == [(n, len(checks)) for n in range(1, len(checks) + 1)]
    assert alone.sentence() == f"all {len(alone.findings)} figures came out"
    assert failed(alone) == []


def test_pack__that_is_stopped_says_what_was_not_looked_at() -> None:
    """What is not finished is skipped, never passed."""
    stop = threading.Event()
    stop.set()
    found = run_pack(checks_of(("contacts",)), stop=stop)
    assert found.is_stopped
    assert found.sentence().startswith("no figure came out; ")
    assert {(f.verdict, f.reason) for f in found.findings} == {
        ("skipped", "interrupted")
    }


def test_pack__without_data_skips_what_needs_them() -> None:
    """Figures of data sets are skipped with their reason, all others come out."""
    found = run_pack(checks_of(("published",)))
    skipped = found.of("skipped")
    assert {f.source for f in skipped} == {
        published.CDNOW,
        published.BGNBD_FIT,
        published.GAMMA_GAMMA_FIT,
        published.IRANIAN,
    }
    assert all("no folder of data sets is named" in f.reason for f in skipped)
    assert len(found.of("pass")) == len(found.findings) - len(skipped) > 0
    assert f"; {len(skipped)} skipped" in found.sentence()


def test_pack__refuses_a_group_that_there_is_not() -> None:
    """An unknown group is named with those that there are."""
    with pytest.raises(InputError, match="must be one of closed-forms"):
        checks_of(("erlangs",))


def changed_kernel(
    monkeypatch: pytest.MonkeyPatch, part: str, name: str, factor: float
) -> None:
    """Let the kernel run with one setting of every market or policy times a factor."""

    def run(plan: Plan, *rest: Any) -> int:
        whole = getattr(plan, part)
        changed = whole._replace(**{name: getattr(whole, name) * factor})
        return run_kernel(plan._replace(**{part: changed}), *rest)

    monkeypatch.setattr(worlds, "run_kernel", run)
    monkeypatch.setitem(simulation.ENGINES, "kernel", run)


@pytest.mark.parametrize(
    ("group", "setting", "factor", "near"),
    [
        ("tarp", "market.stated_to_actual", 0.97, "major loss, silent"),
        ("closed-forms", "market.mistake_probability", 0.9, "slow, lost to mistakes"),
        ("closed-forms", "market.discount", 1.05, "sBG, residual before renewal 8"),
        ("contacts", "policy.fob_off", 0.98, "contacts a case, FCR 0.48"),
        ("honesty", "market.placated", 1.2, "stay: lies found out"),
        ("repeated", "market.stated_to_actual", 0.8, "late again: stay"),
        ("orderings", "market.double", 0.5, "K3 leave: soon again over late again"),
        ("intervals", "market.stated_to_actual", 0.8, "hold the loss"),
    ],
)
def test_pack__catches_an_engine_that_is_a_little_wrong(
    group: str,
    setting: str,
    factor: float,
    near: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One setting that the kernel gets wrong turns a verdict of the right group."""
    part, _, name = setting.partition(".")
    changed_kernel(monkeypatch, part, name, factor)
    checks = [c for c in checks_of((group,)) if any(near in f.what for f in c.figures)]
    assert any(near in what for what in failed(run_pack(checks)))


def findings(checks: tuple[Check, ...]) -> Iterator[Finding]:
    """Yield what checks find, one after the other."""
    for check in checks:
        yield from findings_of(check)


def test_pack__catches_an_engine_that_counts_one_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A single entry by which the engines differ fails the twins of that scenario."""

    def run(
        plan: Plan,
        people: Population,
        key: Key,
        replication: int,
        books: Books,
        elsewhere: Elsewhere | None = None,
    ) -> int:
        n_events = run_reference(plan, people, key, replication, books, elsewhere)
        books.tally[Tally.VOICED] += 1
        return n_events

    monkeypatch.setitem(simulation.ENGINES, "reference", run)
    (check,) = (c for c in twins.checks() if "ecommerce" in c.figures[0].what)
    (found,) = findings((check,))
    assert found.verdict == "fail"
    assert found.seen is not None
    assert found.seen.value >= 1.0
