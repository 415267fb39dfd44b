"""Lists who attacks, and what each of them holds; a new one is a line here."""

from __future__ import annotations

from collections.abc import Mapping

ATTACKERS: Mapping[str, str] = {
    "stranger": "reaches a port that listens, and holds no credentials",
    "network": "sits between two parties: reads, changes, holds back and repeats what passes, or answers in the place of one of them",
    "device": "is a sensor, or holds the credentials of one: chooses its topics, names, numbers and values",
    "publisher": "may publish to the topic, and holds no gateway's key",
    "gateway": "holds the key of one gateway: stolen, copied, revoked or expired",
    "keeper": "keeps the archive or the warehouse, with the pipeline's key: reads, changes and deletes what is in it",
    "finder": "holds the disk of a gateway, or a copy of it",
    "sender of files": "hands over a file that a command is to read: an export file, a configuration, a bundle",
    "thief of keys": "holds keys that sign releases: those of one of three holders, some or all that are online, or some of their own",
    "receiver": "answers where notifications are sent, or names the address that they are sent to",
    "reader": "may read logs, errors, metrics, pages or a part of the warehouse, and wants more",
}
