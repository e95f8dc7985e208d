"""The batches that earlier commands left at a server, or that another one is just sending."""

from __future__ import annotations

import os
from collections.abc import Iterator

from evalkit.engines.servers.budget import Budget
from evalkit.engines.servers.clock import Clock
from evalkit.engines.servers.settings import DAY_S, ServerSettings, max_age_s
from evalkit.generation import Request
from evalkit.store.batches import BatchStore, StoredBatch
from evalkit.target import Engine

RESULTS_KEPT_S = 28 * DAY_S
"""The API keeps results for 29 days."""
LONGEST_SENDING_S = 600.0
"""What has been sent for longer is not sent any more, whoever has the process's number by now."""


class EarlierBatches:
    """Those of one engine's server; each method takes what it finds out of ``waiting``, requests by identity."""

    def __init__(self, store: BatchStore, engine: Engine, clock: Clock, budget: Budget) -> None:
        self._store = store
        self._server = ServerSettings.of(engine).base_url
        self._max_age_s = min(max_age_s(engine) or RESULTS_KEPT_S, RESULTS_KEPT_S)
        self._clock = clock
        self._budget = budget

    def take_being_sent(self, waiting: dict[str, Request]) -> Iterator[tuple[dict[str, Request], str]]:
        """What another command is just sending, and a sentence for it; one that ended while it sent is told."""
        for batch in self._store.unnamed(self._server):
            if _is_running(batch.id) and self._clock.now() - batch.submitted_at < LONGEST_SENDING_S:
                why = f"Process {batch.id} is sending this in a batch just now. Run the same command again when it has."
                yield _taken(batch, waiting), why
                continue
            self._budget.say_once(
                f"A command ended while it sent a batch of {len(batch.identities)} questions to {batch.model}. The "
                "batch may have been made and billed, and its id is not known: see the provider's console. They are "
                "asked again."
            )
            self._store.lose(batch.number)

    def take_open(self, waiting: dict[str, Request]) -> Iterator[tuple[StoredBatch, dict[str, Request]]]:
        """The open batches that hold something of what waits, and what that is.

        They are of use for as long as a stored answer would be.
        """
        for batch in self._store.open_batches(self._server, self._clock.now() - self._max_age_s):
            mine = _taken(batch, waiting)
            if mine:
                yield batch, mine


def _taken(batch: StoredBatch, waiting: dict[str, Request]) -> dict[str, Request]:
    return {identity: waiting.pop(identity) for identity in batch.identities if identity in waiting}


def _is_running(process: str) -> bool:
    """Whether a process other than this one is there."""
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return int(process) != os.getpid()
