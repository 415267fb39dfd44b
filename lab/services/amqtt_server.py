"""amqtt as the broker where mosquitto is absent: `python -m lab.services.amqtt_server PORT`. A demo, not a promise.

It keeps everything in memory, and forgets what it gave to a client that went away without acknowledging it.
amqtt drops what waits for an absent client that gave no user name; the gateway's session is known by its client id, so here
everybody is let in without being called anonymous.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

from amqtt.broker import Broker
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session


class AdmitEverybody(BaseAuthPlugin):
    """Lets in who comes; the listener is on localhost only."""

    async def authenticate(self, *, session: Session) -> bool:
        return session is not None


async def serve(port: int) -> None:
    """Runs until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    listener = {"type": "tcp", "bind": f"127.0.0.1:{port}"}
    broker = Broker({"listeners": {"default": listener}, "plugins": {"lab.services.amqtt_server.AdmitEverybody": {}}})
    await broker.start()
    await ended.wait()
    await broker.shutdown()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("transitions").setLevel(logging.ERROR)
    asyncio.run(serve(int(sys.argv[1])))
