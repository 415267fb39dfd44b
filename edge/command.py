"""Holds what the commands of `tinybeam edge` share: the option --config, and how a wrong configuration ends them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

from edge.config import Config, ConfigError, load
from edge.models.bundle import BundleError
from edge.store.form import FormError
from edge.uplink.uplink import UplinkError
from program import terminal

MISCONFIGURED = (ConfigError, BundleError, FormError, UplinkError)

configured = click.option("--config", "file", type=click.Path(path_type=Path), required=True, help="The gateway's TOML file.")


def loaded(file: Path) -> Config:
    """Reads the configuration, or ends with one line and 2."""
    try:
        return load(file)
    except ConfigError as error:
        misconfigured(str(error))


def misconfigured(sentence: str) -> NoReturn:
    terminal.say(f"Error: {sentence}", err=True)
    sys.exit(2)
