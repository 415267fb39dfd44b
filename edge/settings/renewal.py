"""Declares [renewal]: who renews the certificate by which the gateway enters its broker."""

from __future__ import annotations

from typing import Annotated

from program.settings import Settings, require, setting


class RenewalSettings(Settings, frozen=True, kw_only=True):
    """Names the server of the farm's authority, which is known by mqtt.tls_ca."""

    server: Annotated[
        str, setting("Address of `tinybeam keys serve`. Empty: somebody else renews the certificate", example="https://10.0.0.2:8443")
    ] = ""
    new_key: Annotated[bool, setting("Whether a renewal also makes a new key, which the registry must then learn")] = False

    def __post_init__(self) -> None:
        require(not self.server or self.server.startswith("https://"), "server must begin with https://")
