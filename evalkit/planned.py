"""Probes and trials that Python tests ask for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evalkit.errors import UsageError

if TYPE_CHECKING:
    import pytest

    from evalkit.matrix import Trial
    from evalkit.probe import Probe
    from evalkit.session import Session


def planned_trial(item: pytest.Item, session: Session) -> Trial | None:
    """The trial that a Python test's ``probe`` marker plans, for the target it is parametrised with."""
    marker = item.get_closest_marker("probe")
    callspec = getattr(item, "callspec", None)
    if marker is None or callspec is None or "evalkit_target" not in callspec.params:
        return None
    settings = dict(marker.kwargs)
    prompt = settings.pop("prompt", None) or (marker.args[0] if marker.args else None)
    if not prompt or not isinstance(prompt, (str, list, tuple)):
        raise UsageError(f"{item.nodeid}: the probe marker needs prompt='…' (or a list of prompts, asked in turn)")
    probe = inline_probe_of(item, prompt, settings.pop("system", None), decoding=tuple(sorted(settings.items())))
    return session.trial(probe, callspec.params["evalkit_target"])


def inline_probe_of(
    item: pytest.Item,
    prompt: str | Sequence[str],
    system: str | None,
    expect: dict[str, Any] | None = None,
    judges: Sequence[str] = (),
    category: str = "",
    decoding: tuple[tuple[str, Any], ...] = (),
) -> Probe:
    """A probe that lives in a Python test; its id is the test's name with a digest of what is asked."""
    from evalkit.reading.inline import inline_probe

    file, line, _ = item.location
    name = re.sub(r"\[.*", "", item.name)
    return inline_probe(
        file=file, line=(line or 0) + 1, name=name, prompts=[prompt] if isinstance(prompt, str) else list(prompt),
        system=system, expect=expect or {}, judges=list(judges), category=category, decoding=dict(decoding),
    )  # fmt: skip
