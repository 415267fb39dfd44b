"""Runs a command that dies with its parent: `python -I die_with_parent.py PARENT_PID COMMAND...`.

It works on Linux; elsewhere the command just runs.

The kernel forgets the signal at fork but not at exec, so a program of its own sets it; code between fork and exec of a process
with threads would be unsafe.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("the parent died before its child began")
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
