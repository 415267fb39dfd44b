"""What is installed where: the gateway's extra stays light on its boards, the package carries its data, the locks hold what is asked.

The resolutions ask the package index, so they need a network.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType

import pytest
from packaging.markers import Environment, Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
SHIPPED = ["configuration", "costs", "edge", "models", "notify", "pipeline", "program", "schemas", "sql", "training"]
CHECKOUT_ONLY = ["bench", "lab"]
ROOMS = [*SHIPPED, *CHECKOUT_ONLY]
NEVER_ON_A_GATEWAY = {"apache-beam", "aquacrop", "duckdb", "google-cloud-bigquery", "numba", "pandas", "pyarrow", "scipy", "tensorflow"}


def copied(folder: Path) -> Path:
    """The package's sources without what tools left among them."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "tinybeam.py", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, folder)
    return folder


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def locked(name: str) -> list[Requirement]:
    text = (ROOT / "requirements" / name).read_text().replace("\\\n", " ")
    return [Requirement(line.split(" --hash")[0]) for line in text.splitlines()]


def holds(marker: Marker | None, version: str) -> bool:
    here: Environment = default_environment() | {"python_version": version, "python_full_version": f"{version}.9"}  # type: ignore[assignment]
    return marker is None or marker.evaluate(dict(here) | {"extra": ""})


def asked(*extras: str) -> list[Requirement]:
    """What setup.py asks for in these extras; "" is what everybody needs."""
    extras_require: dict[str, list[str]] = {}
    fake = ModuleType("setuptools")
    fake.setup = lambda **metadata: extras_require.update(metadata["extras_require"] | {"": metadata["install_requires"]})  # type: ignore[attr-defined]
    fake.find_packages = lambda include: include  # type: ignore[attr-defined]
    code = compile((ROOT / "setup.py").read_text(), "setup.py", "exec")
    real, sys.modules["setuptools"] = sys.modules.get("setuptools", fake), fake
    try:
        exec(code, {"__file__": str(ROOT / "setup.py")})
    finally:
        sys.modules["setuptools"] = real
    return [Requirement(line) for extra in extras for line in extras_require[extra]]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="module")
