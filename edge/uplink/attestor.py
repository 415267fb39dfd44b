"""Attests batches that have arrived: a heartbeat says which, under the gateway's own signature (schemas/attestation.py).

A child signs (edge.uplink.attesting_child), beside everything else and ahead of the next heartbeat, so that no cut waits for it: a
heartbeat attests what had arrived by the one before it. Guarantees that what was noted is in a heartbeat that was cut, also if the process
is killed meanwhile: what is noted is kept in a section of the store, which each confirmation commits. An orderly stop attests what has
arrived by then. What is attested once more is no harm.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Protocol

import msgspec

from edge.settings.signatures import SigningKeys
from edge.store.section import Section
from edge.store.store import OutboxBatch
from program import logs
from program.child import ChildFailed, answer
from schemas.attestation import Block, Number, block, digest, signed_digest, written

SECTION = "attested"
"""Is the name of the section of the store."""
_CHILD_SECONDS = 60.0
BLOCK_BATCHES = 4096
"""A backlog that drains is hashed in blocks of so many: what is noted stays small."""
HEARTBEAT_BLOCKS = 64
"""A heartbeat carries so many at most; the others wait for the next."""

_log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Attestation:
    """Holds blocks as they are written, and the signature of them in base64: what a heartbeat says."""

    batches: str | None = None
    signature: str | None = None


_NOTHING = Attestation()


class _Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """Is what the section keeps under a number: batches with their digests, or a block of them."""

    digests: tuple[tuple[int, int, bytes], ...] = ()
    block: Block | None = None


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Is a block that no heartbeat has carried, and where the section keeps what it is made of."""

    block: Block
    rows: Sequence[str]


class Attests(Protocol):
    """Is told by the uplink's thread what has arrived, and asked by the core's what a heartbeat says."""

    @property
    def section(self) -> Section:
        """Returns what a confirmation is to commit, by the uplink's thread."""

    @property
    def ready(self) -> Attestation:
        """Returns what the next heartbeat is to say."""

    def mark_cut(self, carried: Attestation) -> None:
        """Is told that a heartbeat that says so was cut."""

    def note(self, batches: Sequence[OutboxBatch]) -> None:
        """Is told that batches have arrived."""

    def attest(self) -> None:
        """Signs for what was noted, and waits for it."""


class NoAttestor:
    """Attests nothing: for a gateway without keys."""

    ready, section = _NOTHING, Section(SECTION)

    def mark_cut(self, carried: Attestation) -> None: ...
    def note(self, batches: Sequence[OutboxBatch]) -> None: ...
    def attest(self) -> None: ...


class Attestor:
    """Attests by a gateway's key: `attestor.note(batches)`, and for each heartbeat `attestor.ready` and `attestor.mark_cut`."""

    def __init__(
        self,
        keys: SigningKeys,
        sign: Callable[[SigningKeys, bytes], str] | None = None,
        block_batches: int = BLOCK_BATCHES,
        section: Section | None = None,
    ) -> None:
        """Goes on with what the section has of a process that ended."""
        self._keys, self._sign, self._block_batches = keys, sign or _signature_of_child, block_batches
        self.section = section or Section(SECTION)
        self._lock, self._signing = threading.Lock(), threading.Lock()
        self._noted, self._noted_rows = dict[Number, bytes](), list[str]()
        self._blocks: list[_Waiting] = []
        self._signed: Sequence[_Waiting] = ()
        self._carried_rows: list[str] = []
        self._ready = _NOTHING
        self._resume()

    @property
    def ready(self) -> Attestation:
        return self._ready

    def note(self, batches: Sequence[OutboxBatch]) -> None:
        digests = {(each.envelope.epoch, each.envelope.seq): digest(each.envelope.attributes(), each.body) for each in batches}
        with self._lock:
            self._forget(self._carried_rows)
            self._noted_rows.append(self._keep(_Row(tuple((*number, value) for number, value in digests.items()))))
            self._noted.update(digests)
            if len(self._noted) >= self._block_batches:
                self._keep_block()

    def mark_cut(self, carried: Attestation) -> None:
        with self._lock:
            if carried is self._ready:
                self._carried_rows += [row for each in self._signed for row in each.rows]
                self._signed, self._ready = (), _NOTHING
        threading.Thread(target=self._attest_ahead, name="attestor", daemon=True).start()

    def attest(self) -> None:
        """Keeps what it could not sign for: after the next heartbeat it is tried again."""
        with self._signing:
            self._attest()

    def _attest_ahead(self) -> None:
        """Leaves alone what the next heartbeat has already."""
        with self._signing:
            if self._ready is _NOTHING:
                self._attest()

    def _attest(self) -> None:
        blocks = self._taken()
        if not blocks:
            return
        text = written([each.block for each in blocks])
        try:
            signature = self._sign(self._keys, signed_digest(self._keys.gateway_id, text))
        except ChildFailed as error:
            _log.error("batches that have arrived are not attested yet: %s: %s", self._keys.key_file, error)
            with self._lock:
                self._blocks = [*blocks, *self._blocks]
            return
        with self._lock:
            self._signed, self._ready = blocks, Attestation(text, signature)

    def _taken(self) -> Sequence[_Waiting]:
        """Takes the blocks of the next heartbeat, those among them that it has and that no heartbeat has carried."""
        with self._lock:
            self._close_block()
            waiting = [*self._signed, *self._blocks]
            self._signed, self._ready, self._blocks = (), _NOTHING, waiting[HEARTBEAT_BLOCKS:]
            return waiting[:HEARTBEAT_BLOCKS]

    def _close_block(self) -> None:
        if self._noted:
            self._blocks.append(_Waiting(block(self._noted), self._noted_rows))
            self._noted, self._noted_rows = {}, []

    def _keep_block(self) -> None:
        """Keeps a block instead of the digests that it is made of."""
        self._close_block()
        closed = self._blocks.pop()
        self._forget(list(closed.rows))
        self._blocks.append(_Waiting(closed.block, [self._keep(_Row(block=closed.block))]))

    def _keep(self, row: _Row) -> str:
        name = str(next(self._names))
        self.section.set(name, msgspec.json.encode(row))
        return name

    def _forget(self, rows: list[str]) -> None:
        for row in rows:
            self.section.set(row, None)
        rows.clear()

    def _resume(self) -> None:
        kept = self.section.parsed(lambda value: msgspec.json.decode(value, type=_Row))
        for name, row in kept.items():
            if row.block:
                self._blocks.append(_Waiting(row.block, [name]))
            else:
                self._noted.update({(epoch, number): value for epoch, number, value in row.digests})
                self._noted_rows.append(name)
        self._names = count(max(map(int, kept), default=0) + 1)


def attesting(keys: SigningKeys | None, section: Section | None = None) -> Attests:
    """Returns what attests by the gateway's key, if it has one for it."""
    return Attestor(keys, section=section) if keys else NoAttestor()


def _signature_of_child(keys: SigningKeys, digest: bytes) -> str:
    """Raises ChildFailed."""
    return answer("edge.uplink.attesting_child", str(keys.key_file), digest.hex(), seconds=_CHILD_SECONDS).strip()
