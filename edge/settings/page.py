"""Declares [page]: the gateway's own page, for people who stand beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from edge.serving.server_tls import ServerTlsFiles
from program.settings import Settings, is_local, require, setting


class PageSettings(Settings, frozen=True, kw_only=True):
    """Sets where the page is served, and who may look at it."""

    host: Annotated[
        str, setting("Address that it listens at; any but this machine's own needs TLS and a password", min_length=1, since="0.3.0")
    ] = "127.0.0.1"
    port: Annotated[int, setting("Port that it listens at, such as 9465. 0: no page", ge=0, le=65_535, since="0.3.0")] = 0
    password_file: Annotated[
        Path | None, setting("Its first line is the password; whoever looks may give any user", example="page.password", since="0.3.0")
    ] = None
    registry_file: Annotated[
        Path | None,
        setting("A copy of the registry, for the names that people use. None: identifiers", example="registry.toml", since="0.3.0"),
    ] = None
    tls_certificate: Annotated[Path | None, setting("The gateway's certificate for browsers", example="gateway.pem", since="0.3.0")] = None
    tls_key: Annotated[Path | None, setting("Its key, readable by the gateway alone", example="gateway.key", since="0.3.0")] = None

    def __post_init__(self) -> None:
        require((self.tls_certificate is None) == (self.tls_key is None), "tls_certificate and tls_key go together")
        if self.port and not is_local(self.host):
            require(self.tls_certificate, f"host {self.host} is not this machine alone: set tls_certificate and tls_key")
            require(self.password_file, f"host {self.host} is not this machine alone: set password_file")

    @property
    def tls_files(self) -> ServerTlsFiles | None:
        """Returns what TLS is by, None without TLS."""
        return ServerTlsFiles("page", self.tls_certificate, self.tls_key) if self.tls_certificate and self.tls_key else None
