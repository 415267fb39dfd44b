"""Writes rejects as files: a message as an export file of one entry, rows as an Arrow stream, a sensor's payload as it came.

Beside each lies a JSON file with all else that is known. Writing again writes the same files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.refused import STAGES
from pipeline.replay.contents import GATEWAY
from schemas.envelope import entry

_BYTES = ("payloadString", "payloadBytes")


def write(row: Mapping[str, Any], folder: Path) -> Path:
    """Writes a reject under folder/stage/reason, and returns the file with its bytes. Raises OSError."""
    place = folder / _name(row["stage"]) / _name(row["reason"])
    place.mkdir(parents=True, exist_ok=True)
    stem = place / _name(row["reject_id"])
    content, suffix = _content(row)
    path = stem.with_name(stem.name + suffix)
    path.write_bytes(content)
    known = {name: value for name, value in row.items() if name not in _BYTES}
    stem.with_name(stem.name + ".json").write_text(json.dumps(known, indent=2, default=str, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _content(row: Mapping[str, Any]) -> tuple[bytes, str]:
    body = bytes(row["payloadBytes"])
    if row["stage"] in STAGES:
        return entry({attribute["key"]: attribute["value"] for attribute in row["attributes"]}, body), ".tbb"
    return body, ".payload" if row["stage"].startswith(GATEWAY) else ".arrow"


def _name(text: str) -> str:
    """Returns a text as a name of a file: what a stranger wrote may not lead elsewhere."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", text).lstrip(".")[:128] or "-"
