"""A source distribution is the same bytes whenever and wherever it is made, so that anybody can make it again and compare."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

from deploy.sdist import build

EPOCH = 1_780_000_000


def sources(folder: Path, *, time: int, mode: int) -> Path:
    """A package as another machine has it: other times, other rights."""
    (folder / "room").mkdir(parents=True)
    (folder / "room" / "__init__.py").write_text("")
    (folder / "setup.py").write_text("from setuptools import setup\nsetup(name='small', version='1', packages=['room'])\n")
    for file in (folder / "room" / "__init__.py", folder / "setup.py"):
        file.chmod(mode)
        os.utime(file, (time, time))
    return folder


def test_two_builds_are_equal_and_only_by_what_is_made_of_them(tmp_path: Path) -> None:
    one = build(sources(tmp_path / "one", time=1_700_000_000, mode=0o644), tmp_path / "a", EPOCH)
    other = build(sources(tmp_path / "other", time=1_750_000_000, mode=0o664), tmp_path / "b", EPOCH)
    assert one.read_bytes() == other.read_bytes()
    later = build(tmp_path / "one", tmp_path / "c", EPOCH + 1)
    assert later.read_bytes() != one.read_bytes()
    with tarfile.open(one) as made:
        assert {(member.mtime, member.uid, member.uname) for member in made.getmembers()} == {(EPOCH, 0, "")}
        assert any(name.endswith("room/__init__.py") for name in made.getnames())
