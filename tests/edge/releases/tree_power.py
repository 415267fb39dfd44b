"""Power cuts for a tree of files: records what a process does to it, and makes the trees that a power cut could leave behind.

The model: what a file holds is durable once a sync of that file returned, and its name once one of its folder did. Until then the
content may be there, be missing, or be torn at sectors of 512 bytes, and of a folder's changes any first part may be there: file systems
with a journal keep the order of names, and of nothing else. The folder that is recorded is itself durable.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SECTOR = 512


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done to a path, relative to the folder; `to` is another path, or what a link points to."""

    what: str
    path: str
    to: str = ""
    data: bytes = b""


class Recorder:
    """Notes in `log` what this process does to a folder from `start` on; `mark` notes what has been achieved until then."""

    def __init__(self, folder: Path) -> None:
        self.log: list[Step] = []
        self._folder, self._contents = folder, dict[str, tuple[tuple[int, int, int], bytes]]()
        self._is_noting = True

    def start(self) -> None:
        """For a process of its own: nothing takes this back."""
        self._is_noting = False
        sys.addaudithook(self._heard)
        sync = os.fsync

        def fsync(descriptor: int) -> None:
            sync(descriptor)
            self._note("sync", f"/proc/self/fd/{descriptor}")

        os.fsync = fsync  # type: ignore[assignment]

    def mark(self, reached: str) -> None:
        self._note("mark", str(self._folder), to=reached)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._is_noting:
            return
        match event, arguments:
            case "open", (str() | os.PathLike() as path, _, int() as flags) if flags & os.O_CREAT:
                self._note("create" if not os.path.lexists(path) else "truncate" if flags & os.O_TRUNC else "open", path)
            case "os.rename", (source, target, at, _):
                self._note("rename", source, at, to=self._relative(target, at) or "")
            case "os.symlink", (target, path, at):
                self._note("symlink", path, at, to=os.fspath(target))
            case "os.mkdir", (path, _, at):
                self._note("mkdir", path, at)
            case "os.remove" | "os.rmdir", (path, at):
                self._note("remove", path, at)

    def _note(self, what: str, path: Any, at: int = -1, *, to: str = "") -> None:
        self._is_noting = True
        try:
            relative = self._relative(path, at)
            if relative is not None:
                self._note_writes()
                self.log.append(Step(what, relative, to))
        finally:
            self._is_noting = False

    def _relative(self, path: Any, at: int) -> str | None:
        """Returns None for what lies elsewhere."""
        whole = Path(path) if at == -1 else Path(f"/proc/self/fd/{at}").readlink() / path
        if whole.is_relative_to("/proc/self/fd"):
            whole = whole.readlink()
        return os.path.relpath(whole, self._folder) if whole.is_relative_to(self._folder) else None

    def _note_writes(self) -> None:
        """Notes what was written since it was looked at last."""
        for found in self._folder.rglob("*"):
            if not found.is_file() or found.is_symlink():
                continue
            stat, name = found.stat(), os.path.relpath(found, self._folder)
            state = stat.st_ino, stat.st_mtime_ns, stat.st_size
            known = self._contents.get(name)
            if known is None or known[0] != state:
                content = found.read_bytes()
                self._contents[name] = state, content
                self.log.append(Step("write", name, data=content))


@dataclass(eq=False, slots=True)
class _File:
    durable: bytes = b""
    live: bytes = b""

    def left(self, rng: random.Random) -> bytes:
        """Returns what a cut may leave of it."""
        if self.durable == self.live or (dice := rng.random()) < 0.4:
            return self.live
        if dice < 0.6:
            return self.durable
        torn = bytearray(self.durable[: len(self.live)].ljust(len(self.live), b"\0"))
        for at in range(0, len(self.live), _SECTOR):
            if rng.random() < 0.5:
                torn[at : at + _SECTOR] = self.live[at : at + _SECTOR]
        return bytes(torn)


@dataclass(eq=False, slots=True)
class _Link:
    target: str


@dataclass(eq=False, slots=True)
class _Folder:
    durable: dict[str, _Node] = field(default_factory=dict)
    live: dict[str, _Node] = field(default_factory=dict)
    changes: list[dict[str, _Node | None]] = field(default_factory=list)
    """Since it was synced: names that are given, or taken (None), together."""

    def change(self, names: dict[str, _Node | None]) -> None:
        self.live = _changed(self.live, names)
        self.changes.append(names)

    def settle(self) -> None:
        self.durable = self.live
        self.changes.clear()

    def left(self, rng: random.Random) -> dict[str, _Node]:
        """Returns what a cut may leave in it."""
        names = self.durable
        for change in self.changes[: rng.choice((0, len(self.changes), rng.randint(0, len(self.changes))))]:
            names = _changed(names, change)
        return names


_Node = _File | _Link | _Folder


def _changed(names: dict[str, _Node], change: dict[str, _Node | None]) -> dict[str, _Node]:
    after = names | {name: node for name, node in change.items() if node}
    return {name: node for name, node in after.items() if change.get(name, node)}


class Disk:
    """Follows a log, `disk.follow(step)`, and writes what a cut may leave, `disk.write(into, rng)`."""

    def __init__(self) -> None:
        self._root = _Folder()

    def follow(self, step: Step) -> None:
        node, (folder, name) = self._node(step.path), os.path.split(step.path)
        match step.what, node:
            case "write", _File():
                node.live = step.data
            case "truncate", _File():
                node.live = b""
            case "sync", _File():
                node.durable = node.live
            case "sync", _Folder():
                node.settle()
            case "create", None:
                self._change(folder, {name: _File()})
            case "mkdir", None:
                self._change(folder, {name: _Folder()})
            case "symlink", None:
                self._change(folder, {name: _Link(step.to)})
            case "remove", _File() | _Link() | _Folder():
                self._change(folder, {name: None})
            case "rename", _File() | _Link() | _Folder():
                self._rename(step.path, step.to, node)

    def write(self, into: Path, rng: random.Random) -> None:
        _write(self._root, into, rng)

    def _node(self, path: str) -> _Node | None:
        node: _Node | None = self._root
        for name in Path(path).parts:
            node = node.live.get(name) if isinstance(node, _Folder) else None
        return node

    def _change(self, folder: str, names: dict[str, _Node | None]) -> None:
        """Does nothing in a folder that is not there: what was heard is what was asked for."""
        node = self._node(folder)
        if isinstance(node, _Folder):
            node.change(names)

    def _rename(self, path: str, to: str, node: _Node) -> None:
        (folder, name), (other, name_there) = os.path.split(path), os.path.split(to)
        if folder == other:
            self._change(folder, {name: None, name_there: node})
        else:
            self._change(other, {name_there: node})
            self._change(folder, {name: None})


def _write(folder: _Folder, into: Path, rng: random.Random) -> None:
    into.mkdir()
    for name, node in folder.left(rng).items():
        match node:
            case _Folder():
                _write(node, into / name, rng)
            case _Link():
                (into / name).symlink_to(node.target)
            case _File():
                (into / name).write_bytes(node.left(rng))


def trees(log: Sequence[Step], cuts: Sequence[int], folder: Path, rng: random.Random) -> Iterator[tuple[int, Path]]:
    """Yields for each cut (a count of steps done, ascending) a tree that the loss of power then could leave. Each is written once."""
    disk, done = Disk(), 0
    for number, cut in enumerate(cuts):
        for step in log[done:cut]:
            disk.follow(step)
        done = cut
        into = folder / str(number)
        disk.write(into, rng)
        yield cut, into
