"""The schema of judges/degeneration.yaml."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from evalkit.judging.base import Judge
from evalkit.judging.degeneration import DegenerationJudge, DegenerationPolicy
from evalkit.judging.repetition import LoopSize
from evalkit.reading.policies.base import Parts, Pattern, PolicyFile, Strict


class LoopFile(Strict):
    """One size of repetition that is a loop."""

    copies: float = Field(ge=2)
    tokens: int = Field(ge=1)
    chars: int = Field(ge=1)


class DegenerationFile(PolicyFile):
    """judges/degeneration.yaml."""

    code_version = DegenerationJudge.version
    kind: Literal["degeneration"]
    loops: list[LoopFile]
    loop_max_period: int = Field(ge=1, le=1024)
    verse_factor: float = Field(ge=1)
    unfinished_factor: float = Field(ge=1)
    run_max_period: int = Field(ge=1, le=128)
    run_min_chars: int = Field(ge=2)
    run_min_copies: int = Field(ge=2)
    repeated_share: float = Field(ge=0, le=1)
    repeated_share_verse: float = Field(ge=0, le=1)
    repeated_min_words: int = Field(ge=5)
    asked_copies: int = Field(ge=1)
    asks_repetition: list[Pattern]
    asks_verse: list[Pattern]
    asks_dialogue: list[Pattern]
    asks_template: list[Pattern]
    asks_one_character: list[Pattern]

    def make(self, parts: Parts) -> Judge:
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in self
            if name not in ("kind", "version", "loops")
        }
        sizes = tuple(LoopSize(loop.copies, loop.tokens, loop.chars) for loop in self.loops)
        return DegenerationJudge(DegenerationPolicy(loops=sizes, **fields))
