"""What a row of a spreadsheet must keep of its trial, in one cell that tells no verdict and looks like no number.

Trial and stratum would name the model and the verdict, and a spreadsheet may drop zeros or change a decimal point; here
they are base64 with a checksum.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from typing import Any

from evalkit.review import ReviewItem

START = "t1_"
CHECK_DIGITS = 8
TICKET = re.compile(r"t1_[A-Za-z0-9_-]{16,}")
SHORTEST = 100
"""No ticket has fewer characters, for a text's hash is in it."""
FIELDS = ("run", "trial", "text_hash", "stratum", "inclusion")


def ticket_of(item: ReviewItem) -> str:
    """One line of letters, digits, ``-`` and ``_`` that says where the item comes from."""
    plain = json.dumps([getattr(item, name) for name in FIELDS], ensure_ascii=True, separators=(",", ":"))
    body = base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")
    return f"{START}{body}{_check(body)}"


def read_ticket(text: str) -> dict[str, Any] | None:
    """The fields that ``ticket_of`` put in, or None where a character was lost or changed."""
    ticket = text.strip()
    body, check = ticket[len(START) : -CHECK_DIGITS], ticket[-CHECK_DIGITS:]
    if not ticket.startswith(START) or _check(body) != check:
        return None
    try:
        plain = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return dict(zip(FIELDS, plain, strict=False)) if isinstance(plain, list) and len(plain) == len(FIELDS) else None


def has_ticket(text: str) -> bool:
    """Whether a whole ticket stands in the text; an answer may hold words that look like one."""
    return any(read_ticket(found) is not None for found in TICKET.findall(text))


def _check(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:CHECK_DIGITS]
