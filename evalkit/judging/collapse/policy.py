"""What judges/degeneration.yaml sets, as the detectors read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evalkit.judging.repetition import LoopSize

VERSION = "4"
"""Of the judge's code."""


@dataclass(frozen=True, slots=True)
class DegenerationPolicy:
    """Thresholds, phrases and word lists; judges/degeneration.yaml says what each one means."""

    loops: tuple[LoopSize, ...]
    loop_max_period: int
    verse_factor: float
    unfinished_factor: float
    endless_factor: float
    whole_copies: int
    whole_copies_short: int
    duplicate_copies: int
    duplicate_min_words: int
    counting_copies: int
    counting_min_words: int
    near_copies: int
    near_similarity: float
    near_new_words: float
    thinking_overlap: float
    thinking_repeats: int
    thinking_share: float
    thinking_family: int
    run_max_period: int
    run_min_chars: int
    run_min_copies: int
    symbol_run: int
    repeated_share: float
    repeated_share_verse: float
    repeated_min_words: int
    stammer_copies: int
    slot_copies: int
    rewordings: int
    rewording_similarity: float
    copy_similarity: float
    asked_copies: int
    altcase_words: int
    altcase_share: float
    odd_word_score: float
    odd_word_share: float
    debris_share: float
    function_word_share: float
    salad_window: int
    broken_pairs_share: float
    disorder_score: tuple[tuple[str, float], ...]
    disorder_bits: float
    foreign_run: int
    foreign_share: float
    drift_window: int
    drift_vote: float
    recited_share: float
    recited_min_words: int
    echo_share: float
    asks_repetition: tuple[str, ...]
    asks_endless: tuple[str, ...]
    asks_verse: tuple[str, ...]
    asks_dialogue: tuple[str, ...]
    asks_template: tuple[str, ...]
    asks_one_character: tuple[str, ...]
    asks_variants: tuple[str, ...]
    asks_symbols: tuple[str, ...]
    asks_case: tuple[str, ...]
    asks_words: tuple[str, ...]
    asks_style: tuple[str, ...]
    asks_instructions: tuple[str, ...]
    asks_languages: tuple[str, ...]
    asks_more: tuple[str, ...]
    asks_counting: tuple[str, ...]
    answer_in: tuple[str, ...]
    instruction_lines: tuple[str, ...]
    language_names: tuple[tuple[str, tuple[str, ...]], ...]
    function_words: tuple[tuple[str, tuple[str, ...]], ...]
    prompt_words: tuple[tuple[str, tuple[str, ...]], ...]
    short_answers: tuple[str, ...]
    closing_words: tuple[tuple[str, tuple[str, ...]], ...]
    followers: tuple[tuple[str, tuple[str, ...]], ...]
    word_pieces: tuple[str, ...]
