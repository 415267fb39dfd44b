"""Starts the MQTT broker: mosquitto where it is installed, else amqtt from pip, on localhost only.

With a farm it speaks TLS alone and lets in whoever has a certificate of it; mosquitto also lets each write under its own name alone, which
amqtt cannot: it does not tell who showed which certificate.
"""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from types import TracebackType

from lab.services.child import Child, free_port, listens
from lab.services.farm import Farm
from program.child import python_module

_SETTINGS = """\
listener {port} 127.0.0.1
allow_anonymous true
user {user}
persistence true
persistence_location {directory}/
autosave_interval 5
set_tcp_nodelay true
max_queued_messages 0
max_inflight_messages 0
"""
"""mosquitto's defaults drop messages for an absent gateway and stall one that acknowledges in batches."""


class Broker:
    """Runs a broker as a context manager: `with Broker(directory) as broker: connect("127.0.0.1", broker.port)`.

    `version` says which broker it is; `is_fallback` is true for the one that pip brings.
    """

    def __init__(self, directory: Path, parts: str = "auto", farm: Farm | None = None) -> None:
        """`parts` is `auto`, or `pip` for what pip brings even where mosquitto is installed. Without a farm everybody may come in."""
        self._directory, self._farm = Path(directory).absolute(), farm
        self.port = free_port()
        self._mosquitto = None if parts == "pip" else _mosquitto()
        self.is_fallback = self._mosquitto is None
        self.version = f"amqtt {version('amqtt')}" if self._mosquitto is None else _version(self._mosquitto)

    def __enter__(self) -> Broker:
        """Raises StartFailed."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Starts it, also again with what it had saved. Raises StartFailed."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._child = Child("broker", self._command(), self._directory / "broker.log")
        self._child.wait_until(lambda: listens(self.port), "listening")

    def stop(self) -> None:
        """Lets it save what it holds, and end."""
        self._child.stop()

    def kill(self) -> None:
        """Ends it as a power cut would: what it had not saved is gone."""
        self._child.kill()

    def _command(self) -> list[str]:
        files = self._farm.write_broker(self._directory, self.port) if self._farm else None
        if self._mosquitto is None:
            return python_module("lab.services.amqtt_server", str(self.port), *([str(files.folder)] if files else []))
        settings = self._directory / "mosquitto.conf"
        own = f"user {getpass.getuser()}\ninclude_dir {files.folder}\n" if files else _SETTINGS
        settings.write_text(own.format(port=self.port, user=getpass.getuser(), directory=self._directory))
        return [self._mosquitto, "-c", str(settings)]


def _mosquitto() -> str | None:
    """Debian puts it in /usr/sbin, which is not on everybody's path."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")


def _version(mosquitto: str) -> str:
    words = subprocess.run([mosquitto, "-h"], capture_output=True, text=True, check=False).stdout.split()
    return f"mosquitto {words[2]}" if words[1:2] == ["version"] else "mosquitto"
