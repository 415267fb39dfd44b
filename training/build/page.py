"""Writes the pages of docs/models: each is a template beside the code that measures, filled with the figures of a run; none is edited.

The figures are kept as JSON beside the page, so that a page can be rendered again without training. A page may
hold sections that another command writes than the page itself: each lies between two comments that name it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from edge.models.bundle import Bundle
from training.build.gate import GateReport

_GATE = Path(__file__).with_name("gate.md.j2")


def render(template: Path, **values: Any) -> str:
    """Fills the template with the values; `{{ share | spec(".1%") }}` writes a number as Python's format does, a missing one as a dash."""
    # Markdown, of our own figures: nothing is escaped.
    environment = Environment(  # noqa: S701
        loader=FileSystemLoader(template.parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["spec"] = _spec
    return environment.get_template(template.name).render(values)


def _spec(number: float | None, specification: str) -> str:
    return "-" if number is None else format(number, specification)


Record = TypeVar("Record")


def write(page: Path, text: str, figures: object) -> None:
    """Writes the page, and its figures beside it."""
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")
    write_figures(page.with_suffix(".json"), figures)


def write_figures(file: Path, figures: object) -> None:
    """Writes figures, a dataclass, as JSON."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=1) + b"\n")


def read_figures(file: Path, record: type[Record]) -> Record:
    """Reads what `write_figures` wrote of such a record."""
    return msgspec.json.decode(file.read_bytes(), type=record)


def put_section(page: Path, name: str, text: str) -> None:
    """Replaces the section, or adds it at the end of the page."""
    before, inside, after = _parts(page.read_text(encoding="utf-8"), name)
    section = f"{_begin(name)}\n\n{text.strip()}\n\n{_end(name)}"
    joined = f"{before}{section}{after}" if inside else f"{before.rstrip()}\n\n{section}\n"
    page.write_text(joined, encoding="utf-8")


def section(page: Path, name: str) -> str:
    """Returns the section's text; empty without a page or a section."""
    return _parts(page.read_text(encoding="utf-8"), name)[1].strip() if page.exists() else ""


def gate_section(report: GateReport, bundle: Bundle) -> str:
    """Renders the section on what the gate found, for the page of the bundle that passed it."""
    counts = ", ".join(f"{count} {label}" for label, count in (report.labels or {}).items())
    unit = "of the score" if bundle.unit == "1" else bundle.unit
    return render(_GATE, report=report, counts=counts, unit=unit).rstrip()


def _begin(name: str) -> str:
    return f"<!-- {name}: written by its own command -->"


def _end(name: str) -> str:
    return f"<!-- end of {name} -->"


def _parts(text: str, name: str) -> tuple[str, str, str]:
    before, begin, rest = text.partition(_begin(name))
    inside, _, after = rest.partition(_end(name))
    return (before, inside, after) if begin else (text, "", "")
