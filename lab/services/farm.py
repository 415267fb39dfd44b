"""Makes the keys of the lab's farm by the functions behind `tinybeam keys`: its authority, and an identity for each who connects.

They are in one folder; what is there already is used again.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from keys import authority
from keys.authority import ISSUING, ROOT, Authority
from keys.broker.configuration import Listeners
from keys.broker.folder import BrokerFolder
from keys.holder import Holder, Role

FOLDER = "keys"
HOST = "127.0.0.1"
TOPIC = "+/sensors/%u/#"
"""Where a sensor of the lab writes: gateways share the broker, so a topic begins with a gateway."""


class Farm:
    """Has its folder in the lab's: `Farm(directory).identity("gateway-north", Role.GATEWAY)`."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory.absolute() / FOLDER

    @property
    def trusted(self) -> Path:
        """Returns the certificate by which all others are known."""
        return self._authority_folder / ROOT

    def identity(self, name: str, role: Role, hosts: Sequence[str] = ()) -> Path:
        """Returns the file of a key and its certificate."""
        file = self._folder / f"{name}.pem"
        if not file.exists():
            self._authority().issue(Holder(name, role, hosts), datetime.now(UTC)).write(file)
        return file

    def write_broker(self, folder: Path, port: int) -> BrokerFolder:
        """Writes what mosquitto reads, for those who have identities by now."""
        self._authority()
        listeners = Listeners(address=HOST, port=port, password_port=0, state=folder.absolute())
        files = BrokerFolder(folder=folder / FOLDER, authority=self._authority_folder, hosts=[HOST], listeners=listeners, topics=[TOPIC])
        files.write(datetime.now(UTC))
        return files

    def client_context(self, name: str, role: Role) -> ssl.SSLContext:
        """Returns what makes connections as that client."""
        context = ssl.create_default_context(cafile=str(self.trusted))
        context.load_cert_chain(str(self.identity(name, role)))
        return context

    def server_context(self, name: str) -> ssl.SSLContext:
        """Returns what takes connections as that server, of clients with certificates of the farm alone."""
        own = self.identity(name, Role.SERVER, [HOST])
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.trusted))
        context.load_cert_chain(str(own))
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _authority(self) -> Authority:
        folder = self._authority_folder
        return Authority(folder) if (folder / ISSUING).exists() else authority.create(folder, "Lab", datetime.now(UTC))

    @property
    def _authority_folder(self) -> Path:
        return self._folder / "authority"
