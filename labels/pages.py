"""Writes the pages that whoever follows a link sees. Nothing of a link or a form is shown but what was checked, and that escaped."""

from __future__ import annotations

from html import escape

from labels.said import MOST_MM, MOST_NAME
from schemas.answers import AnswerLink
from schemas.records import Answer

WORDS = {
    Answer.DONE: "It is done.",
    Answer.FALSE_ALARM: "It was a false alarm.",
    Answer.IRRIGATED: "The field was watered.",
    Answer.REPLACED: "The part was replaced.",
    Answer.SEEN: "You look after it.",
}

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>TinyBeam</title>
<style>body{{font:1.2em sans-serif;margin:2em;max-width:30em}}button,input{{font:inherit;padding:.5em 1em}}</style></head>
<body>{}</body></html>
"""
_AMOUNT = f'<p><label>How much, in mm? <input name="amount" type="number" min="0.1" max="{MOST_MM:g}" step="0.1" required></label></p>'
_NAME = f'<p><label>Your name, for the others <input name="by" maxlength="{MOST_NAME}" autocomplete="name"></label></p>'
_ASKED = {Answer.IRRIGATED: _AMOUNT, Answer.SEEN: _NAME}


def confirm(link: AnswerLink) -> str:
    """Asks whether that is what is meant: a preview of a link follows it, and presses no button."""
    about = f"<p>{WORDS[link.answer]}</p><p><small>alert {escape(link.alert_id)}</small></p>"
    return _PAGE.format(f'{about}<form method="post">{_ASKED.get(link.answer, "")}<button>Yes, say so</button></form>')


def thanks(link: AnswerLink) -> str:
    return _PAGE.format(f"<p>Noted: {WORDS[link.answer]} Thank you.</p>")


def refusal(sentence: str) -> str:
    return _PAGE.format(f"<p>{escape(sentence)}</p>")
