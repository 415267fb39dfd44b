"""Writes mosquitto's configuration: TLS everywhere, a certificate from everybody who can have one, and queues that lose nothing.

mosquitto's own defaults drop messages for a gateway that is away (after 1,000), and stall one that acknowledges many at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from keys.error import KeysError

AUTHORITY, IDENTITY, REVOKED = "ca.pem", "broker.pem", "crl.pem"
ACCESS, PASSWORDS, CONFIGURATION = "access.acl", "passwords", "tinybeam.conf"

_CONFIGURATION = """\
# Written by `tinybeam keys broker`, and overwritten by it.
per_listener_settings false
allow_anonymous false
acl_file {folder}/access.acl
{passwords}{listeners}
# Messages wait on disk while the gateway is away, as many as come: 200 bytes each, or what they have. (By 0, no bound, 2.0.11 hangs up on
# who writes what it may not, at each message; so the bound is one that is never reached.)
persistence true
persistence_location {state}/
autosave_interval 5
max_queued_messages 1000000000
# A gateway acknowledges what shares a commit at once, so many messages are under way.
max_inflight_messages 0
set_tcp_nodelay true
# Sensors send less than this; a larger packet is none of theirs.
max_packet_size 1048576
# A session that nobody came back to for so long is forgotten with what waits in it.
persistent_client_expiration 60d
"""

_LOG = """\
# What is refused stands in the log alone (`tinybeam keys refused`).
log_dest file {log}
log_type error
log_type warning
log_type notice
log_type information
log_type debug
"""

_LISTENER = """
# {who}
listener {port} {address}
cafile {folder}/ca.pem
certfile {folder}/broker.pem
keyfile {folder}/broker.pem
tls_version tlsv1.2
"""

_BY_CERTIFICATE = """\
crlfile {folder}/crl.pem
require_certificate true
use_identity_as_username true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Says where the broker listens, and where it keeps what waits. `password_port` 0: nobody comes in by a password.

    Without a log it writes where mosquitto writes by itself, and nothing of what it refuses.
    """

    address: str
    port: int
    password_port: int
    state: Path
    log: Path | None = None


def configuration(folder: Path, listeners: Listeners) -> str:
    """Returns the text of mosquitto's configuration, whose files are in a folder. Raises KeysError."""
    _refuse_unsafe(folder, listeners.state, listeners.address, listeners.log or "none")
    common = {"folder": folder, "address": listeners.address}
    who = "Whoever connects shows a certificate of the farm; its common name is the name of the device."
    listening = (_LISTENER + _BY_CERTIFICATE).format(who=who, port=listeners.port, **common)
    if listeners.password_port:
        who = "For sensors that can have no certificate: a name and a password."
        listening += _LISTENER.format(who=who, port=listeners.password_port, **common)
    return _CONFIGURATION.format(
        folder=folder,
        passwords=f"password_file {folder}/{PASSWORDS}\n" if listeners.password_port else "",
        listeners=listening,
        state=listeners.state,
    ) + (_LOG.format(log=listeners.log.absolute()) if listeners.log else "")


def access(gateways: Sequence[str], topics: Sequence[str]) -> str:
    """Returns the text of the access list. `topics` are where a device writes, %u for its name; the gateways read there."""
    for topic in topics:
        if "%u" not in topic or "\n" in topic:
            raise KeysError(f"the topic {topic!r} is for all devices alike: it needs %u, which stands for the name of each")
    own = [f"pattern write {topic}" for topic in topics]
    read = [f"topic read {topic.replace('%u', '+')}" for topic in topics]
    return "\n".join(
        [
            "# Written by `tinybeam keys broker`, and overwritten by it. %u is the name in the certificate of who connects.",
            *own,
            "# A gateway says whether it is online, under its own name, and its doctor reads it.",
            "pattern readwrite gateways/%u/status",
            *(line for gateway in gateways for line in ("", f"user {gateway}", *read, *_DOCTOR)),
            "",
        ]
    )


_DOCTOR = ["topic read $SYS/broker/version", "topic read $SYS/broker/publish/messages/dropped"]
"""What a gateway's doctor asks: which broker it is, and whether it has dropped messages."""


def _refuse_unsafe(*values: object) -> None:
    """A line of mosquitto's configuration ends at its end, whatever stands in it."""
    for value in values:
        if "\n" in str(value) or "\r" in str(value) or not str(value):
            raise KeysError(f"{value!r} cannot stand in mosquitto's configuration")
