"""Finds Prism, Beam's portable engine in one program, and runs it so that it does not outlive the pipeline, and keeps what steps remember.

A bundle that Prism 2.77 splits between two elements of one key gives the second to another bundle while the first is under way: what one of
them remembers is lost, such as that a batch is written. So workers here, which are threads of this process, refuse to split.

Looked for: `--prism_location`, PATH, Go's folder of programs, what Beam fetched before; else Beam fetches it, where the network allows.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import apache_beam
from apache_beam.options.pipeline_options import PipelineOptions, PrismRunnerOptions
from apache_beam.portability.api import beam_fn_api_pb2, beam_runner_api_pb2
from apache_beam.runners.portability import job_server, prism_runner
from apache_beam.runners.runner import PipelineResult
from apache_beam.runners.worker.bundle_processor import BundleProcessor

from program import die_with_parent, logs

MODULE = "github.com/apache/beam/sdks/v2/go/cmd/prism"
"""Is Prism's Go module. Its name stands in the program; other programs of that name are no engine."""
_CHUNK = 1 << 20
_LOG = logs.get(__name__)


class NoPrism(RuntimeError):
    """Prism is not here and cannot be fetched; the text says how to get it."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"--runner=PrismRunner needs Prism, which was not found on PATH or in Go's folder ({why}). With Go installed: "
            f"`go install {MODULE}@v{apache_beam.__version__}`; or name a program or an archive of "
            "Beam's release by --prism_location=. To try things out without it: --runner=DirectRunner"
        )


class PrismRunner(prism_runner.PrismRunner):
    """Runs as Beam's runner of that name does: `--runner=pipeline.prism.PrismRunner`. Raises NoPrism."""

    def run_portable_pipeline(self, pipeline: beam_runner_api_pb2.Pipeline, options: PipelineOptions) -> PipelineResult:
        BundleProcessor.try_split = unsplit  # type: ignore[method-assign, assignment]
        return super().run_portable_pipeline(pipeline, options)

    def default_job_server(self, options: PipelineOptions) -> job_server.JobServer:
        found = options.view_as(PrismRunnerOptions)
        if not found.prism_location:
            found.prism_location = find(os.environ)
        return job_server.StopOnExitJobServer(_PrismServer(options))


def unsplit(processor: BundleProcessor, request: beam_fn_api_pb2.ProcessBundleSplitRequest) -> beam_fn_api_pb2.ProcessBundleSplitResponse:
    """Answers that a bundle is not split, which it may always."""
    return beam_fn_api_pb2.ProcessBundleSplitResponse()


class _PrismServer(prism_runner.PrismJobServer):
    def subprocess_cmd_and_endpoint(self) -> tuple[list[str], str]:
        try:
            command, endpoint = super().subprocess_cmd_and_endpoint()
        except (RuntimeError, OSError, ValueError) as error:
            raise NoPrism(str(error)) from error
        _LOG.info("Prism is %s", command[0])
        return [*die_with_parent.command(), *map(str, command)], endpoint


def find(environment: Mapping[str, str]) -> str | None:
    """Returns the path of Prism; None if it is not on this machine."""
    return next((str(path) for path in _candidates(environment) if path.is_file() and os.access(path, os.X_OK) and _is_prism(path)), None)


def _candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    if on_path := shutil.which("prism", path=environment.get("PATH")):
        yield Path(on_path)
    folders = [environment.get("GOBIN"), *(f"{each}/bin" for each in environment.get("GOPATH", "").split(os.pathsep) if each)]
    yield from (Path(folder) / "prism" for folder in folders if folder)
    yield Path(environment.get("HOME", "~")).expanduser() / "go" / "bin" / "prism"


def _is_prism(path: Path) -> bool:
    """Says whether this is Beam's program: its modules stand in it."""
    name, last = MODULE.encode(), b""
    with path.open("rb") as program:
        while chunk := program.read(_CHUNK):
            if name in last + chunk:
                return True
            last = chunk[-len(name) :]
    return False
