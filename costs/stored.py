"""Says how large rows are in BigQuery."""

from __future__ import annotations

STORED_BYTES = {"summaries": 220, "heartbeats": 230, "batches": 150, "site_windows": 120, "dirty_windows": 65}
"""Logical bytes of a row as BigQuery counts them, with names of some ten letters, rounded up."""
