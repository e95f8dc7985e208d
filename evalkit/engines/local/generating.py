"""The decode loop: rows start, decode, leave and join, and what fails is tried again in smaller parts."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch

from evalkit.engines.base import Pulse
from evalkit.engines.local.adapters import AdapterRack
from evalkit.engines.local.batches import Batch, Row
from evalkit.engines.local.choosing import Choice, choose
from evalkit.engines.local.drafting import Draft
from evalkit.engines.local.flights import Flight, GroupFlight, LoneFlight, lone_logits
from evalkit.engines.local.memory_errors import is_out_of_memory, memory_reason, release_memory
from evalkit.engines.local.prefix_reuse import PrefixReuse
from evalkit.engines.local.scheduling import Schedule, Start
from evalkit.engines.local.scoring import score
from evalkit.engines.local.weights import Weights
from evalkit.errors import EvalkitError
from evalkit.generation import Failure, Reply
from evalkit.target import Settings

PULSE_STEPS = 4
STILL_TIED = 0.2
"""A row's own pass that is this much nearer to even decides nothing: passes over one row differ by that themselves."""
Replies = list[tuple[str, Reply]]


class Loop:
    """Answers rows of one model, a slice of time at a time.

    ``noise`` is how far logits may be off (see ``near_ties``). Where ``is_exact``, a near tie is broken by a pass of
    the row alone, so that its neighbours have no say; if that comes out nearly even too, the whole row is done again
    alone. Elsewhere near ties are only counted. Out of memory lets half as much run together. After any other error
    the rows concerned run again in smaller batches, so that one row's fault is one Failure. ``reuse`` computes what
    prompts share once; without it every prompt is passed through whole.
    """

    def __init__(
        self, weights: Weights, rack: AdapterRack, schedule: Schedule, facts: Settings, noise: float, is_exact: bool,
        reuse: PrefixReuse | None = None,
    ) -> None:  # fmt: skip
        self._weights = weights
        self._rack = rack
        self._schedule = schedule
        self._facts = facts
        self._noise = noise
        self._is_exact = is_exact
        self._reuse = reuse or PrefixReuse(weights, rack, 0)
        self._flight: Flight | None = None
        self._start: Start | None = None
        self._done: Replies = []
        self._redone: set[str] = set()
        self._gone: set[str] = set()
        self._tied: list[Draft] = []
        self._unreported = 0

    @property
    def rows_in_flight(self) -> int:
        return len(self._drafts)

    @property
    def is_idle(self) -> bool:
        return not self._drafts and not len(self._schedule)

    def add(self, rows: Sequence[Row]) -> None:
        self._schedule.add(rows)
        self._reuse.add(rows)

    def cancel(self, request_id: str) -> None:
        """Forget a row, wherever it is."""
        if any(draft.row.request_id == request_id for draft in self._drafts):
            self._gone.add(request_id)
        else:
            self._schedule.cancel(request_id)
            self._reuse.forget((request_id,))

    def bound_rows(self, rows: int) -> None:
        self._schedule.bound_rows(rows)

    def run(self, pulse: Pulse, until: float) -> tuple[Replies, list[str]]:
        """What is answered by the time ``until``, or a little after; and what was given up because the pulse said so.

        The pulse hears of every token; every few steps, and once more at the end.
        """
        dropped: list[str] = []
        is_stopped = False
        while not self.is_idle and not is_stopped:
            is_stopped = self._turn(until, pulse) or self._told(pulse)
            if is_stopped:
                dropped = [draft.row.request_id for draft in self._drafts]
                self._flight, self._start = None, None
            if time.perf_counter() >= until:
                break
        if self.is_idle:
            self._reuse.end()
        done, self._done = self._done, []
        return done, dropped

    @property
    def _drafts(self) -> list[Draft]:
        return self._flight.drafts if self._flight is not None else []

    @property
    def _may_join(self) -> bool:
        return self._start is not None and self._start.manner == "open"

    @property
    def _running(self) -> Batch:
        return tuple(draft.row for draft in self._drafts)

    def _told(self, pulse: Pulse) -> bool:
        count, self._unreported = self._unreported, 0
        return pulse(count)

    def _turn(self, until: float, pulse: Pulse) -> bool:
        """One thing: begin rows, let rows join, or decode for a while; whether the pulse said to stop."""
        self._forget_cancelled()
        if not self._drafts:
            self._flight, self._start = None, self._schedule.start()
            if self._start is None:
                return False
            joining = self._start.batch
            if self._start.manner == "score":
                self._score(joining)
                return False
            kind = LoneFlight if self._start.manner == "alone" else GroupFlight
            self._flight = kind(self._weights, self._rack)
        else:
            joining = self._schedule.joining(self._running) if self._may_join else ()
        if joining:
            self._admit_parts(joining)
            return False
        return self._decode(until, pulse)

    def _admit_parts(self, batch: Batch) -> None:
        """Let rows begin; where others may join them, from what is known of prompts that begin so."""
        parts: tuple[Batch, ...] = (batch,)
        try:
            if self._may_join:
                parts = self._reuse.prepared(batch, self._running)
        except Exception as error:
            self._recover(batch, self._running, error)
            return
        expected = len(self._drafts) + len(batch)
        for part in parts:
            if self._flight is not None:
                self._admit(part, expected)
            else:
                self._schedule.add(part)  # the part before has failed

    def _admit(self, batch: Batch, expected: int) -> None:
        flight = self._flight
        assert flight is not None
        started, ends = time.perf_counter(), frozenset(self._weights.ends)
        drafts = [
            Draft(row, ends, self._weights.renderer.text, started, is_redone=row.request_id in self._redone)
            for row in batch
        ]
        beside = self._running
        try:
            self._reuse.fit((*beside, *batch))
            pasts = [self._reuse.past(row) if self._may_join else None for row in batch]
            with torch.no_grad(), self._rack.applied([row.adapter for row in batch]):
                choices = choose(flight.admit(drafts, pasts, expected), drafts, self._noise)
        except Exception as error:
            if not beside or not flight.is_whole or len(flight.drafts) > len(beside):
                self._flight = None
                batch, beside = (*beside, *batch), ()
            self._recover(batch, beside, error)
            return
        for draft in flight.drafts:
            draft.company = max(draft.company, len(flight.drafts))
        self._take(choices, len(beside))
        self._break_ties()

    def _decode(self, until: float, pulse: Pulse) -> bool:
        """Decode until others may join, adapters are to be told anew, or time is up; whether the pulse said to stop."""
        flight, steps, is_stopped = self._flight, 0, False
        assert flight is not None
        adapters = [draft.row.adapter for draft in flight.drafts]
        try:
            with torch.no_grad(), self._rack.applied(adapters):
                while flight.drafts and not is_stopped and not self._gone and not self._tied:
                    is_whole = self._take(choose(flight.advance(), flight.drafts, self._noise), 0)
                    steps += 1
                    is_stopped = steps % PULSE_STEPS == 0 and self._told(pulse)
                    is_due = len(set(adapters)) > 1 or (self._may_join and self._schedule.wants(len(flight.drafts)))
                    if (is_due and not is_whole) or time.perf_counter() >= until:
                        break
        except Exception as error:
            running, self._flight, self._tied = self._running, None, []
            self._recover(running, (), error)
        self._break_ties()
        return is_stopped

    def _take(self, choices: Sequence[Choice], first: int) -> bool:
        """Give the rows from ``first`` on their tokens; false if some have left."""
        flight, now = self._flight, time.perf_counter()
        assert flight is not None
        leaving = []
        is_guarded = self._is_exact and isinstance(flight, GroupFlight)
        for draft, choice in zip(flight.drafts[first:], choices, strict=True):
            draft.near_ties += choice.is_near_tie
            if choice.is_near_tie and is_guarded:
                self._tied.append(draft)
            elif self._push(draft, choice, now):
                leaving.append(draft)
        self._dismiss(leaving)
        return not leaving

    def _push(self, draft: Draft, choice: Choice, now: float) -> bool:
        """Give a row its token; whether that was its last."""
        if choice.problem is not None:
            self._answer(draft.row, Failure(choice.problem))
            return True
        draft.push(choice.token, now)
        self._unreported += 1
        if draft.finish is None:
            return False
        if draft.row.request.is_followed and self._flight is not None and self._may_join:
            self._reuse.keep_turn(draft, self._flight)
        self._answer(draft.row, draft.generation(self._facts))
        return True

    def _break_ties(self) -> None:
        """Give rows at a near tie the token that they have by themselves."""
        tied, self._tied = self._tied, []
        leaving = []
        for draft in tied:
            try:
                with torch.no_grad(), self._rack.applied([draft.row.adapter]):
                    (choice,) = choose(lone_logits(self._weights, self._rack, draft), [draft], self._noise * STILL_TIED)
            except Exception as error:
                leaving.append(draft)
                self._recover((draft.row,), tuple(row for row in self._running if row is not draft.row), error)
                continue
            if choice.is_near_tie:
                leaving.append(draft)
                self._redone.add(draft.row.request_id)
                self._schedule.again_alone(draft.row)
            elif self._push(draft, choice, time.perf_counter()):
                leaving.append(draft)
        self._dismiss(leaving)

    def _dismiss(self, leaving: Sequence[Draft]) -> None:
        flight = self._flight
        if not leaving or flight is None:
            return
        gone = {id(draft) for draft in leaving}
        for index in reversed(range(len(flight.drafts))):
            if id(flight.drafts[index]) in gone:
                flight.leave(index)

    def _score(self, batch: Batch) -> None:
        try:
            self._weights.check_room(batch)
            with torch.no_grad(), self._rack.applied([row.adapter for row in batch]):
                answers = score(self._weights, self._rack, batch, self._facts)
        except Exception as error:
            self._recover(batch, (), error)
            return
        for row, answer in zip(batch, answers, strict=True):
            self._answer(row, answer)

    def _recover(self, batch: Batch, beside: Batch, error: Exception) -> None:
        """What to do with a batch that failed while the rows ``beside`` it go on."""
        is_memory = is_out_of_memory(error)
        if is_memory:
            release_memory()
        if len(batch) == 1 and not beside:
            self._answer(batch[0], Failure(memory_reason(batch[0]) if is_memory else _reason(error)))
        elif is_memory:
            self._schedule.again_with_less(batch, beside)
        else:
            self._schedule.again_smaller(batch)

    def _answer(self, row: Row, reply: Reply) -> None:
        self._redone.discard(row.request_id)
        if row.request_id in self._gone:
            self._gone.discard(row.request_id)
        else:
            self._done.append((row.request_id, reply))

    def _forget_cancelled(self) -> None:
        if not self._gone or self._flight is None:
            return
        self._dismiss([draft for draft in self._drafts if draft.row.request_id in self._gone])
        for request_id in self._gone:
            self._schedule.cancel(request_id)
        self._gone.clear()


def _reason(error: Exception) -> str:
    if isinstance(error, EvalkitError):
        return str(error)
    return f"Generation failed: {type(error).__name__}: {error}"
