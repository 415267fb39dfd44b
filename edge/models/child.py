"""Runs one model in a child process: `python -P -m edge.models.child RUNTIME MODULE`. It may crash or hang; its parent does not care.

Speaks edge.models.protocol on stdin and stdout. Guarantees that nothing is answered before the model's shapes and the golden cases are
verified. It reads no file: its parent has read and verified the bundle, and chosen the runtime, so that little has to be imported here.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from edge.models import tflite
from edge.models.protocol import FAILED, LENGTH, OK, READY, SHAPE, UNUSABLE, send
from edge.models.runnable import BundleError, unpack
from program.on_demand import load_on_demand

if TYPE_CHECKING:
    from edge.models.model import Floats

MAX_MEMORY = 4 << 30
_UNUSED = ("numpy.core._add_newdocs", "numpy.fft", "numpy.ma", "numpy.polynomial", "numpy.random", "pickle")
"""numpy 1 imports them at once, numpy 2 not all of them."""


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status: 0 when the parent closed the pipe, 1 when the model or the runtime cannot be used."""
    _bound_memory()
    _die_first()
    source, sink = sys.stdin.buffer, _own_stdout()
    load_on_demand(*_UNUSED)
    # Imports numpy, which must come after.
    from edge.models.model import Model

    try:
        runnable = unpack(next(_packets(source)))
        runtime = tflite.Installed(*arguments).load()
        model = Model(runnable, runtime)
        model.check_golden()
    except (BundleError, ImportError) as error:
        send(sink, UNUSABLE + str(error).encode())
        return 1
    send(sink, READY + runtime.name.encode())
    serve(source, sink, model.run)
    return 0


def serve(source: BinaryIO, sink: BinaryIO, run: Callable[[Floats], Floats]) -> None:
    """Answers requests until `source` ends."""
    for body in _packets(source):
        try:
            reply = OK + run(_features(body)).astype("<f8").tobytes()
        except (ValueError, RuntimeError) as error:
            reply = FAILED + str(error).encode()
        send(sink, reply)


def _packets(source: BinaryIO) -> Iterator[bytes]:
    while head := source.read(LENGTH.size):
        yield source.read(LENGTH.unpack(head)[0])


def _features(body: bytes) -> Floats:
    import numpy as np

    rows, columns = SHAPE.unpack_from(body)
    return np.frombuffer(body, "<f8", offset=SHAPE.size).reshape(rows, columns)


def _own_stdout() -> BinaryIO:
    """Returns the pipe to the parent, out of reach of libraries that print: what they write to stdout goes to stderr."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


def _bound_memory() -> None:
    """A model that asks for more memory than this fails alone, before the machine does."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    bound = MAX_MEMORY if hard == resource.RLIM_INFINITY else min(MAX_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (bound, hard))


def _die_first() -> None:
    """Of a machine without memory left, the kernel ends this process, not the gateway."""
    # Not Linux, or not ours to say. pathlib would be memory of every model's child.
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
        file.write("1000")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
