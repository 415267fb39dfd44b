"""`python -m deploy.sbom gateway` writes what an image holds, from its Dockerfile and its lock, as CycloneDX 1.6 in JSON.

It needs neither Docker nor a network, and gives the same text for the same files; the hashes of packages stand in the lock.
What Debian is in the base image, `docker buildx build --sbom=true` says.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
_NAMES = uuid.UUID("5b0f0e5c-8f0e-4d0a-9a5e-2f6d3c1b7a90")
"""The space in which a bill's serial number is the name of what it says."""
_ENVIRONMENT: dict[str, str] = {
    "os_name": "posix",
    "platform_machine": "x86_64",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.14",
    "python_version": "3.11",
    "sys_platform": "linux",
    "extra": "",
}
"""What markers of a lock are asked about: the Python of every image, on Linux."""
_ENTRY = re.compile(r"^(\S+==[^\\\n]*?) \\$", re.MULTILINE)


class Image(NamedTuple):
    """Names an image's Dockerfile, the lock that it installs, its base image, and whether a program of Go's is in it."""

    dockerfile: str
    lock: str
    base: str
    go: bool = False


IMAGES = {
    "gateway": Image("deploy/images/Dockerfile", "requirements/edge.txt", "python"),
    "notifier": Image("deploy/images/Dockerfile", "requirements/notify.txt", "python"),
    "pipeline": Image("deploy/images/Dockerfile", "requirements/worker.txt", "python", go=True),
    "dataflow": Image("deploy/dataflow/Dockerfile", "requirements/worker.txt", "apache/beam_python3.11_sdk"),
}


def bill(name: str, root: Path = ROOT) -> dict[str, Any]:
    """Returns the bill of one of IMAGES."""
    image = IMAGES[name]
    dockerfile = (root / image.dockerfile).read_text()
    version = re.findall(r'version="([^"]+)"', (root / "setup.py").read_text())[0]
    itself = {"type": "container", "name": f"tinybeam-{name}", "version": version, "bom-ref": f"tinybeam-{name}"}
    components = [_ourselves(version), _base(dockerfile, image.base), *_packages((root / image.lock).read_text())]
    components += _go_programs(dockerfile) if image.go else []
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMES, json.dumps([itself, components]))}",
        "version": 1,
        "metadata": {"component": itself},
        "components": components,
        "dependencies": [{"ref": itself["bom-ref"], "dependsOn": [part["bom-ref"] for part in components]}],
    }


def _ourselves(version: str) -> dict[str, Any]:
    licences = [{"license": {"id": "Apache-2.0"}}]
    return {"type": "application", "name": "tinybeam", "version": version, "bom-ref": "tinybeam", "licenses": licences}


def _base(dockerfile: str, name: str) -> dict[str, Any]:
    version = re.findall(rf"^(?:FROM |ARG \w+=){re.escape(name)}:(\S+)", dockerfile, re.MULTILINE)[0]
    return _component("container", name, version, f"pkg:docker/{name}@{version}")


def _go_programs(dockerfile: str) -> Iterator[dict[str, Any]]:
    for module, folder, version in re.findall(r"go install (\S+?/v\d+)/(\S+)@(v\S+)", dockerfile):
        yield _component("application", folder.rpartition("/")[2], version, f"pkg:golang/{module}@{version}#{folder}")


def entries(lock: str) -> list[str]:
    """Returns what a lock names, each as a requirement of one version."""
    return _ENTRY.findall(lock)


def _packages(lock: str) -> Iterator[dict[str, Any]]:
    """Yields what of a lock is installed in an image."""
    for requirement in map(Requirement, entries(lock)):
        if requirement.marker is None or requirement.marker.evaluate(_ENVIRONMENT):
            version = str(requirement.specifier).removeprefix("==")
            yield _component("library", requirement.name, version, f"pkg:pypi/{requirement.name}@{version}")


def _component(type_: str, name: str, version: str, purl: str) -> dict[str, Any]:
    return {"type": type_, "name": name, "version": version, "purl": purl, "bom-ref": purl}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.sbom", description=__doc__)
    parser.add_argument("image", choices=IMAGES, help="which image")
    parser.add_argument("--output", type=Path, help="file to write to (default: standard output)")
    chosen = parser.parse_args(arguments)
    text = json.dumps(bill(chosen.image), indent=2) + "\n"
    if chosen.output:
        chosen.output.write_text(text)
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
