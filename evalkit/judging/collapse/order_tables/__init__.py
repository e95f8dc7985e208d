"""How likely classes of words follow each other, in six languages."""

from __future__ import annotations

from evalkit.judging.collapse.order_tables import de, en, es, fr, it, pt

TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "de": (de.CLASSES, de.ROWS), "en": (en.CLASSES, en.ROWS), "es": (es.CLASSES, es.ROWS),
    "fr": (fr.CLASSES, fr.ROWS), "it": (it.CLASSES, it.ROWS), "pt": (pt.CLASSES, pt.ROWS),
}  # fmt: skip
"""For each language its classes, and for each of them a row of digits: 4 + bits, for every class behind it."""
