"""What the controller knows of a run while it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.noise import NoiseFloor
    from evalkit.record import TrialRecord


@dataclass(slots=True)
class Ledger:
    """``records`` by trial id; ``selected`` is suite → (selected trials, trials of the whole plan).

    ``started_at`` is epoch seconds. ``other_failures`` counts errors and failing tests that are no probes.
    ``loads``, ``generated_tokens``, ``served_tokens``, ``generating_s`` and ``usd``, what servers were paid, are the
    host's latest word; ``max_usd`` is the most they may be. ``noise`` is what asking again came to, where it was asked
    for. ``out`` is the reports' folder.
    """

    run_id: str
    started_at: float
    workspace: Workspace
    out: Path
    command: tuple[str, ...] = ()
    records: dict[str, TrialRecord] = field(default_factory=dict)
    selected: dict[str, tuple[int, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    other_failures: int = 0
    loads: int = 0
    generated_tokens: int = 0
    served_tokens: int = 0
    generating_s: float = 0.0
    usd: float = 0.0
    max_usd: float = 5.0
    noise: NoiseFloor | None = None
    host_was_started: bool = False

    @property
    def log(self) -> Path:
        """The host's log."""
        return self.workspace.state / f"host-{self.run_id}.log"

    def note(self, sentence: str) -> None:
        """Keeps a sentence for the end of the run, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)
