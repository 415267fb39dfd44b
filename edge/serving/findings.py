"""Says whether an address that a gateway is to listen at is free, or answers where it runs already."""

from __future__ import annotations

import socket

from edge.finding import Finding, Status

_SECONDS = 3.0


def of_address(table: str, host: str, port: int, known: str, *, runs_here: bool) -> Finding:
    """Looks at `host` and `port` of a table of settings; `known` is said besides. `runs_here`: the gateway of this machine is running."""
    address = f"{host}:{port}"
    try:
        if runs_here:
            socket.create_connection((host, port), _SECONDS).close()
            return Finding(table, Status.OK, f"{address} answers; {known}")
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        return Finding(table, Status.FAIL, f"{address}: {error}", f"correct {table}.host and {table}.port, or end what has the port")
    return Finding(table, Status.OK, f"{address} is free; {known}")
