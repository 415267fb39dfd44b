"""Runs commands in children of one process that has imported our libraries: importing them takes longer than what most commands do.

What is imported is others' packages alone, so each child runs the rooms that its PYTHONPATH names. A child has the caller's folder,
variables, arguments and open files, and gets its signals; it ends when its caller does.
"""

from __future__ import annotations

import atexit
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
_BYTES = 1 << 20
_CALLER = Path(__file__).with_name("preloaded_caller.py")


@cache
def preloaded() -> list[str]:
    """Returns the words that run a module by way of such a process, one for all tests of this one: `WORDS module argument ...`."""
    stack = ExitStack()
    atexit.register(stack.close)
    return [sys.executable, "-I", "-S", str(_CALLER), stack.enter_context(_process())]


@contextmanager
def _process() -> Iterator[str]:
    """Yields the address of a process that has imported the libraries."""
    ready, told = os.pipe()
    with TemporaryDirectory() as folder:
        address = f"{folder}/preloaded"
        server = subprocess.Popen([sys.executable, "-m", "tests.preloaded", address, str(told)], cwd=ROOT, pass_fds=[told])
        os.close(told)
        try:
            if not os.read(ready, 1):
                raise RuntimeError("the process that has the libraries did not start")
            yield address
        finally:
            os.close(ready)
            server.kill()
            server.wait()


def _serve(address: str, told: int) -> None:
    import apache_beam.io.gcp.bigquery  # noqa: F401
    import google.cloud.bigquery  # noqa: F401

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    os.write(told, b"1")
    os.close(told)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        caller, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _answer(caller)
        caller.close()


def _answer(caller: socket.socket) -> None:
    """Runs what a caller asks in a child, which gets the signals that the caller sends; ends it if the caller ends first.

    Sends its exit status.
    """
    asked, files, _, _ = socket.recv_fds(caller, _BYTES, 3)
    while not asked.endswith(b"\n"):
        asked += caller.recv(_BYTES)
    ended, running = os.pipe()
    child = os.fork()
    if child == 0:
        caller.close()
        os.close(ended)
        _run(files, **json.loads(asked))
    os.close(running)
    while ended not in select.select([ended, caller], [], [])[0]:
        signals = caller.recv(_BYTES) or bytes([signal.SIGKILL])
        for number in signals:
            os.kill(child, number)
        if signal.SIGKILL in signals:
            break
    _, status = os.waitpid(child, 0)
    with suppress(BrokenPipeError):
        caller.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _run(files: list[int], folder: str, variables: dict[str, str], arguments: list[str]) -> None:
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.modules.pop("tests", None)
    sys.path[:1] = [folder, *filter(None, variables.get("PYTHONPATH", "").split(os.pathsep))]
    module, *rest = arguments
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    raise SystemExit


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
