"""Holds a bundle against the gate for a command, and writes what was found into the section of its page."""

from __future__ import annotations

from pathlib import Path

import click

from edge.models.bundle import Bundle
from training.build.gate import GateReport, NoRuntime, judge
from training.build.page import gate_section, put_section


def pass_gate(bundle: Path, page: Path | None) -> None:
    """Raises ClickException if the bundle is not to be published; else writes the section of its page, if there is one."""
    try:
        report = judge(bundle)
    except NoRuntime as error:
        raise click.ClickException(str(error)) from error
    finish(bundle, report, page)


def finish(bundle: Path, report: GateReport, page: Path | None) -> None:
    """Raises ClickException if the report refuses the bundle; else writes the section of its page, if there is one."""
    if not report.passed:
        raise click.ClickException("the gate refuses it: " + "; ".join(report.refusals))
    if page is not None:
        put_section(page, "gate", gate_section(report, Bundle.load(bundle)))
