"""The schema of judges/degeneration.yaml."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from evalkit.judging.base import Judge
from evalkit.judging.collapse.policy import VERSION, DegenerationPolicy
from evalkit.reading.policies.base import Parts, Pattern, PolicyFile, Strict

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
    asks_repetition: list[Pattern]
    asks_endless: list[Pattern]
    asks_verse: list[Pattern]
    asks_dialogue: list[Pattern]
    asks_template: list[Pattern]
    asks_one_character: list[Pattern]
    asks_variants: list[Pattern]
    asks_symbols: list[Pattern]
    asks_case: list[Pattern]
    asks_words: list[Pattern]
    asks_style: list[Pattern]
    asks_instructions: list[Pattern]
    asks_languages: list[Pattern]
    asks_more: list[Pattern]
    asks_counting: list[Pattern]
    answer_in: list[Pattern]
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
