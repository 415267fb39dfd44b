"""Reads the bytes that every released version wrote of a state: golden/NAME.vVERSION.hex. A file there is never changed."""

from __future__ import annotations

from pathlib import Path


def golden(name: str, version: int | str) -> bytes:
    return bytes.fromhex((Path(__file__).parent / "golden" / f"{name}.v{version}.hex").read_text())
