"""What the user may not look at is not there for him, and nothing is raised."""

from __future__ import annotations

from pathlib import Path

import pytest

from program.files import is_visible


def test_a_file_is_visible_and_a_folder_and_what_is_not_there_are_not(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert is_visible(tmp_path / "file")
    assert not is_visible(tmp_path)
    assert not is_visible(tmp_path / "none")


def test_what_cannot_be_looked_at_is_not_visible(tmp_path: Path) -> None:
    """Root may look into every folder, but nobody at a name that is too long."""
    too_long = tmp_path / ("x" * 300)
    with pytest.raises(OSError, match="too long"):
        too_long.stat()
    assert not is_visible(too_long)
