"""Looks at all answers of a run at once: do samples differ, do unrelated probes get the same answer?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from evalkit.judging.likeness import compression_ratio, normalised_words, self_bleu
from evalkit.judging.slop import count_slop
from evalkit.judging.stock_answers import is_greeting, is_refusal
from evalkit.transcript import Case

OPENER_WORDS = 12
SHORT_WORDS = 4
UNRELATED_PROBES = 3
SHARE_OF_PROBES = 0.1
MIN_SAMPLES = 3
ALIKE_WORDS = 12
ALIKE_UNIQUE = 0.34
ALIKE_BLEU = 0.9
ALIKE_COMPRESSION = 1.8

GroupKind = Literal["same", "refusal", "greeting", "short", "prompted"]


@dataclass(frozen=True, slots=True)
class SampleSurvey:
    """How alike the ``answers`` of one probe and target are.

    ``duplicate_share`` counts answers that an earlier one equals word for word, ``opening_share`` those with the
    commonest first sentence. ``self_bleu`` is a mean over at most 50 pairs. ``compression`` is how much better the
    answers compress together than apart. ``is_alike`` asks for 3 answers of 12 words and more, not decoded greedily.
    """

    target: str
    probe: str
    answers: int
    unique: int
    duplicate_share: float
    opening_share: float
    self_bleu: float
    compression: float
    is_alike: bool


@dataclass(frozen=True, slots=True)
class SameAnswer:
    """One answer, or one opening of 12 words, that a target gave to several unrelated probes.

    ``share`` is of the target's unrelated probes. Only the kind ``same`` counts against the target: refusals,
    greetings, answers under 4 words and words that the prompts themselves hold may well repeat.
    """

    target: str
    part: Literal["answer", "opening"]
    kind: GroupKind
    words: str
    probes: tuple[str, ...]
    share: float


@dataclass(frozen=True, slots=True)
class TargetSurvey:
    """One target's answers together: how well they compress, and stock words in 1,000 words (information only)."""

    target: str
    answers: int
    compression_ratio: float
    slop_per_1000: float


@dataclass(frozen=True, slots=True)
class Survey:
    """What was seen. ``flags`` has an entry for every case, in order: ``samples_alike``, ``same_as_other_probes``."""

    targets: tuple[TargetSurvey, ...]
    samples: tuple[SampleSurvey, ...]
    same_answers: tuple[SameAnswer, ...]
    flags: tuple[tuple[str, ...], ...]


@dataclass(slots=True)
class Said:
    """The judged answers of one trial as one text; ``prompt`` is all the user's words."""

    target: str
    probe: str
    cluster: str | None
    prompt: str
    text: str

    @property
    def family(self) -> str:
        """Probes of one family are related: what they share says nothing."""
        return self.cluster or self.probe.partition("~")[0]


@dataclass(slots=True)
class _Given:
    """What was said, where it stands among the others, and its normalised words with a blank between."""

    index: int
    said: Said
    words: str

    @property
    def count(self) -> int:
        return self.words.count(" ") + 1 if self.words else 0


def survey(cases: Sequence[Case], seed: int = 0) -> Survey:
    """Looks across samples of one probe and across the probes of one target. O(characters); equal for equal input."""
    said = [
        Said(
            case.target_label, case.probe.id, case.probe.cluster, case.prompt,
            "\n\n".join(answer.answer for answer in case.answers),
        )
        for case in cases
    ]  # fmt: skip
    by_target = _by_target(said)
    flags: list[list[str]] = [[] for _ in cases]
    samples: list[SampleSurvey] = []
    same: list[SameAnswer] = []
    for one, members in _repeats(by_target, seed):
        if isinstance(one, SampleSurvey):
            samples.append(one)
            if one.is_alike:
                _mark(flags, members, "samples_alike")
        else:
            same.append(one)
            if one.kind == "same":
                _mark(flags, members, "same_as_other_probes")
    targets = tuple(_target_survey(target, given) for target, given in by_target.items())
    return Survey(targets, tuple(samples), tuple(same), tuple(map(tuple, flags)))


def repeats(said: Sequence[Said], seed: int = 0) -> tuple[SampleSurvey | SameAnswer, ...]:
    """The samples and same answers of a ``survey``, by target, and nothing else of it."""
    return tuple(one for one, _ in _repeats(_by_target(said), seed))


