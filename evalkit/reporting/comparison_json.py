"""Comparisons as plain values for ``--json``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from evalkit.comparing import Comparison
from evalkit.comparing.comparison import Change
from evalkit.comparing.flips import FlipMatrix
from evalkit.comparing.interaction import Interaction
from evalkit.comparing.many import Part

_FIELDS = (
    "verdict", "metric", "sentence", "margin", "before_name", "after_name", "before", "after", "delta", "low", "high",
    "p", "method", "mcnemar_p", "pairs", "clusters", "worse", "better", "needed",
)  # fmt: skip


def plain_comparison(found: Comparison) -> dict[str, Any]:
    """Every figure; ``changes`` are the probes that went anywhere, the worst first."""
    return {
        **{name: getattr(found, name) for name in _FIELDS},
        "notes": list(found.notes),
        "changes": [_change(change) for change in found.changes if change.gain],
        "still": None if found.still is None else plain_comparison(found.still),
    }


def plain_parts(parts: tuple[Part, ...]) -> list[dict[str, Any]]:
    return [asdict(part) for part in parts]


def plain_matrix(matrix: FlipMatrix) -> list[dict[str, Any]]:
    return [{"before": old, "after": new, "probes": count} for (old, new), count in sorted(matrix.counts.items())]


def plain_interaction(found: Interaction) -> dict[str, Any]:
    return asdict(found)


def _change(change: Change) -> dict[str, Any]:
    first = change.pair.after.first
    return {
        "suite": first.suite, "probe": first.probe, "category": first.category, "file": first.file,
        "line": first.line, "before": change.before, "after": change.after, "gain": change.gain,
        "reasons": [trial.reason for trial in change.pair.after.trials if trial.reason],
    }  # fmt: skip
