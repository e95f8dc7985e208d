"""How far logits may be off between one order of the arithmetic and another, as a share of the largest logit."""

from __future__ import annotations

from evalkit.target import Quantisation

EXACT = 5e-5
"""For fp32: five times the most that was seen, and forty times what the demo model shows (docs/engines.md)."""
ROUNDED = {"fp32": EXACT, "fp16": 2.0**-10, "bf16": 2.0**-7}
"""Two units in the last place of 16 bits."""


def is_exact(quantisation: Quantisation) -> bool:
    """Whether a near tie sends the row to be done again alone; elsewhere near ties are counted."""
    return quantisation.kind == "fp32"


def noise_of(quantisation: Quantisation, dtype: str) -> float:
    """The share for weights that are held so and computed in ``dtype``; int8 multiplies as coarsely as bf16."""
    return ROUNDED["bf16" if quantisation.kind == "int8" else dtype]
