"""`python -m bench` runs every benchmark, or those that are named."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import click

from bench.figures import Figure, machine, write
from lab.console import Console

BENCHMARKS = {
    "facts": ("bench.rows", "bytes to fact rows in the pipeline, against Beam with a row per element"),
    "rollups": ("bench.rows", "the whole flow, rollups included, against the same"),
    "signatures": ("bench.signatures", "what signing a batch costs at the gateway, and checking it in the pipeline"),
    "peers": ("bench.peers", "the whole flow, against Bytewax and Pathway"),
    "gateway": ("bench.edges", "MQTT messages into the gateway's store, against a commit for each"),
    "inference": ("bench.inference", "a scored window at the gateway, together with others against alone"),
    "batch_bytes": ("bench.edges", "bytes a summary by the rows of its batch, against an Arrow stream without a dictionary"),
    "commits": ("bench.commits", "commits of a gateway's store in a day, against one a message"),
    "memory": ("bench.memory", "what a gateway takes at rest and in a flood, and which imports take it"),
    "drain": ("bench.drain", "how long an event and live summaries wait behind a million rows, against what is promised"),
    "losses": ("bench.losses", "readings that a gateway loses in crashes and outages, against Telegraf"),
    "paced": ("bench.paced", "processor time of a message at 1 to 1,000 a second, against Telegraf"),
    "uplink_bytes": ("bench.edges", "bytes a device and day from gateway to Pub/Sub, against what the sensors sent"),
    "latency": ("bench.latency", "reading to row on the live path, against the waiting that is configured"),
    "scale": ("bench.scale", "cost of a row, states and keys, from a sixteenth of a fleet to 100,000 gateways"),
    "dash": ("bench.dash", "how long a page of the dash waits for ten million summaries, against what is promised"),
    "storm": ("bench.storm", "ten thousand anomalies in a minute to a webhook, against what is promised"),
}
"""Name -> its module, which has a function of that name and the sizes FULL and QUICK, and its line in the help."""

BY_NAME_ALONE = ("dash", "drain", "losses", "paced", "memory", "scale", "storm")
"""Those that run only when they are named: they build Telegraf or an environment, take ten minutes, or play in real time."""

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nBenchmarks:\n" + "\n".join(f"  {name:14} {line}" for name, (_, line) in BENCHMARKS.items()),
)
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)), metavar="[NAME]...")
@click.option("--out", type=_FOLDER, default=Path("build/bench"), show_default=True, help="Where figures go, one JSON file a benchmark.")
@click.option("--gateways", type=click.IntRange(512), help="scale: how many gateways the whole fleet has.  [default: 100000]")
@click.option("--quick", is_flag=True, help="Tiny: shows that the benchmark works; the figures mean nothing.")
def cli(names: tuple[str, ...], out: Path, gateways: int | None, *, quick: bool) -> None:
    """Measure TinyBeam against the alternatives.

    Every figure has its baseline from the same run, the two measured by turns: on a shared machine the ratio counts, not the number.
    Without a NAME everything but dash, drain, losses, paced, memory, scale and storm is measured, in under a quarter of an hour; `python -m
    bench.report --take build/bench` then writes docs/performance.md.

    \b
    python -m bench facts            run one benchmark
    python -m bench facts --quick    see whether it works at all
    """
    console = Console(sys.stderr)
    (out / "load").mkdir(parents=True, exist_ok=True)
    (out / "machine.txt").write_text(json.dumps(machine(), indent=2) + "\n")
    for name in names or [each for each in BENCHMARKS if each not in BY_NAME_ALONE]:
        console.title(f"{name}: {BENCHMARKS[name][1]}")
        module = import_module(BENCHMARKS[name][0])
        benchmark: Callable[..., list[Figure]] = getattr(module, name)
        size = module.QUICK if quick else module.FULL
        if gateways and name == "scale":
            size = replace(size, gateways=gateways)
        figures = benchmark(out / "load", size, console.log)
        for figure in figures:
            console.show(sentence(figure))
        console.log(str(write(out, name, figures)))


def sentence(figure: Figure) -> str:
    if figure.value is None:
        return figure.name
    against = f", {figure.ratio:g} times {figure.baseline:,g}" if figure.baseline else ""
    return f"{figure.name}: {figure.value:,g} {figure.unit}{against}"


if __name__ == "__main__":
    cli()
