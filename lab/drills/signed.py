"""Signs what the gateways of drills send, and checks it as the pipeline does: by keys that follow from their names."""

from __future__ import annotations

from dataclasses import replace

from lab.world.named_keys import PIPELINE, key_of, signature_of
from pipeline.authenticate import Authenticator
from pipeline.elements import ReceivedMessage
from schemas.registry import OfRegistry, Registry, RegistrySource
from schemas.signature import ATTRIBUTE


def signed(message: ReceivedMessage) -> ReceivedMessage:
    """Returns the message with the signature of its gateway, also in the place of one that it has."""
    return replace(message, attributes={**message.attributes, ATTRIBUTE: signature_of(message.attributes, message.body)})


def authenticator(registry: RegistrySource) -> OfRegistry[Authenticator]:
    """Returns what refuses a message that no registered gateway has signed."""
    return OfRegistry(registry, _of)


def _of(registry: Registry) -> Authenticator:
    return Authenticator(registry.gateways, [key_of(PIPELINE)])
