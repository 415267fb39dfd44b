"""Makes the virtual environments from the lock files: `python requirements/install.py lab` and, afterwards, `... warehouse`.

Runs on any Python 3.11 or newer with nothing installed. May be interrupted and repeated: what pip fetched is kept in its cache, and an
environment counts as made only when its stamp is written, last. Says in one sentence what is missing when it cannot go on.
"""

from __future__ import annotations

import os
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
    """A virtual environment: where it is, what it locks, and the Pythons it can be made with, best first."""

    folder: str
    lock: str
    pythons: tuple[Version, ...]


LAB = Environment(".venv", "requirements/lab.txt", ((3, 11), (3, 12), (3, 13), (3, 14)))
WAREHOUSE = Environment(".venv-warehouse", "requirements/warehouse.txt", ((3, 13), (3, 14)))

_QUESTION = "import sys, importlib.util as u; print(*sys.version_info[:2], int(None not in map(u.find_spec, ('venv', 'ensurepip'))))"


def main(name: str) -> None:
    if name == "lab":
        install(LAB, find_python(LAB.pythons) or _no_python(LAB.pythons))
        _install_ourselves()
    else:
        install(WAREHOUSE, find_python(WAREHOUSE.pythons) or _fetched_python() or _no_python(WAREHOUSE.pythons))
    stamp = ROOT / {"lab": LAB, "warehouse": WAREHOUSE}[name].folder / STAMP
    stamp.write_text("written when everything was installed; `make` looks at its age\n")


def find_python(wanted: tuple[Version, ...]) -> Path | None:
    """The best Python that runs: a pyenv shim may exist and fail, a Debian python3 may lack ensurepip (then another one is preferred)."""
    found: list[tuple[int, int, Path]] = []
    for place, candidate in enumerate(_candidates(wanted)):
        answer = _ask(candidate)
        if answer is None or answer[:2] not in wanted:
            continue
        whole = answer[2]
        rank = wanted.index(answer[:2]) + (0 if whole else len(wanted))
        if rank == 0:
            return candidate
        found.append((rank, place, candidate))
    return min(found)[2] if found else None


def install(environment: Environment, python: Path) -> None:
    """Makes the environment, or brings it to what its lock file says."""
    folder = ROOT / environment.folder
    inside = folder / "bin" / "python"
    (folder / STAMP).unlink(missing_ok=True)
    answer = _ask(python)
    if _ask(inside) is None or answer is None or _ask(inside)[:2] != answer[:2]:  # type: ignore[index]
        print(f"{environment.folder}: a new environment of Python {'.'.join(map(str, (answer or (0, 0))[:2]))}", flush=True)
        _run([python, "-m", "venv", "--clear", "--without-pip", folder], folder)
    pip = _pip(python, inside)
    lock = ROOT / environment.lock
    _follow([*pip, "install", "--no-deps", "--require-hashes", "--no-compile", "--progress-bar", "off", "-r", lock], folder, _count(lock))


def _candidates(wanted: tuple[Version, ...]) -> Iterator[Path]:
    """Every Python worth asking: on PATH, in pyenv's folder, in uv's, and the one that runs this."""
    names = [*(f"python{major}.{minor}" for major, minor in wanted), "python3"]
    for name in names:
        for folder in os.get_exec_path():
            if (path := Path(folder or ".") / name).is_file():
                yield path
    homes = [Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions", Path.home() / ".local/share/uv/python", _fetched()]
    for home in homes:
        for major, minor in wanted:
            yield from sorted(home.glob(f"*{major}.{minor}.*/bin/python{major}.{minor}"))
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


def _fetched() -> Path:
    return ROOT / ".uv" / "python"


def _fetched_python() -> Path | None:
    """uv fetches a Python into this folder, if the network lets it."""
    uv = ROOT / LAB.folder / "bin" / "uv"
    newest = ".".join(map(str, WAREHOUSE.pythons[0]))
    print(f"{WAREHOUSE.folder}: no Python {newest} here, asking uv to fetch one (about 30 MB)", flush=True)
    environment = {**os.environ, "UV_PYTHON_INSTALL_DIR": str(_fetched()), "UV_PYTHON_BIN_DIR": str(_fetched() / "bin")}
    try:
        subprocess.run([uv, "python", "install", "--quiet", newest], env=environment, check=True, timeout=600)
    except (OSError, subprocess.SubprocessError):
        return None
    return find_python(WAREHOUSE.pythons)


def _no_python(wanted: tuple[Version, ...]) -> Path:
    names = " or ".join(f"{major}.{minor}" for major, minor in wanted)
    raise Missing(f"no Python {names} was found on PATH or in pyenv's folder: install one, for example with pyenv, then run this again")


def _install_ourselves() -> None:
    folder = ROOT / LAB.folder
    pip = _pip(folder / "bin" / "python", folder / "bin" / "python")
    _run([*pip, "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", ROOT], folder)


def _works(command: list[str | Path]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _run(command: list[str | Path], folder: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"{folder.name} could not be made: {_ending(done.stdout + done.stderr)}")


def _count(lock: Path) -> int:
    return sum("==" in line for line in lock.read_text().splitlines())


def _follow(command: list[str | Path], folder: Path, total: int) -> None:
    """Runs pip, says how far it is in four steps, and on failure its last words."""
    said: list[str] = []
    done, shown = 0, 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        for line in child.stdout or ():
            said.append(line)
            done += line.startswith(("Collecting", "Requirement already satisfied", "Ignoring"))
            if line.startswith("Installing collected"):
                print(f"{folder.name}: unpacking, about a minute", flush=True)
            elif done >= min(shown + total // 4, total) > shown:
                shown = done
                print(f"{folder.name}: {done} of {total} packages", flush=True)
    if child.returncode:
        raise Missing(f"{folder.name} could not be filled: {_ending(''.join(said))}")


def _ending(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-8:])


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Missing as reason:
        sys.exit(f"tinybeam: {reason}")
    except KeyboardInterrupt:
        sys.exit("\ntinybeam: interrupted; run the same command again to go on")
