"""One row's answer while it is being written: its tokens, why it ends, and what it becomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from evalkit.engines.local.batches import Row
from evalkit.generation import Finish, Generation
from evalkit.target import Settings

Text = Callable[[tuple[int, ...]], str]

TAIL_SLACK = 8
"""Tokens decoded beyond a text's own: a decoder may drop a space or half a character at the start."""
CYCLE_PERIODS = 64
CYCLE_TURNS = 4
CYCLE_TOKENS = 64
"""A cycle is a tail of at least so many tokens that repeats at most 64 tokens at least four times, exactly."""


@dataclass(slots=True)
class Draft:
    """A row on its way. ``ends`` are the tokens that end an answer, ``text_of`` decodes, ``started`` is a clock's time.

    ``company`` is the most rows that ran with it, itself included; ``near_ties`` counts steps at which another order
    of the arithmetic might have taken another token.
    """

    row: Row
    ends: frozenset[int]
    text_of: Text
    started: float
    is_redone: bool = False
    ids: list[int] = field(default_factory=list)
    finish: Finish | None = None
    company: int = 1
    near_ties: int = 0
    cycle: int = 0
    first_token_s: float | None = None
    total_s: float | None = None
    is_shaped: bool = False
    banned: tuple[str, ...] = ()
    seen: Counter[int] = field(default_factory=Counter)
    followers: dict[tuple[int, ...], set[int]] = field(default_factory=dict)
    _runs: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        decoding = self.row.request.decoding
        size = decoding.no_repeat_ngram
        self.is_shaped = bool(
            self.row.bias or size or decoding.repetition_penalty != 1.0
            or decoding.presence_penalty or decoding.frequency_penalty
        )  # fmt: skip
        self.banned = tuple(text for text in decoding.banned if isinstance(text, str))
        if size:
            prompt = self.row.prompt_ids
            for end in range(size, len(prompt) + 1):
                self._follow(prompt[end - size : end])
        if decoding.stop_on_cycle:
            self._runs = [0] * (CYCLE_PERIODS + 1)

    @property
    def length(self) -> int:
        """Tokens of prompt and answer."""
        return len(self.row.prompt_ids) + len(self.ids)

    @property
    def may_end(self) -> bool:
        """Whether there are enough tokens for an end token or a stop string to count."""
        return len(self.ids) >= self.row.request.decoding.min_new_tokens

    @property
    def barred(self) -> set[int]:
        """Tokens that would repeat a sequence that must not be repeated."""
        size = self.row.request.decoding.no_repeat_ngram
        if not size:
            return set()
        tail = (*self.row.prompt_ids[-size:], *self.ids)[-(size - 1) :] if size > 1 else ()
        return self.followers.get(tuple(tail), set())

    def is_banned(self, token: int) -> bool:
        """Whether a banned text would stand in the answer with this token."""
        return bool(self.banned) and _holds(self._tail(self.banned, token), self.banned)

    def push(self, token: int, now: float) -> None:
        """The next token; sets ``finish`` if it is the last."""
        decoding = self.row.request.decoding
        could_end = self.may_end
        self.ids.append(token)
        self.total_s = now - self.started
        if self.first_token_s is None:
            self.first_token_s = self.total_s
        if decoding.presence_penalty or decoding.frequency_penalty:
            self.seen[token] += 1
        if decoding.no_repeat_ngram:
            size = decoding.no_repeat_ngram
            self._follow((*self.row.prompt_ids[-size:], *self.ids[-size:])[-size:])
        if token in self.ends and could_end:
            self.finish = "stop"
        elif decoding.stop and self.may_end and self._stops(decoding.stop):
            self.finish = "stop_string"
        elif decoding.stop_on_cycle and self._cycles(token) and self.may_end:
            self.finish = "cycle"
        elif len(self.ids) >= decoding.max_new_tokens:
            self.finish = "length"

    def generation(self, facts: Settings) -> Generation:
        """What came of it; ``facts`` are those of the engine, to which the row's own are added."""
        assert self.finish is not None, "a row left without a finish reason"
        ids = tuple(self.ids)
        raw_text = text = self.text_of(ids)
        if self.finish == "stop":
            body = ids
            while body and body[-1] in self.ends:
                body = body[:-1]
            text = self.text_of(body)
        elif self.finish == "stop_string":
            text = raw_text[: self._stop_place(raw_text)]
        own = {"batch_rows": self.company, "cycle_tokens": self.cycle, "near_tie": self.near_ties}
        added = [(name, value) for name, value in own.items() if value]
        if self.is_redone:
            added.append(("redone_alone", True))
        return Generation(
            text=text,
            raw_text=raw_text,
            token_ids=ids,
            finish=self.finish,
            prompt_tokens=len(self.row.prompt_ids),
            new_tokens=len(ids),
            system_placement=self.row.placement,
            first_token_s=self.first_token_s,
            total_s=self.total_s,
            facts=tuple(sorted((*facts, *added))),
        )

    def _stops(self, stops: tuple[str, ...]) -> bool:
        """Whether the newest token completes a stop string; one that came before ``min_new_tokens`` does not count."""
        tail = self._tail(stops)
        if not _holds(tail, stops):
            return False
        before = self.text_of(tuple(self.ids[-self._reach(stops) : -1]))
        return any(tail.count(stop) > before.count(stop) for stop in stops)

    def _stop_place(self, raw_text: str) -> int:
        """Where the stop string that ended the answer begins."""
        decoding = self.row.request.decoding
        known = len(self.text_of(tuple(self.ids[:-1]))) if decoding.min_new_tokens else 0
        places = (raw_text.find(stop, max(0, known - len(stop) + 1)) for stop in decoding.stop)
        return min((place for place in places if place >= 0), default=len(raw_text))

    def _reach(self, texts: tuple[str, ...]) -> int:
        """How many tokens from the end are sure to hold the longest of the texts."""
        return max(len(text.encode("utf-8", "replace")) for text in texts) + TAIL_SLACK

    def _tail(self, texts: tuple[str, ...], *more: int) -> str:
        """The end of the answer, long enough to hold the longest of the texts."""
        return self.text_of((*self.ids[-self._reach(texts) :], *more))

    def _follow(self, sequence: tuple[int, ...]) -> None:
        if len(sequence) == self.row.request.decoding.no_repeat_ngram:
            self.followers.setdefault(sequence[:-1], set()).add(sequence[-1])

    def _cycles(self, token: int) -> bool:
        """Whether the tail has become an exact cycle."""
        for period in range(1, min(CYCLE_PERIODS, len(self.ids) - 1) + 1):
            run = self._runs[period] + 1 if self.ids[-1 - period] == token else 0
            self._runs[period] = run
            if run + period >= max(CYCLE_TOKENS, CYCLE_TURNS * period):
                self.cycle = period
                return True
        return False


def _holds(text: str, wanted: tuple[str, ...]) -> bool:
    return any(part in text for part in wanted)
