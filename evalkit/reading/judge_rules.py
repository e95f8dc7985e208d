"""Whether the judges of a probe exist and can decide it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalkit.probe import MEANING_ASSERTIONS, Expectation, JudgeUse
from evalkit.reading.nouns import ALWAYS_JUDGES
from evalkit.reading.schema import JudgeEntry
from evalkit.reading.suggestions import did_you_mean, shortened
from evalkit.reading.yaml_parts import FieldPath


def listing_mistakes(
    entries: Sequence[JudgeEntry], judge_names: frozenset[str] | None
) -> Iterator[tuple[FieldPath, str]]:
    """Unknown judges and judges that cannot be optional, each at its place under ``judges``."""
    for index, entry in enumerate(entries):
        if entry.use in ALWAYS_JUDGES and not entry.required:
            yield ("judges", index), f"{entry.use} always decides. Remove required: false."
        elif judge_names is not None and entry.use not in judge_names | set(ALWAYS_JUDGES):
            near = did_you_mean(entry.use, sorted(judge_names))
            yield ("judges", index), f"there is no judge {shortened(entry.use)!r}. {near}"


def deciding_mistake(expect: Expectation, uses: tuple[JudgeUse, ...]) -> tuple[FieldPath, str] | None:
    """Why no judge can decide the probe, and where that shows; None when one can."""
    readers = [use for use in uses if use.use not in ALWAYS_JUDGES]
    if expect.has_meaning and not readers:
        key = next(name for name in MEANING_ASSERTIONS if getattr(expect, name))
        reader = "thinking_mode" if key == "thinks" else "behaviour"
        return ("expect", key), f"expect.{key} needs a judge that reads it: add judges: [{reader}]."
    if expect.has_text_assertion or any(use.required for use in readers):
        return None
    why = (
        "every judge that reads it is optional"
        if readers
        else "it has no assertion and no judge besides degeneration and text"
    )
    return (), f"nothing decides this probe: {why}. Add expect: {{contains: …}} or judges: [behaviour]."
