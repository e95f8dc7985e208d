"""The comparisons of one group of sides, as what is printed and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evalkit.cli.side_notes import group_notes, noise_note
from evalkit.cli.sides import Group, Source
from evalkit.comparing import Comparison, Metric, Side, default_margin, paired
from evalkit.comparing.comparison import compare_pairs
from evalkit.comparing.flips import FlipMatrix, flip_matrix
from evalkit.comparing.many import Against, Grouping, compare_many, parts_of
from evalkit.reporting.comparison import against_lines, comparison_lines, joined, note_lines
from evalkit.reporting.comparison_json import plain_comparison, plain_matrix, plain_parts
from evalkit.reporting.layout import folded
from evalkit.reporting.safe_text import for_terminal

__all__ = ["Asked", "Block", "Grouping", "block_lines", "blocks_of", "plain_block"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks of every comparison; ``margin`` is in points of a rate, or a score's own unit."""

    metrics: tuple[Metric, ...]
    judge: str | None
    margin: float | None
    by: Grouping

    def margin_of(self, metric: Metric) -> float:
        """The margin in the metric's unit."""
        if self.margin is None:
            return default_margin(metric)
        return self.margin if metric == "mean_score" else self.margin / 100


@dataclass(frozen=True, slots=True)
class Block:
    """One group by one metric: a comparison of two sides, or several of more, each ``against`` the first."""

    group: Group
    metric: Metric
    against: tuple[Against, ...]
    matrix: FlipMatrix | None

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        return tuple(item.comparison for item in self.against)


def blocks_of(group: Group, asked: Asked) -> list[Block]:
    """A block for every metric."""
    if len(group.sides) > 2:
        return [
            Block(
                group,
                metric,
                compare_many(group.sides, metric, margin=asked.margin_of(metric), judge=asked.judge),
                None,
            )
            for metric in asked.metrics
        ]
    before, after = group.sides
    pairing = paired(before, after)
    blocks = []
    for metric in asked.metrics:
        found = compare_pairs(before, after, pairing, metric, asked.margin_of(metric), asked.judge)
        matrix = flip_matrix(pairing.pairs) if metric == "pass_rate" else None
        blocks.append(Block(group, metric, (Against(found, found.shown.p),), matrix))
    return blocks


def block_lines(block: Block, asked: Asked, width: int) -> list[str]:
    """What stands behind the verdicts of a block."""
    notes = [
        *group_notes(block.group),
        *(note for found in block.comparisons for note in noise_note(block.group, found)),
    ]
    if len(block.comparisons) > 1:
        shared = len({target_of(side) for side in block.group.sides}) == 1
        names = [source.title if shared else side.name for side, source in _pairs(block)]
        body = against_lines(block.against, names, width)
    else:
        body = comparison_lines(block.comparisons[0], block.matrix, by=asked.by, width=width)
    return joined([folded(for_terminal(_title(block)), width), body, note_lines(notes, width)])


def plain_block(block: Block, asked: Asked) -> dict[str, Any]:
    """Everything of a block as plain values."""
    return {
        "metric": block.metric,
        "sides": [
            {"name": side.name, "source": source.title, "target": target_of(side)} for side, source in _pairs(block)
        ],
        "comparisons": [
            {
                **plain_comparison(item.comparison),
                "adjusted_p": item.adjusted_p,
                "parts": plain_parts(parts_of(item.comparison, asked.by)),
                "noise": noise_note(block.group, item.comparison),
            }
            for item in block.against
        ],
        "matrix": None if block.matrix is None else plain_matrix(block.matrix),
        "notes": group_notes(block.group),
    }


def target_of(side: Side) -> str:
    return side.trials[0].target


def _pairs(block: Block) -> Sequence[tuple[Side, Source]]:
    return list(zip(block.group.sides, block.group.sources, strict=True))


def _title(block: Block) -> str:
    """Where the sides are from: ``baseline main → run X, target Y``."""
    places = [(source.title, target_of(side)) for side, source in _pairs(block)]
    if len({target for _, target in places}) == 1:
        return f"{' → '.join(title for title, _ in places)}, target {places[0][1]}"
    if len({title for title, _ in places}) == 1:
        return f"{places[0][0]}: {' → '.join(target for _, target in places)}"
    return " → ".join(f"{title}@{target}" for title, target in places)
