"""What chat templates make of conversations, as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evalkit.engines.local.preflight.outline import read_mapping

USER, ANSWER, SYSTEM = "evalkit-user", "evalkit-answer", "evalkit-system"
"""What the people in the conversations below say: words that no template writes by itself."""
Conversation = tuple[tuple[str, str], ...]
FIRST: Conversation = (("user", USER),)
ANSWERED: Conversation = (*FIRST, ("assistant", ANSWER))
SECOND: Conversation = (*ANSWERED, ("user", f"{USER}-again"))
TOLD: Conversation = (("system", SYSTEM), *FIRST)


def written(tokenizer: Any, template: str, messages: Conversation, *, is_open: bool) -> str | None:
    """The conversation as the template writes it, ``is_open`` up to where the model answers; None if it refuses."""
    try:
        text = tokenizer.apply_chat_template(
            [{"role": role, "content": content} for role, content in messages],
            chat_template=template, add_generation_prompt=is_open, tokenize=False,
        )  # fmt: skip
    except Exception:  # a template raises whatever it likes
        return None
    return str(text)


def adapter_template(folder: Path) -> str | None:
    """The chat template that an adapter's folder ships, None if none."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8", errors="replace")
    settings = read_mapping(folder / "tokenizer_config.json")
    found = settings.get("chat_template") or read_mapping(folder / "chat_template.json").get("chat_template")
    if isinstance(found, list):  # several, each with its name
        found = next((item.get("template") for item in found if item.get("name") == "default"), None)
    return found if isinstance(found, str) and found else None
