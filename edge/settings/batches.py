"""Declares [batches] and [store]: how rows are cut, and how many bytes of them are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from program.settings import Secret, Settings, require, setting
from schemas.records import SCHEMA_VERSION
from schemas.releases import SCHEMA_VERSIONS, EarlierPipeline

DAY = 86_400


class BatchSettings(Settings, frozen=True, kw_only=True):
    """Sets how rows are cut into batches."""

    seconds: Annotated[int, setting("Least time between two cuts; events do not wait. 0: as windows.seconds", ge=0, le=7 * DAY)] = 900
    max_rows: Annotated[int, setting("Most rows of a batch", ge=1, le=100_000)] = 20_000
    for_pipeline: Annotated[
        EarlierPipeline | None,
        setting(
            "Release of the pipeline, while it is an earlier one than the gateway's: batches are then written as it reads them. "
            "None: the gateway's own",
            example="0.2",
            since="0.3.0",
        ),
    ] = None

    @property
    def schema_version(self) -> str:
        """Returns the version of the records that batches are written in."""
        return SCHEMA_VERSIONS[self.for_pipeline] if self.for_pipeline else SCHEMA_VERSION


class StoreSettings(Settings, frozen=True, kw_only=True):
    """Bounds what the gateway keeps on disk."""

    max_bytes: Annotated[
        int,
        setting(
            "Bound on disk. When it is reached the oldest batches of the lowest priority go, and the ledger says which",
            ge=16 << 20,
            le=1 << 44,
        ),
    ] = 512 << 20
    encryption_key_file: Annotated[
        Path | None,
        setting(
            "A secret file: what is on disk is encrypted under its key (32 bytes in base64), and is lost with it. "
            "While a new key follows an old one, the new one is in the first line and the old one in the second. "
            "`${CREDENTIALS_DIRECTORY}/store.key` is a credential of systemd",
            example="store.key",
            since="0.3.0",
        ),
    ] = None
    encryption_key: Annotated[
        Secret | None, setting("The key itself, from the environment", example="${TINYBEAM_STORE_KEY}", since="0.3.0")
    ] = None

    def __post_init__(self) -> None:
        require(not (self.encryption_key and self.encryption_key_file), "encryption_key_file is set, and encryption_key too: one is enough")
