"""Prism is found where it usually is, another program of that name is not taken for it, and its absence is said with a cure."""

from __future__ import annotations

from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.worker.bundle_processor import BundleProcessor

from pipeline.prism import NoPrism, PrismRunner, find, unsplit

OF_BEAM = b"\x7fELF...path\tgithub.com/apache/beam/sdks/v2/go/cmd/prism\n"


def program(folder: Path, content: bytes = OF_BEAM) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "prism"
    path.write_bytes(content)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("folder", "environment"),
    [("bin", {"PATH": "{}/bin"}), ("gobin", {"GOBIN": "{}/gobin"}), ("a/bin", {"GOPATH": "{}/a:/b"}), ("go/bin", {"HOME": "{}"})],
)
def test_prism_is_found_on_path_and_in_gos_folders(tmp_path: Path, folder: str, environment: dict[str, str]) -> None:
    path = program(tmp_path / folder)
    nothing = {"PATH": "/nowhere", "HOME": "/nowhere"}
    assert find(nothing | {name: value.format(tmp_path) for name, value in environment.items()}) == str(path)


def test_another_program_of_that_name_is_passed_over(tmp_path: Path) -> None:
    program(tmp_path / "bin", b"#!/usr/bin/env node\n")
    beams = program(tmp_path / "go" / "bin", b"x" * ((1 << 20) - 20) + OF_BEAM)
    assert find({"PATH": f"{tmp_path}/bin", "HOME": str(tmp_path)}) == str(beams)


def test_where_prism_cannot_be_had_the_error_says_how_to_get_it(tmp_path: Path) -> None:
    options = PipelineOptions([f"--prism_location={tmp_path}/none"])
    with pytest.raises(NoPrism, match=r"go install github\.com/apache/beam/sdks/v2/go/cmd/prism@v2"):
        PrismRunner().default_job_server(options).start()


def test_workers_split_no_bundle_for_prism_would_forget_what_one_half_remembers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BundleProcessor, "try_split", BundleProcessor.try_split)  # is put back afterwards
    options = PipelineOptions([f"--prism_location={tmp_path / 'none'}"])
    with pytest.raises(NoPrism):
        PrismRunner().run_portable_pipeline(beam_runner_api_pb2.Pipeline(), options)
    assert BundleProcessor.try_split is unsplit
