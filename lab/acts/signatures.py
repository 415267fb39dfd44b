"""Makes the keys by which the lab's gateways sign, as `tinybeam keys` does, and tells gateways, registry and pipeline of them.

They are in one folder beside the settings; what is there already is used again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from keys import pipeline_key
from keys.holder import Role
from lab.services.farm import FOLDER, Farm
from schemas.key_agreement import as_registered, private_keys
from schemas.records import GatewayKey
from schemas.registry_settings import ALWAYS


@dataclass(frozen=True, slots=True)
class LabKeys:
    """Holds the keys of a folder: `LabKeys(directory).settings("gateway-north")`."""

    directory: Path

    @property
    def pipeline_flag(self) -> str:
        """Returns the flag that names the pipeline's key."""
        return f"--signature_keys={self._pipeline()[0]}"

    def settings(self, gateway_id: str) -> str:
        """Returns [signatures] of a gateway's settings."""
        return f'\n[signatures]\npipeline_key_file = "{self._pipeline()[1]}"\nkey_file = "{self._key(gateway_id)}"\n'

    def registered(self, gateway_ids: Iterable[str]) -> tuple[GatewayKey, ...]:
        """Returns what the registry is to say of the gateways."""
        return tuple(
            GatewayKey(
                gateway_id=each, public_key=as_registered(private_keys(self._key(each).read_bytes())[0].public_key()), valid_from=ALWAYS
            )
            for each in gateway_ids
        )

    def register(self, registry: Path, gateway_ids: Iterable[str]) -> None:
        """Adds the gateways to a registry's file. Then all keys are there, whichever processes ask for them at once."""
        self._pipeline()
        entries = (
            f'\n[[gateways]]\ngateway_id = "{each.gateway_id}"\npublic_key = "{each.public_key}"\n' for each in self.registered(gateway_ids)
        )
        with registry.open("a") as file:
            file.writelines(entries)

    def _pipeline(self) -> tuple[Path, Path]:
        folder = self.directory / FOLDER
        private, public = folder / pipeline_key.PRIVATE, folder / pipeline_key.PUBLIC
        return (private, public) if private.exists() else pipeline_key.create(folder)

    def _key(self, gateway_id: str) -> Path:
        return Farm(self.directory).identity(gateway_id, Role.GATEWAY)
