"""Renews the gateway's own certificate in time, beside everything else: a thread that waits, asks, and tries again.

Guarantees that the gateway never waits for it, and that the old certificate stays until a new one has been verified (keys/enrolment.py). A
child does it, `tinybeam keys renew`: a gateway that runs does without what reads certificates.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random

from edge.config import Config
from edge.own_certificate import OwnCertificate
from keys.error import KeysError
from program import logs
from program.backoff import Backoff
from program.child import ChildFailed, answer

LOOK_SECONDS = 600.0
"""A clock may jump and a file may be replaced: when it is due is asked so often."""
_CHILD_SECONDS = 60.0
_AGAIN = Backoff(initial_interval=60.0, max_interval=3600.0)

_log = logs.get(__name__)


class Renewal:
    """Runs from `start` to `stop`, where [renewal] names a server; else it does nothing."""

    def __init__(self, config: Config, now: Callable[[], datetime], rng: Random) -> None:
        self._settings, self._now, self._rng = config.renewal, now, rng
        self._file, self._authority = config.mqtt.tls_certificate or Path(), config.mqtt.tls_ca or Path()
        self._certificate = OwnCertificate("mqtt.tls_certificate", config.mqtt.tls_certificate)
        self._jitter, self._stopping = rng.random(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="renewal", daemon=True)

    def start(self) -> None:
        if self._settings.server:
            self._thread.start()

    def stop(self) -> None:
        """Does not wait for a server that does not answer."""
        self._stopping.set()

    def renew_if_due(self) -> bool:
        """Says whether it has renewed. Raises KeysError."""
        lifetime = self._certificate.lifetime()
        if lifetime is None:
            raise KeysError(f"mqtt.tls_certificate {self._file} holds no certificate")
        if self._now() < lifetime.renewal_time(self._jitter):
            return False
        self.renew()
        return True

    def renew(self) -> None:
        """Raises KeysError."""
        options = [
            "--server",
            self._settings.server,
            "--authority",
            str(self._authority),
            *(["--new_key"] if self._settings.new_key else []),
        ]
        try:
            said = answer("tinybeam", "keys", "renew", str(self._file), *options, seconds=_CHILD_SECONDS)
        except ChildFailed as error:
            raise KeysError(str(error)) from error
        _log.info("the certificate is renewed: %s", said.strip())

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self.renew_if_due()
                failures, pause = 0, LOOK_SECONDS
            except KeysError as error:
                failures += 1
                pause = _AGAIN.delay(failures, self._rng)
                _log.warning("the certificate is not renewed, the old one stays; again in %.0f s: %s", pause, error)
            self._stopping.wait(pause)
