"""A child that misbehaves on purpose, speaking the scorer's frames: `python scorer_twin.py HABIT [MARK] RUNTIME MODULE`.

With a MARK file, only the child that creates it misbehaves; the next ones answer well."""

from __future__ import annotations

import os
import resource
import signal
import struct
import sys
import time
from pathlib import Path


def send(body: bytes) -> None:
    sys.stdout.buffer.write(struct.pack("<I", len(body)) + body)
    sys.stdout.buffer.flush()


def received() -> bytes:
    head = sys.stdin.buffer.read(4)
    return sys.stdin.buffer.read(struct.unpack("<I", head)[0]) if head else b""


def misbehave(habit: str, rows: int) -> None:
    if habit == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if habit == "hang":
        time.sleep(60)
    if habit == "nan":
        send(b"K" + struct.pack("<d", float("nan")) * rows * 3)
    if habit == "short":
        send(b"K" + b"\0" * 8)
    if habit == "absurd":
        sys.stdout.buffer.write(b"\xff" * 8)
        sys.stdout.buffer.flush()
    if habit == "eat":
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        eaten = [bytearray(1 << 28)]
        while True:
            eaten.append(bytearray(1 << 28))
    if habit == "excuse":
        send(b"Fno memory left")


def first(arguments: list[str]) -> bool:
    if len(arguments) < 4:
        return True
    mark = Path(arguments[1])
    fresh = not mark.exists()
    mark.touch()
    return fresh


def main(arguments: list[str]) -> None:
    habit, bad = arguments[0], first(arguments)
    if bad and habit == "die":
        sys.exit(3)
    if bad and habit == "mute":
        time.sleep(60)
    send(b"Rtwin 1.0")
    received()  # the model
    while body := received():
        rows = struct.unpack_from("<I", body)[0]
        if bad and habit != "well":
            misbehave(habit, rows)
        else:
            send(b"K" + struct.pack("<3d", 1.0, 3.0, 6.5) * rows)


main(sys.argv[1:])
