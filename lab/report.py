"""The demo's report: one HTML page that needs no network and no JavaScript, made from the warehouse and from what the lab saw.

Guarantees that every number on it comes from the data, and that a section without data says why.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from google.cloud import bigquery
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lab import sections, sentences
from lab.findings import Findings, gather
from lab.story import Story

FILE = "report.html"
_TEMPLATE = "report.html.j2"


def write(directory: Path, client: bigquery.Client, story: Story) -> Path:
    """Asks the warehouse and writes report.html into the folder. Raises GoogleAPICallError."""
    now = datetime.now(UTC)
    file = directory / FILE
    file.write_text(page(story, gather(client, story.season_begin, now), now))
    return file


def page(story: Story, findings: Findings, now: datetime) -> str:
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"count": count, "size": size, "moment": moment, "share": share}
    shown = sections.all_of(story, findings)
    return environment.get_template(_TEMPLATE).render(story=story, **shown, **sentences.all_of(story, findings, shown))


def count(number: float) -> str:
    """1234567 -> 1 234 567, with spaces that do not break."""
    return f"{number:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def size(number: float) -> str:
    """Bytes for people."""
    for unit in ("B", "kB", "MB"):
        if abs(number) < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} GB"


def moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%d %b %Y %H:%M} UTC"


def share(part: float) -> str:
    """0.25 -> 25 %; never rounded up to all."""
    return f"{int(part * 1000) / 10:g}\N{NO-BREAK SPACE}%"


