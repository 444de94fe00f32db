"""The guard's times in the form of pytest-benchmark's JSON, for those who track that.

`pytest-benchmark compare FILE` reads it, and so do services that draw such files.
"""

import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from benchmarks.common import ROOT
from benchmarks.measuring import spread_of
from benchmarks.ratios import Ratio

VERSION = "5.3.1"  # of pytest-benchmark, whose form this is
FENCE = 1.5  # quartiles apart: what is further out is an outlier


def tracked(ratio: Ratio, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document: kernel and twin, each with its seconds by round.

    Args:
        ratio: What was timed.
        extra: What else is known of the kernel, such as its counts of work.
    """
    timed = (
        ("kernel", ratio.kernel_seconds, ratio.kernel_years),
        ("twin", ratio.twin_seconds, ratio.twin_years),
    )
    return {
        "machine_info": _machine_info(ratio),
        "commit_info": _commit_info(),
        "benchmarks": [
            _benchmark(
                name,
                seconds,
                {
                    "customer_years": years,
                    **(
                        {"times_twin": ratio.spread, **extra}
                        if name == "kernel"
                        else {}
                    ),
                },
            )
            for name, seconds, years in timed
        ],
        "datetime": datetime.now(UTC).isoformat(),
        "version": VERSION,
    }


def _benchmark(
    name: str, seconds: Sequence[float], extra: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "group": "guard",
        "name": name,
        "fullname": f"benchmarks/ratios.py::{name}",
        "params": None,
        "param": None,
        "extra_info": dict(extra),
        "options": {
            "disable_gc": False,
            "timer": "process_time",
            "min_rounds": len(seconds),
            "warmup": True,
        },
        "stats": _stats(seconds),
    }


def _stats(seconds: Sequence[float]) -> dict[str, Any]:
    spread = spread_of(seconds)
    times = np.array(seconds)
    apart = spread["upper"] - spread["lower"]
    low, high = spread["lower"] - FENCE * apart, spread["upper"] + FENCE * apart
    mean, deviation = float(times.mean()), float(times.std(ddof=1))
    within = times[(times >= low) & (times <= high)]
    far = int(np.count_nonzero(np.abs(times - mean) > deviation))
    outside = len(times) - len(within)
    return {
        "min": spread["low"],
        "max": spread["high"],
        "mean": mean,
        "stddev": deviation,
        "rounds": len(seconds),
        "median": spread["median"],
        "iqr": apart,
        "q1": spread["lower"],
        "q3": spread["upper"],
        "iqr_outliers": outside,
        "stddev_outliers": far,
        "outliers": f"{far};{outside}",
        "ld15iqr": float(within.min()),
        "hd15iqr": float(within.max()),
        "ops": 1.0 / mean,
        "total": float(times.sum()),
        "data": list(seconds),
        "iterations": 1,
    }


def _machine_info(ratio: Ratio) -> dict[str, Any]:
    return {
        "node": platform.node(),
        "processor": platform.processor(),
        "machine": platform.machine(),
        "python_compiler": platform.python_compiler(),
        "python_implementation": platform.python_implementation(),
        "python_implementation_version": platform.python_version(),
        "python_version": platform.python_version(),
        "python_build": list(platform.python_build()),
        "release": platform.release(),
        "system": platform.system(),
        "cpu": {
            "brand_raw": ratio.machine["processor"],
            "count": ratio.machine["cores"],
        },
    }


def _commit_info() -> dict[str, Any]:
    """Return the commit that a checkout stands at; elsewhere there is none."""
    found: dict[str, Any] = {
        "id": _git("rev-parse", "HEAD") or "unversioned",
        "time": _git("show", "-s", "--format=%cI"),
        "author_time": _git("show", "-s", "--format=%aI"),
        "dirty": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "project": "churnsim",
        "branch": _git("rev-parse", "--abbrev-ref", "HEAD") or "(unknown)",
    }
    return found


def _git(*words: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run(  # noqa: S603 - git itself
        [git, "-C", str(ROOT), *words], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or None if done.returncode == 0 else None
