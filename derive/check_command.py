"""`tinybeam sql alert` tells people of what a check finds, as of any other alert: for a timer."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from derive.check_alerts import Publish, Watch, run
from schemas.notification import encode
from schemas.records import Alert, Severity
from sql.commands.choice import chosen, errors_explained, pairs
from sql.connection import Connection, connection
from sql.scripts import scripts

_PUBLISH_SECONDS = 60.0


@click.command("alert")
@click.argument("name")
@connection
@click.option("--alerts_topic", required=True, metavar="projects/P/topics/T", help="Topic of alerts that the notifier follows.")
@click.option(
    "--severity",
    type=click.Choice([str(each) for each in Severity]),
    default=str(Severity.WARNING),
    show_default=True,
    help="How much the alert matters.",
)
@click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", help="Parameter of the check.")
def alert(name: str, connection: Connection, alerts_topic: str, severity: str, parameters: tuple[str, ...]) -> None:
    """Run the check NAME of sql/checks/; open an alert if it finds something, resolve it once it finds nothing.

    \b
    Example:
      tinybeam sql alert inputs_have_not_drifted --alerts_topic projects/my-project/topics/alerts
    """
    [check] = chosen([name], scripts("checks"))
    with errors_explained():
        watch = Watch(check, pairs(parameters), Severity(severity))
        row = run(connection.open(), watch, _publisher(alerts_topic), datetime.now(UTC))
    click.echo(f"{row.state}: {row.message}" if row else "nothing has changed")


def _publisher(topic: str) -> Publish:
    def publish(row: Alert) -> None:
        from google.cloud import pubsub_v1

        attributes, body = encode(row)
        with pubsub_v1.PublisherClient() as client:
            client.publish(topic, body, **attributes).result(timeout=_PUBLISH_SECONDS)

    return publish
