"""Declares [releases]: where releases of models come from, and whom the gateway trusts with them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from program.names import Name
from program.settings import Settings, require, setting


class ReleaseSettings(Settings, frozen=True, kw_only=True):
    """Says where releases come from. Without `root` the gateway runs what [[models]] names, and nothing else."""

    source: Annotated[
        str,
        setting(
            "Address or folder where releases are published. Empty: they come by `tinybeam edge models import` alone",
            example="https://models.example.org",
        ),
    ] = ""
    root: Annotated[
        Path | None, setting("File that says whom to trust at first, the root.json of `tinybeam release init`. It comes with the gateway")
    ] = None
    poll_seconds: Annotated[int, setting("How often the source is asked, up to a quarter more or less", ge=60, le=7 * 86_400)] = 3600
    directory: Annotated[Path | None, setting("Folder of what was fetched. None: `releases` in gateway.state_dir")] = None
    sites: Annotated[tuple[Name, ...], setting("Sites that the gateway serves, for rollouts that name sites")] = ()

    def __post_init__(self) -> None:
        require(self.root or not self.source, "source needs root: a gateway runs nothing that nobody whom it trusts has signed")
