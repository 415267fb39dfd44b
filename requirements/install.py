"""Makes the virtual environments from the lock files: `python requirements/install.py lab`; afterwards `... warehouse`, `... worker`.

Runs on any Python 3.11 or newer with nothing installed. May be interrupted and repeated: what pip fetched is kept in its cache, and an
environment counts as made only when its stamp is written, last. A folder or file that the user may not read is passed over, wherever a
Python is looked for. Says in one sentence what is missing when it cannot go on.
"""

from __future__ import annotations

import glob
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STAMP = "installed"
Version = tuple[int, int]


class Missing(Exception):
    """Something that only the user can install is not here; the text says what."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment: where it is, who runs in it, what it locks, and the Pythons it can be made with, best first."""

    folder: str
    user: str
    lock: str
    pythons: tuple[Version, ...]


LAB = Environment(".venv", "TinyBeam", "requirements/lab.txt", ((3, 11), (3, 12), (3, 13), (3, 14)))
WAREHOUSE = Environment(".venv-warehouse", "the warehouse on this machine", "requirements/warehouse.txt", ((3, 13), (3, 14)))
# What the launcher pickles only its own version of Python reads, so this one is made by the main environment's.
WORKER = Environment(".venv-worker", "a worker of an engine", "requirements/worker.txt", (sys.version_info[:2],))

_QUESTION = "import sys, importlib.util as u; print(*sys.version_info[:2], int(None not in map(u.find_spec, ('venv', 'ensurepip'))))"


def main(name: str) -> None:
    environment = {"lab": LAB, "warehouse": WAREHOUSE, "worker": WORKER}[name]
    install(environment, find_python(environment.pythons) or _fetch_python(environment))
    if environment is LAB:
        _install_ourselves()
    (ROOT / environment.folder / STAMP).write_text("written when everything was installed; `make` looks at its age\n")


def find_python(wanted: tuple[Version, ...]) -> Path | None:
    """The best Python that runs: a pyenv shim may exist and fail, a Debian python3 may lack ensurepip (then another one is preferred)."""
    usable: list[tuple[int, int, Path]] = []
    for place, candidate in enumerate(_candidates(wanted)):
        answer = _ask(candidate)
        if answer is None or answer[:2] not in wanted:
            continue
        whole = answer[2]
        rank = wanted.index(answer[:2]) + (0 if whole else len(wanted))
        if rank == 0:
            return candidate
        usable.append((rank, place, candidate))
    return min(usable)[2] if usable else None


def install(environment: Environment, python: Path) -> None:
    """Makes the environment, or brings it to what its lock file says."""
    folder = ROOT / environment.folder
    inside = folder / "bin" / "python"
    (folder / STAMP).unlink(missing_ok=True)
    version, present = (_ask(python) or ())[:2], (_ask(inside) or ())[:2]
    if version != present:
        print(f"{environment.folder}: a new environment of Python {'.'.join(map(str, version))}", flush=True)
        _run([python, "-m", "venv", "--clear", "--without-pip", folder], folder)
    pip = _pip(python, inside)
    lock = ROOT / environment.lock
    _follow([*pip, "install", "--no-deps", "--require-hashes", "--no-compile", "--progress-bar", "off", "-r", lock], folder, _count(lock))


def _candidates(wanted: tuple[Version, ...]) -> Iterator[Path]:
    """Every Python worth asking: on PATH, in pyenv's folder, in uv's, and the one that runs this.

    os.path and glob answer "no" for what the user may not read, as after `su`; pathlib raises.
    """
    names = [*(f"python{major}.{minor}" for major, minor in wanted), "python3"]
    paths = [os.path.join(folder, name) for name in names for folder in os.get_exec_path()]  # noqa: PTH118 - an empty folder is here
    yield from (Path(path) for path in paths if os.path.isfile(path))  # noqa: PTH113
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")  # noqa: PTH111 - an account may have no home
    for home in (f"{pyenv}/versions", os.path.expanduser("~/.local/share/uv/python"), str(_uv_folder())):  # noqa: PTH111
        for major, minor in wanted:
            pattern = f"{glob.escape(home)}/*{major}.{minor}.*/bin/python{major}.{minor}"
            yield from map(Path, sorted(glob.glob(pattern)))  # noqa: PTH207
    yield Path(sys.executable)


