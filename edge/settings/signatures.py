"""Declares [signatures]: the keys by which batches are signed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from program.settings import Settings, require, setting


class SignatureSettings(Settings, frozen=True, kw_only=True):
    """Names the keys by which the gateway signs each batch that it sends, so that the pipeline knows that nobody else has made it."""

    pipeline_key_file: Annotated[
        Path | None,
        setting(
            "Public key of the pipeline (PEM, P-256). None: batches are not signed, and a pipeline refuses them unless it is told not to",
            example="pipeline.pub",
            since="0.3.0",
        ),
    ] = None
    key_file: Annotated[
        Path | None,
        setting(
            "The gateway's private key (PEM, P-256), readable by it alone; the registry has the public one. None: mqtt.tls_key",
            example="gateway.key",
            since="0.3.0",
        ),
    ] = None

    def __post_init__(self) -> None:
        require(self.pipeline_key_file or not self.key_file, "key_file needs pipeline_key_file, for whom batches are signed")


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """Names a gateway and the files of its private key and of the pipeline's public one."""

    gateway_id: str
    key_file: Path
    pipeline_key_file: Path
