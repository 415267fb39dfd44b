"""The commands of who runs the broker: write its files, keep them, give a sensor a password, count what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from keys import options
from keys.broker import passwords
from keys.broker.configuration import CONFIGURATION, PASSWORDS, Listeners
from keys.broker.folder import BrokerFolder
from keys.broker.follow import follow
from keys.broker.refused import Refused
from keys.broker.watch import SECONDS, watch
from keys.error import KeysError
from program import logs
from program.stop_signals import stop_event

_PORT = click.IntRange(1, 65_535)


@click.command()
@options.folder
@options.authority_folder
@click.option("--host", "hosts", multiple=True, required=True, help="A name or address that clients call the broker by; may be repeated.")
@click.option("--listen", default="0.0.0.0", show_default=True, help="Address that it listens at, by TLS alone.")  # noqa: S104 - sensors are elsewhere
@click.option("--port", type=_PORT, default=8883, show_default=True, help="Port for certificates.")
@click.option("--password_port", type=click.IntRange(0, 65_535), default=0, help="Port for sensors with a password.  [default: none]")
@click.option(
    "--state", type=click.Path(path_type=Path), default=Path("/var/lib/mosquitto"), show_default=True, help="Where it keeps what waits."
)
@click.option(
    "--topic",
    "topics",
    multiple=True,
    default=["sensors/%u/#"],
    show_default=True,
    help="Where a device writes, %u for its name; repeatable.",
)
@click.option("--log", type=click.Path(path_type=Path), help="Let it write there also what it refuses, a line a packet.")
@click.option("--restart", metavar="COMMAND", default="", help="Go on, and run this when somebody was revoked or has expired.")
@logs.options
@options.errors_explained
def broker(
    folder: Path,
    ca: Path,
    hosts: Sequence[str],
    listen: str,
    port: int,
    password_port: int,
    state: Path,
    topics: Sequence[str],
    log: Path | None,
    restart: str,
) -> None:
    """Write into FOLDER what mosquitto needs: configuration, access list, its certificate, the list of revoked ones.

    \b
    Examples:
      tinybeam keys broker /etc/mosquitto/tinybeam --ca authority --host 10.0.0.2
      tinybeam keys broker /etc/mosquitto/tinybeam --ca authority --host 10.0.0.2 --restart "systemctl restart mosquitto"
    """
    listeners = Listeners(address=listen, port=port, password_port=password_port, state=state, log=log)
    files = BrokerFolder(folder=folder, authority=ca, hosts=hosts, listeners=listeners, topics=topics)
    if not restart:
        files.write(options.now())
        click.echo(f"{folder / CONFIGURATION} is for mosquitto: restart it; who was let in before and is revoked stays until then")
        return
    stopping = stop_event()
    click.echo(f"broker: {folder} is looked at every {SECONDS:.0f} s; Ctrl-C stops it", err=True)
    watch(files, restart, stopping, options.now)


@click.command()
@options.folder
@click.argument("name")
@click.option("--remove", is_flag=True, help="Take the password back, instead.")
@options.errors_explained
def password(folder: Path, name: str, remove: bool) -> None:
    """Give the sensor NAME a password at the broker whose files are in FOLDER, and print it: it is kept nowhere.

    \b
    Example:
      tinybeam keys password /etc/mosquitto/tinybeam soil-1
    """
    if remove:
        passwords.remove(folder / PASSWORDS, name)
    else:
        click.echo(passwords.add(folder / PASSWORDS, name))


@click.command("refused")
@click.argument("log", type=click.Path(path_type=Path))
@click.option("--metrics", type=click.Path(path_type=Path), help="Go on, and keep this file for Prometheus' collector of text files.")
@logs.options
@options.errors_explained
def count_refused(log: Path, metrics: Path | None) -> None:
    """Count in a LOG of mosquitto the messages that it acknowledged and threw away; it says them with `tinybeam keys broker --log`.

    \b
    Examples:
      tinybeam keys refused /var/log/mosquitto/tinybeam.log
      tinybeam keys refused /var/log/mosquitto/tinybeam.log --metrics /var/lib/prometheus/node-exporter/tinybeam_broker.prom
    """
    if metrics:
        follow(log, metrics, stop_event())
        return
    refused = Refused()
    try:
        with log.open(errors="replace") as lines:
            refused.add(lines)
    except OSError as error:
        raise KeysError(f"{log} cannot be read: {error.strerror}") from error
    for (name, topic), count in refused.counted.most_common():
        click.echo(f"{count:>8}  {name}  {topic!r}")
    click.echo(f"{refused.counted.total()} messages refused", err=True)


COMMANDS = (broker, password, count_refused)
