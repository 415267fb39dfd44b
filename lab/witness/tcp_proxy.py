"""Runs a TCP proxy between a client and a server: it counts bytes, can be cut and restored, and lets observers read along.

Observers see the bytes in order before they are passed on, in the proxy's own thread. A cut resets every connection and each new
one until it is restored, as a firewall would.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

_CHUNK = 1 << 16
_NO_LINGER = struct.pack("ii", 1, 0)


class Observer(Protocol):
    """Reads along on one connection."""

    def sent(self, data: bytes) -> None:
        """The client sent these bytes."""

    def received(self, data: bytes) -> None:
        """The server sent these bytes."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Says as whom a proxy takes its client's connection, and as whom it makes its own: with the client's key, which the lab has."""

    as_server: ssl.SSLContext
    as_client: ssl.SSLContext


class TcpProxy:
    """Runs a proxy as a context manager: `with TcpProxy(("127.0.0.1", 1883)) as proxy: connect(proxy.port); proxy.cut()`."""

    def __init__(self, target: tuple[str, int], observe: Callable[[], Observer] | None = None, tls: Tls | None = None) -> None:
        """With `tls` it reads along in the clear, and speaks TLS to both sides."""
        self._target, self._observe, self._tls = target, observe, tls
        self._writers: set[asyncio.StreamWriter] = set()
        self._cut = False
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self.port = 0
        self.bytes_sent = self.bytes_received = self.connections = 0
        """Bytes from clients and from the server; connections so far that reached the server."""

    def __enter__(self) -> TcpProxy:
        started: Future[int] = Future()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(started),), name="tcp-proxy", daemon=True)
        self._thread.start()
        self.port = started.result(10.0)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10.0)
        self._loop.close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Resets every connection and refuses new ones; returns when that is done."""
        asyncio.run_coroutine_threadsafe(self._set(cut=True), self._loop).result(10.0)

    def restore(self) -> None:
        """Lets clients connect again."""
        asyncio.run_coroutine_threadsafe(self._set(cut=False), self._loop).result(10.0)

    async def _set(self, *, cut: bool) -> None:
        self._cut = cut
        if cut:
            self._reset()

    def _reset(self) -> None:
        for writer in list(self._writers):
            _abort(writer)

    async def _serve(self, started: Future[int]) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls and self._tls.as_server)
        started.set_result(server.sockets[0].getsockname()[1])
        await self._ended.wait()
        server.close()
        self._reset()
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task is not asyncio.current_task()), return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            _abort(writer)
            return
        self._writers.add(writer)
        try:
            await self._join(reader, writer)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            from_server, to_server = await asyncio.open_connection(*self._target, ssl=self._tls and self._tls.as_client)
        except OSError:
            return
        self._writers.add(to_server)
        self.connections += 1
        observer = self._observe() if self._observe else None
        try:
            await _first_of(
                _pump(reader, to_server, lambda data: self._on_sent(data, observer)),
                _pump(from_server, writer, lambda data: self._on_received(data, observer)),
            )
        finally:
            self._writers.discard(to_server)
            to_server.close()

    def _on_sent(self, data: bytes, observer: Observer | None) -> None:
        self.bytes_sent += len(data)
        if observer:
            observer.sent(data)

    def _on_received(self, data: bytes, observer: Observer | None) -> None:
        self.bytes_received += len(data)
        if observer:
            observer.received(data)


def _abort(writer: asyncio.StreamWriter) -> None:
    """Resets a connection instead of closing it: without lingering the kernel drops what is unsent and sends RST."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, see: Callable[[bytes], None]) -> None:
    """Copies until either side is gone."""
    try:
        while data := await reader.read(_CHUNK):
            see(data)
            writer.write(data)
            await writer.drain()
    except OSError:
        return


async def _first_of(*pumps: Coroutine[None, None, None]) -> None:
    """Ends both directions with the first that ends: a half-closed connection is of no use to MQTT or gRPC."""
    tasks = [asyncio.ensure_future(pump) for pump in pumps]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
