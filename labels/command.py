"""`tinybeam label`: add, serve, load. Exit codes: 0 done, 1 failed, 2 called wrongly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from labels.said import LabelError, stated
from labels.server import answer_server
from labels.stores import LabelFile, Store, WarehouseLabels
from program import logs
from program.bounded_server import tls_context
from program.settings import ConfigError, is_local
from program.stop_signals import stop_event
from schemas.answers import read_key
from schemas.records import Answer
from sql.commands.choice import errors_explained
from sql.connection import Connection, connection
from sql.questions import moment


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Say what became of an alert, or what was done in a field: into the table labels_v1, or into a file.

    The view `labels` shows each once, with the field, the device and the model that it is about.
    """


@contextmanager
def _told() -> Iterator[None]:
    """Ends a command with the sentence of what is wrong."""
    try:
        with errors_explained():
            yield
    except (LabelError, ConfigError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename} cannot be used: {error.strerror}" if error.filename else str(error)) from error


def _where(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds where labels go; the command gets it as `store`, which it calls to open it."""

    @connection
    @click.option("--file", type=click.Path(path_type=Path, dir_okay=False), help="Append to this file, not to the warehouse.")
    @wraps(command)
    def chosen(connection: Connection, file: Path | None, **options: Any) -> Any:
        return command(store=lambda: LabelFile(file) if file else WarehouseLabels(connection.open()), **options)

    return chosen


@cli.command()
@click.argument("answer", type=click.Choice([str(answer) for answer in Answer]))
@_where
@click.option("--site", help="Site that it is about.")
@click.option("--device", help="Device that it is about.")
@click.option("--alert", help="Alert that it answers, by its alert_id.")
@click.option("--amount", type=float, help="How much water was given, in mm.")
@click.option("--at", default="now", show_default=True, help="When: 2026-05-01, 2026-05-01T12:00:00Z or 'now - 2 hours'.")
@click.option("--by", help="Who says so.")
@click.option("--note", help="What else there is to say, in one line.")
def add(
    answer: str,
    store: Callable[[], Store],
    site: str | None,
    device: str | None,
    alert: str | None,
    amount: float | None,
    at: str,
    by: str | None,
    note: str | None,
) -> None:
    """Add one label.

    \b
    Examples:
      tinybeam label add irrigated_mm --site north --amount 12 --at 2026-05-01T06:00:00Z
      tinybeam label add replaced --device vib-3 --note "bearing at the drive end"
      tinybeam label add false_alarm --alert dry:north:1777636800000000 --file labels.jsonl
    """
    with _told():
        now = datetime.now(UTC)
        about = {"site_id": site, "device_id": device, "alert_id": alert}
        label = stated(Answer(answer), event_time=_moment(at, now), now=now, **about, amount=amount, by=by, note=note)
        store().add([label])
    click.echo(f"added {label.answer} of {label.event_time:%Y-%m-%d %H:%M} UTC")


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@connection
def load(file: Path, connection: Connection) -> None:
    """Load the labels of a FILE into the warehouse. It may be repeated: each counts once.

    \b
    Example:
      tinybeam label load labels.jsonl --project my-project
    """
    with _told():
        labels = list(LabelFile(file).read())
        WarehouseLabels(connection.open()).add(labels)
    click.echo(f"{file}: {len(labels)} labels")


@cli.command()
@_where
@click.option("--key", type=click.Path(path_type=Path), required=True, help="The notifier's answers.key_file.")
@click.option("--listen", default="127.0.0.1", show_default=True, help="Address that it listens at; another one needs --certificate.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8444, show_default=True, help="Port that it listens at.")
@click.option("--certificate", type=click.Path(path_type=Path), help="Certificate and key for HTTPS, in one file (PEM).")
@logs.options
def serve(store: Callable[[], Store], key: Path, listen: str, port: int, certificate: Path | None) -> None:
    """Take the answers of people who follow a link in a notice, until SIGTERM or Ctrl-C.

    Put it behind a proxy that speaks HTTPS, or give it a certificate. The notifier writes the links: [answers] of its file.

    \b
    Examples:
      tinybeam label serve --key answers.key --file labels.jsonl
      tinybeam label serve --key answers.key --project my-project --listen 0.0.0.0 --certificate server.pem
    """
    if not (certificate or is_local(listen)):
        raise click.UsageError(f"--listen {listen} is not this machine alone: name a --certificate, or leave it behind a proxy")
    with _told():
        context = tls_context(certificate) if certificate else None
        server = answer_server(store(), read_key(key, "--key"), (listen, port), lambda: datetime.now(UTC), context)
    stopping = stop_event()
    with server.running():
        click.echo(f"answers: {'https' if certificate else 'http'}://{listen}:{server.server_port}; Ctrl-C stops it", err=True)
        stopping.wait()


def _moment(text: str, now: datetime) -> datetime:
    try:
        return moment(text, now)
    except (ValueError, OverflowError) as error:
        raise LabelError(f"--at {text!r} is no time") from error
