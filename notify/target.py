"""Connects to where a notification is sent, and nowhere that the notifier alone can reach: what a name leads to is checked before.

Guarantees that a name is resolved once, and that the connection goes to the very address that was checked, whatever the name leads to a
moment later. Refused are the machine itself, unless the name says so, its link, and where clouds keep the credentials of their machines.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from program.settings import is_local

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[..., Sequence[tuple[Any, ...]]]
"""Finds the addresses of a name, as socket.getaddrinfo does."""

_OF_CLOUDS = tuple(map(ip_network, ("fd00:ec2::/32", "100.100.100.200/32")))
"""Where AWS and Alibaba answer with credentials, beside the link-local 169.254.169.254 of most clouds."""
_NAT64 = ip_network("64:ff9b::/96")


class TargetRefused(OSError):
    """Nothing is sent to this address; the text says why."""


def refusal(host: str, allowed: Sequence[Network], found: str | None = None) -> str | None:
    """Says why nothing is sent to the address that was found for a host, or that the host itself is; None if it may be."""
    try:
        address = ip_address((found or host).partition("%")[0])
    except ValueError:  # a name, which is looked up when something is sent
        return None
    if any(address in network for network in allowed) or (is_local(host) and address.is_loopback):
        return None
    leads = f"{host} leads to {address}, which" if found else host
    reason = _forbidden(address)
    return f"{leads} is {reason}: nothing is sent there unless allowed_networks has it" if reason else None


def _forbidden(address: Address) -> str | None:
    """Says what an address is to which nothing is sent, None for any other."""
    address = _within(address)
    if any(address in network for network in _OF_CLOUDS):
        return "where a cloud keeps credentials"
    if address.is_loopback or address.is_unspecified:
        return "this machine itself"
    if address.is_link_local:
        return "on the machine's own link, where clouds keep credentials"
    return "no address of one machine" if address.is_multicast or (address.is_reserved and not address.is_global) else None


def _within(address: Address) -> Address:
    """Returns the address of version 4 that one of version 6 stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address


class Targets:
    """Opens connections: `targets.connect(host, port, seconds)`. `allowed` are networks that are no target otherwise."""

    def __init__(self, allowed: Sequence[Network], resolve: Resolve = socket.getaddrinfo) -> None:
        self._allowed, self._resolve = allowed, resolve

    def connect(self, host: str, port: int, seconds: float | None) -> socket.socket:
        """Connects to the first address that answers. Raises TargetRefused if any of them is none to send to, OSError if none answers."""
        addresses = [(family, address) for family, _, _, _, address in self._resolve(host, port, type=socket.SOCK_STREAM)]
        for _, address in addresses:
            if sentence := refusal(host, self._allowed, address[0]):
                raise TargetRefused(sentence)
        failure = OSError(f"{host} has no address")
        for family, address in addresses:
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                connection.settimeout(seconds)
                connection.connect(address)
            except OSError as error:
                connection.close()
                failure = error
            else:
                with suppress(OSError):
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return connection
        raise failure


def handlers(url: str, tls: ssl.SSLContext, targets: Targets) -> list[urllib.request.BaseHandler]:
    """Returns what opens the URL by such connections. Where the environment names a proxy for it, the proxy is connected to instead, and it
    alone knows where the name leads.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(parts.hostname or ""):
        return [urllib.request.HTTPSHandler(context=tls)]
    return [urllib.request.ProxyHandler({}), _Http(targets), _Https(targets, tls)]


class _Http(urllib.request.HTTPHandler):
    def __init__(self, targets: Targets) -> None:
        super().__init__()
        self._targets = targets

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_Connection, self._targets, None), request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, targets: Targets, tls: ssl.SSLContext) -> None:
        super().__init__()
        self._targets, self._tls = targets, tls

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_Connection, self._targets, self._tls), request)


class _Connection(http.client.HTTPConnection):
    """Speaks HTTP over a connection that was checked, by TLS if it has any."""

    def __init__(self, targets: Targets, tls: ssl.SSLContext | None, host: str, **options: Any) -> None:
        self.default_port = http.client.HTTPS_PORT if tls else http.client.HTTP_PORT
        super().__init__(host, **options)
        self._targets, self._tls = targets, tls

    def connect(self) -> None:
        plain = self._targets.connect(self.host, self.port, self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host) if self._tls else plain
