"""Signs batches and checks signatures: a MAC by a key that a gateway and the pipeline agree on (schemas/key_agreement.py).

A signature has SIGNATURE_BYTES: a hint at the gateway's key, a hint at the pipeline's, and the first half of HMAC-SHA256 over the
attributes of the envelope, a line each in the order of its fields, and the body. In attributes it is written in hexadecimal, as ATTRIBUTE.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import itemgetter

from schemas.envelope import Envelope

ATTRIBUTE = "signature"
"""Attribute of a message whose envelope is not folded."""

HINT_BYTES = 2
_MAC_BYTES = 16
SIGNATURE_BYTES = HINT_BYTES + _MAC_BYTES

_SIGNED = tuple(each.name for each in fields(Envelope))
_NAMES = frozenset(_SIGNED)
_signed_values = itemgetter(*_SIGNED)
_BLOCK_BYTES = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


@dataclass(frozen=True, slots=True)
class AgreedKey:
    """Holds the key of one gateway's key and one of the pipeline's: `key.signature(envelope.attributes(), body)`."""

    hints: bytes
    """The first byte of the fingerprint of the gateway's key, then of the pipeline's."""
    secret: bytes = field(repr=False)
    _begun: tuple[hashlib._Hash, hashlib._Hash] = field(init=False, repr=False, compare=False)
    """The inner and the outer hash of HMAC (RFC 2104) once they have the key: half of the time of a short message."""

    def __post_init__(self) -> None:
        block = self.secret.ljust(_BLOCK_BYTES, b"\0")
        begun = tuple(hashlib.sha256(block.translate(pad)) for pad in (_INNER, _OUTER))
        object.__setattr__(self, "_begun", begun)

    def signature(self, attributes: Mapping[str, str], body: bytes) -> bytes:
        """Returns the signature of a batch. Raises KeyError if an attribute of its envelope is missing."""
        return self.hints + self._mac(attributes, body)

    def has_signed(self, signature: bytes, attributes: Mapping[str, str], body: bytes) -> bool:
        """Says whether this is the signature of the batch, in a time that does not depend on where they differ."""
        return hmac.compare_digest(signature, self.signature(attributes, body))

    def _mac(self, attributes: Mapping[str, str], body: bytes) -> bytes:
        inner, outer = self._begun[0].copy(), self._begun[1].copy()
        inner.update(signed_bytes(attributes, body))
        outer.update(inner.digest())
        return outer.digest()[:_MAC_BYTES]


def signed_bytes(attributes: Mapping[str, str], body: bytes) -> bytes:
    """Returns all that a batch is: its envelope and its body. Raises KeyError if an attribute of its envelope is missing."""
    return b"%b\n%b" % ("\n".join(_signed_values(attributes)).encode(), body)


def is_signable(attributes: Mapping[str, str]) -> bool:
    """Says whether all attributes of an envelope are there."""
    return attributes.keys() >= _NAMES


def signature_in(attributes: Mapping[str, str]) -> bytes | None:
    """Returns the signature that attributes have; empty if it is none, None if there is none at all."""
    written = attributes.get(ATTRIBUTE)
    if written is None:
        return None
    try:
        signature = bytes.fromhex(written)
    except ValueError:
        return b""
    return signature if len(signature) == SIGNATURE_BYTES else b""
