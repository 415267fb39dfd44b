"""Says whether others could guess the client id under which the broker holds the gateway's session.

Who connects under it takes the session: MQTT brokers throw the one out who was there before, and mosquitto lets any client choose any id.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

from edge.finding import Finding, Status
from edge.settings.mqtt import MqttSettings

_RANDOM_CHARACTERS, _DISTINCT = 16, 6
"""A part of an id counts as random that is so long, of letters and digits, so many of them different: 64 bits in hexadecimal."""
_PART = re.compile(rf"[0-9A-Za-z]{{{_RANDOM_CHARACTERS},}}")


def of_settings(mqtt: MqttSettings, gateway_id: str) -> Iterator[Finding]:
    """Yields a warning where the id can be guessed, and somebody on another machine may come in."""
    client_id = mqtt.client_id or gateway_id
    if (mqtt.tls or mqtt.is_plain) and is_guessable(client_id):
        text = f"the client id {client_id!r} can be guessed: who may come in at the broker and takes it ends the gateway's session"
        proposed = f"{gateway_id}-{secrets.token_hex(_RANDOM_CHARACTERS // 2)}"
        advice = f'set mqtt.client_id = "{proposed}" once nothing waits for the gateway at the broker: its session stays behind'
        yield Finding("client id", Status.WARN, text, advice)


def is_guessable(client_id: str) -> bool:
    """Says whether an id has no part that looks random."""
    return not any(_looks_random(part) for part in _PART.findall(client_id))


def _looks_random(part: str) -> bool:
    return any(map(str.isdigit, part)) and any(map(str.isalpha, part)) and len(set(part)) >= _DISTINCT
