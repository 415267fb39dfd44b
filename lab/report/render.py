"""Renders the demo's report: one HTML page that needs no network and no JavaScript, rendered from the warehouse and the run record.

Guarantees that every number on it comes from the data, and that a section without data says why.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from google.cloud import bigquery
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from edge.models.bundle import Bundle
from lab.acts.gateways import BUNDLES
from lab.acts.run_record import RunRecord
from lab.report import content
from lab.report.query_results import QueryResults, gather
from lab.report.sections.irrigation import SOON_DAYS
from presentation import svg, wording

FILE = "report.html"
_TEMPLATE = "report.html.j2"


def write(directory: Path, client: bigquery.Client, record: RunRecord) -> Path:
    """Asks the warehouse and writes report.html into the folder. Raises GoogleAPICallError and BundleError."""
    file = directory / FILE
    results = gather(client, record.season_begin, datetime.now(UTC))
    file.write_text(page(record, results, Bundle.load(BUNDLES / "soil"), Bundle.load(BUNDLES / "vibration")))
    return file


def page(record: RunRecord, results: QueryResults, soil: Bundle, vibration: Bundle) -> str:
    """Renders the page. No I/O but the template; the bundles are those whose verdicts are shown."""
    loader = FileSystemLoader([Path(__file__).parent, Path(svg.__file__).parent])
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        function.__name__: function
        for function in (
            wording.clock,
            wording.count,
            wording.date,
            wording.listed,
            wording.moment,
            wording.plain,
            wording.size,
            wording.short,
        )
    }
    return environment.get_template(_TEMPLATE).render(
        record=record,
        longest=soil.limits[1],
        soon=SOON_DAYS,
        worst=vibration.labels[-1],
        **content.build(record, results, vibration),
    )
