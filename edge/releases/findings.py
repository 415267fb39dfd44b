"""Says for `tinybeam edge doctor` whether releases can be had, until when they hold, and which are refused. Changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from edge.config import Config
from edge.finding import Finding, Status
from edge.models.bundles import sound_bundles_of
from edge.releases.loading import places_of
from edge.releases.request import Refreshed, Request, request_of
from edge.releases.updates import Ask, ask_child
from program.child import ChildFailed

_SOON = timedelta(days=1)


def of_releases(config: Config, now: datetime, ask: Ask = ask_child) -> Iterator[Finding]:
    """Yields nothing for a gateway that trusts nobody with releases."""
    places = places_of(config, sound_bundles_of(config)[0])
    request = request_of(config, tuple(place.folder.model for place in places), fetch=False)
    if request:
        yield _of_source(request, now, ask)
    for place in places if config.releases.root else ():
        for number, reason in place.folder.refused().items():
            advice = "release it anew under another number once it is mended"
            yield Finding("releases", Status.WARN, f"release {number} of {place.folder.model} is not run: {reason}", advice)
        for number, reason in place.folder.waiting().items():
            advice = "what runs goes on; look at the load of this machine, and at what is published"
            yield Finding("releases", Status.WARN, f"release {number} of {place.folder.model} waits: {reason}", advice)


def _of_source(request: Request, now: datetime, ask: Ask) -> Finding:
    try:
        with TemporaryDirectory() as folder:
            refreshed = msgspec.json.decode(ask(_aside(request, Path(folder))), type=Refreshed)
    except ChildFailed as failure:
        advice = "what runs goes on; look at releases.source, at the clock, and whether somebody still publishes"
        return Finding("releases", Status.WARN, str(failure), advice)
    expires = refreshed.expires.astimezone(UTC)
    text = f"{request.source} answers, speaks of {', '.join(refreshed.models) or 'no model'}, and holds until {expires:%Y-%m-%d %H:%M} UTC"
    if expires - now < _SOON:
        return Finding("releases", Status.WARN, text, "publish again: `tinybeam release publish`")
    return Finding("releases", Status.OK, text)


def _aside(request: Request, folder: Path) -> Request:
    """Returns a request that leaves what the gateway remembers as it is."""
    counters = []
    for number, file in enumerate(request.counters):
        counters.append(folder / f"seen-{number}.json")
        if file.is_file():
            shutil.copyfile(file, counters[-1])
    return msgspec.structs.replace(request, directory=folder, counters=tuple(counters))
