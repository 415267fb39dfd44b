"""Holds what gateways attest (schemas/attestation.py) against an archive: which batches no gateway can deny, and what does not fit.

Knows no file system. A batch's body is not decoded, but for heartbeats. A name under which the archive has several bodies, as that of a
forgery that was set aside beside the true batch, is attested if one of them is.
"""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice, product
from math import prod
from typing import Any, NamedTuple

import pyarrow as pa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from pipeline.archive import restored
from pipeline.body import Undecodable, rows_of
from schemas.attestation import Block, Number, digest, joined, read, signed_digest
from schemas.envelope import Envelope, EnvelopeError
from schemas.key_agreement import UnusableKey, public_key
from schemas.records import GatewayKey, Kind

_MOST_CHOICES = 1000
"""Of the bodies that names have so many combinations are tried."""
_COLUMNS = ["attested_batches", "attestation"]


class _Said(NamedTuple):
    """Is what one heartbeat attests."""

    heartbeat: str
    received_time: datetime | None
    text: str
    signature: str


@dataclass(slots=True, kw_only=True)
class OfGateway:
    """Says how the batches of a gateway stand; `faults` are sentences about what does not fit."""

    batches: int
    attested: set[Number] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def as_dict(self) -> Mapping[str, Any]:
        return {"batches": self.batches, "attested": len(self.attested), "faults": self.faults}


class Attestations:
    """Takes the entries of an archive, `add`, and judges once it has all of them, `judged`."""

    def __init__(self) -> None:
        self._digests = defaultdict[str, dict[Number, set[bytes]]](lambda: defaultdict(set))
        self._said = defaultdict[str, list[_Said]](list)

    def add(self, attributes: Mapping[str, str], body: bytes) -> None:
        """Takes an entry; one that is no batch is passed over."""
        own, received = restored(attributes)
        try:
            envelope = Envelope.parse(own)
        except EnvelopeError:
            return
        self._digests[envelope.gateway_id][envelope.epoch, envelope.seq].add(digest(own, body))
        if envelope.kind == Kind.HEARTBEATS:
            self._said[envelope.gateway_id] += (_Said(envelope.batch_id, received, *each) for each in _attested(body))

    def judged(self, registered: Iterable[GatewayKey]) -> dict[str, OfGateway]:
        """Returns what holds of each gateway, by its name. A signature counts by a key that was not revoked when the heartbeat came."""
        keys = defaultdict[str, list[GatewayKey]](list)
        for key in registered:
            keys[key.gateway_id].append(key)
        return {gateway: self._of_gateway(gateway, keys[gateway]) for gateway in sorted(self._digests)}

    def _of_gateway(self, gateway_id: str, keys: Sequence[GatewayKey]) -> OfGateway:
        digests = self._digests[gateway_id]
        found = OfGateway(batches=len(digests))
        for said in self._said[gateway_id]:
            if not any(_has_signed(key, said) for key in keys):
                found.faults.append(f"{said.heartbeat}: no key that the registry has of {gateway_id} signed what it attests")
                continue
            for each in _blocks(said, found.faults):
                if fault := _fault(each, digests):
                    found.faults.append(f"{said.heartbeat}: {fault}")
                else:
                    found.attested.update(each.numbers())
        return found


def _attested(body: bytes) -> Iterator[tuple[str, str]]:
    try:
        rows = rows_of(body)
    except Undecodable:
        return
    if set(_COLUMNS) <= set(rows.schema.names):
        for row in rows.select(_COLUMNS).cast(pa.schema([(name, pa.string()) for name in _COLUMNS])).to_pylist():
            if row["attested_batches"] and row["attestation"]:
                yield row["attested_batches"], row["attestation"]


def _blocks(said: _Said, faults: list[str]) -> list[Block]:
    try:
        return read(said.text)
    except ValueError as error:
        faults.append(f"{said.heartbeat}: what it attests cannot be read: {error}")
        return []


def _has_signed(key: GatewayKey, said: _Said) -> bool:
    if key.revoked_time and said.received_time and key.revoked_time <= said.received_time:
        return False
    try:
        signature = base64.b64decode(said.signature, validate=True)
        public_key(key.public_key).verify(signature, signed_digest(key.gateway_id, said.text), ECDSA(Prehashed(SHA256())))
    except (binascii.Error, UnusableKey, InvalidSignature):
        return False
    return True


def _fault(block: Block, digests: Mapping[Number, set[bytes]]) -> str | None:
    """Returns why the archive is not what a block says; None if it is."""
    missing = [number for number in block.numbers() if number not in digests][:1] if block.count <= len(digests) else [block.batches[:2]]
    if missing:
        return "the archive lacks {}:{}".format(*missing[0])
    bodies = [sorted(digests[number]) for number in block.numbers()]
    if any(joined(iter(chosen)) == block.sha256 for chosen in islice(product(*bodies), _MOST_CHOICES)):
        return None
    choices = prod(map(len, bodies))
    tried = f"; of {choices:,} combinations {_MOST_CHOICES:,} were tried" if choices > _MOST_CHOICES else ""
    return f"batches of {list(block.batches)} are not what it attests{tried}"
