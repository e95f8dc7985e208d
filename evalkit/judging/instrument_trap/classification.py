"""Which class and which truth tier a response names."""

from __future__ import annotations

import re

from evalkit.judging.instrument_trap.markers import Markers

_CLASSIFICATION = re.compile(r"Classification:\s*([^\n]+)", re.IGNORECASE)
_CATEGORY = re.compile(r"Category:\s*([^\n]+)", re.IGNORECASE)
_REASONING = re.compile(r"Reasoning:\s*([^\n]+)", re.IGNORECASE)
_TIER = re.compile(r"Truth(?:\s+Tiers?)?:\s*([^\n]+)", re.IGNORECASE)
_VALIDITY = re.compile(r"Validity:\s*\w+", re.IGNORECASE)


def found_class(response: str, thought: str | None, markers: Markers) -> str | None:
    """The label from the first source that gives one: fields, the reasoning line, then a scan of all words."""
    places = [thought, response] if thought else [response]
    for pattern in (_CLASSIFICATION, _CATEGORY):
        for place in places:
            line = pattern.search(place)
            label = None if line is None else _label(line[1], markers)
            if label is not None:
                return label
    line = _REASONING.search(thought) if thought else None
    if line is not None and (label := _mentioned(line[1].upper(), markers)) is not None:
        return label
    return _scanned(f"{thought or ''} {response}", markers)


def _label(value: str, markers: Markers) -> str | None:
    """A field's value as a label: exact alias, exact label, one within the other, an alias within it."""
    written = re.split(r"[,;]", value)[0].strip().rstrip(".,;:").strip().upper()
    aliases = dict(markers.aliases)
    if written in aliases:
        return aliases[written]
    if written in markers.labels:
        return written
    for label in markers.labels:
        if label in written or written in label:
            return label
    return next((label for alias, label in markers.aliases if alias in written), None)


def _mentioned(line: str, markers: Markers) -> str | None:
    for alias, label in markers.aliases:
        if alias in line:
            return label
    return next((label for label in markers.labels if label in line), None)


def _scanned(text: str, markers: Markers) -> str | None:
    words = _VALIDITY.sub("", text).upper()
    for name, label in (*((label, label) for label in markers.labels), *markers.aliases):
        if re.search(rf"\b{re.escape(name).replace('_', '[_ ]')}\b", words):
            return label
    return None


def found_tier(response: str, markers: Markers) -> str | None:
    """The truth tier of the field of that name, else the first of the keywords that stands anywhere."""
    line = _TIER.search(response)
    if line is not None:
        written = line[1].split(",")[0].strip().lower().rstrip(".")
        aliases = dict(markers.tier_aliases)
        if written in aliases:
            return aliases[written]
        for tier in markers.tiers:
            if tier.lower() in written:
                return tier
    lowered = response.lower()
    return next((tier for keyword, tier in markers.tier_keywords if keyword in lowered), None)


def is_near(found: str, expected: str, markers: Markers) -> bool:
    """Whether two labels are of one group, or one is a part of the other."""
    return found in expected or expected in found or any({found, expected} <= group for group in markers.near_labels)
