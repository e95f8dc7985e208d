"""The text of the file that ``prompt_file`` names."""

from __future__ import annotations

from pathlib import Path

from evalkit.errors import UnreadableFile
from evalkit.reading.named_files import UnusableFile, named_file
from evalkit.reading.suggestions import shortened
from evalkit.reading.yaml_nodes import decoded, read_bytes
from evalkit.workspace import Workspace


def read_prompt(name: str, folder: Path, workspace: Workspace) -> tuple[str, bytes]:
    """The text of the file ``name``, relative to ``folder``, without the line break at its end; and the file's bytes.

    Raises:
        UnusableFile: it is missing, outside the workspace (links followed), not UTF-8, or empty.
    """
    file = named_file(name, folder, workspace)
    shown = shortened(name)
    try:
        content = read_bytes(file, shown)
        text = decoded(content, shown)
    except UnreadableFile as error:
        raise UnusableFile(f"the file {shown!r} cannot be used: {error.problems[0].message}") from None
    if not text.strip():
        raise UnusableFile(f"the file {shown!r} is empty. Write the prompt into it.")
    return text.removesuffix("\n").removesuffix("\r"), content