def sdist(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made as Beam makes it for the workers of an engine."""
    dist = tmp_path_factory.mktemp("dist")
    run(sys.executable, "setup.py", "--quiet", "sdist", "--dist-dir", dist, cwd=sources)
    return next(dist.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pip makes of the source distribution and installs."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, sdist, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", ROOT / "requirements" / "install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["install"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("version", "runtime"), [("3.11", "tflite-runtime"), ("3.12", "ai-edge-litert"), ("3.13", "ai-edge-litert")])
def test_the_edge_extra_installs_from_wheels_on_aarch64_and_stays_light(tmp_path, version, runtime):
    uv = Path(sys.prefix) / "bin" / "uv"
    (tmp_path / "edge.in").write_text("\n".join(map(str, asked("", "edge"))))
    board = ["--python-platform", "aarch64-manylinux_2_36", "--python-version", version, "--only-binary", ":all:"]
    compiled = run(uv, "pip", "compile", "edge.in", "--no-header", "--no-annotate", "--quiet", *board, cwd=tmp_path)
    chosen = dict(line.split("==") for line in compiled.split())
    assert not chosen.keys() & NEVER_ON_A_GATEWAY
    assert chosen.keys() >= {runtime, "paho-mqtt", "zstandard", "google-cloud-pubsub"}
    assert (chosen["numpy"] < "2") == (version == "3.11")


def test_the_source_distribution_carries_every_module_and_every_data_file(sources, sdist):
    wanted = {
        str(path.relative_to(sources))
        for room in SHIPPED
        for path in (sources / room).rglob("*")
        if path.suffix in {".py", ".sql", ".toml"}
    }
    wanted |= {"tinybeam.py"}
    wanted |= {f"models/{model}/{file}" for model in ("soil", "vibration") for file in ("model.tflite", "manifest.json")}
    with tarfile.open(sdist) as archive:
        carried = {name.partition("/")[2] for name in archive.getnames()}
    assert wanted - carried == set()


def test_what_is_installed_from_the_source_distribution_carries_the_same(sdist, wheel):
    with zipfile.ZipFile(wheel) as built, tarfile.open(sdist) as archive:
        rooms = {name.partition("/")[2] for name in archive.getnames()}
        wanted = {name for name in rooms if name.startswith(tuple(f"{room}/" for room in SHIPPED)) and Path(name).suffix}
        assert wanted - set(built.namelist()) == set()
        assert "sql/views/summaries.sql" in wanted


def test_neither_the_lab_nor_the_benchmarks_are_shipped(sdist, wheel):
    with zipfile.ZipFile(wheel) as built, tarfile.open(sdist) as archive:
        shipped = {name.partition("/")[2] for name in archive.getnames()} | set(built.namelist())
    assert {name.partition("/")[0] for name in shipped} & set(SHIPPED) == set(SHIPPED)
    assert [name for name in shipped if name.partition("/")[0] in CHECKOUT_ONLY] == []


def test_without_a_checkout_the_lab_says_in_one_sentence_that_it_needs_one(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as built:
        built.extractall(tmp_path)
    checkout_hidden = f"""
import sys
sys.path = [folder for folder in sys.path if folder != {str(ROOT)!r}]
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
import tinybeam
tinybeam.main(["lab", "demo"])
"""
    environment = {"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-P", "-c", checkout_hidden]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: `tinybeam lab` needs a checkout of the repository, and `make` there: it is not shipped\n"


def test_an_editable_installation_brings_the_lab_and_the_benchmarks(sources, tmp_path):
    run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"),
        *("--target", tmp_path, "--editable", sources),
        cwd=tmp_path,
    )
    assert [file.read_text().strip() for file in tmp_path.glob("*.pth")] == [str(sources)]


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_the_lock_holds_what_setup_asks_for(version):
    versions = {canonicalize_name(pin.name): str(pin.specifier)[2:] for pin in locked("lab.txt") if holds(pin.marker, version)}
    wrong = [
        str(wanted)
        for wanted in asked("", "lab", "dev")
        if holds(wanted.marker, version) and versions.get(canonicalize_name(wanted.name), "none") not in wanted.specifier
    ]
    assert wrong == []


@pytest.mark.parametrize("name", ["edge.txt", "lab.txt", "notify.txt", "warehouse.txt", "worker.txt"])
def test_a_lock_pins_everything_by_hash_and_names_no_place_to_get_it_from(name):
    text = (ROOT / "requirements" / name).read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) > 20
    assert [entry for entry in entries if not re.match(r"\S+==\S+ (;.*)?\\\n +--hash=sha256:", entry)] == []
    assert "://" not in text


def test_the_warehouse_keeps_the_duckdb_whose_extensions_are_packages():
    versions = {pin.name: str(pin.specifier) for pin in locked("warehouse.txt")}
    assert versions["duckdb"] == versions["duckdb-extension-ducklake"] == versions["duckdb-extension-spatial"] == "==1.5.5"


def test_ruff_takes_all_rules_and_every_exception_has_a_reason():
    text = (ROOT / "pyproject.toml").read_text()
    assert tomllib.loads(text)["tool"]["ruff"]["lint"]["select"] == ["ALL"]
    ignored = text.partition("\nignore = [\n")[2].partition("\n]")[0]
    assert [line for line in ignored.splitlines() if "# " not in line] == []


def test_every_file_of_tests_is_collected_and_every_module_is_looked_at_by_ruff(request):
    passed_over = request.config.getini("norecursedirs")
    folders = {folder.name for file in (ROOT / "tests").rglob("test_*.py") for folder in file.relative_to(ROOT).parents}
    assert [name for name in folders if any(fnmatch(name, pattern) for pattern in passed_over)] == []
    seen = set(run(Path(sys.prefix) / "bin" / "ruff", "check", "--show-files", cwd=ROOT).split())
    assert [str(file) for room in (*ROOMS, "tests") for file in (ROOT / room).rglob("*.py") if str(file) not in seen] == []


def interpreter(folder: Path, name: str, answer: str, code: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho {answer}\nexit {code}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any Python but those that a test makes in bin/ and pyenv/versions/."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    return tmp_path


def test_a_shim_that_exists_and_fails_is_passed_over_for_the_one_in_pyenvs_folder(installer, machine):
    interpreter(machine / "bin", "python3.13", "pyenv: python3.13: command not found", 127)
    real = interpreter(machine / "pyenv" / "versions" / "3.13.1" / "bin", "python3.13", "3 13 1")
    assert installer.find_python(installer.WAREHOUSE.pythons) == real


def test_a_python_that_can_make_whole_environments_is_preferred(installer, machine):
    interpreter(machine / "bin", "python3.11", "3 11 0")
    whole = interpreter(machine / "bin", "python3.12", "3 12 1")
    assert installer.find_python(installer.LAB.pythons) == whole


def test_a_python_without_ensurepip_is_better_than_none(installer, machine):
    only = interpreter(machine / "bin", "python3", "3 11 0")
    assert installer.find_python(installer.LAB.pythons) == only


def test_a_python_of_another_version_is_not_taken(installer, machine):
    interpreter(machine / "bin", "python3", "3 10 1")
    assert installer.find_python(installer.LAB.pythons) is None


def test_what_pip_says_last_is_shown_when_it_fails(installer, machine):
    pip = interpreter(machine / "bin", "pip", "no space left", 1)
    with pytest.raises(installer.Missing, match="no space left"):
        installer._follow([pip], machine / ".venv", 1)


@pytest.fixture
def unreadable(machine: Path) -> Iterator[list[Path]]:
    """Folders that cannot be looked into: one is another user's, which root may read all the same, and one has too long a name for all."""
    closed = machine / "closed"
    (closed / "bin").mkdir(parents=True)
    closed.chmod(0)
    yield [closed / "bin", machine / ("x" * 300)]
    closed.chmod(0o700)


def test_a_folder_that_may_not_be_read_is_passed_over_wherever_a_python_is_looked_for(installer, machine, unreadable, monkeypatch):
    real = interpreter(machine / "bin", "python3.12", "3 12 1")
    closed, too_long = unreadable
    monkeypatch.setenv("PATH", f"{closed}:{too_long}::{machine / 'bin'}")
    monkeypatch.setenv("HOME", str(closed))
    for home in (closed, too_long):
        monkeypatch.setenv("PYENV_ROOT", str(home))
        assert installer.find_python(((3, 12),)) == real
        assert installer.find_python(((3, 14),)) is None


def test_an_account_without_a_home_is_no_obstacle(installer, machine, monkeypatch):
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("PYENV_ROOT")
    monkeypatch.setattr("pwd.getpwuid", lambda _: {}["nobody"])
    assert installer.find_python(((3, 14),)) is None


@pytest.fixture
def repository(installer, machine, monkeypatch) -> Path:
    """A folder with an environment that has a uv, which answers as the test says."""
    monkeypatch.setattr(installer, "ROOT", machine)
    return machine


def test_what_uv_says_is_part_of_the_sentence_when_it_fetches_no_python(installer, repository):
    uv = repository / ".venv" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.write_text("#!/bin/sh\nprintf 'error: Failed to install\\n  Caused by: connection refused\\n' >&2\nexit 1\n")
    uv.chmod(0o755)
    with pytest.raises(installer.Missing, match=r"the warehouse .* needs Python 3\.13 or 3\.14, .* \(connection refused\): install one"):
        installer.main("warehouse")


def test_a_machine_without_a_python_that_will_do_is_told_which(installer, repository):
    with pytest.raises(installer.Missing, match=r"TinyBeam needs Python 3\.11 or .* 3\.14, which is neither on PATH nor"):
        installer.main("lab")
