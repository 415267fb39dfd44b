from pathlib import Path

import pytest

from lab.folder import emptied
from lab.services.child import StartFailed


def test_the_labs_own_folder_is_emptied(tmp_path: Path) -> None:
    (emptied(tmp_path / "demo") / "old.log").write_text("old")
    assert [path.name for path in emptied(tmp_path / "demo").iterdir()] == [".tinybeam-lab"]


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(StartFailed, match="not the lab's"):
        emptied(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_folder_that_may_not_be_looked_at_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match=r"x{300}.*: name another --directory"):
        emptied(tmp_path / ("x" * 300))
