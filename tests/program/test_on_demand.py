"""A module that is loaded on demand is not loaded before, and is whole when it is used."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from program.on_demand import load_on_demand


def test_a_module_is_loaded_when_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow_module.py").write_text("import sys\nsys.slow_module_ran = True\nANSWER = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    load_on_demand("slow_module", "no_such_module")
    import slow_module  # type: ignore[import-not-found]

    assert not hasattr(sys, "slow_module_ran")
    assert slow_module.ANSWER == 42
    assert sys.slow_module_ran  # type: ignore[attr-defined]
    del sys.slow_module_ran, sys.modules["slow_module"]  # type: ignore[attr-defined]
    with pytest.raises(ModuleNotFoundError):
        import no_such_module  # type: ignore[import-not-found]  # noqa: F401
