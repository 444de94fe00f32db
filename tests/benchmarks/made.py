"""A document as `churnsim bench` prints it, with planted figures."""

import copy
from typing import Any

from churnsim.cli.bench_documents import BenchDocument


def spread(median: float) -> Any:
    """Return repeats whose quartiles lie a tenth to either side."""
    return {
        "low": 0.8 * median,
        "lower": 0.9 * median,
        "median": median,
        "upper": 1.1 * median,
        "high": 1.2 * median,
        "n": 5,
    }


def contestant(name: str, times: float | None, part: str = "model") -> Any:
    """Return a contestant that the kernel beats so many times."""
    return {
        "name": name,
        "title": f"the {name}",
        "part": part,
        "customers": 100,
        "work": 90.0,
        "events": None,
        "seconds": spread(2.0),
        "speed": spread(45.0),
        "events_per_second": None,
        "times_kernel": None if times is None else spread(times),
    }


def document(simpy: float, ciw: float) -> BenchDocument:
    """Return a document in which the kernel beats SimPy and Ciw so many times."""
    made: BenchDocument = {
        "document_version": 1,
        "sentence": "It is fast.",
        "machine": {
            "system": "Linux x86_64",
            "processor": "abacus",
            "cores": 2,
            "versions": {"python": "3.11.7", "churnsim": "0.1.0"},
        },
        "settings": {
            "scenario": "telecom",
            "policy": "slow",
            "customers": 100,
            "years": 1.0,
            "rounds": 5,
            "checks": 8,
            "quick": True,
        },
        "agreement": [
            {
                "contestant": "simpy",
                "rule": "law",
                "customers": 50,
                "replications": 8,
                "events": None,
                "answers": ["revenue", "kept"],
                "distances": [0.5, -1.5],
                "bound": 7.9,
            }
        ],
        "contestants": [
            contestant("kernel", None),
            contestant("simpy", simpy),
            contestant("kernel", None, "desk"),
            contestant("ciw", ciw, "desk"),
        ],
        "starts": [
            {
                "contestant": "kernel",
                "what": "cold",
                "seconds": 12.5,
                "peak_bytes": 250_000_000,
            }
        ],
        "left_out": [{"name": "native", "reason": "there is no compiler"}],
        "comparison": None,
    }
    return copy.deepcopy(made)
