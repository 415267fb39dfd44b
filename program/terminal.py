"""Writes on a terminal what others have named: it moves no cursor, begins no line of its own and turns no text around."""

from __future__ import annotations

import click


def safe(text: str, *, lines: bool = False) -> str:
    """Returns the text with escapes in place of what is not printable; with `lines` new lines stay."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or (lines and letter == "\n") else _escape(letter) for letter in text)


def safe_json(text: str) -> str:
    """Returns JSON of the same content, in which nothing but new lines between its values is not printable."""
    return "".join(letter if letter.isprintable() or letter == "\n" else _json_escape(letter) for letter in text)


def say(text: str, *, err: bool = False) -> None:
    """Prints one line, of standard error if `err` says so."""
    click.echo(safe(text), err=err)


def _escape(letter: str) -> str:
    return repr(letter)[1:-1]


def _json_escape(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
