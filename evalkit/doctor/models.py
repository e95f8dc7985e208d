"""The hub's cache, and whether the models and adapters of the default targets are here."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from evalkit.doctor.finding import Finding, count, gib
from evalkit.engines.local.files import check_adapter_folder, check_model_folder
from evalkit.errors import EngineError
from evalkit.target import Adapter, Model, Target

LOOK_LIMIT_S = 1.0


def cache_finding(cache: Path, look_limit_s: float = LOOK_LIMIT_S) -> Finding:
    """Where downloaded models are, how many and how large, as far as can be counted in the time."""
    repositories = sorted(cache.glob("models--*")) if cache.is_dir() else []
    until, size, is_whole = time.monotonic() + look_limit_s, 0, True
    for repository in repositories:
        for blob in _files(repository / "blobs"):
            size += blob.stat(follow_symlinks=False).st_size
            if time.monotonic() > until:
                is_whole = False
                break
    shown = f"{count(len(repositories), 'model')}, {'' if is_whole else 'more than '}{gib(size)}, at {cache}"
    facts = (("path", str(cache)), ("models", len(repositories)), ("bytes", size), ("is_whole", is_whole))
    return Finding("hub cache", "ok", shown if repositories else f"empty, at {cache}", facts=facts)


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from (entry for entry in entries if entry.is_file(follow_symlinks=False))
    except OSError:
        return


def model_findings(targets: Iterable[Target], cache: Path, *, is_offline: bool) -> Iterator[Finding]:
    """What is wrong with the files of models and adapters that would be loaded here; silent where they are whole."""
    things: dict[Model | Adapter, None] = {}
    for target in targets:
        if target.engine.kind == "local":
            things.update(dict.fromkeys((target.model, *target.adapters)))
    for thing in things:
        finding = _folder(thing) if thing.is_local else _cached(thing, cache, is_offline)
        if finding is not None:
            yield finding


def _folder(thing: Model | Adapter) -> Finding | None:
    check = check_adapter_folder if isinstance(thing, Adapter) else check_model_folder
    try:
        check(Path(thing.location), f"{_kind(thing).capitalize()} {thing.shown!r}")
    except EngineError as error:
        return Finding(_kind(thing), "breaks", str(error))
    return None


def _cached(thing: Model | Adapter, cache: Path, is_offline: bool) -> Finding | None:
    repository = cache / f"models--{thing.location.replace('/', '--')}"
    revision = thing.revision or "main"
    try:
        commit = (repository / "refs" / revision).read_text(encoding="utf-8").strip()
    except OSError:
        commit = revision
    snapshot = repository / "snapshots" / commit
    if any(snapshot.glob("*.safetensors")):
        return None
    says = f"{thing.shown!r} is not in the hub's cache"
    if is_offline:
        do = f"Unset HF_HUB_OFFLINE, or download it once elsewhere with: hf download {thing.location}"
        return Finding(_kind(thing), "breaks", f"{says}, and the hub must not be asked", do)
    return Finding(_kind(thing), "absent", f"{says}; the first run downloads it")


def _kind(thing: Model | Adapter) -> str:
    return "adapter" if isinstance(thing, Adapter) else "model"
