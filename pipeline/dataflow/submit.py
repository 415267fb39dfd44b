"""Hands the flow to Dataflow by Beam's own runner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apache_beam.runners.dataflow.internal.apiclient import DataflowJobAlreadyExistsError

from pipeline.assemble import build
from pipeline.dataflow.launch import NotLaunched
from pipeline.io.dataflow_jobs import asking
from pipeline.options import Options
from schemas.records import Alert
from schemas.registry import RegistrySource


def submit(options: Options, registry: RegistrySource, known: Sequence[Alert]) -> str:
    """Returns the id of the job that Dataflow made. Raises NotLaunched and Unanswered."""
    pipeline = build(options, registry, known)
    try:
        with asking("the job"):
            result: Any = pipeline.run()
            return str(result.job_id())
    except DataflowJobAlreadyExistsError as error:
        raise NotLaunched(str(error)) from error
    except RuntimeError as error:
        raise NotLaunched(f"the sources could not be packed: {error}") from error
