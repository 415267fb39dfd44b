"""Says why no batch passes to a broker: by what was said, by the dates of the gateway's certificate, and by the clock."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

from edge import clock
from edge.finding import Finding, Status
from edge.own_certificate import OwnCertificate
from edge.uplink.diagnosis import advice, sentence, state_after
from edge.uplink.mqtt_session import NotPermitted, NotTaken
from edge.uplink.uplink import LinkDown
from program.settings import ConfigError
from schemas.records import LinkState


class MqttDiagnosis:
    """Is asked by any thread: `MqttDiagnosis(uplink.tls_certificate).of(error)`."""

    def __init__(self, certificate: Path | None) -> None:
        self._lock, self._certificate = threading.Lock(), OwnCertificate("uplink.tls_certificate", certificate)

    def of(self, error: OSError) -> LinkDown:
        """Returns what the error of a connection, or of a message that was not taken, says of the link."""
        with self._lock:
            lifetime = self._certificate.lifetime()
        now = clock.now()
        state = state_after(error, lifetime, now, is_refusal=isinstance(error, NotPermitted))
        is_answer = isinstance(error, NotTaken) and state == LinkState.OFFLINE
        return LinkDown(str(error) if is_answer else sentence(state, lifetime, now, error), state)

    def finding(self, error: OSError | ConfigError) -> Finding:
        """Returns what the doctor says of it."""
        if isinstance(error, ConfigError):
            return Finding("uplink", Status.FAIL, str(error), "correct uplink.tls_ca, tls_certificate and tls_key")
        down = self.of(error)
        if down.state != LinkState.OFFLINE:
            # The doctor has another client identifier, which may be why the broker does not let it in.
            status = Status.WARN if isinstance(error, NotPermitted) else Status.FAIL
            return Finding("uplink", status, f"{down.state}: {down}", advice(down.state))
        if isinstance(error, ssl.SSLError):
            return Finding("uplink", Status.FAIL, str(down), "correct uplink.tls_ca, or the broker's certificate")
        return Finding("uplink", Status.WARN, str(down), advice(down.state))
