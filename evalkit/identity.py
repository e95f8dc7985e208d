"""Digests that say when two requests must have the same answer."""

from __future__ import annotations

import json
from collections.abc import Callable, MutableMapping
from dataclasses import asdict, fields, is_dataclass
from fnmatch import fnmatchcase
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.probe import is_asserted

if TYPE_CHECKING:
    from evalkit.generation import Request
    from evalkit.probe import Expectation, Probe, Turn
    from evalkit.target import Decoding, Settings

ENGINE_NUMBERS = {"local": 3}
"""By kind of engine, 1 for others; raised by hand whenever the same request may give another text than before."""

Conversation = tuple[tuple[str, str], ...]
"""Messages as (role, content)."""

COVERED_FILES = (
    "config.json", "generation_config.json", "adapter_config.json",
    "*.safetensors", "*.safetensors.index.json",
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "vocab.txt", "merges.txt", "*.model", "*.tiktoken", "*.jinja", "chat_template.json",
    "additional_chat_templates/*.jinja", "*.py",
)  # fmt: skip
"""What can change a model's text. A README, a training log or an optimiser's state cannot."""


def conversation(request: Request) -> Conversation:
    """The request's messages with the condition in front, as one leading system message.

    A condition and the probe's own leading system message are joined by a blank line, the condition first.
    """
    messages = tuple((message.role, message.content) for message in request.messages)
    condition = request.target.condition.system
    if condition is None:
        return messages
    if messages and messages[0][0] == "system":
        return (("system", f"{condition}\n\n{messages[0][1]}"), *messages[1:])
    return (("system", condition), *messages)


def seed_of(request: Request) -> int:
    """What a sampled row's noise is keyed by, together with its sample index."""
    if request.seed is not None:
        return request.seed
    return request.decoding.seed if request.decoding.seed is not None else 0


def request_identity(request: Request, facts: Settings) -> str:
    """The sha256 (hex) of everything that can change this request's answer.

    ``facts`` are the engine's ``identity_facts`` of the request's target; their order does not matter. Names and labels
    are left out: the same weights under another name give the same identity. The condition's placement follows from
    the chat template, which the facts cover.
    """
    parts = {
        "engine": request.target.engine.kind,
        "engine_number": ENGINE_NUMBERS.get(request.target.engine.kind, 1),
        "facts": dict(facts),
        "messages": conversation(request),
        "decoding": _decoding_parts(request.decoding),
        "noise": None if request.decoding.is_greedy else [seed_of(request), request.sample],
        "kind": request.kind,
        "continuation": request.continuation,
    }
    if request.answer_schema is not None:
        parts["answer_schema"] = request.answer_schema
    return sha256(canonical(parts).encode("ascii")).hexdigest()


def probe_hash(probe: Probe) -> str:
    """The sha256 (hex) of what of a probe can change an answer or its verdict.

    Where it stands, what it is called, how often it is asked and why are left out. So are its judges: a verdict's own
    ``judge_hash`` covers them.
    """
    parts = {
        "turns": [{"kind": type(turn).__name__, **_fields(turn)} for turn in probe.turns],
        "expect": _fields(probe.expect, only_asserted=True),
        "category": probe.category,
        "language": probe.language,
        "judge_turns": probe.judge_turns,
        "decoding": dict(probe.decoding),
        "expect_repetition": probe.expect_repetition,
    }
    if probe.parts:
        parts["parts"] = [asdict(part) for part in probe.parts]
    return sha256(canonical(parts).encode("ascii")).hexdigest()


def _fields(noun: Turn | Expectation, *, only_asserted: bool = False) -> dict[str, Any]:
    """Its fields as JSON holds them; copying every one of thousands of probes deeply would cost more than hashing."""
    kind: Any = type(noun)
    values = [(name, getattr(noun, name)) for name in _names(kind)]
    if only_asserted:
        values = [(name, value) for name, value in values if value is not None and is_asserted(value)]
    return {name: value if type(value) in _PLAIN else _plain(value) for name, value in values}


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


_PLAIN = (str, tuple, bool, int, type(None))


@cache
def _names(kind: type[Turn | Expectation]) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind))


def canonical(value: Any) -> str:
    """JSON in plain ASCII with sorted keys: equal values give equal text, and any text can be held."""
    return _CANONICAL.encode(value)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)
"""Made once: ``json.dumps`` makes one for every call that asks for more than its defaults."""


def digest_folder(
    path: Path, cache: MutableMapping[str, str] | None, read: Callable[[int], None] = lambda count: None
) -> str:
    """The sha256 (hex) over the names and contents of the covered files of a model or adapter folder.

    ``cache`` keeps file digests by (path, size, mtime_ns, inode); None reads every file again. ``read`` hears of bytes
    as they are read.
    """
    lines = [f"{file.relative_to(path).as_posix()} {digest_file(file, cache, read)}" for file in covered_files(path)]
    return sha256("\n".join(lines).encode()).hexdigest()


def covered_files(path: Path) -> list[Path]:
    """The files of a model or adapter folder that can change its text, sorted by name."""
    candidates = (file for pattern in ("*", "additional_chat_templates/*") for file in path.glob(pattern))
    return sorted(file for file in candidates if _is_covered(file.relative_to(path).as_posix()) and file.is_file())


def digest_file(
    file: Path, cache: MutableMapping[str, str] | None, read: Callable[[int], None] = lambda count: None
) -> str:
    """The sha256 (hex) of one file's bytes."""
    if cache is None:
        return _read_digest(file, read)
    status = file.stat()
    key = f"{file.resolve()}|{status.st_size}|{status.st_mtime_ns}|{status.st_ino}"
    known = cache.get(key)
    if known is None:
        known = cache[key] = _read_digest(file, read)
    return known


def _decoding_parts(decoding: Decoding) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "max_new_tokens": decoding.max_new_tokens,
        "stop": sorted(set(decoding.stop)),
        "repetition_penalty": float(decoding.repetition_penalty),
    }
    if not decoding.is_greedy:
        parts["temperature"] = float(decoding.temperature)
        parts["top_p"] = float(decoding.top_p)
        parts["top_k"] = decoding.top_k
        parts["min_p"] = float(decoding.min_p)
    rarer = {
        "min_new_tokens": decoding.min_new_tokens,
        "presence_penalty": float(decoding.presence_penalty),
        "frequency_penalty": float(decoding.frequency_penalty),
        "no_repeat_ngram": decoding.no_repeat_ngram,
        "logit_bias": sorted(([name, float(value)] for name, value in decoding.logit_bias), key=canonical),
        "banned": sorted(set(decoding.banned), key=canonical),
        "stop_on_cycle": decoding.stop_on_cycle,
    }
    return {**parts, **{name: value for name, value in rarer.items() if value}}


def _is_covered(name: str) -> bool:
    return any(fnmatchcase(name, pattern) and name.count("/") == pattern.count("/") for pattern in COVERED_FILES)


def _read_digest(file: Path, read: Callable[[int], None]) -> str:
    digest = sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
            read(len(chunk))
    return digest.hexdigest()
