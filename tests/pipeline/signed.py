"""Keys of a few gateways and of a pipeline, and messages that they sign: the keys follow from their owners' names."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from keys import pem, private_files
from lab.world.named_keys import PIPELINE, key_of
from pipeline.authenticate import Authenticator
from pipeline.elements import ReceivedMessage
from schemas.key_agreement import as_registered, of_gateway
from schemas.records import GatewayKey
from schemas.signature import ATTRIBUTE
from tests.pipeline.bodies import ALWAYS

__all__ = ["PIPELINE", "authenticator", "key_file", "key_of", "private_pem", "public_pem", "registered", "signed"]


def registered(gateway_id: str, owner: str = "", valid_from: datetime = ALWAYS, revoked_time: datetime | None = None) -> GatewayKey:
    """What the registry says of a gateway with the key of an owner: by default its own."""
    public_key = as_registered(key_of(owner or gateway_id).public_key())
    return GatewayKey(gateway_id=gateway_id, public_key=public_key, valid_from=valid_from, revoked_time=revoked_time)


def authenticator(*gateways: GatewayKey, only_warns: bool = False) -> Authenticator:
    return Authenticator(gateways, [key_of(PIPELINE)], only_warns=only_warns)


def signed(message: ReceivedMessage, owner: str = "", name: str = "", pipeline: str = PIPELINE) -> ReceivedMessage:
    """The message with a signature by the key of an owner, in the name of a gateway: by default that of the message."""
    gateway_id = name or message.attributes["gateway_id"]
    agreed = of_gateway(key_of(owner or gateway_id), key_of(pipeline).public_key(), gateway_id)
    return replace(message, attributes={**message.attributes, ATTRIBUTE: agreed.signature(message.attributes, message.body).hex()})


def private_pem(owner: str) -> bytes:
    return pem.of_key(key_of(owner))


def public_pem(owner: str) -> bytes:
    return pem.of_public_key(key_of(owner).public_key())


def key_file(folder: Path, owner: str) -> Path:
    """A file with the private key of an owner, for nobody else."""
    file = folder / f"{owner}.key"
    private_files.write(file, private_pem(owner))
    return file
