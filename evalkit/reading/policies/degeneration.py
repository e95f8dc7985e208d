"""The schema of judges/degeneration.yaml."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from evalkit.judging.base import Judge
from evalkit.judging.collapse.policy import VERSION, DegenerationPolicy
from evalkit.reading.policies.base import Parts, Pattern, PolicyFile, Strict

_NOT_JOINED = re.compile(r"^\(\?[aiLmsux]+\)|\(\?P<")


def _joined(patterns: list[str]) -> list[str]:
    """They are searched as one, which what each may hold alone can make impossible."""
    if any(map(_NOT_JOINED.search, patterns)):
        try:
            re.compile("|".join(patterns))
        except re.error as error:
            raise ValueError(
                f"expected regular expressions that can be joined by |; {error}. "
                "Set flags for a part only, (?s:…), and give no two groups one name."
            ) from None
    return patterns


Alternatives = Annotated[list[Pattern], AfterValidator(_joined)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class LoopFile(Strict):
    """One size of repetition that is a loop."""

    copies: float = Field(ge=2)
    tokens: int = Field(ge=1)
    chars: int = Field(ge=1)


class DegenerationFile(PolicyFile):
    """judges/degeneration.yaml; word lists are texts with blanks between the words."""

    code_version = VERSION
    kind: Literal["degeneration"]
    loops: list[LoopFile]
    loop_max_period: int = Field(ge=1, le=1024)
    verse_factor: float = Field(ge=1)
    unfinished_factor: float = Field(ge=1)
    endless_factor: float = Field(ge=1)
    whole_copies: int = Field(ge=2)
    whole_copies_short: int = Field(ge=2)
    duplicate_copies: int = Field(ge=2)
    duplicate_min_words: int = Field(ge=3)
    counting_copies: int = Field(ge=3)
    counting_min_words: Count
    near_copies: int = Field(ge=3)
    near_similarity: Share
    near_new_words: Share
    thinking_overlap: Share
    thinking_repeats: Count
    thinking_share: Share
    thinking_family: int = Field(ge=2)
    run_max_period: int = Field(ge=1, le=128)
    run_min_chars: int = Field(ge=2)
    run_min_copies: int = Field(ge=2)
    symbol_run: int = Field(ge=8)
    repeated_share: Share
    repeated_share_verse: Share
    repeated_min_words: int = Field(ge=5)
    stammer_copies: int = Field(ge=2)
    slot_copies: int = Field(ge=3)
    rewordings: int = Field(ge=2)
    rewording_similarity: Share
    copy_similarity: Share
    asked_copies: Count
    altcase_words: Count
    altcase_share: Share
    odd_word_score: float = Field(ge=0, le=9)
    odd_word_share: Share
    debris_share: Share
    function_word_share: Share
    salad_window: int = Field(ge=10)
    broken_pairs_share: Share
    disorder_score: dict[str, Positive]
    disorder_bits: float = Field(gt=0)
    foreign_run: int = Field(ge=2)
    foreign_share: Share
    drift_window: int = Field(ge=8)
    drift_vote: Share
    recited_share: Share
    recited_min_words: int = Field(ge=6)
    echo_share: Share
    asks_repetition: Alternatives
    asks_endless: Alternatives
    asks_verse: Alternatives
    asks_dialogue: Alternatives
    asks_template: Alternatives
    asks_one_character: Alternatives
    asks_variants: Alternatives
    asks_symbols: Alternatives
    asks_case: Alternatives
    asks_words: Alternatives
    asks_style: Alternatives
    asks_instructions: Alternatives
    asks_languages: Alternatives
    asks_more: Alternatives
    asks_counting: Alternatives
    answer_in: Alternatives
    language_names: dict[str, str]
    instruction_lines: list[Pattern]
    short_answers: str
    function_words: dict[str, str]
    prompt_words: dict[str, str]
    closing_words: dict[str, str]
    followers: dict[str, str]
    word_pieces: str

    def make(self, parts: Parts) -> Judge:
        from evalkit.judging.degeneration import DegenerationJudge  # numpy and the detectors: not to read a policy
        from evalkit.judging.repetition import LoopSize

        fields = {name: _frozen(value) for name, value in self if name not in ("kind", "version", "loops")}
        for name in ("short_answers", "word_pieces"):
            fields[name] = tuple(getattr(self, name).split())
        sizes = tuple(LoopSize(loop.copies, loop.tokens, loop.chars) for loop in self.loops)
        return DegenerationJudge(DegenerationPolicy(loops=sizes, **fields))


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((name, tuple(kept.split()) if isinstance(kept, str) else kept) for name, kept in value.items())
    return tuple(value) if isinstance(value, list) else value
