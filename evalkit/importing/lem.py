"""Seeds of the LEM benchmark: id, category or domain, prompt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evalkit.importing.drafts import Draft, Drafts
from evalkit.importing.rows import json_rows

PROMPT_KEYS = ("prompt", "question", "text")
CATEGORY_KEYS = ("category", "domain")
_TAKEN = {"id", *PROMPT_KEYS, *CATEGORY_KEYS, "language", "lang", "subcategory"}
JUDGE: dict[str, Any] = {"use": "heuristic_v2", "measure_only": True}


def read_lem(files: Sequence[Path]) -> Drafts:
    """A draft of every seed. Seeds say nothing of what is expected: answers are scored, and only a collapse fails."""
    drafts = Drafts()
    for file in files:
        for place, row in json_rows(file):
            prompt = next((row[key] for key in PROMPT_KEYS if isinstance(row.get(key), str) and row[key].strip()), None)
            if prompt is None:
                drafts.leave_out(place, f"there is no prompt ({' or '.join(PROMPT_KEYS)} as text).")
                continue
            named = [str(row[key]) for key in CATEGORY_KEYS if row.get(key) not in (None, "")]
            keys: dict[str, Any] = {"prompt": prompt}
            subcategory = row.get("subcategory") or (named[1] if len(named) > 1 else None)
            language = row.get("language") or row.get("lang")
            keys |= {
                name: str(value) for name, value in (("subcategory", subcategory), ("language", language)) if value
            }
            drafts.unknown.update(key for key in row if key not in _TAKEN)
            identity = row.get("id")
            category = named[0] if named else None
            drafts.probes.append(Draft(place, None if identity is None else str(identity), category, keys))
    return drafts
