"""A real mosquitto with the files that `tinybeam keys broker` writes, and clients with certificates of the farm."""

from __future__ import annotations

import getpass
import shlex
import shutil
import subprocess
from collections.abc import Callable
from types import TracebackType
from typing import Any

import pytest
from paho.mqtt.client import CallbackAPIVersion, Client, MQTTv311

from keys.broker.configuration import Listeners
from keys.broker.folder import BrokerFolder
from lab.services.child import Child, free_port, listens
from tests.keys.farms import Farm, now
from tests.waiting import eventually

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
with_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (apt install mosquitto)")
SECONDS = 15.0


class FarmBroker:
    """Runs for as long as its context. `restart` is a command that ends mosquitto, which then comes again."""

    def __init__(self, farm: Farm, *, passwords: bool = False, extra: str = "") -> None:
        self.farm, self.folder, self.port = farm, farm.folder / "broker", free_port()
        self.password_port = free_port() if passwords else 0
        listeners = Listeners(address="127.0.0.1", port=self.port, password_port=self.password_port, state=farm.folder)
        self.files = BrokerFolder(
            folder=self.folder, authority=farm.folder / "authority", hosts=["localhost", "127.0.0.1"], listeners=listeners
        )
        self.files.write(now())
        self.log, pid = farm.folder / "broker.log", farm.folder / "pid"
        self._settings = farm.folder / "mosquitto.conf"
        self._settings.write_text(f"user {getpass.getuser()}\npid_file {pid}\n{extra}include_dir {self.folder}\n")
        self.restart = f"sh -c 'kill $(cat {pid})'"

    def __enter__(self) -> FarmBroker:
        again = f"trap 'kill $!; exit' TERM; while :; do {MOSQUITTO} -c {self._settings} & wait $!; done"
        self._child = Child("broker", ["sh", "-c", again], self.log)
        self._child.wait_until(lambda: all(map(listens, filter(None, (self.port, self.password_port)))), "listening")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._child.stop()

    def end(self) -> None:
        """Ends mosquitto, which comes again."""
        subprocess.run(shlex.split(self.restart), check=True)

    def client(self, name: str, *, client_id: str = "", session: bool = False, hear: Callable[..., None] | None = None) -> Client:
        """Returns a client that has come in with the certificate of that name."""
        client = Client(CallbackAPIVersion.VERSION2, client_id=client_id or name, clean_session=not session, protocol=MQTTv311)
        client.on_message = hear
        client.tls_set(str(self.farm.trusted), str(self.farm.folder / f"{name}.pem"))
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        assert eventually(client.is_connected)
        return client

    def lets_in(self, *, tls: dict[str, Any] | None, user: tuple[str, str] | None = None, port: int = 0) -> bool:
        """Says whether a client of such certificates comes in."""
        client = Client(CallbackAPIVersion.VERSION2, client_id="asks", protocol=MQTTv311, reconnect_on_failure=False)
        if tls is not None:
            client.tls_set(**tls)
        if user:
            client.username_pw_set(*user)
        answers = list[bool]()
        client.on_connect = lambda _client, _data, _flags, reason, _properties: answers.append(not reason.is_failure)
        client.on_disconnect = lambda *_: answers.append(False)
        try:
            client.connect("127.0.0.1", port or self.port)
        except OSError:
            return False
        client.loop_start()
        assert eventually(lambda: bool(answers))
        client.disconnect()
        client.loop_stop()
        return answers[0]


def publish(client: Client, topic: str, payload: str) -> None:
    client.publish(topic, payload, qos=1).wait_for_publish(SECONDS)
