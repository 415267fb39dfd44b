"""Signs batches when they are sent, by a key on which a child process agrees (edge.uplink.signing_child).

Guarantees that a key that is renewed on disk signs the next batch, those of the backlog included, without a restart; what cannot be read
meanwhile is told, and the key of before signs on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from edge.settings.signatures import SigningKeys
from edge.store.store import OutboxBatch
from edge.uplink.limits import Wire
from program import logs
from program.child import ChildFailed, answer
from program.files import FileState, file_state
from program.settings import ConfigError
from schemas.signature import SIGNATURE_BYTES, AgreedKey

_CHILD_SECONDS = 60.0

_log = logs.get(__name__)

Sign = Callable[[Sequence[OutboxBatch]], list[OutboxBatch]]
"""Returns the batches with their signatures."""


def unsigned(batches: Sequence[OutboxBatch]) -> list[OutboxBatch]:
    """Returns the batches as they are: for a gateway without keys."""
    return list(batches)


def signing(keys: SigningKeys | None) -> Sign:
    """Returns what signs by these keys. Raises ConfigError for keys that cannot be used."""
    return Signer(keys).signed if keys else unsigned


class Signer:
    """Signs for one thread: `Signer(keys).signed(batches)`."""

    def __init__(self, keys: SigningKeys) -> None:
        """Raises ConfigError."""
        self._keys = keys
        self._seen = self._state()
        self._agreed = agreed(keys)

    def signed(self, batches: Sequence[OutboxBatch]) -> list[OutboxBatch]:
        self._follow()
        return [replace(each, signature=self._agreed.signature(each.envelope.attributes(), each.body)) for each in batches]

    def _follow(self) -> None:
        """Takes keys that have changed on disk."""
        state = self._state()
        if state == self._seen:
            return
        self._seen = state
        try:
            self._agreed = agreed(self._keys)
        except ConfigError as error:
            _log.error("%s; batches are signed by the key of before", error)
        else:
            _log.info("batches are signed by the key that is in %s now", self._keys.key_file)

    def _state(self) -> list[FileState | None]:
        return [file_state(file) for file in (self._keys.key_file, self._keys.pipeline_key_file)]


def signed_wire(wire: Wire) -> Wire:
    """Returns what counts batches that wait as they will be sent: with a signature."""
    return replace(wire, message=lambda batch: wire.message(replace(batch, signature=bytes(SIGNATURE_BYTES))))


def agreed(keys: SigningKeys) -> AgreedKey:
    """Has a child agree on the key. Raises ConfigError."""
    files = f"signatures.key_file {keys.key_file} with signatures.pipeline_key_file {keys.pipeline_key_file}"
    arguments = str(keys.key_file), str(keys.pipeline_key_file), keys.gateway_id
    try:
        made = json.loads(answer("edge.uplink.signing_child", *arguments, seconds=_CHILD_SECONDS))
    except ChildFailed as error:
        raise ConfigError(f"{files}: {error}") from error
    return AgreedKey(bytes.fromhex(made["hints"]), bytes.fromhex(made["secret"]))
