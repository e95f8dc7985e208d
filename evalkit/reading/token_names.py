"""How a file names tokens of a model's vocabulary."""

from __future__ import annotations

import re
from collections.abc import Mapping

TOKEN_ID = re.compile(r"token:(\d+)")


def biases_of(written: Mapping[int | str, float]) -> tuple[tuple[int | str, float], ...]:
    """Biases of tokens in a fixed order; ``token:17`` is the token with that id, any other text is a token's text."""
    return tuple(sorted(((_token(name), float(bias)) for name, bias in written.items()), key=repr))


def _token(name: int | str) -> int | str:
    found = TOKEN_ID.fullmatch(name) if isinstance(name, str) else None
    return int(found[1]) if found else name
