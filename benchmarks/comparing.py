"""An older document beside a new one, as ratios of ratios.

Each ratio was taken within one run, against a contestant that does not change, so that
how fast the machine was that day falls out.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from churnsim.cli.bench_documents import (
    BenchDocument,
    ComparisonDocument,
    MachineDocument,
    RatioDocument,
)
from churnsim.errors import InputError, Problem

# Settings that ratios depend on; a quick desk is short, so that setting it up counts.
SAME = ("scenario", "policy", "customers", "years", "quick")


def read_old(path: Path) -> dict[str, Any]:
    """Return the document in a file.

    Raises:
        InputError: It is not there, or holds no document of `churnsim bench`.
    """
    hint = "give the bench.json that churnsim bench --out DIR wrote"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        for one in document["contestants"]:
            times = one["times_kernel"]
            _ = one["name"], one["part"]
            if times is not None and not min(_quartiles(times)) > 0.0:
                raise ValueError
        _ = [document["settings"][name] for name in SAME]
        _ = [document["machine"][name] for name in MachineDocument.__annotations__]
    except FileNotFoundError as error:
        raise InputError(Problem("must be there", str(path), hint=hint)) from error
    except OSError as error:
        rule = f"must be readable ({error.strerror})"
        raise InputError(Problem(rule, str(path), hint=hint)) from error
    except (ValueError, KeyError, TypeError) as error:
        rule = "must hold what churnsim bench --json prints"
        raise InputError(Problem(rule, str(path), hint=hint)) from error
    found: dict[str, Any] = document
    return found


def compared(
    file: str, old: Mapping[str, Any], new: BenchDocument
) -> ComparisonDocument:
    """Return how the ratios moved.

    Args:
        file: Where the old document stands, for its reader.
        old: What `read_old` returned.
        new: The one of now.
    """
    before = {(one["name"], one["part"]): one for one in old["contestants"]}
    warnings = _warnings(old, new)
    ratios: list[RatioDocument] = []
    for one in new["contestants"]:
        now = one["times_kernel"]
        then = before.get((one["name"], one["part"]), {}).get("times_kernel")
        if now is None:
            continue
        if then is None:
            warnings.append(
                f"{one['title']} ({one['part']}) is not in the old document"
            )
            continue
        old_lower, old_median, old_upper = _quartiles(then)
        ratios.append(
            {
                "contestant": one["name"],
                "part": one["part"],
                "old": old_median,
                "new": now["median"],
                "ratio": now["median"] / old_median,
                "low": now["lower"] / old_upper,
                "high": now["upper"] / old_lower,
            }
        )
    return {"file": file, "warnings": warnings, "ratios": ratios}


def _quartiles(spread: Mapping[str, float]) -> tuple[float, float, float]:
    return float(spread["lower"]), float(spread["median"]), float(spread["upper"])


def _warnings(old: Mapping[str, Any], new: BenchDocument) -> list[str]:
    """Return why ratios may have moved without churnsim's doing."""
    found = []
    for name in ("system", "processor", "cores"):
        then, now = old["machine"][name], new["machine"][name]
        if then != now:
            found.append(f"another machine: {name} was {then!r} and is {now!r}")
    versions = new["machine"]["versions"]
    for name, then in old["machine"]["versions"].items():
        if name != "churnsim" and versions.get(name, then) != then:
            found.append(f"another {name}: {then} then, {versions[name]} now")
    settings: Mapping[str, Any] = {**new["settings"]}
    for name in SAME:
        then, now = old["settings"][name], settings[name]
        if then != now:
            found.append(f"another question: {name} was {then} and is {now}")
    return found
