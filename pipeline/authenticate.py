"""Says of messages whether the gateway that they name has sent them: by their signatures (schemas/signature.py) and the registry's keys.

Guarantees that without a private key of the pipeline or of the gateway nobody makes a message that passes, neither a new one nor one that
differs from what the gateway signed in any attribute of its envelope or byte of its body. What has no envelope passes: nobody decodes it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from pipeline.elements import ReceivedMessage
from pipeline.refused import AUTH, Refused
from program import logs
from schemas.key_agreement import UnusableKey, of_pipeline, public_key
from schemas.records import GatewayKey
from schemas.signature import HINT_BYTES, AgreedKey, is_signable, signature_in

_LOG = logs.get(__name__)
_MOST_WARNED = 1000
"""Whoever publishes may invent names without end."""


class Requirement(StrEnum):
    """Says what becomes of a message that is not believed: it is refused, said of and taken, or taken unseen."""

    REFUSE = "refuse"
    WARN = "warn"
    ACCEPT = "accept"


class Fault(StrEnum):
    """Says why a message is not believed: the reason of its reject."""

    UNSIGNED = "unsigned"
    UNKNOWN_GATEWAY = "unknown_gateway"
    UNKNOWN_KEY = "unknown_key"
    REVOKED_KEY = "revoked_key"
    FORGED = "forged"


_TEXTS = {
    Fault.UNSIGNED: "it has no signature",
    Fault.UNKNOWN_GATEWAY: "[[gateways]] of the registry has no gateway of that name",
    Fault.UNKNOWN_KEY: "[[gateways]] of the registry has no such key of this gateway, or the pipeline has not the key that it signed for",
    Fault.REVOKED_KEY: "the key that signed it had been revoked when it came",
    Fault.FORGED: "its signature is not of these attributes and this body",
}


class Judged(NamedTuple):
    """Holds the messages that go on, those that are refused, and those that are not believed, whether they go on or not."""

    passed: list[ReceivedMessage]
    refused: list[Refused]
    doubted: list[Refused]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Is a key by which a message may be signed, and what the registry says of it."""

    agreed: AgreedKey
    registered: GatewayKey


class Authenticator:
    """Knows the keys of the gateways and of the pipeline: `Authenticator(registry.gateways, private_keys).judged(messages)`."""

    def __init__(
        self, gateways: Iterable[GatewayKey], private_keys: Sequence[EllipticCurvePrivateKey], *, only_warns: bool = False
    ) -> None:
        self._private_keys, self._only_warns = private_keys, only_warns
        self._warned = set[tuple[str, str]]()
        self._registered = defaultdict[str, list[GatewayKey]](list)
        for key in gateways:
            self._registered[key.gateway_id].append(key)
        self._candidates: dict[str, dict[bytes, list[_Candidate]]] = {}

    def fault(self, message: ReceivedMessage) -> Fault | None:
        """Returns why a message is not believed; None if it is, or if it has no envelope."""
        if not is_signable(message.attributes):
            return None
        signature = signature_in(message.attributes)
        if signature is None:
            return Fault.UNSIGNED
        if message.attributes["gateway_id"] not in self._registered:
            return Fault.UNKNOWN_GATEWAY
        return self._fault_of(signature, message) if signature else Fault.FORGED

    def _fault_of(self, signature: bytes, message: ReceivedMessage) -> Fault | None:
        by_hints = self._of_gateway(message.attributes["gateway_id"])
        candidates = by_hints.get(signature[:HINT_BYTES], ())
        if not candidates:
            return Fault.UNKNOWN_KEY
        for each in candidates:
            if each.agreed.has_signed(signature, message.attributes, message.body):
                return Fault.REVOKED_KEY if _was_revoked(each.registered, message) else None
        return Fault.FORGED

    def bars(self, message: ReceivedMessage) -> Fault | None:
        """Returns why nothing may be made of a message that was set aside: also for want of an envelope, which nobody can have signed."""
        if self._only_warns:
            return None
        return self.fault(message) if is_signable(message.attributes) else Fault.UNSIGNED

    def judged(self, messages: Iterable[ReceivedMessage]) -> Judged:
        """Parts messages that are believed from those that are not. One that only warns lets all go on, and says once of each gateway what
        it would have refused.
        """
        passed, doubted = list[ReceivedMessage](), list[Refused]()
        for message in messages:
            if fault := self.fault(message):
                doubted.append(Refused(message, fault, _TEXTS[fault], stage=AUTH))
            if fault is None or self._only_warns:
                passed.append(message)
        if not self._only_warns:
            return Judged(passed, doubted, doubted)
        self._warn(doubted)
        return Judged(passed, [], doubted)

    def _warn(self, doubtful: Iterable[Refused]) -> None:
        for each in doubtful:
            told = each.message.attributes["gateway_id"], each.reason
            if told not in self._warned and len(self._warned) < _MOST_WARNED:
                self._warned.add(told)
                _LOG.warning("a batch in the name of gateway %s would be refused as %s: %s", *told, each.text)

    def _of_gateway(self, gateway_id: str) -> dict[bytes, list[_Candidate]]:
        """Returns the keys of a gateway by their hints; they are agreed on when its first message comes."""
        if gateway_id not in self._candidates:
            by_hints = defaultdict[bytes, list[_Candidate]](list)
            for registered in self._registered[gateway_id]:
                for agreed in self._agreed(registered):
                    by_hints[agreed.hints].append(_Candidate(agreed, registered))
            self._candidates[gateway_id] = dict(by_hints)
        return self._candidates[gateway_id]

    def _agreed(self, registered: GatewayKey) -> list[AgreedKey]:
        try:
            key = public_key(registered.public_key)
        except UnusableKey as error:
            _LOG.error("a public_key of gateway %s in the registry: %s", registered.gateway_id, error)
            return []
        return [of_pipeline(own, key, registered.gateway_id) for own in self._private_keys]


def _was_revoked(key: GatewayKey, message: ReceivedMessage) -> bool:
    return key.revoked_time is not None and key.revoked_time <= message.received_time
