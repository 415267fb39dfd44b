"""drongo's Pub/Sub where Google's emulator is absent: `python -m lab.drongo_server FILE` writes its address into FILE when it is ready."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from drongo.services.pubsub.emulator import PubSubEmulator


def serve(address_file: Path) -> None:
    """Runs until SIGTERM or SIGINT."""
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    emulator = PubSubEmulator()
    emulator.start()
    written = address_file.with_suffix(".part")
    written.write_text(os.environ[PubSubEmulator.ENV_VAR])
    written.replace(address_file)
    signal.sigwait(ends)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
