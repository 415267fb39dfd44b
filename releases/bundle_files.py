"""Reads the folder of a model bundle as files to be signed, and has it judged by training's gate, where that is installed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from program.child import ChildFailed, answer
from program.names import NAME
from releases import files, roles
from releases.error import ReleaseError

MODEL, MANIFEST = "model.tflite", "manifest.json"
_GATE_SECONDS = 300.0


def read(bundle: Path) -> tuple[str, Mapping[str, bytes]]:
    """Returns the model's name and the bundle's files, name -> content. Raises ReleaseError."""
    found = {file.name: _content(file) for file in _listed(bundle)}
    if missing := {MODEL, MANIFEST} - found.keys():
        raise ReleaseError(f"{bundle} is no bundle: it has no {min(missing)}")
    return _name(bundle / MANIFEST, found), found


def judge(bundle: Path) -> bool:
    """Has the gate judge the bundle. False: training is not installed here, and nobody has judged it. Raises ReleaseError if it refuses."""
    if find_spec("training") is None or find_spec("ai_edge_litert") is None:
        return False
    try:
        answer("training", "gate", str(bundle), seconds=_GATE_SECONDS)
    except ChildFailed as failed:
        raise ReleaseError(f"{bundle} is not to be released: {failed}") from failed
    return True


def for_microcontrollers(bundle: Path) -> Mapping[str, bytes]:
    """Returns the bundle's model as C files, name -> content. Raises ReleaseError, also where training is not installed."""
    with TemporaryDirectory() as folder:
        try:
            answer("training", "microcontroller", str(bundle), "--output", folder, seconds=_GATE_SECONDS)
        except ChildFailed as failed:
            raise ReleaseError(f"{bundle} makes no copy for a microcontroller: {failed}") from failed
        return {name: files.read(Path(folder) / name) for name in roles.FOR_MICROCONTROLLERS}


def _listed(bundle: Path) -> list[Path]:
    try:
        found = sorted(file for file in bundle.iterdir() if not file.name.startswith((".", "__")))
    except OSError as error:
        raise ReleaseError(f"{bundle} cannot be read: {error.strerror}") from error
    if len(found) > roles.MAX_FILES:
        raise ReleaseError(f"{bundle} has {len(found)} files; a release has at most {roles.MAX_FILES}")
    return found


def _content(file: Path) -> bytes:
    if not re.fullmatch(NAME, file.name) or not file.is_file():
        raise ReleaseError(f"{file} cannot be released: it is no file with a plain name")
    content = files.read(file)
    if not 0 < len(content) <= roles.MAX_FILE_BYTES:
        raise ReleaseError(f"{file} cannot be released: it must have 1 to {roles.MAX_FILE_BYTES} bytes")
    return content


def _name(manifest_file: Path, contents: Mapping[str, bytes]) -> str:
    """Returns the name in the manifest, whose hash must be the model's."""
    try:
        manifest = json.loads(contents[MANIFEST])
        name, digest = str(manifest["name"]), manifest["sha256"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ReleaseError(f"{manifest_file} is no manifest with a name and a sha256") from error
    if sha256(contents[MODEL]).hexdigest() != digest:
        raise ReleaseError(f"{manifest_file} is of another {MODEL} than the one beside it")
    if not re.fullmatch(NAME, name):
        raise ReleaseError(f"{manifest_file}: name is {name!r}, which no model can have")
    return name
