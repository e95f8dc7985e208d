"""Which kinds of judge a policy file can define."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evalkit.reading.policies.base import PolicyFile

_CLASSES = {
    "behaviour": "BehaviourFile",
    "degeneration": "DegenerationFile",
    "facts": "FactsFile",
    "instrument_trap_compat": "InstrumentTrapFile",
    "lexicon": "LexiconFile",
    "panel": "PanelFile",
    "rubric": "RubricFile",
    "thinking_mode": "ThinkingModeFile",
}

ASKS_THROUGH: dict[str, tuple[str, ...] | None] = {
    **dict.fromkeys(_CLASSES, ()), "behaviour": ("degeneration",), "panel": None, "rubric": None,
}  # fmt: skip
"""The judges through which alone a judge of a kind may ask a model; None where only its policy can say."""


class _Kinds(Mapping[str, "type[PolicyFile]"]):
    """The schema of each kind; its module, and the judge behind it, is imported when a policy is of that kind."""

    def __getitem__(self, kind: str) -> type[PolicyFile]:
        module = "instrument_trap" if kind == "instrument_trap_compat" else kind
        policy: type[PolicyFile] = getattr(import_module(f"evalkit.reading.policies.{module}"), _CLASSES[kind])
        return policy

    def __contains__(self, kind: object) -> bool:
        return kind in _CLASSES

    def __iter__(self) -> Iterator[str]:
        return iter(_CLASSES)

    def __len__(self) -> int:
        return len(_CLASSES)


KINDS = _Kinds()
