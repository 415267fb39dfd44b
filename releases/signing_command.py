"""The commands of who releases: make the folder, add a bundle, sign it, publish."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from releases import bundle_files, drafting, founding, options, places, publishing, renewal, roles
from releases.drafting import Draft
from releases.repository import Repository
from releases.rollout import Release

_WAITS = f"It waits for the signatures of {roles.THRESHOLD} holders: tinybeam release sign --key FILE"


@click.command()
@options.folder
@click.option(
    "--holder", "holders", multiple=True, default=["first", "second", "third"], show_default=True, help="Who holds keys; given three times."
)
@options.errors_explained
def init(folder: Path, holders: Sequence[str]) -> None:
    """Make a folder of releases: keys for three holders, any two of whom can sign, and keys that are online.

    \b
    Example:
      tinybeam release init --holder ada --holder ben --holder eva
    """
    repository = founding.found(folder, holders, options.now())
    click.echo(f"{repository.root_file} is for every gateway: it says whom they trust.")
    for holder in holders:
        click.echo(f"{founding.key_file(folder, holder, '*')} are for {holder} alone: carry them away, and delete them here.")
    click.echo(f"{repository.online_key_file('*')} stay where releases are published from: they say when and where, and can name no model.")


@click.command()
@options.folder
@click.argument("bundle", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--microcontroller", is_flag=True, help="Have it signed as a C array for tflite-micro, too: model.h and model.cc.")
@options.errors_explained
def add(folder: Path, bundle: Path, microcontroller: bool) -> None:
    """Draft a release of the model in BUNDLE, under its next number, once the gate has passed it.

    The gate is `tinybeam train gate`; where training is not installed nobody judges the bundle, and the answer says so.

    \b
    Example:
      tinybeam release add models/soil
    """
    model, files = bundle_files.read(bundle)
    judged = bundle_files.judge(bundle)
    if microcontroller:
        files = {**files, **bundle_files.for_microcontrollers(bundle)}
    with _drafting(folder) as repository:
        release = drafting.add(repository, model, files, options.now())
    gate = "the gate has passed it" if judged else "no gate has judged it, for training is not installed here"
    click.echo(f"{model} {release.number}: {len(files)} files; {gate}")
    click.echo(_WAITS)


@click.command()
@options.folder
@options.model
@click.argument("number", type=click.IntRange(min=1))
@options.errors_explained
def withdraw(folder: Path, model: str, number: int) -> None:
    """Draft that release NUMBER of MODEL is none any more, so that no gateway can fetch it.

    \b
    Example:
      tinybeam release withdraw soil 3
    """
    with _drafting(folder) as repository:
        drafting.withdraw(repository, Release(model, number), options.now())
    click.echo(_WAITS)


@click.command()
@options.folder
@click.option("--key", type=options.FILE, help="A holder's key.")
@click.option("--from", "copy", type=options.FILE, help="What a holder has signed elsewhere, in a copy of the folder.")
@options.errors_explained
def sign(folder: Path, key: Path | None, copy: Path | None) -> None:
    """Add a holder's signature to all that waits for it, and say what was signed.

    With --from it is taken from a copy of the folder: of its drafts/releases.json, or, if the copy was complete by that signature,
    of its published/metadata/N.releases.json.

    \b
    Examples:
      tinybeam release sign --key /media/ada/releases.key
      tinybeam release sign --from /media/ben/releases.json
    """
    if (key is None) == (copy is None):
        raise click.UsageError("say who signs: --key FILE, or --from FILE that was signed elsewhere")
    with options.alone_in(folder) as repository:
        signed = drafting.sign(repository, key) if key else drafting.take_signatures(repository, copy) if copy else []
    for draft in signed:
        click.echo("\n".join(_lines(draft)))


@click.command()
@options.folder
@click.argument("target")
@options.errors_explained
def publish(folder: Path, target: str) -> None:
    """Say what is current, and bring TARGET up to it: a folder, which any server of files can serve, or a bucket.

    Buckets are gs://BUCKET/FOLDER, s3://BUCKET/FOLDER and az://CONTAINER/FOLDER; who you are is found as by each cloud's own tools.
    What was interrupted is done by the next publication, and gateways that read meanwhile find the old state or the new one.
    What is published holds for seven days (`timestamp_days` in releases.toml): let a timer publish every day. A TARGET that
    is a stick serves gateways without a network: `tinybeam edge models import`.

    \b
    Examples:
      tinybeam release publish /srv/models
      tinybeam release publish gs://my-bucket/models
    """
    with options.alone_in(folder) as repository:
        before, now = repository.timestamp().expires, options.now()
        written = publishing.publish(repository, places.opened(target), now)
        end = repository.timestamp().expires
        click.echo(f"{target}: {written} files written; it holds until {end:%Y-%m-%d %H:%M} UTC")
        if end < before:
            click.echo(
                f"The publication before held until {before:%Y-%m-%d %H:%M} UTC, which is longer: is the clock here right?", err=True
            )
        for role in publishing.soon_ended(repository, now):
            click.echo(f"{role} ends within a month: `tinybeam release renew`, and {roles.THRESHOLD} holders sign.", err=True)
        for draft in drafting.drafts(repository):
            click.echo("\n".join(_lines(draft)))


@click.command()
@options.folder
@click.option("--holder", default="", help="Give this holder new keys; the old ones count no more.")
@click.option("--online", is_flag=True, help="Make the keys that are online anew: one was stolen.")
@options.errors_explained
def renew(folder: Path, holder: str, online: bool) -> None:
    """Draft root, targets and releases anew, for another year; with other keys, if one was lost or stolen.

    \b
    Examples:
      tinybeam release renew
      tinybeam release renew --holder ben
    """
    with _drafting(folder) as repository:
        renewal.renew(repository, options.now(), holder=holder, online=online)
    if holder:
        click.echo(f"{founding.key_file(folder, holder, '*')} are for {holder} alone: carry them away, and delete them here.")
    click.echo("Two holders sign with both of their keys, root.key first: tinybeam release sign --key FILE")


@contextmanager
def _drafting(folder: Path) -> Iterator[Repository]:
    """Yields the folder, alone, and says afterwards whose signatures count no more."""
    with options.alone_in(folder) as repository:
        void = [draft for draft in drafting.drafts(repository) if draft.signatures]
        yield repository
    for draft in void:
        click.echo(f"{draft.role} {draft.version} was signed by {draft.signatures}, which counts no more: they sign again")


def _lines(draft: Draft) -> list[str]:
    state = "complete: `tinybeam release publish` brings it out" if draft.complete else "waits for others"
    head = f"{draft.role} {draft.version}: signed by {draft.signatures} of {draft.threshold} who must; {state}"
    return [head, *(f"  + {path}" for path in draft.adds), *(f"  - {path}" for path in draft.removes)]


COMMANDS = (init, add, withdraw, renew, sign, publish)
