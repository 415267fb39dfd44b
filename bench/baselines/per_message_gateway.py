"""Runs the straightforward gateway, written with care: it parses, commits and acknowledges each message by itself. It loses nothing either.

paho with manual acknowledgement, a write-ahead log with synchronous=FULL, a prepared statement, no delay on the socket, a decoder
made once. Prints what COUNT messages cost as one JSON object.
"""

from __future__ import annotations

import json
import resource
import socket
import sqlite3
import sys
import threading
import time
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


class Reading(msgspec.Struct):
    time: float
    seq: int
    boot: str
    values: dict[str, float]


class PerMessage:
    def __init__(self, port: int, client_id: str, store: str, count: int) -> None:
        self._database = sqlite3.connect(store, isolation_level=None, check_same_thread=False)
        self._database.execute("pragma journal_mode = wal").fetchall()
        self._database.execute("pragma synchronous = full").fetchall()
        self._database.execute("create table readings (id integer primary key, device text, time real, seq integer, boot text, body blob)")
        self._decode = msgspec.json.Decoder(Reading).decode
        self._left, self.finished = count, threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, clean_session=False, protocol=mqtt.MQTTv311, manual_ack=True)
        self.client.on_message = self._on_message
        self.client.on_socket_open = _without_delay
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _on_message(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        reading = self._decode(message.payload)
        row = (message.topic.split("/")[1], reading.time, reading.seq, reading.boot, message.payload)
        self._database.execute("insert into readings (device, time, seq, boot, body) values (?, ?, ?, ?, ?)", row)
        client.ack(message.mid, message.qos)
        self._left -= 1
        if not self._left:
            self.finished.set()

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        self._database.close()


def _without_delay(_client: mqtt.Client, _data: Any, opened: Any) -> None:
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def main(port: int, client_id: str, store: str, count: int) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    gateway = PerMessage(port, client_id, store, count)
    gateway.finished.wait()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    gateway.stop()
    print(json.dumps({"wall": wall, "cpu": cpu, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10, "commits": count}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
