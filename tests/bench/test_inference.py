"""The benchmark of inference, at a size of a second: it runs, and it takes no window that is not scored."""

from __future__ import annotations

from pathlib import Path

from bench import inference


def test_windows_in_companies_of_three_sizes_and_alone_have_their_cost(tmp_path: Path) -> None:
    figures = inference.inference(tmp_path, inference.Size(windows=400, turns=1), lambda _: None)
    assert [figure.name.split(": ")[1] for figure in figures] == [
        *(f"a window of {devices} that close together" for devices in (100, 20, 5)),
        "a window that closes alone, and a model in the shadow",
        "a window that closes alone",
    ]
    assert all(figure.value and figure.unit == "us" for figure in figures)
