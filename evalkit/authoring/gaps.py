"""Probes that do not say what they expect, or why they are asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from evalkit.probe import Probe


def without_expectation(probes: Iterable[Probe], readers: Collection[str]) -> list[Probe]:
    """Probes that a judge of meaning decides and whose ``expect`` tells it nothing.

    ``readers`` are the judges that read ``expect``.
    """
    return [
        probe
        for probe in probes
        if not probe.expect.has_meaning
        and not probe.expect.has_text_assertion
        and any(use.required and use.use in readers for use in probe.judges)
    ]


def without_why(probes: Sequence[Probe]) -> list[Probe]:
    """Probes that do not say why they are asked, in suites of which others do."""
    telling = {probe.suite for probe in probes if probe.why}
    return [probe for probe in probes if not probe.why and probe.suite in telling]
