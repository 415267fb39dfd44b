"""Runs a command that dies with its parent: `python -I die_with_parent.py PARENT_PID COMMAND...`.

It works on Linux; elsewhere the command just runs. It has a session of its own: Ctrl-C at a terminal is for the parent, which ends it.

The kernel forgets the signal at fork but not at exec, so a program of its own sets it; code between fork and exec of a process
with threads would be unsafe.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def command() -> list[str]:
    """Returns what stands before a command that is to die with this process."""
    return [sys.executable, "-I", __file__, str(os.getpid())]


def main(parent: int, program: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("the parent died before its child began")
    if os.getsid(0) != os.getpid():
        os.setsid()
    os.execvp(program[0], program)  # noqa: S606


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
