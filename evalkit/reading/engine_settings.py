"""Which engines can be declared, with which settings."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from evalkit.engines.servers.limits import TAKEABLE
from evalkit.engines.servers.openai_request import ALWAYS
from evalkit.reading.places import unknown_name
from evalkit.reading.target_files import TargetFile
from evalkit.reading.target_schema import EngineEntry
from evalkit.target import SERVER_KINDS, Engine

ENGINE_KINDS = ("local", "replay", *SERVER_KINDS)
DEVICES = ("auto", "cpu", "cuda")
URL = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
ENVIRONMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a setting must be, in words, and what to make of a value: None where it is something else."""

    expected: str
    read: Callable[[Any], Any]


def _one_of(values: tuple[str, ...]) -> Setting:
    return Setting(f"one of {', '.join(values)}", lambda value: value if value in values else None)


def _matching(expected: str, pattern: re.Pattern[str]) -> Setting:
    return Setting(expected, lambda value: value if isinstance(value, str) and pattern.fullmatch(value) else None)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _files(value: Any) -> tuple[str, ...] | None:
    files = [value] if isinstance(value, str) else value
    return tuple(files) if isinstance(files, list) and files and all(isinstance(item, str) for item in files) else None


def _forms(value: Any) -> tuple[tuple[str, str], ...] | None:
    """A form for each role, with {text} where the message goes, and one for what opens the answer."""
    if not isinstance(value, dict) or not value or not all(isinstance(form, str) for form in value.values()):
        return None
    is_right = all(name == "answer" or (name in ROLES and form.count("{text}") == 1) for name, form in value.items())
    return tuple(sorted(value.items())) if is_right else None


def _taken(value: Any) -> tuple[tuple[str, str], ...] | None:
    named = {name: name for name in value if isinstance(name, str)} if isinstance(value, list) else value
    if not isinstance(named, dict) or not named or (isinstance(value, list) and len(named) != len(value)):
        return None
    is_right = all(name in TAKEABLE and isinstance(theirs, str) and theirs for name, theirs in named.items())
    return tuple(sorted(named.items())) if is_right else None


def _left_out(value: Any) -> tuple[str, ...] | None:
    fields = _files(value)
    return None if fields is None or set(fields) & set(ALWAYS) else tuple(sorted(set(fields)))


ROLES = ("system", "user", "assistant")
COUNT = Setting(
    "a whole number of 1 or more",
    lambda value: value if isinstance(value, int) and _is_number(value) and value >= 1 else None,
)
FLAG = Setting("true or false", lambda value: value if isinstance(value, bool) else None)
SECONDS = Setting(
    "a number of seconds above 0", lambda value: float(value) if _is_number(value) and 0 < value < 1e9 else None
)
DAYS = Setting(
    "a number of days, 0 or more", lambda value: float(value) if _is_number(value) and 0 <= value < 1e9 else None
)
KEY_VARIABLE = "api_key_env"
SERVER = {
    KEY_VARIABLE: _matching("the name of an environment variable", ENVIRONMENT),
    "attempts": COUNT,
    "base_url": _matching("a URL such as http://localhost:8000/v1", URL),
    "concurrency": COUNT,
    "expires_days": DAYS,
    "max_wait_s": SECONDS,
    "timeout_s": SECONDS,
}
OPENAI = {
    **SERVER,
    "adapter_model": Setting(
        "text with {adapter} in it, such as '{model}:{adapter}'",
        lambda value: value if isinstance(value, str) and "{adapter}" in value else None,
    ),
    "api": _one_of(("chat", "completions")),
    "leave_out": Setting(f"a list of fields of the request, none of {', '.join(ALWAYS)}", _left_out),
    "logprobs": Setting("true or false", lambda value: value if isinstance(value, bool) else None),
    "rendering": Setting(
        "forms such as 'Q: {text}' under system, user and assistant, and the start of the answer under answer", _forms
    ),
    "takes": Setting(f"a list of any of {', '.join(TAKEABLE)}, or the server's name for each", _taken),
}
SETTINGS: dict[str, dict[str, Setting]] = {
    "local": {
        "batch_tokens": COUNT, "device": _one_of(DEVICES), "max_adapters": COUNT, "max_batch_rows": COUNT,
        "memory_limit_mib": COUNT, "one_by_one": FLAG, "prefix_reuse": FLAG, "threads": COUNT,
    },
    "replay": {"recordings": Setting("a list of files", _files)},
    **dict.fromkeys(SERVER_KINDS, SERVER), "openai": OPENAI,
}  # fmt: skip


def engine_of(file: TargetFile, name: str, entry: EngineEntry) -> Engine:
    """The engine an entry declares; ``kind`` may be left out where the name is a kind.

    Raises:
        UnreadableFile: no such kind, or a setting its kind does not understand.
    """
    kind = entry.kind or (name if name in ENGINE_KINDS else None)
    if kind is None:
        raise file.place("engines", name).error(f"kind is missing. Add one of {', '.join(ENGINE_KINDS)}.")
    if kind not in ENGINE_KINDS:
        raise file.place("engines", name, "kind").error(unknown_name("kind of engine", kind, ENGINE_KINDS))
    written = entry.model_extra or {}
    settings = [(setting, _checked(file, (name, setting), kind, value)) for setting, value in sorted(written.items())]
    if "rendering" in written and dict(settings).get("api") != "completions":
        raise file.place("engines", name, "rendering").error(
            "has no effect without api: completions. Add that, or take this line out."
        )
    return Engine(name, kind, tuple(settings))


def _checked(file: TargetFile, path: tuple[str, str], kind: str, value: Any) -> Any:
    place = file.place("engines", *path)
    setting = SETTINGS[kind].get(path[1])
    if setting is None:
        raise place.error(unknown_name(f"setting of engine kind {kind!r}", path[1], SETTINGS[kind]))
    read = setting.read(value)
    if read is None:
        found = "something else (not shown, it may be a key)" if path[1] == KEY_VARIABLE else repr(value)
        raise place.error(f"expected {setting.expected}, found {found}.")
    return read
