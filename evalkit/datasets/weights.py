"""Which weights a target's answers came from, and whether today's files are still those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

from evalkit.engines.table import create
from evalkit.errors import EvalkitError
from evalkit.generation import Request
from evalkit.identity import request_identity
from evalkit.reading.targets import TargetChoice, TargetTable, read_targets
from evalkit.record import TrialRecord
from evalkit.store.requests import RequestStore, StoredRequest
from evalkit.target import Condition, Settings, Target
from evalkit.workspace import Workspace

Found = Mapping[str, Target | str]
"""Targets by label; for one that cannot be looked up any more, a sentence that says why."""


def targets_of(workspace: Workspace, labels: Iterable[str]) -> Found:
    """What the labels of a run stand for by today's files, but for condition and decoding, which the store has."""
    try:
        table = read_targets(workspace)
    except EvalkitError as error:
        return {label: str(error) for label in labels}
    return {label: _target(table, label) for label in labels}


def weights_of(workspace: Workspace, records: Iterable[TrialRecord], targets: Found) -> dict[str, dict[str, Any]]:
    """By target: ``facts``, the digests that its answers' identity covers as today's files give them.

    ``confirmed`` says whether they give one of the stored answers its identity again, so that exactly these files
    answered; where it is false, files or settings changed since. Where a target cannot be looked up any more,
    ``unknown`` says why.
    """
    last: dict[str, str] = {}
    for record in records:
        if record.generations:
            last.setdefault(record.target, record.generations[-1])
    with closing(RequestStore.open(workspace.store_file)) as store:
        asked = store.requests(tuple(last.values()))
    found: dict[str, dict[str, Any]] = {}
    for label, identity in last.items():
        target = targets[label]
        if isinstance(target, str) or identity not in asked:
            found[label] = {"unknown": target if isinstance(target, str) else "the store has no answer"}
            continue
        try:
            found[label] = _weights(workspace, target, identity, asked[identity])
        except (EvalkitError, OSError) as error:
            found[label] = {"unknown": str(error)}
    return found


def _target(table: TargetTable, label: str) -> Target | str:
    weights, quantisation, condition, decoding = label.split(":")
    model, *adapters = weights.split("+")
    choice = TargetChoice(
        models=(model,), adapters=("+".join(adapters) or "none",), quantisations=(quantisation,), conditions=("naked",)
    )
    try:
        return replace(table.resolve(choice)[0], condition=Condition(condition), decoding_name=decoding)
    except EvalkitError as error:
        return str(error)


def _weights(workspace: Workspace, target: Target, identity: str, stored: StoredRequest) -> dict[str, Any]:
    engine = create(target.engine, lambda _: False, workspace.root)
    try:
        facts = engine.identity_facts(target)
    finally:
        engine.close()
    as_asked = replace(target, condition=replace(target.condition, system=stored.condition), decoding=stored.decoding)
    request = Request(as_asked, stored.messages, stored.decoding, stored.seed, stored.sample)
    return {"facts": _plain(facts), "confirmed": request_identity(request, facts) == identity}


def _plain(facts: Settings) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in facts}
