"""Writes a bundle's model for a microcontroller: the same bytes as a C array, the arena that tflite-micro needs, the operators used.

`model.h` declares and `model.cc` holds them; both belong into a firmware that has tflite-micro.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

from edge.models.bundle import MODEL_FILE, Bundle
from training.build.page import render
from training.build.runtimes import arena_child

ALIGNMENT = 16
"""Bytes; the flatbuffer is read where it lies."""
_A_LINE = 16
_HEADER, _SOURCE = (Path(__file__).with_name(f"{name}.j2") for name in ("model.h", "model.cc"))
_NAMES: Mapping[int, str] = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}


def write(directory: Path, into: Path) -> int:
    """Writes both files for the bundle in `directory`; returns the bytes of the arena, which is measured.

    Raises BundleError for no sound bundle, RuntimeMissing without tflite-micro.
    """
    bundle = Bundle.load(directory)
    content = (directory / MODEL_FILE).read_bytes()
    symbol, arena = re.sub(r"\W", "_", bundle.name) + "_model", arena_child(directory)
    into.mkdir(parents=True, exist_ok=True)
    header = render(_HEADER, bundle=bundle, symbol=symbol, arena=arena, operators=operators(content), alignment=ALIGNMENT)
    (into / "model.h").write_text(header)
    (into / "model.cc").write_text(render(_SOURCE, symbol=symbol, lines=list(_lines(content)), alignment=ALIGNMENT))
    return arena


def _lines(content: bytes) -> Iterator[str]:
    for at in range(0, len(content), _A_LINE):
        yield ", ".join(f"0x{byte:02x}" for byte in content[at : at + _A_LINE])


def operators(content: bytes) -> list[str]:
    """Returns the names of the operators that a model uses: what a MicroMutableOpResolver is to be given."""
    model = schema.Model.GetRootAs(content, 0)
    codes = (model.OperatorCodes(number) for number in range(model.OperatorCodesLength()))
    return sorted({_NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())] for code in codes})
