"""Runs amqtt as the broker where mosquitto is absent: `python -m lab.services.amqtt_server PORT`. A demo, not a promise.

It keeps everything in memory, and forgets what it delivered to a client that went away without acknowledging it.
amqtt drops the queue of an absent client without a user name; a gateway's session is known by its client id, so the plugin
here lets everybody in without calling them anonymous.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

from amqtt.broker import Broker
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session


class AllowEveryone(BaseAuthPlugin):
    """This plugin lets every client in; the listener is on localhost only."""

    async def authenticate(self, *, session: Session) -> bool:
        return session is not None


async def serve(port: int) -> None:
    """The broker runs until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    listener = {"type": "tcp", "bind": f"127.0.0.1:{port}"}
    broker = Broker({"listeners": {"default": listener}, "plugins": {"lab.services.amqtt_server.AllowEveryone": {}}})
    await broker.start()
    await ended.wait()
    await broker.shutdown()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("transitions").setLevel(logging.ERROR)
    asyncio.run(serve(int(sys.argv[1])))
