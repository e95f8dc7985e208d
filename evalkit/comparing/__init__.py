"""Whether one side got worse than another, and whether the data can say so."""

from __future__ import annotations

from evalkit.comparing.comparison import Change, Comparison, compare
from evalkit.comparing.deciding import Verdict
from evalkit.comparing.metrics import METRICS, MORE_IS_WORSE, Metric, default_margin, value_of, words_of
from evalkit.comparing.pairing import Pair, Pairing, Side, Unit, paired

__all__ = [
    "METRICS", "MORE_IS_WORSE", "Change", "Comparison", "Metric", "Pair", "Pairing", "Side", "Unit", "Verdict",
    "compare", "default_margin", "paired", "value_of", "words_of",
]  # fmt: skip
