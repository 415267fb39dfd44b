"""Finds Prism for the lab, and builds it where Go is: ten minutes, once."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import apache_beam

from pipeline.prism import MODULE, find


def provided(folder: Path, log: Callable[[str], None]) -> bool:
    """Puts Prism where pipelines that are started from here find it. Returns whether there is one; else says why not."""
    os.environ["PATH"] = f"{folder.absolute()}{os.pathsep}{os.environ.get('PATH', '')}"
    if find(os.environ):
        return True
    if not (go := shutil.which("go")):
        log("Prism is left out: it is neither on PATH nor in Go's folder, and Go, which would build it, is not installed")
        return False
    log(f"building Prism in {folder}: about ten minutes, once")
    command = [go, "install", f"{MODULE}@v{apache_beam.__version__}"]
    done = subprocess.run(command, env={**os.environ, "GOBIN": str(folder.absolute())}, capture_output=True, text=True, check=False)
    if done.returncode:
        log(f"Prism is left out: {' '.join(command)} failed: {done.stderr[-300:]}")
    return find(os.environ) is not None
