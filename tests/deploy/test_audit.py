"""The locks are audited against a copy of the database of advisories, and without one it is said that they were not."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from deploy import audit
from deploy.audit import Advisories

ADVISORY = """
id: PYSEC-2099-1
modified: {modified}
aliases: [CVE-2099-1]
{more}
affected:
- package: {{ecosystem: PyPI, name: Small_Package}}
  ranges:
  - type: GIT
    events: [{{introduced: "0"}}]
  - type: ECOSYSTEM
    events: [{{introduced: "1.0"}}, {{fixed: 1.5}}, {{introduced: "2.0"}}, {{last_affected: 2.10}}]
  versions: ["3.0"]
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    write(tmp_path, "PYSEC-2099-1", modified="2026-01-02T03:04:05Z")
    return tmp_path


def write(database: Path, name: str, *, modified: str, more: str = "") -> None:
    folder = database / "vulns" / "small-package"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text(ADVISORY.format(modified=modified, more=more))


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ("0.9", False),
        ("1.0", True),
        ("1.4.9", True),
        ("1.5", False),
        ("2.0", True),
        ("2.9", True),
        ("2.10", True),
        ("2.11", False),
        ("3.0", True),
    ],
)
def test_a_version_is_affected_within_a_range_or_by_its_own_name(database: Path, version: str, affected: bool) -> None:
    found = [str(each) for each in Advisories(database).of("small.package", Version(version))]
    assert found == (["PYSEC-2099-1 (CVE-2099-1), mended in 1.5"] if affected else [])


def test_an_advisory_that_was_withdrawn_is_none(database: Path) -> None:
    write(database, "PYSEC-2099-1", modified="2026-01-03T00:00:00Z", more='withdrawn: "2026-01-03T00:00:00Z"')
    assert not list(Advisories(database).of("small-package", Version("1.0")))


def test_an_advisory_of_what_a_lock_names_is_found(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = audit.ROOT / "requirements/notify.txt"
    package, _, version = audit.entries(lock.read_text())[0].partition("==")
    folder = database / "vulns" / audit.canonicalize_name(package)
    folder.mkdir(exist_ok=True)
    text = ADVISORY.format(modified="2026-01-02", more="").replace("Small_Package", package).replace('"3.0"', f'"{version.split()[0]}"')
    (folder / "PYSEC-2099-2.yaml").write_text(text)
    assert audit.main(["--database", str(database)]) == 1
    said = capsys.readouterr().out
    assert f"notify.txt: {package} {version.split()[0]}: PYSEC-2099-1" in said
    assert "the database ends on 2026-01-02" in said


def test_without_a_database_nothing_is_said_to_be_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [audit.main(["--database", str(tmp_path), *more]) for more in ([], ["--if-there"])] == [2, 0]
    assert capsys.readouterr().out.count("the locks were not audited\n") == 2
