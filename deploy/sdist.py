"""`python -m deploy.sdist` makes the source distribution, the same bytes whenever and wherever: its times are SOURCE_DATE_EPOCH.

Without that variable they are the time of the last commit. Owners and the order of files do not depend on the machine either.
"""

from __future__ import annotations

import argparse
import gzip
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def normal(archive: bytes, epoch: int) -> bytes:
    """Returns a .tar.gz of the same files with these times, in seconds since 1970, and without what names the machine."""
    packed = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(archive)) as found,
        gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=epoch) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as made,
    ):
        for member in sorted(found.getmembers(), key=lambda member: member.name):
            content = found.extractfile(member)
            member.mtime, member.uid, member.gid, member.uname, member.gname = epoch, 0, 0, "", ""
            member.mode, member.pax_headers = 0o755 if member.isdir() or member.mode & 0o100 else 0o644, {}
            made.addfile(member, content)
    return packed.getvalue()


def build(sources: Path, output: Path, epoch: int) -> Path:
    """Makes the source distribution of a folder. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "setup.py", "--quiet", "sdist", "--formats=gztar", "--dist-dir", folder]
        subprocess.run(command, cwd=sources, check=True)
        [made] = Path(folder).iterdir()
        output.mkdir(parents=True, exist_ok=True)
        (output / made.name).write_bytes(normal(made.read_bytes(), epoch))
        return output / made.name


def _epoch() -> int:
    if found := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(found)
    return int(subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.sdist", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="folder of the file")
    print(build(ROOT, parser.parse_args().output, _epoch()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
