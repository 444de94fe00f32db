"""Results on disk: written whole or not at all, and found out if they change."""

from churnsim.experiment.store.extending import Extension, extend_results
from churnsim.experiment.store.manifest import Manifest, read_manifest
from churnsim.experiment.store.markdown import markdown_text
from churnsim.experiment.store.reading import RESTORE, doubts, read_results
from churnsim.experiment.store.tables import csv_text, parquet_bytes
from churnsim.experiment.store.verifying import Verification, verify_results
from churnsim.experiment.store.writing import write_results

__all__ = [
    "write_results",
    "extend_results",
    "read_manifest",
    "read_results",
    "doubts",
    "verify_results",
    "csv_text",
    "parquet_bytes",
    "markdown_text",
    "RESTORE",
    "Manifest",
    "Extension",
    "Verification",
]
