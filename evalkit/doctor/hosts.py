"""The model hosts of this user that run now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evalkit.doctor.finding import Finding
from evalkit.host.clock import clock_text
from evalkit.host.folders import runtime_base
from evalkit.host.state import live_hosts


def host_findings(base: Path | None = None) -> Iterator[Finding]:
    """One for each, or that there is none."""
    hosts = live_hosts(base or runtime_base())
    if not hosts:
        yield Finding("hosts", "ok", "none runs now")
    for state in hosts:
        device = f" on {state.device}" if state.device else ""
        says = f"run {state.run}{device}, process {state.process}, {state.workspace}"
        facts = (("run", state.run), ("process", state.process), ("device", state.device))
        if state.is_silent:
            says += f"; no sign of life for {clock_text(state.silent_s)}"
            yield Finding("host", "hurts", says, f"See {state.log}", facts)
        else:
            yield Finding("host", "ok", says, facts=facts)
