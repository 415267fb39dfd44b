"""Signs batches when they are sent, by a key on which a child process agrees (edge.uplink.signing_child).

Guarantees that a key that is renewed on disk signs the next batch, those of the backlog included, without a restart; what cannot be read
meanwhile is told, and the key of before signs on.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from edge.settings.signatures import SigningKeys
from edge.store.store import OutboxBatch
from edge.uplink.limits import Wire
from program import logs
from program.child import environment, python_module
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

    def _state(self) -> list[tuple[int, int, int] | None]:
        return [_state(file) for file in (self._keys.key_file, self._keys.pipeline_key_file)]


def signed_wire(wire: Wire) -> Wire:
    """Returns what counts batches that wait as they will be sent: with a signature."""
    return replace(wire, message=lambda batch: wire.message(replace(batch, signature=bytes(SIGNATURE_BYTES))))


def agreed(keys: SigningKeys) -> AgreedKey:
    """Has a child agree on the key. Raises ConfigError."""
    files = f"signatures.key_file {keys.key_file} with signatures.pipeline_key_file {keys.pipeline_key_file}"
    command = python_module("edge.uplink.signing_child", str(keys.key_file), str(keys.pipeline_key_file), keys.gateway_id)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_CHILD_SECONDS, check=False, env=environment())
    except subprocess.TimeoutExpired as late:
        raise ConfigError(f"{files}: no key within {_CHILD_SECONDS:.0f} s") from late
    if done.returncode:
        raise ConfigError(f"{files}: {(done.stderr.strip().splitlines() or [f'exit status {done.returncode}'])[-1]}")
    made = json.loads(done.stdout)
    return AgreedKey(bytes.fromhex(made["hints"]), bytes.fromhex(made["secret"]))


def _state(file: Path) -> tuple[int, int, int] | None:
    """Returns what differs once a file was written or replaced; None if it cannot be seen."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
