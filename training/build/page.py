"""Sections of a model's page that another command writes than the page itself: each lies between two comments that name it."""

from __future__ import annotations

from pathlib import Path

from edge.models.bundle import Bundle
from training.build.gate import Verdict

_ARENA = """\
On a microcontroller it needs an arena of {} bytes: the smallest with which tflite-micro runs it, found by bisection
on a machine whose pointers have 64 bits, with an interpreter that also keeps records; a device may need less."""


def put(page: Path, name: str, text: str) -> None:
    """Replaces the section, or adds it at the end of the page."""
    before, inside, after = _parts(page.read_text(encoding="utf-8"), name)
    section = f"{_begin(name)}\n\n{text.strip()}\n\n{_end(name)}"
    joined = f"{before}{section}{after}" if inside else f"{before.rstrip()}\n\n{section}\n"
    page.write_text(joined, encoding="utf-8")


def held(page: Path, name: str) -> str:
    """What the section says now; empty without a page or a section."""
    return _parts(page.read_text(encoding="utf-8"), name)[1].strip() if page.exists() else ""


def gate_section(verdict: Verdict, bundle: Bundle) -> str:
    """What the gate found, for the page of the bundle that passed it."""
    parts = [_together(verdict, bundle) if len(verdict.runtimes) > 1 else _alone(verdict)]
    if verdict.missing:
        parts.append(f"It was not judged by every runtime. {'; '.join(verdict.missing.values())}.")
    if verdict.arena_bytes is not None:
        parts.append(_ARENA.format(verdict.arena_bytes))
    return "\n\n".join(parts)


def _together(verdict: Verdict, bundle: Bundle) -> str:
    shares = ", ".join(f"{count} {label}" for label, count in (verdict.labels or {}).items())
    decided = verdict.probes - verdict.left_out
    return f"""## In {"three" if len(verdict.runtimes) > 2 else "two"} runtimes

Checked by `tinybeam train gate` on {", ".join(verdict.runtimes[:-1])} and {verdict.runtimes[-1]}: all load it,
all reproduce its {verdict.golden} golden cases, and all decide alike on {decided} of {verdict.probes} probes ({shares}), which are
rows between, around and far from the golden cases. The other {verdict.left_out} lie nearer to a threshold than the tolerance of
{verdict.tolerance:g} {_unit(bundle)} and were left out. Scores below twice the last threshold differ between runtimes
by up to {verdict.largest_difference:.2g}."""


def _alone(verdict: Verdict) -> str:
    return f"""## In one runtime

Checked by `tinybeam train gate` on {verdict.runtimes[0]} alone, which loads it and reproduces its {verdict.golden} golden cases. There was
no other runtime to compare decisions with."""


def _unit(bundle: Bundle) -> str:
    return "of the score" if bundle.unit == "1" else bundle.unit


def _begin(name: str) -> str:
    return f"<!-- {name}: written by its own command -->"


def _end(name: str) -> str:
    return f"<!-- end of {name} -->"


def _parts(text: str, name: str) -> tuple[str, str, str]:
    before, found, rest = text.partition(_begin(name))
    inside, _, after = rest.partition(_end(name))
    return (before, inside, after) if found else (text, "", "")
