"""The run's verdict in one line, before anything else."""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.reporting.phrases import counted
from evalkit.reporting.summary import Summary


def verdict_line(status: int, summary: Summary, sentences: Sequence[str]) -> str:
    """``PASSED``, ``FAILED`` or how pytest ended, and why: what each suite came to, else how many probes fail."""
    word = {0: "PASSED", 1: "FAILED"}.get(status, f"STOPPED (pytest's exit status {status})")
    failing, errors = len(summary.failing), len(summary.errors)
    plain = f"{counted(failing, 'failing probe')}, {counted(errors, 'error')}, {counted(summary.total.n, 'trial')}"
    return f"{word}: {'; '.join(sentences) or plain}"
