"""`python -m deploy.audit` looks what the locks name up in a copy of the Python Packaging Authority's database of advisories.

It needs no network: the copy is a checkout of github.com/pypa/advisory-database, in build/advisories or where --database says. Advisories
are in the format of OSV (https://ossf.github.io/osv-schema). The exit status is 1 if one is found, and 2 if there is no database.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from deploy.sbom import ROOT, entries

_MODIFIED = re.compile(r"^modified: ['\"]?(\d{4}-\d\d-\d\d)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Advisory:
    """Names an advisory of one package, its other names, and the versions in which it is mended."""

    name: str
    aliases: Sequence[str]
    fixed: Sequence[str]

    def __str__(self) -> str:
        others = f" ({', '.join(self.aliases)})" if self.aliases else ""
        return f"{self.name}{others}, mended in {' or '.join(self.fixed) or 'no version'}"


class Advisories:
    """Finds what is known of a package in a checkout of the database."""

    def __init__(self, folder: Path) -> None:
        """Raises FileNotFoundError for a folder without one."""
        self._folder = folder / "vulns"
        if not self._folder.is_dir():
            raise FileNotFoundError(f"there is no database of advisories in {folder}")

    def newest(self) -> date:
        """Returns the day of the last change: what became known later is not in it."""
        days = (_MODIFIED.search(file.read_text()) for file in self._folder.glob("*/*.yaml"))
        return max(date.fromisoformat(day[1]) for day in days if day)

    def of(self, package: str, version: Version) -> Iterator[Advisory]:
        """Yields what concerns this version of a package, withdrawn ones left out."""
        name = canonicalize_name(package)
        for file in sorted((self._folder / name).glob("*.yaml")):
            content = yaml.load(file.read_text(), yaml.BaseLoader)  # noqa: S506 - it makes texts alone: a version is no number
            ranges = [each for affected in content.get("affected", ()) if _is_of(affected, name) for each in _ranges(affected)]
            if not content.get("withdrawn") and any(_holds(each, version) for each in ranges):
                yield Advisory(content["id"], content.get("aliases", ()), sorted({event for each in ranges for event in _fixed(each)}))


def _is_of(affected: Mapping[str, Any], name: str) -> bool:
    return canonicalize_name(affected["package"]["name"]) == name


def _ranges(affected: Mapping[str, Any]) -> Iterator[Sequence[Mapping[str, str]]]:
    """Yields the events of each range of versions; listed versions are ranges of one."""
    yield from (each["events"] for each in affected.get("ranges", ()) if each["type"] == "ECOSYSTEM")
    yield from ([{"introduced": version}, {"last_affected": version}] for version in affected.get("versions", ()))


def _holds(events: Sequence[Mapping[str, str]], version: Version) -> bool:
    """Says whether a version lies in a range: behind an `introduced` that no `fixed` or `last_affected` has ended."""
    is_affected = False
    for event in sorted(events, key=_version):
        [(kind, _)] = event.items()
        if kind == "last_affected":
            is_affected = is_affected and version <= _version(event)
        elif version >= _version(event):
            is_affected = kind == "introduced"
    return is_affected


def _version(event: Mapping[str, str]) -> Version:
    return Version(next(iter(event.values())))


def _fixed(events: Sequence[Mapping[str, str]]) -> Iterator[str]:
    return (event["fixed"] for event in events if "fixed" in event)


def audit(advisories: Advisories, lock: Path) -> Iterator[str]:
    """Yields a sentence for each advisory of what a lock names."""
    for requirement in map(Requirement, entries(lock.read_text())):
        version = str(requirement.specifier).removeprefix("==")
        for advisory in advisories.of(requirement.name, Version(version)):
            yield f"{lock.name}: {requirement.name} {version}: {advisory}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.audit", description=__doc__)
    parser.add_argument("--database", type=Path, default=ROOT / "build/advisories", help="checkout of it (default: %(default)s)")
    parser.add_argument("--if-there", action="store_true", help="without a database say so, and end with 0")
    chosen = parser.parse_args(arguments)
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    try:
        advisories = Advisories(chosen.database)
    except FileNotFoundError as error:
        sys.stdout.write(f"{error}: the locks were not audited\n")
        return 0 if chosen.if_there else 2
    found = [sentence for lock in locks for sentence in audit(advisories, lock)]
    newest = advisories.newest()
    age = (datetime.now(UTC).date() - newest).days
    sys.stdout.writelines(f"{sentence}\n" for sentence in found)
    sys.stdout.write(f"{len(found)} advisories for {len(locks)} locks; the database ends on {newest}, {age} days ago\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
