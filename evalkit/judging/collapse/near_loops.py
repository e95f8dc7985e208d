"""Finds sentences, lines and paragraphs that come back: as they were, counting up, or with small changes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain

import numpy as np

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.code_lines import is_code
from evalkit.judging.collapse.finding import Finding, Passage, shown
from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.judging.collapse.segments import Numbering, Segment, parts_of
from evalkit.judging.repetition import runs

_INTEGER = re.compile(r"(?<![\w.])\d{1,9}(?!\w)")
_MAX_UNIT = 6
_LAGS = 4
_LONG_UNIT = 15
_THINKING_FACTOR = 3
_VERSE_LINE_WORDS = 10
_VERSE_COPIES = 12
_DAYS = 31
_REWORDED = 5
_LENGTHS = 3
_CORE_WORDS = 5
_CORE_SHARE = 0.55
_COUNTED = 40
_COUNTED_IN_STEPS = 20
_GAP = 4
_TIMETABLE = 12
_SHORT_STEM = 3
_ORDER = re.compile(
    r"\b(?:give|list|write|name|suggest|show|tell|make|create|provide|need|want|dame|escribe|haz|gib|nenne|schreib\w*|"
    r"donne\w*|écri\w+|dammi|scrivi|dê|escreva)\b[^.?!\n]{0,40}(?:\d|\b\w+(?:een|ty|teen|ze|zehn)\b|\bten\b)",
    re.IGNORECASE,
)
_LOG_LINE = re.compile(
    r"^\s*(?:\[?\d{4}-\d\d-\d\d[ T]|\[?\d\d:\d\d:\d\d|\[ *\d+\.\d+\]|(?:INFO|DEBUG|WARN\w*|ERROR)\b)|[=!]=|[;{}]\s*$"
)


def _may_return(passage: Passage, policy: DegenerationPolicy) -> bool:
    """Whether there are as many sentences as the fewest copies of one, or as many numbers as the shortest count."""
    copies = min(policy.duplicate_copies + 1, policy.counting_copies, policy.near_copies)
    line = passage.line
    if line is not None:
        return line.sentences >= copies or (
            len(line.words) >= _COUNTED_IN_STEPS and sum(map(str.isdigit, line.words)) >= _COUNTED_IN_STEPS
        )
    sentences, paragraphs = parts_of(passage.visible)
    return sentences >= copies or paragraphs >= policy.duplicate_copies or _may_be_numbers(passage)


def find_returning(passage: Passage, asked: Asked, policy: DegenerationPolicy) -> Finding | None:
    """The first kind of loop over whole segments, back to back or not."""
    if not _may_return(passage, policy) or asked.has("repetition"):
        return None
    numbering = Numbering()
    text = passage.visible
    sentences = numbering.sentences(text)
    paragraphs = _paragraphs(numbering, text, policy)
    found = (
        _duplicates(text, paragraphs, sentences, asked, passage, policy)
        or _counting(text, sentences, asked, passage, policy)
        or _numbers(passage, asked)
    )
    if found is not None:
        return found
    if passage.prose != text:
        text = passage.prose
        sentences, paragraphs = numbering.sentences(text), _paragraphs(numbering, text, policy)
    return _near(text, sentences, asked, passage, policy) or _near(text, paragraphs, asked, passage, policy)


def _paragraphs(numbering: Numbering, text: str, policy: DegenerationPolicy) -> list[Segment]:
    """The paragraphs, where there are enough to come back."""
    enough = parts_of(text)[1] >= min(policy.duplicate_copies, policy.near_copies)
    return numbering.paragraphs(text) if enough else []


def _looks_like_verse(lines: Sequence[Segment]) -> bool:
    """Several short lines throughout."""
    lengths = sorted(len(line.words) for line in lines)
    return len(lengths) >= 6 and lengths[len(lengths) // 2] <= _VERSE_LINE_WORDS and lengths[-1] <= 18


def _duplicates(
    text: str, paragraphs: Sequence[Segment], sentences: Sequence[Segment], asked: Asked, passage: Passage,
    policy: DegenerationPolicy,
) -> Finding | None:  # fmt: skip
    """Paragraphs that stand there three times, and sentences that make up much of the text; more often in verse."""
    total = sum(len(segment.words) for segment in sentences)
    for segments, least, copies, share in (
        (paragraphs, policy.duplicate_min_words, policy.duplicate_copies, 0.0),
        (sentences, policy.duplicate_min_words - 2, policy.duplicate_copies + 1, 0.3),
    ):
        seen: dict[tuple[object, ...], list[int]] = {}
        for index, segment in enumerate(segments):
            if len(segment.words) >= least:
                seen.setdefault((segment.words, segment.counters), []).append(index)
        for places in seen.values():
            first = segments[places[0]]
            if len(places) < copies or len(places) * len(first.words) < share * total:
                continue
            if len(places) >= _VERSE_COPIES or not (asked.has("verse") or _looks_like_verse(Numbering().lines(text))):
                unit = text[first.start : first.end]
                sentence = f"{passage.part} holds {shown(unit)} {len(places)} times"
                return Finding("loop", sentence, (first.start, segments[places[-1]].end))
    return None


def _counting(
    text: str, sentences: Sequence[Segment], asked: Asked, passage: Passage, policy: DegenerationPolicy
) -> Finding | None:
    """The same sentences again and again with nothing but a counter going up."""
    numbers: dict[tuple[int, ...], int] = {}
    row = [numbers.setdefault(segment.words, len(numbers)) for segment in sentences]
    if len(row) < 2 or len(row) - len(numbers) < policy.counting_copies - 1 or asked.has("counting"):
        return None
    ids = np.array(row, dtype=np.int64)
    needed = policy.counting_copies * (_THINKING_FACTOR if passage.part == "the thinking" else 1)
    if asked.has("variants", "verse"):
        needed = max(needed, _DAYS + 1)
    named = asked.copies + 2 if asked.has("variants", "words") or _ORDER.search(asked.prompt) else 0
    for unit in range(1, min(_MAX_UNIT, len(ids) // 2) + 1):
        for first, last in runs(ids, unit):
            copies = (last - first + 1) / unit
            stem = sum(segment.stem for segment in sentences[first : first + unit])
            is_all = sentences[last].end - sentences[first].start > 0.9 * len(text) and copies >= 2 * needed
            is_told = stem >= policy.counting_min_words or (stem >= _SHORT_STEM and unit > 1) or (stem > 1 and is_all)
            is_told = is_told or (stem > 0 and "=" in text[sentences[first].start : sentences[first + unit - 1].end])
            if copies < max(needed, named) or not is_told:
                continue
            moving = _moving_counters(sentences[first : last + 1], unit)
            if moving is None or (moving != 1 and copies <= (_DAYS if asked.has("quantity") else _TIMETABLE)):
                continue
            start, end = sentences[first].start, sentences[last].end
            if copies <= _COUNTED and _is_record(text[start:end]):
                continue
            shown_unit = shown(text[start : sentences[first + unit - 1].end])
            sentence = f"{passage.part} repeats {shown_unit} {int(copies)} times, only counting up"
            return Finding("counting_loop", sentence, (start, end))
    return None


def _may_be_numbers(passage: Passage) -> bool:
    """Whether there are as many whole numbers as the shortest count has."""
    return len(_INTEGER.findall(passage.visible)) >= _COUNTED_IN_STEPS


def _numbers(passage: Passage, asked: Asked) -> Finding | None:
    """Whole numbers that count up by one, forty or more, or by a longer step, twenty, where nobody asked for any."""
    if not _may_be_numbers(passage) or asked.has("counting", "symbols", "repetition", "words"):
        return None
    run: list[re.Match[str]] = []
    step = 0
    for found in _INTEGER.finditer(passage.visible):
        apart = int(found.group()) - int(run[-1].group()) if run else 0
        if not run or apart <= 0 or found.start() - run[-1].end() > _GAP:
            run = [found]
            continue
        run = [*run, found] if len(run) < 2 or apart == step else [run[-1], found]
        step = apart
        if len(run) >= (_COUNTED if step == 1 else _COUNTED_IN_STEPS):
            sentence = f"{passage.part} counts from {run[0].group()} to {found.group()} and on"
            return Finding("counting_loop", sentence, (run[0].start(), found.end()))
    return None


def _moving_counters(segments: Sequence[Segment], unit: int) -> int | None:
    """How many counters go up, all by one step, while the others stand still; None if any moves otherwise."""
    rows = [
        [value for segment in segments[index : index + unit] for value in segment.counters]
        for index in range(0, len(segments) - unit + 1, unit)
    ]
    if not rows or not rows[0]:
        return 0
    steps = np.diff(np.array(rows, dtype=np.float64), axis=0)
    usual = []
    for column in steps.T:
        values, counts = np.unique(column, return_counts=True)
        if counts.max() < 0.7 * len(column):
            return None
        usual.append(float(values[counts.argmax()]))
    moving = [step for step in usual if step]
    return len(moving) if len(set(moving)) <= 1 else None


def _is_record(text: str) -> bool:
    """Whether most lines are code or a log: those count up by their nature."""
    lines = [line for line in text.split("\n") if line.strip()]
    return sum(is_code(line) or _LOG_LINE.search(line) is not None for line in lines) >= 0.6 * len(lines)


def _may_be_near(segments: Sequence[Segment], policy: DegenerationPolicy) -> bool:
    """Whether segments enough in a row hold few enough words that stand nowhere else."""
    counts = Counter(chain.from_iterable([segment.words for segment in segments]))
    in_a_row = most = 0
    for segment in segments:
        known = sum([counts[word] > 1 for word in segment.words if word])
        in_a_row = in_a_row + 1 if known >= policy.near_similarity * segment.stem else 0
        most = max(most, in_a_row)
    return most >= policy.near_copies - 1


def _near(
    text: str, segments: Sequence[Segment], asked: Asked, passage: Passage, policy: DegenerationPolicy
) -> Finding | None:
    """Runs in which each segment is nearly one of the four before it, and hardly a new word comes in.

    Lines of code are alike by their nature.
    """
    if not _may_be_near(segments, policy) or asked.has("verse", "variants"):
        return None
    bags = [Counter(word for word in segment.words if word) for segment in segments]
    sizes = [sum(bag.values()) for bag in bags]
    start = 0
    for index in range(1, len(segments) + 1):
        if index < len(segments) and _is_near(bags, sizes, index, start, policy.near_similarity):
            continue
        found = _near_run(text, segments[start:index], bags[start:index], passage, policy)
        if found is not None:
            return found
        start = index
    return None


def _is_near(bags: Sequence[Counter[int]], sizes: Sequence[int], index: int, first: int, similarity: float) -> bool:
    bag, size = bags[index], sizes[index]
    for earlier in range(max(first, index - _LAGS), index):
        longer = max(size, sizes[earlier])
        if longer and min(size, sizes[earlier]) >= similarity * longer:
            shared = sum(min(count, bags[earlier][word]) for word, count in bag.items())
            if shared >= similarity * longer:
                return True
    return False


def _shares_a_core(segments: Sequence[Segment], bags: Sequence[Counter[int]]) -> bool:
    """Whether the same words make most of every segment while their number changes: reworded, not filled in."""
    core = set(bags[0]).intersection(*bags[1:])
    lengths = {len(segment.words) for segment in segments}
    mean = sum(len(segment.words) for segment in segments) / len(segments)
    return len(segments) >= _REWORDED and len(lengths) >= _LENGTHS and len(core) >= max(_CORE_WORDS, _CORE_SHARE * mean)


def _near_run(
    text: str, segments: Sequence[Segment], bags: Sequence[Counter[int]], passage: Passage, policy: DegenerationPolicy
) -> Finding | None:
    copies = len(segments)
    words = sum(sum(bag.values()) for bag in bags)
    if copies < policy.near_copies or words < 8 * policy.near_copies:
        return None
    known = set(bags[0])
    new = informative = 0
    counters = {segments[0].counters}
    for segment, bag in zip(segments[1:], bags[1:], strict=True):
        fresh = [word for word in bag if word not in known]
        known.update(fresh)
        new += len(fresh)
        informative += bool(fresh) or (bool(segment.counters) and segment.counters not in counters)
        counters.add(segment.counters)
    share = new / max(1, words - sum(bags[0].values()))
    is_long = words / copies >= _LONG_UNIT
    if is_long and not any(segment.counters for segment in segments):
        is_loop = share <= policy.near_new_words
    else:
        is_loop = (
            share <= 1.5 * policy.near_new_words and informative <= 0.5 * copies and copies >= policy.near_copies + 1
        )
    if not is_loop and not _shares_a_core(segments, bags):
        return None
    unit = text[segments[0].start : segments[0].end]
    sentence = f"{passage.part} says {shown(unit)} {copies} times with small changes"
    return Finding("near_loop", sentence, (segments[0].start, segments[-1].end))
