"""Prompts of promptfoo with their variables filled in, as the conversations of probes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import yaml

from evalkit.importing.promptfoo_files import PromptFile

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}")
_TEMPLATING = re.compile(r"\{\{|\{%|\{#")
_MASK = re.compile("\ue000(\\d+)\ue001")
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


def conversation(prompt: PromptFile, values: Mapping[str, Any]) -> dict[str, Any]:
    """The prompt as keys of a probe: one message of a user, or turns.

    Raises:
        ValueError: it cannot be made without promptfoo.
    """
    messages = _messages_of_template(prompt.text, values)
    if messages is None:
        text = _rendered(prompt.text, values)
        messages = _messages(text)
        if messages is None:
            return {"prompt": text}
    turns: list[Any] = []
    for message in messages:
        role = _ROLES.get(str(message.get("role")))
        content = message.get("content")
        if role is None or not isinstance(content, str):
            raise ValueError(f"the prompt {prompt.shown} holds a message that is no text of system, user or assistant.")
        turns.append({role: content})
    if len(turns) == 1 and "user" in turns[0]:
        return {"prompt": turns[0]["user"]}
    return {"turns": [*turns, "generate"]}


def filled(assertions: Any, values: Mapping[str, Any]) -> Any:
    """The assertions with variables filled into every text; texts with other templating stay as they are.

    Raises:
        ValueError: a text asks for a variable that cannot be filled in.
    """
    if isinstance(assertions, str) and not _TEMPLATING.search(_PLACEHOLDER.sub("", assertions)):
        return _rendered(assertions, values)
    if isinstance(assertions, list):
        return [filled(item, values) for item in assertions]
    if isinstance(assertions, dict):
        return {key: filled(item, values) for key, item in assertions.items()}
    return assertions


def _messages_of_template(text: str, values: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The messages, each filled in by itself: what a variable holds cannot be taken for JSON or YAML.

    Placeholders are masked while the text is parsed, since YAML reads bare ones as mappings.
    """
    placeholders: list[str] = []

    def mask(found: re.Match[str]) -> str:
        placeholders.append(found.group())
        return f"\ue000{len(placeholders) - 1}\ue001"

    def unmasked(item: Any) -> Any:
        if not isinstance(item, str):
            return item
        return _rendered(_MASK.sub(lambda found: placeholders[int(found.group(1))], item), values)

    messages = _messages(_PLACEHOLDER.sub(mask, text))
    if messages is None:
        return None
    return [{key: unmasked(message.get(key)) for key in ("role", "content")} for message in messages]


def _messages(text: str) -> list[dict[str, Any]] | None:
    """The messages of a prompt that is a chat in JSON or YAML, else None."""
    if not text.lstrip().startswith(("[", "- role:")):
        return None
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError):
        try:
            plain = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError):
            return None
    is_chat = isinstance(plain, list) and plain and all(isinstance(item, dict) and "role" in item for item in plain)
    return plain if is_chat else None


def _rendered(text: str, values: Mapping[str, Any]) -> str:
    """The text with its variables filled in; raises ValueError where it holds more than plain placeholders."""
    left = _PLACEHOLDER.sub("", text)
    if _TEMPLATING.search(left):
        raise ValueError("the prompt holds more templating than {{ name }}. Write it out, or use expand.")
    return _PLACEHOLDER.sub(lambda found: _value(found.group(1), values), text)


def _value(name: str, values: Mapping[str, Any]) -> str:
    current: Any = values
    for step in name.split("."):
        if not isinstance(current, Mapping) or step not in current:
            raise ValueError(f"the prompt asks for {{{{ {name} }}}}, and the test gives no such variable.")
        current = current[step]
    if isinstance(current, str) and current.startswith("file://"):
        raise ValueError(f"the variable {name!r} comes from a file, which is not read. Write its text.")
    if isinstance(current, (str, date)):
        return str(current)
    try:
        return json.dumps(current, ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        raise ValueError(f"the variable {name!r} cannot be written as JSON. Write its text.") from None
