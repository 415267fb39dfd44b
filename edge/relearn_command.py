"""Runs `tinybeam edge relearn`: somebody says that what a device measures now is what is usual for it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from edge import clock
from edge.command import configured, loaded
from edge.config import ConfigError
from edge.models.memory import model_of
from edge.store.store import Store, StoreError
from edge.store_opening import open_store
from program.files import is_visible


@click.command()
@click.argument("device")
@configured
def relearn(device: str, file: Path) -> None:
    """Forget what models have learned as usual for DEVICE, after a repair or a change of its machine. Stop the gateway first.

    The models learn it anew from what comes next, and say nothing until they have enough (the vibration model: a day). What waits to be
    sent, and what was sent, stays as it is.

    \b
    Example:
      tinybeam edge relearn machine-7 --config gateway.toml
    """
    config = loaded(file)
    if not is_visible(config.store_file):
        raise click.ClickException(f"there is no store {config.store_file} that this user may see: has this gateway ever run?")
    try:
        with closing(open_store(config)) as store:
            models = forget(store, device)
    except (ConfigError, StoreError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{device}: {', '.join(models)} learn anew" if models else f"{device}: no model has learned anything of it")


def forget(store: Store, device: str) -> list[str]:
    """Deletes what models remember of a device. Returns their names."""
    features = store.section("features")
    keys = [key for key in features.items() if key.partition("/")[0] == device]
    for key in keys:
        features.set(key, None)
    if keys:
        store.cut([], clock.now(), sections=[features])
    return sorted({model_of(key) for key in keys})