def _repeats(
    by_target: Mapping[str, list[_Given]], seed: int
) -> Iterable[tuple[SampleSurvey | SameAnswer, list[_Given]]]:
    for target, given in by_target.items():
        yield from _samples(target, given, seed)
        yield from _same_answers(target, given)


def _by_target(said: Sequence[Said]) -> dict[str, list[_Given]]:
    found: dict[str, list[_Given]] = defaultdict(list)
    for index, item in enumerate(said):
        found[item.target].append(_Given(index, item, " ".join(normalised_words(item.text))))
    return found


def _mark(flags: list[list[str]], members: Iterable[_Given], flag: str) -> None:
    for item in members:
        if flag not in flags[item.index]:
            flags[item.index].append(flag)


def _target_survey(target: str, given: list[_Given]) -> TargetSurvey:
    everything = "\n\n".join(item.said.text for item in given)
    ratio = compression_ratio(everything)
    return TargetSurvey(target, len(given), round(ratio, 3), round(count_slop(everything).per_1000, 2))


def _samples(target: str, given: list[_Given], seed: int) -> Iterable[tuple[SampleSurvey, list[_Given]]]:
    by_probe: dict[str, list[_Given]] = defaultdict(list)
    for item in given:
        by_probe[item.said.probe].append(item)
    for probe, members in by_probe.items():
        if len(members) > 1:
            yield _sample_survey(target, probe, members, seed), members


def _sample_survey(target: str, probe: str, members: list[_Given], seed: int) -> SampleSurvey:
    count = len(members)
    unique = len({item.words for item in members})
    openings = Counter(_first_sentence(item.said.text) for item in members)
    bleu = self_bleu([item.words.split() for item in members], f"{seed}|{target}|{probe}")
    apart = sum(compression_ratio(item.said.text) for item in members) / count
    together = compression_ratio("\n\n".join(item.said.text for item in members)) / apart if apart else 1.0
    mean_words = sum(item.count for item in members) / count
    looks_alike = unique / count <= ALIKE_UNIQUE or bleu >= ALIKE_BLEU or together > ALIKE_COMPRESSION
    is_free = target.rpartition(":")[2] != "greedy" and mean_words >= ALIKE_WORDS
    return SampleSurvey(
        target=target, probe=probe, answers=count, unique=unique, duplicate_share=round(1 - unique / count, 4),
        opening_share=round(max(openings.values()) / count, 4), self_bleu=round(bleu, 4),
        compression=round(together, 3), is_alike=looks_alike and is_free and count >= MIN_SAMPLES,
    )  # fmt: skip


def _first_sentence(text: str) -> tuple[str, ...]:
    ends = [place for mark in ".!?\n" if (place := text.strip().find(mark)) >= 0]
    return normalised_words(text.strip()[: min(ends) + 1] if ends else text)


def _same_answers(target: str, given: list[_Given]) -> Iterable[tuple[SameAnswer, list[_Given]]]:
    families = len({item.said.family for item in given})
    whole: dict[str, list[_Given]] = defaultdict(list)
    opening: dict[str, list[_Given]] = defaultdict(list)
    for item in given:
        whole[item.words].append(item)
        if item.count > OPENER_WORDS:
            opening[" ".join(item.words.split(" ", OPENER_WORDS)[:OPENER_WORDS])].append(item)
    parts: tuple[Literal["answer", "opening"], ...] = ("answer", "opening")
    for part, groups in zip(parts, (whole, opening), strict=True):
        for words, members in groups.items():
            if len(members) == 1:  # nothing that is said once, as nearly all is, needs more thought
                continue
            related = len({item.said.family for item in members})
            share = related / families
            many = related >= UNRELATED_PROBES or (related > 1 and share >= SHARE_OF_PROBES)
            if not many or (part == "opening" and len({item.words for item in members}) == 1):
                continue
            probes = tuple(dict.fromkeys(item.said.probe for item in members))
            yield SameAnswer(target, part, _kind(words, members), words, probes, round(share, 4)), members


def _kind(words: str, members: list[_Given]) -> GroupKind:
    if words.count(" ") + 1 < SHORT_WORDS:
        return "short"
    if is_refusal(members[0].said.text):
        return "refusal"
    if is_greeting(members[0].said.text):
        return "greeting"
    shared = f" {words} "
    if all(shared in f" {' '.join(normalised_words(item.said.prompt))} " for item in members):
        return "prompted"
    return "same"
