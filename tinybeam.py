"""`tinybeam`, the one command. A room is imported only when its command is called, so a gateway never imports Beam."""

from __future__ import annotations

from importlib import import_module

import click

from program.version import version

_ROOMS = {
    "edge": ("edge.__main__", "edge", "Run a gateway: validate, run, doctor, export."),
    "check": ("configuration.command", "edge", "Check configuration files against each other."),
    "pipeline": ("pipeline.command", "pipeline", "Run the pipeline, here or on Dataflow: from Pub/Sub or export files into BigQuery."),
    "alerts": ("pipeline.alerts.command", "pipeline", "Test the rules of alerts like code."),
    "rejects": ("pipeline.replay.command", "pipeline", "What was set aside: send it through once more."),
    "notify": ("notify.__main__", "notify", "Tell people of alerts: stdout, webhooks, mail."),
    "sql": ("derive.command", "pipeline", "Apply, check, recompute and ask the warehouse."),
    "certify": ("sql.certify.command", "pipeline", "Compare two warehouses: tables by identity, views as people see them."),
    "keys": ("keys.command", "edge", "Make, sign, renew and revoke the keys of gateways, sensors and the broker."),
    "release": ("releases.command", "edge", "Sign models, and bring them to some gateways first and then to all."),
    "cost": ("costs.command", "edge", "Estimate what a fleet costs a month, and the cheapest way."),
    "dash": ("dash.command", "dash", "Show the warehouse on a live page: what needs doing, fields, machines, alerts."),
    "label": ("labels.command", "pipeline", "Say what became of an alert, or what was done in a field."),
    "train": ("training.__main__", "train", "Rebuild a model and the page that judges it."),
    "lab": ("lab.__main__", "lab", "The whole path on this machine: demo, up."),
}
"""Command -> its module, the extra that brings what the module needs, and its line in the help."""

_CHECKOUT_ONLY = {"lab"}
"""Rooms that are not shipped."""

_OURS = {
    "configuration",
    "costs",
    "dash",
    "derive",
    "edge",
    "keys",
    "labels",
    "notify",
    "pipeline",
    "presentation",
    "program",
    "releases",
    "schemas",
    "sql",
    "tinybeam",
    "training",
}


class _Rooms(click.Group):
    """Lists the rooms without importing any; imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_ROOMS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _ROOMS:
            return None
        module, extra, _ = _ROOMS[cmd_name]
        return _open(module, extra)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in _ROOMS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in _ROOMS:
            raise click.UsageError(f"there is no command {args[0]!r}; there are {', '.join(_ROOMS)}", ctx)
        return super().resolve_command(ctx, args)


def _open(module: str, extra: str) -> click.Command:
    """The room's command. Names a package of others that is missing in one sentence; does not hide a fault of ours."""
    try:
        command = import_module(module).cli
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if missing in _CHECKOUT_ONLY:
            raise click.ClickException(
                f"`tinybeam {missing}` needs a checkout of the repository, and `make` there: it is not shipped"
            ) from error
        if missing in _OURS:
            raise
        raise click.ClickException(f"{missing} is not installed: run `pip install 'tinybeam[{extra}]'`") from error
    if not isinstance(command, click.Command):
        raise TypeError(f"{module}.cli is no command")
    return command


@click.group(cls=_Rooms, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version(), prog_name="tinybeam")
def main() -> None:
    """From sensors to the people who ask questions: TinyML at the edge, Apache Beam in the cloud, BigQuery.

    \b
    See the whole path on this machine:   tinybeam lab demo
    Set up a gateway:                     tinybeam edge validate --config gateway.toml
    See that all files fit together:      tinybeam check gateway.toml registry.toml notify.toml
    Load what gateways sent:              tinybeam pipeline --help
    Ask the warehouse:                    tinybeam sql query
    Leave it open on a screen:            tinybeam dash
    """


if __name__ == "__main__":
    main(prog_name="tinybeam")
