"""Runs amqtt as the broker where mosquitto is absent: `python -m lab.services.amqtt_server PORT [FOLDER]`. A demo, not a promise.

With the folder that `tinybeam keys broker` writes it speaks TLS alone, and lets in whoever has a certificate of the farm.

It keeps everything in memory, and forgets what it delivered to a client that went away without acknowledging it.
amqtt drops the queue of an absent client without a user name; a gateway's session is known by its client id, so the plugin
here lets everybody in without calling them anonymous.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
import sys
from pathlib import Path
from typing import Any

from amqtt.broker import Broker
from amqtt.contexts import ListenerConfig
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session

from keys.broker.configuration import AUTHORITY, IDENTITY


class AllowEveryone(BaseAuthPlugin):
    """This plugin lets every client in; the listener is on localhost only."""

    async def authenticate(self, *, session: Session) -> bool:
        return session is not None


class CertainBroker(Broker):
    """This broker wants a certificate from everybody; amqtt's own would ask for one, and let in who has none."""

    @staticmethod
    def _create_ssl_context(listener: ListenerConfig) -> ssl.SSLContext:
        context = Broker._create_ssl_context(listener)  # noqa: SLF001 - it has no setting for it
        context.verify_mode = ssl.CERT_REQUIRED
        return context


async def serve(port: int, folder: Path | None) -> None:
    """The broker runs until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    listener: dict[str, Any] = {"type": "tcp", "bind": f"127.0.0.1:{port}"}
    if folder:
        own = str(folder / IDENTITY)
        listener |= {"ssl": True, "cafile": str(folder / AUTHORITY), "certfile": own, "keyfile": own}
    broker = CertainBroker({"listeners": {"default": listener}, "plugins": {"lab.services.amqtt_server.AllowEveryone": {}}})
    await broker.start()
    await ended.wait()
    await broker.shutdown()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("transitions").setLevel(logging.ERROR)
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else None))
