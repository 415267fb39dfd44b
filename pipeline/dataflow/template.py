"""Builds the flow where Google's launcher of a Flex template asks for it. The launcher hands it to Dataflow and says on what it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline import run
from pipeline.assemble import build
from pipeline.dataflow.choices import job_options
from pipeline.flags import UsageError
from pipeline.io.archive import ArchiveError
from pipeline.io.warehouse import UnfitTables
from pipeline.options import Options
from program import logs
from program.settings import ConfigError

IMAGE = "TINYBEAM_IMAGE"
"""The image that this runs in, and the workers run as well."""


def main(arguments: Sequence[str]) -> int:
    try:
        options = template_options(arguments, os.environ)
        logs.set_up(options.log_level, "json")
        registry = run.registry_of(options)
        build(options, registry, run.ready(options, registry)).run()
    except UsageError as error:
        print(f"pipeline: {error}", file=sys.stderr)
        return 2
    except (UnfitTables, ArchiveError, ConfigError) as error:
        print(f"pipeline: {error}", file=sys.stderr)
        return 1
    return 0


def template_options(arguments: Sequence[str], environment: Mapping[str, str]) -> Options:
    """Reads the parameters of the template and what the launcher adds. Raises UsageError."""
    options = job_options(arguments)
    image = environment.get(IMAGE)
    if not image or any(word.startswith("--sdk_container_image") for word in options.beam):
        return options
    return replace(options, beam=(*options.beam, f"--sdk_container_image={image}", "--sdk_location=container"))
