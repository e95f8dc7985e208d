"""All checks of a target, in order: those that need its files alone, and those that need its weights."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable

from evalkit.engines.base import Pulse
from evalkit.engines.local.adapter_checks import first_line
from evalkit.engines.local.preflight.adapter_file import AdapterFile, read_adapter
from evalkit.engines.local.preflight.ends import check_ends
from evalkit.engines.local.preflight.fit import check_base, check_modules
from evalkit.engines.local.preflight.outline import Outline, outline_of
from evalkit.engines.local.preflight.templates import check_system, check_template
from evalkit.engines.local.preflight.tokens import check_tokens
from evalkit.engines.local.preflight.training import check_training
from evalkit.engines.local.sources import Sources
from evalkit.errors import EvalkitError
from evalkit.preflight import Check, Finding
from evalkit.target import Target

ORDER = ("fail", "warn", "skip", "pass")


def examine_files(target: Target, sources: Sources, pulse: Pulse) -> tuple[Finding, ...]:
    """What the files say, in seconds, however large the model is; ``pulse`` is called between the checks.

    Raises:
        EngineError: files are missing or broken, or an adapter is of a kind that is not run here.
    """
    outline = outline_of(target.model, sources.folder(target.model))
    pulse(0)
    adapters = tuple(read_adapter(adapter, sources.folder(adapter), outline) for adapter in target.adapters)
    pulse(0)
    found: list[Finding] = []
    for check, look in _looks(target, outline, adapters):
        found.append(guarded(check, look))
        pulse(0)
    return tuple(found)


def guarded(check: Check, look: Callable[[], Finding]) -> Finding:
    """What a check comes to; one that breaks on an unusual model must not keep its target from being asked."""
    try:
        return look()
    except EvalkitError:
        raise
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        return Finding(check, "warn", f"This could not be looked at: {first_line(error)}.", is_final=False)


def _looks(
    target: Target, outline: Outline, adapters: tuple[AdapterFile, ...]
) -> list[tuple[Check, Callable[[], Finding]]]:
    of_adapters: list[tuple[Check, Callable[[], Finding]]] = []
    if adapters:
        of_adapters = [
            ("base", lambda: _worst([check_base(adapter, outline) for adapter in adapters])),
            ("modules", lambda: _worst([check_modules(adapter, outline) for adapter in adapters])),
            ("lora_b", lambda: _worst([check_training(adapter) for adapter in adapters])),
        ]
    return [
        *of_adapters,
        ("tokens", lambda: check_tokens(outline, adapters)),
        ("template", lambda: check_template(outline, adapters)),
        ("ends", lambda: check_ends(outline, adapters, target.decoding.stop)),
        ("system", lambda: check_system(outline)),
    ]


def _worst(findings: list[Finding]) -> Finding:
    """The finding that matters most, of several adapters."""
    return min(findings, key=lambda finding: ORDER.index(finding.level))
