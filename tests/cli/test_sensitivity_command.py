"""`sensitivity`, `discover` and `surface` as a user types them, on a real sweep."""

import csv
import json
import shlex
from pathlib import Path

import jsonschema
import pytest

from churnsim.cli.described import schema_of
from churnsim.cli.outputs import documents
from tests.cli.conftest import ROOT, Answer, Command
from tests.experiment.conftest import SHOP

SWEEP = """\
title = "=cmd|x <script>alert(1)</script>"
scenario = "shop.toml"
policies = ["empowered", "slow", "dishonest"]
replications = 3
seed = 3

[design]
{design}

[[factor]]
field = "market.discovery"
{discovery}

[[factor]]
field = "market.lock_in"
{lock_in}
"""
RANGES = ('low = "5 %"\nhigh = "60 %"', "low = 0.0\nhigh = 2.0")
VALUES = ('values = ["5 %", "30 %", "60 %"]', "values = [0.0, 1.0, 2.0]")
DESIGNS = {
    "saltelli": ('kind = "saltelli"\npoints = 8', RANGES),
    "morris": ('kind = "morris"\ntrajectories = 4', RANGES),
    "latin_hypercube": ('kind = "latin_hypercube"\npoints = 30', RANGES),
    "grid": ('kind = "grid"', VALUES),
}
FIELDS = ("--x", "market.discovery", "--y", "market.lock_in")


@pytest.fixture
def swept(churnsim: Command, tmp_path: Path) -> Command:
    """Return what sweeps a small shop by a design into the folder `swept`."""
    (tmp_path / "shop.toml").write_text(SHOP, encoding="utf-8")

    def sweep(design: str) -> Answer:
        head, factors = DESIGNS[design]
        text = SWEEP.format(design=head, discovery=factors[0], lock_in=factors[1])
        (tmp_path / "file.toml").write_text(text, encoding="utf-8")
        answer = churnsim("sweep", "file.toml", "--out", "swept")
        assert answer.code == 0, answer.err
        return answer

    return sweep


@pytest.mark.compiled
@pytest.mark.parametrize("design", DESIGNS)
def test_analyses__of_each_design_answer(
    design: str, swept: Command, churnsim: Command, tmp_path: Path
) -> None:
    """Text, document, table and picture of all three, and the page, without markup."""
    swept(design)
    for command, more in (("sensitivity", ()), ("discover", ()), ("surface", FIELDS)):
        answer = churnsim(command, "swept", *more, "--policy", "slow")
        assert answer.code == 0, answer.err
        assert "slow loses against empowered" in " ".join(answer.out.split())
        again = answer.out.strip().splitlines()[-1].split(maxsplit=1)[1]
        assert churnsim(*shlex.split(again)).out == answer.out
        printed = churnsim(command, "swept", *more, "--json")
        document = json.loads(printed.out)
        jsonschema.validate(document, schema_of(documents()[command]))
        assert document["design"] == design
        files = ("--out", f"{command}.csv", "--plot", f"{command}.svg")
        written = churnsim(command, "swept", *more, *files)
        assert written.code == 0, written.err
        svg = tmp_path / f"{command}.svg"
        if not document.get("factors", document.get("cells", document.get("boxes"))):
            assert "there is nothing to draw" in written.err
            continue
        assert "<script>" not in svg.read_text(encoding="utf-8")
        with (tmp_path / f"{command}.csv").open(encoding="utf-8") as file:
            n_rows = len(list(csv.DictReader(file)))
        assert n_rows >= 1
    page = churnsim("report", "swept", "--out", "page.html")
    assert page.code == 0, page.err
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script>alert" not in text
    for anchor in ("varied", "sensitivity", "discovery", "surface", "origin"):
        assert f'<section id="{anchor}"' in text


@pytest.mark.parametrize("command", ["sensitivity", "discover", "surface"])
def test_analyses__json_keys_are_on_the_page(command: str) -> None:
    """docs/sensitivity.md lists every key of each document and of what is in it."""
    page = (ROOT / "docs" / "sensitivity.md").read_text(encoding="utf-8")
    told = page.partition("## The JSON documents")[2]
    schema = schema_of(documents()[command])
    common = {"Index", "Estimate"}  # told with every document
    records = [part for name, part in schema["$defs"].items() if name not in common]
    for record in (schema, *records):
        assert all(f"`{key}`" in told for key in record["properties"])


@pytest.mark.compiled
def test_analyses__refuse_plainly(
    swept: Command, churnsim: Command, tmp_path: Path
) -> None:
    """A wrong folder, factor, policy, outcome, amount or file is told with its cure."""
    swept("grid")
    (tmp_path / "old.csv").write_text("mine", encoding="utf-8")
    cases = (
        (("sensitivity", "nowhere"), "must be a folder of a sweep"),
        (("sensitivity", "."), "must hold a sweep"),
        (("sensitivity", "swept", "--of", "revenu"), "did you mean 'revenue'"),
        (("sensitivity", "swept", "--policy", "slwo"), "--policy: must be a policy"),
        (("discover", "swept", "--below", "much"), '--below: must be an amount'),
        (("discover", "swept", "--below", "1", "--above", "2"), "choose one"),
        (("discover", "swept", "--density", "1.5"), "--density"),
        (("surface", "swept", "--x", "market.discovry", *FIELDS[2:]), "--x: must be"),
        (("surface", "swept", *FIELDS[:2], "--y", FIELDS[1]), "must be two factors"),
        (("surface", "swept", *FIELDS, "--plot", "a.pdf"), "must end in .svg or .png"),
        (("surface", "swept", *FIELDS, "--out", "old.csv"), "must not exist yet"),
    )  # fmt: skip
    for arguments, told in cases:
        answer = churnsim(*arguments)
        assert (answer.code, answer.out) == (2, ""), arguments
        assert told in answer.err, answer.err
    assert (tmp_path / "old.csv").read_text(encoding="utf-8") == "mine"


@pytest.mark.compiled
def test_sensitivity__of_wages_is_in_closed_form(
    churnsim: Command, tmp_path: Path
) -> None:
    """Simulated, contribution falls linearly with two wages: indices are 0.1, 0.9.

    One agent and one supervisor are paid all year, $1 to $3 and $1 to $7 an hour, so
    variances are as 2² to 6².
    """
    (tmp_path / "shop.toml").write_text(SHOP, encoding="utf-8")
    factors = "".join(
        f'[[factor]]\nfield = "costs.{who}_pay"\n'
        f'low = "$1/hour"\nhigh = "${top}/hour"\n'
        for who, top in (("agent", 3), ("supervisor", 7))
    )
    text = (
        'scenario = "shop.toml"\npolicies = ["empowered", "slow"]\nreplications = 2\n'
        f'[design]\nkind = "saltelli"\npoints = 64\n{factors}'
    )
    (tmp_path / "wages.toml").write_text(text, encoding="utf-8")
    assert churnsim("sweep", "wages.toml", "--out", "wages").code == 0
    asked = ("--of", "contribution", "--policy", "slow", "--alone", "--json")
    document = json.loads(churnsim("sensitivity", "wages", *asked).out)
    found = {factor["factor"]: factor for factor in document["factors"]}
    for who, share in (("agent", 0.1), ("supervisor", 0.9)):
        for measure in ("first", "total"):
            index = found[f"costs.{who}_pay"][measure]
            assert index["value"] == pytest.approx(share, abs=0.05)
            assert index["low"] <= share <= index["high"]
    assert document["noise_share"] == pytest.approx(0.0, abs=1e-6)
