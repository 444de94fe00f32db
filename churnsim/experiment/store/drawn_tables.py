"""Tables of results whose settings are drawn: the draws, and what they leave open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from churnsim.experiment.posterior.ignorance import Ignorance
    from churnsim.experiment.posterior.uncertain import Uncertain
    from churnsim.experiment.replications import Replications

TEXT, WHOLE, REAL = pa.string(), pa.int64(), pa.float64()
DEVIATIONS = ("total", "monte_carlo", "ignorance")  # as in `Uncertainty`
UNCERTAINTY = {
    **dict.fromkeys(("policy", "against", "other", "measure"), TEXT),
    **dict.fromkeys(DEVIATIONS, REAL),
    **dict.fromkeys((f"yearly_per_1000_{name}" for name in DEVIATIONS), REAL),
    **dict.fromkeys(("ignorance_share", "yearly_per_1000_ignorance_share"), REAL),
}


def draws_table(uncertain: Uncertain, results: Replications) -> pa.Table:
    """Return one row for each replication: its draw, counted from 1, and its values."""
    fields = uncertain.posterior.fields
    types = {"replication": WHOLE, "draw": WHOLE, **dict.fromkeys(fields, TEXT)}
    pairs = zip(results.finished, results.draws, strict=True)
    rows = [
        {"replication": n, "draw": draw + 1, **uncertain.posterior.settings(draw)}
        for n, draw in pairs
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema(types.items()))


def uncertainty_table(found: Ignorance) -> pa.Table:
    """Return one row for each loss: standard deviations by where they come from."""
    rows = []
    for item in found.losses:
        row = {
            "policy": item.policy,
            "against": item.against,
            "other": item.other,
            "measure": item.measure,
        }
        for head, value in (("", item.total), ("yearly_per_1000_", item.yearly)):
            if value is not None:
                told = value._asdict().items()
                row |= {f"{head}{name}": number for name, number in told}
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=pa.schema(UNCERTAINTY.items()))
