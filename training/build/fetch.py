"""Fetches a source distribution with pip and builds nothing: of a package that holds recordings only its files are wanted.

pip asks a source distribution's build backend for metadata even when it only downloads. So that nothing of the package runs, pip finds a
backend of ours in its place, which knows name and version. The bytes are those of a known SHA-256 or they are refused.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

_BACKEND = '''"""Stands in for the real build backend while pip downloads."""
import pathlib


def prepare_metadata_for_build_wheel(folder, config_settings=None):
    info = pathlib.Path(folder, "{module}-{version}.dist-info")
    info.mkdir()
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
    return info.name
'''


class FetchError(Exception):
    """The file cannot be fetched; the text says why."""


@dataclass(frozen=True, slots=True)
class SourceDistribution:
    """Names a source distribution that builds with setuptools."""

    name: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self._module}-{self.version}.tar.gz"

    @property
    def backend(self) -> str:
        """Returns the stand-in's Python source."""
        return _BACKEND.format(module=self._module, name=self.name, version=self.version)

    @property
    def _module(self) -> str:
        return self.name.replace("-", "_")


def cache_folder() -> Path:
    """Returns the folder of fetched files."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tinybeam"


def fetch(source: SourceDistribution, cache: Path, pip: Sequence[str] = (sys.executable, "-m", "pip")) -> Path:
    """Returns the verified file in the cache, which it downloads if it is not there: `fetch(SOURCE, cache_folder())`. Raises FetchError."""
    cached = cache / source.file_name
    if not _is_expected(cached, source):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            downloaded = _download(source, Path(folder), pip)
            if not _is_expected(downloaded, source):
                raise FetchError(f"{source.file_name} is not the file that is expected: its SHA-256 differs")
            shutil.move(downloaded, cached)
    return cached


def _download(source: SourceDistribution, folder: Path, pip: Sequence[str]) -> Path:
    stand_in = folder / "backend" / "setuptools"
    stand_in.mkdir(parents=True)
    (stand_in / "__init__.py").touch()
    (stand_in / "build_meta.py").write_text(source.backend, encoding="utf-8")
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{source.name}=={source.version} --hash=sha256:{source.sha256}\n", encoding="utf-8")
    words = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--require-hashes"]
    command = [*pip, *words, "--dest", str(folder), "--requirement", str(requirement)]
    try:
        completed = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(stand_in.parent)}, cwd=folder
        )
    except OSError as error:
        raise FetchError(f"pip cannot be run: {error}") from error
    if completed.returncode or not (folder / source.file_name).exists():
        lines = completed.stderr.strip().splitlines() or ["it gave no reason"]
        reason = next((line for line in lines if line.startswith("ERROR")), lines[-1])
        raise FetchError(f"pip cannot fetch {source.name} {source.version}: {reason}")
    return folder / source.file_name


def _is_expected(file: Path, source: SourceDistribution) -> bool:
    return file.is_file() and sha256(file.read_bytes()).hexdigest() == source.sha256
