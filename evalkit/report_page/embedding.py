"""What may stand inside an HTML page: escaped texts, and data that nothing in it can end."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Mapping
from html import escape
from typing import Any

_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff"
    r"\uffa0\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)


def shown(text: object) -> str:
    """The text as markup that shows it and nothing else; a character that nobody would see is named in its place."""
    return _UNSEEN.sub(
        lambda found: f'<span class="unseen">U+{ord(found.group()):04X}</span>', escape(str(text), quote=True)
    )


def attribute(text: object) -> str:
    """The same for the value of an attribute, which holds no markup."""
    return escape(_UNSEEN.sub(lambda found: f"[U+{ord(found.group()):04X}]", str(text)), quote=True)


def packed(data: object) -> str:
    """JSON, gzipped, as base64: nothing in it can end the element it stands in. The same data give the same text."""
    plain = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False, default=str)
    return base64.b64encode(gzip.compress(plain.encode("ascii"), compresslevel=6, mtime=0)).decode("ascii")


def filled(template: str, places: Mapping[str, Any]) -> str:
    """The template with each ``@@NAME@@`` replaced once; what is put in is not looked at again."""
    return re.sub(r"@@([A-Z_]+)@@", lambda found: str(places[found.group(1)]), template)
