"""`tinybeam pipeline verify-cloud`: tries once in a project what the pipeline does there, and keeps a report."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import click

from pipeline.dataflow.check import Finding, findings
from pipeline.dataflow.flags import with_place
from pipeline.io.append import brief
from pipeline.io.cloud_checks import Place, checks
from pipeline.io.dataflow_jobs import DataflowJobs
from pipeline.io.warehouse import Warehouse
from program.version import version


@click.command("verify-cloud")
@click.option("--temp_location", required=True, metavar="gs://BUCKET/FOLDER", help="Where the job's files will go.")
@click.option("--input_subscription", default="", metavar="projects/P/subscriptions/S", help="The subscription that the job will read.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write what was found there, as JSON.")
@with_place
def verify_cloud(jobs: DataflowJobs, warehouse: Warehouse, *, temp_location: str, input_subscription: str, report: Path | None) -> None:
    """Try in your project what the pipeline does there: Dataflow's API, the bucket, a message through Pub/Sub, tables and columns, an
    append, a load, a query, and how many bytes a day of a view reads beside 90. Ends with 1 if anything failed, and says what it needs.

    All that it makes is its own, is named tinybeam_verify_..., and is taken away. It takes a minute and costs less than a cent. It tries as
    whoever you are; to try as the workers: gcloud auth application-default login --impersonate-service-account=EMAIL

    \b
    Example:
      tinybeam pipeline verify-cloud --project my-project --region europe-west1 --temp_location gs://my-bucket/tmp --report verified.json
    """
    if not temp_location.startswith("gs://"):
        raise click.UsageError(f"--temp_location is gs://BUCKET/FOLDER, not {temp_location!r}")
    place = Place(jobs=jobs, warehouse=warehouse, folder=temp_location, subscription=input_subscription, run=uuid4().hex[:8])
    found = []
    for one in findings(checks(place), brief):
        click.echo(one.line())
        found.append(one)
    if report:
        report.write_text(_as_json(place, found))
    if any(one.outcome == "failed" for one in found):
        raise click.exceptions.Exit(1)


def _as_json(place: Place, found: list[Finding]) -> str:
    content = {
        "project": place.warehouse.project,
        "region": place.jobs.region,
        "dataset": place.warehouse.name,
        "tinybeam": version(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "findings": [asdict(one) for one in found],
    }
    return json.dumps(content, indent=2) + "\n"
