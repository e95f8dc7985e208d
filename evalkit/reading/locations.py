"""Where weights are: a folder on this machine or an id on the hub."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from evalkit.reading.places import Unusable

HUB_ID = re.compile(r"(?P<id>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(@(?P<revision>[\w./-]+))?")
GGUF = (
    "{shown} is a GGUF file. Serve it with llama.cpp and declare the model in fixtures/targets.yaml with "
    "engine: openai and its id, or use the folder of safetensors weights it was made from."
)


@dataclass(frozen=True, slots=True)
class Location:
    """``where`` is the absolute folder, which need not exist, or the hub id."""

    where: str
    is_local: bool
    shown: str
    revision: str | None = None

    @property
    def final_name(self) -> str:
        return self.where.rstrip("/").rsplit("/", 1)[-1]

    @property
    def exists(self) -> bool:
        return self.is_local and Path(self.where).exists()

    def is_same(self, other: Location) -> bool:
        """Whether both are the same folder by its real path, or the same hub id."""
        if self.is_local != other.is_local:
            return False
        if self.is_local:
            return os.path.realpath(self.where) == os.path.realpath(other.where)
        return self.where.lower() == other.where.lower()

    def is_copy(self, other: Location) -> bool:
        """Whether one may be a copy of the other: the same last name, and one of the two is not to be seen here.

        A folder that was on the training machine, and a hub id beside a folder, can only be compared by name.
        """
        both_here = self.exists and other.exists
        both_hub = not self.is_local and not other.is_local
        return not both_here and not both_hub and self.final_name.lower() == other.final_name.lower()


def locate(text: str, roots: tuple[Path, ...]) -> Location | None:
    """The place a text names: a folder under one of ``roots`` (the first wins), else a hub id, else None.

    A text that can only be a path gives its place under the first root even where nothing is there.
    ``out/typo`` is read as a path, not as a hub id, where a folder ``out`` exists.
    """
    path = Path(text).expanduser()
    for root in roots:
        if (root / path).exists():
            return Location(os.path.abspath(root / path), True, text)
    hub = HUB_ID.fullmatch(text)
    if hub and not any((root / text.split("/")[0]).is_dir() for root in roots):
        return Location(hub["id"], False, hub["id"], hub["revision"])
    if hub or is_path_like(text):
        return Location(os.path.abspath(roots[0] / path), True, text)
    return None


def is_path_like(text: str) -> bool:
    """Whether a text can only be meant as a path."""
    return text.startswith((".", "/", "~")) or text.count("/") > 1 or text.lower().endswith(".gguf")


def check_model_folder(folder: Path, shown: str) -> None:
    """Whether a folder can be a model.

    Raises:
        Unusable: it is missing, is a file, or holds something else.
    """
    if shown.lower().endswith(".gguf"):
        raise Unusable(GGUF.format(shown=shown))
    if folder.is_file():
        raise Unusable(f"{shown} is a file. Name the folder that holds config.json and the weights.")
    if not folder.is_dir():
        raise Unusable(f"no folder {shown} (looked for {folder}). Name a folder with config.json, or a hub id.")
    if (folder / "config.json").is_file():
        return
    if (folder / "adapter_config.json").is_file():
        raise Unusable(f"{shown} is an adapter (adapter_config.json), not a model. Use it as --eval-adapter {shown}.")
    gguf = sorted(folder.glob("*.gguf"))
    if gguf:
        raise Unusable(GGUF.format(shown=f"{shown}/{gguf[0].name}"))
    raise Unusable(f"{shown} holds no config.json, so it is no model. Name the folder that save_pretrained wrote.")
