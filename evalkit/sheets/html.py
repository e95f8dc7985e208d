"""A queue as review.html: one file that needs no network and keeps its own promises about what may run in it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

from evalkit.reporting.safe_text import utf8_safe
from evalkit.review import FAILURE_KINDS, LABEL_VALUES, ReviewItem
from evalkit.sheets.instructions import KIND_MEANINGS, MEANINGS, QUESTION, expected_in_words
from evalkit.sheets.jsonl_sheet import plain_item

PAGE = Path(__file__).parent / "page"
SCRIPTS = ("text.js", "storage.js", "session.js", "reading.js", "judging.js", "list.js", "page.js")
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def html_sheet(items: Sequence[ReviewItem], title: str) -> bytes:
    """The page with the items in it.

    Its script and style are allowed by their hash and nothing else is, so no text of an item can run or load anything.
    """
    style = _read("page.css")
    script = "\n".join(_read(name) for name in SCRIPTS)
    places = {
        "@TITLE@": escape(utf8_safe(title)),
        "@SCRIPT_HASH@": policy_hash(script),
        "@STYLE_HASH@": policy_hash(style),
        "@STYLE@": style,
        "@DATA@": _data(items, title),
        "@SCRIPT@": script,
    }
    first, *parts = _read("page.html").split("@@")
    return (first + "".join(places.get(f"@{part}@", part) for part in parts)).encode()


def queue_digest(items: Sequence[ReviewItem]) -> str:
    """Names a queue, so that one page never takes another's labels for its own: 32 hexadecimal digits."""
    named = [(item.run, item.trial, item.text_hash, item.stratum, item.inclusion) for item in items]
    return hashlib.sha256(json.dumps(named, ensure_ascii=True).encode()).hexdigest()[:32]


def _data(items: Sequence[ReviewItem], title: str) -> str:
    data = {
        "title": title,
        "queue": queue_digest(items),
        "question": QUESTION,
        "labels": [{"name": name, "meaning": MEANINGS[name]} for name in LABEL_VALUES],
        "kinds": [{"name": name, "meaning": KIND_MEANINGS[name]} for name in FAILURE_KINDS],
        "items": [{**plain_item(item), "expected": expected_in_words(item.expected)} for item in items],
    }
    plain = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return "".join(_ESCAPES.get(character, character) for character in plain)


def _read(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


def policy_hash(text: str) -> str:
    """What a content policy calls a script or a style that it allows."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
