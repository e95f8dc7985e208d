"""Which engines can be declared, with which settings."""

from __future__ import annotations

from typing import Any

from evalkit.reading.places import Place, unknown_name
from evalkit.reading.target_files import TargetFile
from evalkit.reading.target_schema import EngineEntry
from evalkit.target import Engine

ENGINE_KINDS = ("local", "replay")
COUNT = "a whole number of 1 or more"
DEVICES = ("auto", "cpu", "cuda")
DEVICE = f"one of {', '.join(DEVICES)}"
FILES = "a list of files"
SETTINGS = {
    "local": {"batch_tokens": COUNT, "device": DEVICE, "max_batch_rows": COUNT, "threads": COUNT},
    "replay": {"recordings": FILES},
}


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
    settings = [
        (setting, _checked(kind, setting, value, file.place("engines", name, setting)))
        for setting, value in sorted(written.items())
    ]
    return Engine(name, kind, tuple(settings))


def _checked(kind: str, setting: str, value: Any, place: Place) -> Any:
    expected = SETTINGS[kind].get(setting)
    if expected is None:
        raise place.error(unknown_name(f"setting of engine kind {kind!r}", setting, SETTINGS[kind]))
    if expected == FILES:
        files = [value] if isinstance(value, str) else value
        if isinstance(files, list) and files and all(isinstance(item, str) for item in files):
            return tuple(files)
    elif expected == DEVICE:
        if value in DEVICES:
            return value
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise place.error(f"expected {expected}, found {value!r}.")
