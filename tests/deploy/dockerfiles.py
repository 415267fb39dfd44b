"""Reads a Dockerfile as instructions by stage, and says what is wrong with one: a small linter that runs where no Docker is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
_EXACT = re.compile(r"[\w./-]+:\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?")
_SECRET = re.compile(r"(?i)\b\w*(password|secret|token|api_?key|private_?key)\w*=")


@dataclass(frozen=True)
class Stage:
    """One FROM and what follows it; `base` with the default of its ARG in its place."""

    name: str
    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def of(self, word: str) -> list[str]:
        return [words for instruction, words in self.instructions if instruction == word]


def stages(text: str) -> list[Stage]:
    """Raises ValueError for a line that is no instruction."""
    found: list[Stage] = []
    given: dict[str, str] = {}
    for line in _lines(text):
        word, _, words = line.partition(" ")
        if not re.fullmatch("FROM|ARG|RUN|COPY|ENV|USER|WORKDIR|ENTRYPOINT|CMD|HEALTHCHECK|LABEL|EXPOSE|VOLUME|SHELL|ADD|STOPSIGNAL", word):
            raise ValueError(f"{word} is no instruction")
        if word == "FROM":
            base, _, name = words.partition(" AS ")
            found.append(Stage(name, re.sub(r"\$\{(\w+)\}", lambda one: given[one[1]], base)))
        elif not found:
            name, _, default = words.partition("=")
            given[name] = default
        else:
            found[-1].instructions.append((word, words.strip()))
    return found


def _lines(text: str) -> Iterator[str]:
    without = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    yield from filter(None, (re.sub(r"\s+", " ", line).strip() for line in without.replace("\\\n", " ").splitlines()))


def shipped(all_stages: list[Stage]) -> list[Stage]:
    """Stages that no other one builds on or copies from: those that are images."""
    used = {stage.base for stage in all_stages}
    used |= {name for stage in all_stages for words in stage.of("COPY") for name in re.findall(r"--from=(\S+)", words)}
    return [stage for stage in all_stages if stage.name not in used or not stage.name]


def lineage(stage: Stage, all_stages: list[Stage]) -> list[Stage]:
    """The stage, and those that it builds on."""
    below = next((one for one in all_stages if one.name and one.name == stage.base), None)
    return [stage, *(lineage(below, all_stages) if below else [])]


def faults(text: str, let_in: str) -> Iterator[str]:
    """What is wrong with a Dockerfile; `let_in` is its .dockerignore."""
    every = stages(text)
    names = {stage.name for stage in every if stage.name}
    for stage in every:
        if stage.base not in names and not _EXACT.fullmatch(stage.base):
            yield f"{stage.base} is not one exact version"
        yield from _of_instructions(stage, let_in)
    for stage in shipped(every):
        yield from _of_image(stage, lineage(stage, every))


def _of_instructions(stage: Stage, let_in: str) -> Iterator[str]:
    for words in stage.of("ADD"):
        yield f"ADD {words}: COPY takes what is here, and nothing else is wanted"
    for words in stage.of("RUN"):
        if re.search(r"\b(curl|wget)\b|\bsudo\b", words):
            yield f"RUN {words}: fetches or does what no lock knows"
        for command in re.findall(r"pip (?:install|wheel)[^&|;]*", words):
            if "--no-cache-dir" not in command or not ("--require-hashes" in command or "--no-deps" in command):
                yield f"{command.strip()}: neither --require-hashes nor --no-deps, or with a cache"
        if re.search(r"go install \S+@(latest|master|main)|go install [^@]+$", words):
            yield f"RUN {words}: no version"
    for instruction in ("ENV", "ARG"):
        yield from (f"{instruction} {words.partition('=')[0]} holds a secret" for words in stage.of(instruction) if _SECRET.search(words))
    for words in stage.of("COPY"):
        if "--from=" not in words:
            yield from (
                f"COPY {name}: .dockerignore keeps it out"
                for name in words.split()[:-1]
                if name != "." and f"!{name}" not in let_in.split()
            )


def _of_image(stage: Stage, built_on: list[Stage]) -> Iterator[str]:
    users = next((found for one in built_on if (found := one.of("USER"))), [])
    if not users or not re.fullmatch(r"[1-9]\d{3,}(:[1-9]\d{3,})?", users[-1]):
        yield f"{stage.name} runs as {users[-1] if users else 'root'}"
    entry = next((found for one in built_on if (found := one.of("ENTRYPOINT"))), [])
    for words in (*entry, *stage.of("CMD")):
        try:
            json.loads(words)
        except ValueError:
            yield f"{stage.name}: {words} goes through a shell, which takes the signals"
    if not any(one.of("HEALTHCHECK") for one in built_on):
        yield f"{stage.name} does not say how its health is known"
    if any(re.search(r"\b(gcc|build-essential)\b", words) for one in built_on for words in one.of("RUN")):
        yield f"{stage.name} holds what builds"
