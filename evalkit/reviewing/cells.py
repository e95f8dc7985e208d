"""The groups within which every text was as likely to be read as any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor

from evalkit.review import Label
from evalkit.reviewing.combining import Counts
from evalkit.reviewing.population import PopulationTrial, Settled

REST = "rest"
ANYWAY = "known anyway"
"""Texts whose label came by another way than the draw: they are known, and say nothing of texts that are not."""
AT_RANDOM = ("passed", "failed")

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Cell:
    """Trials of one outcome in one stratum; ``truths`` of those texts that were read."""

    outcome: str
    name: str
    trials: tuple[PopulationTrial, ...]
    truths: Mapping[str, bool]
    guess: float

    @property
    def counts(self) -> Counts:
        """In texts: a text that several trials gave is read once, and weighs as many trials as it has.

        Where some weigh more than others, the heavy ones may have been missed: the texts are then worth as many fewer
        of one weight (Kish 1965).
        """
        sizes: dict[str, int] = {}
        for trial in self.trials:
            sizes[trial.text_hash] = sizes.get(trial.text_hash, 0) + 1
        read = {text: size for text, size in sizes.items() if text in self.truths}
        right = sum(size for text, size in read.items() if self.truths[text])
        share = right / sum(read.values()) if read else 0.0
        texts, worth = _worth(sizes, len(read))
        return Counts(len(self.trials), texts, worth, share * worth, self.guess)


def _worth(sizes: Mapping[str, int], read: int) -> tuple[int, int]:
    """As how many texts of one weight these count, and those that were read."""
    if read in (0, len(sizes)):
        return len(sizes), read
    effect = len(sizes) * sum(size * size for size in sizes.values()) / sum(sizes.values()) ** 2
    worth = max(1, floor(read / effect + 1e-9))
    return max(worth + 1, ceil(worth * len(sizes) / read - 1e-9)), worth


def cells_of(trials: Sequence[PopulationTrial], known: Mapping[str, Settled]) -> list[Cell]:
    """The cells of all answered trials; unscored ones only where one of them has a label that decides.

    A stratum that a queue had is a cell. What has a label though no queue drew it is a cell of its own. Where no
    queue placed a trial, its label says by which stratum it came.
    """
    truths = {text: said.truth for text, said in known.items() if said.truth is not None}
    groups: dict[Key, list[PopulationTrial]] = {}
    for trial in trials:
        groups.setdefault((trial.outcome, _stratum(trial, known, truths)), []).append(trial)
    shares = _shares(groups, truths)
    cells = [
        Cell(
            outcome, name, tuple(own), {one.text_hash: truths[one.text_hash] for one in own if one.text_hash in truths},
            shares.get(outcome, float(outcome == "pass")),
        )
        for (outcome, name), own in groups.items()
    ]  # fmt: skip
    read = {cell.outcome for cell in cells if cell.truths}
    return [cell for cell in cells if cell.outcome != "unscored" or "unscored" in read]


def _stratum(trial: PopulationTrial, known: Mapping[str, Settled], truths: Mapping[str, bool]) -> str:
    if trial.stratum is not None:
        return ANYWAY if trial.inclusion is None and trial.text_hash in truths else trial.stratum
    if trial.text_hash not in truths:
        return REST
    first = _how_it_came(known[trial.text_hash])
    return REST if first.stratum in AT_RANDOM else ANYWAY


def _how_it_came(said: Settled) -> Label:
    """The label that was drawn at random, if one was; else the first."""
    return next((label for label in said.labels if label.stratum in AT_RANDOM), said.labels[0])


def _shares(groups: Mapping[Key, Sequence[PopulationTrial]], truths: Mapping[str, bool]) -> dict[str, float]:
    """By outcome, the share of right ones among those read; the guess for a cell of which none was."""
    read: dict[str, list[bool]] = {}
    for (outcome, _), own in groups.items():
        read.setdefault(outcome, []).extend(truths[one.text_hash] for one in own if one.text_hash in truths)
    return {outcome: sum(found) / len(found) for outcome, found in read.items() if found}
