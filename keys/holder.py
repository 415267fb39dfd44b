"""Says who holds a certificate: a name and a role, which decides what the certificate is good for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from keys.error import KeysError
from program.names import NAME


class Role(StrEnum):
    """Says what the holder of a certificate is. A server shows it to clients, all others to the broker."""

    GATEWAY = "gateway"
    SENSOR = "sensor"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Holder:
    """`name` is the certificate's common name: a gateway's identifier, a device's, or what a server is called.

    `hosts` are the names and addresses by which clients know a server; without any its name is one.
    """

    name: str
    role: Role
    hosts: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Raises KeysError for a name that would be unsafe in a topic, an access list or a file."""
        if not re.fullmatch(NAME, self.name):
            raise KeysError(f"{self.name!r} is no name: letters, digits, dot, dash or underscore, at most 64, the first no sign")

    @property
    def uri(self) -> str:
        """Returns the name that stands in a client's certificate beside the common name."""
        return f"urn:tinybeam:{self.role}:{self.name}"