def _ask(python: Path) -> tuple[int, int, int] | None:
    """(major, minor, can make whole environments), or None if it does not run."""
    try:
        asked = subprocess.run([python, "-I", "-c", _QUESTION], capture_output=True, text=True, check=True, timeout=60)
        major, minor, whole = map(int, asked.stdout.split())
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return major, minor, whole


def _pip(python: Path, inside: Path) -> list[str | Path]:
    """A pip that installs into the environment: its own; else the one that made it; else the main environment's."""
    if _works([inside, "-m", "pip", "--version"]) or _works([inside, "-m", "ensurepip", "--default-pip"]):
        return [inside, "-m", "pip"]
    for other in (python, ROOT / LAB.folder / "bin" / "python"):
        if _works([other, "-m", "pip", "--python", inside, "--version"]):
            return [other, "-m", "pip", "--python", inside]
    raise Missing(f"{python} has neither ensurepip nor pip: install them (on Debian: apt-get install python3-venv), then run this again")


def _uv_folder() -> Path:
    return ROOT / ".uv" / "python"


def _fetch_python(environment: Environment) -> Path:
    """A Python that uv fetches into this folder, if uv is here and the network lets it. Raises Missing."""
    uv, best = ROOT / LAB.folder / "bin" / "uv", ".".join(map(str, environment.pythons[0]))
    if not uv.exists():
        raise _missing(environment)
    print(f"{environment.folder}: no Python {best} here, asking uv to fetch one (about 30 MB)", flush=True)
    variables = {**os.environ, "UV_PYTHON_INSTALL_DIR": str(_uv_folder()), "UV_PYTHON_BIN_DIR": str(_uv_folder() / "bin")}
    try:
        subprocess.run([uv, "python", "install", best], env=variables, capture_output=True, text=True, check=True, timeout=600)
    except subprocess.CalledProcessError as error:
        raise _missing(environment, f", and uv could not fetch one ({_cause(error.stderr)})") from error
    except subprocess.TimeoutExpired as error:
        raise _missing(environment, ", and uv did not fetch one within ten minutes") from error
    if (python := find_python(environment.pythons)) is None:
        raise _missing(environment, ", and the one that uv fetched does not run")
    return python


def _missing(environment: Environment, fetching: str = "") -> Missing:
    versions = " or ".join(f"{major}.{minor}" for major, minor in environment.pythons)
    return Missing(
        f"{environment.user} needs Python {versions}, which is neither on PATH nor in pyenv's folder{fetching}: "
        "install one, for example with pyenv, then run this again"
    )


def _cause(text: str) -> str:
    """The innermost reason of what uv printed."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.sub("^(caused by|cause|error): ", "", (lines or ["it does not say why"])[-1], flags=re.IGNORECASE)


def _install_ourselves() -> None:
    folder = ROOT / LAB.folder
    pip = _pip(folder / "bin" / "python", folder / "bin" / "python")
    _run([*pip, "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", ROOT], folder)


def _works(command: list[str | Path]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _run(command: list[str | Path], folder: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"{folder.name} could not be made: {_ending(done.stdout + done.stderr)}")


def _count(lock: Path) -> int:
    return sum("==" in line for line in lock.read_text().splitlines())


def _follow(command: list[str | Path], folder: Path, total: int) -> None:
    """Runs pip, says how far it is in four steps, and on failure its last words."""
    printed: list[str] = []
    done, shown = 0, 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        for line in child.stdout or ():
            printed.append(line)
            done += line.startswith(("Collecting", "Requirement already satisfied", "Ignoring"))
            if line.startswith("Installing collected"):
                print(f"{folder.name}: unpacking, about a minute", flush=True)
            elif done >= min(shown + total // 4, total) > shown:
                shown = done
                print(f"{folder.name}: {done} of {total} packages", flush=True)
    if child.returncode:
        raise Missing(f"{folder.name} could not be filled: {_ending(''.join(printed))}")


def _ending(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-8:])


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Missing as reason:
        sys.exit(f"tinybeam: {reason}")
    except PermissionError as error:
        sys.exit(f"tinybeam: {error.filename} belongs to another user: run `make clean` as that user, then run this again")
    except KeyboardInterrupt:
        sys.exit("\ntinybeam: interrupted; run the same command again to go on")
