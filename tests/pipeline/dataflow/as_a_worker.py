"""Run as `python -P as_a_worker.py FOLDER SOURCES unpack`: unpacks every step and coder of FOLDER/pipeline.pb, and prints how many.
`... serve`: prints an address, and runs what engines start there (--environment_type=EXTERNAL) until its input ends.

It sees the sources, Beam, and the packages of FOLDER/requirements.txt with what these ask for, of this environment; no checkout.
"""

from __future__ import annotations

import sys
from importlib import metadata
from importlib.abc import MetaPathFinder
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOLDER, SOURCES = map(Path, sys.argv[1:3])
TASK = sys.argv[3]


def closure(lines: list[str]) -> set[str]:
    """The names of the distributions that these lines bring."""
    found: set[str] = set()
    waiting = [Requirement(line) for line in lines]
    while waiting:
        wanted = waiting.pop()
        name, extras = canonicalize_name(wanted.name), wanted.extras or {""}
        try:
            asked = [Requirement(line) for line in metadata.requires(name) or ()]
        except metadata.PackageNotFoundError:
            continue
        fresh = {f"{name}[{extra}]" for extra in (*extras, "")} - found
        found |= fresh | {name}
        waiting += [one for one in asked if fresh and (not one.marker or any(one.marker.evaluate({"extra": extra}) for extra in extras))]
    return found


class Hidden(MetaPathFinder):
    """Finds nothing of other distributions: they seem not to be installed."""

    def __init__(self, brought: set[str]) -> None:
        self._hidden = {
            module
            for module, names in metadata.packages_distributions().items()
            if not {canonicalize_name(name) for name in names} & brought and not (SOURCES / module).exists()
        }

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in self._hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


ALWAYS = ["apache-beam[gcp]", "setuptools", "packaging"]
"""What an image of Beam has."""

brought = closure([*(FOLDER / "requirements.txt").read_text().splitlines(), *ALWAYS])
sys.meta_path[:] = [Hidden(brought), *(finder for finder in sys.meta_path if "editable" not in repr(finder))]
checkout = str(Path(__file__).resolve().parents[3])
sys.path[:] = [str(SOURCES), *(place for place in sys.path if place != checkout)]

from apache_beam.internal import pickler  # noqa: E402 - after what is hidden
from apache_beam.portability import python_urns  # noqa: E402
from apache_beam.portability.api import beam_runner_api_pb2 as api  # noqa: E402
from apache_beam.runners.pipeline_context import PipelineContext  # noqa: E402
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer  # noqa: E402

import pipeline  # noqa: E402

assert Path(pipeline.__file__).is_relative_to(SOURCES), pipeline.__file__


def unpack() -> None:
    pickler.set_library("cloudpickle")
    parts = api.Pipeline.FromString((FOLDER / "pipeline.pb").read_bytes()).components
    context = PipelineContext(parts)
    unpacked = 0
    for step in parts.transforms.values():
        if step.spec.urn == "beam:transform:pardo:v1":
            pardo = api.ParDoPayload.FromString(step.spec.payload)
            if pardo.do_fn.urn == python_urns.PICKLED_DOFN_INFO:
                pickler.loads(pardo.do_fn.payload)
                unpacked += 1
    for coder in parts.coders:
        context.coders.get_by_id(coder)
    for windowing in parts.windowing_strategies:
        context.windowing_strategies.get_by_id(windowing)
    print(unpacked, "steps of", SOURCES.name)


def serve() -> None:
    address, _ = BeamFnExternalWorkerPoolServicer.start()
    print(address, flush=True)
    sys.stdin.read()


{"unpack": unpack, "serve": serve}[TASK]()
