"""Turns a conversation into prompt ids, and new ids into text, through the tokenizer's own chat template."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from evalkit.errors import EngineError
from evalkit.generation import SystemPlacement
from evalkit.identity import Conversation

MARK = "evalkit-mark"
TODAY = date(2025, 1, 1)
"""What a template gets that asks for the date: with the real one, the same request is another prompt tomorrow."""
ASKS_DATE = re.compile(r"""strftime_now\(\s*(["'])(?P<format>[^"'\\]*)\1\s*\)""")


class CannotRender(Exception):
    """One conversation cannot be put into this chat template; the sentence goes into a Failure."""


class Renderer:
    """One tokenizer with its chat template.

    Raises:
        EngineError: the tokenizer has no chat template, or one that depends on the day.
    """

    def __init__(self, tokenizer: Any, shown: str) -> None:
        templates = tokenizer.chat_template
        template = templates.get("default") if isinstance(templates, dict) else templates
        if not template:
            raise EngineError(
                f"Model {shown!r} has no chat template, so a conversation cannot be put to it. "
                "Add chat_template.jinja to its folder, or use the instruction-tuned model."
            )
        self._template = _dated(template, shown)
        self._tokenizer = tokenizer
        self._shown = shown
        self.has_system_role = self._detect_system_role()

    def placement(self, messages: Conversation) -> SystemPlacement:
        """Where this conversation's leading system text goes."""
        if not messages or messages[0][0] != "system":
            return "none"
        return "system_role" if self.has_system_role else "user_turn"

    def prompt_ids(self, messages: Conversation) -> tuple[int, ...]:
        """The token ids up to where the model answers. The template alone decides about BOS, so there is one at most.

        Raises:
            CannotRender: the template refuses the conversation or the tokenizer the text.
        """
        placed = messages if self.has_system_role else _in_user_turn(messages)
        try:
            ids = self._apply(placed, add_generation_prompt=True, tokenize=True)
        except Exception as error:
            raise CannotRender(f"The chat template of {self._shown!r} refuses the conversation: {error}") from error
        return tuple(int(item) for item in ids)

    def continuation_ids(self, messages: Conversation, continuation: str) -> tuple[int, ...]:
        """The token ids that follow the prompt's where the answer is this text, by the tokenizer's own joining."""
        prompt = self.prompt_ids(messages)
        placed = messages if self.has_system_role else _in_user_turn(messages)
        rendered = self._apply(placed, add_generation_prompt=True, tokenize=False) + continuation
        joined = tuple(self._tokenizer.encode(rendered, add_special_tokens=False))
        is_continued = joined[: len(prompt)] == prompt
        return joined[len(prompt) :] if is_continued else self.plain_ids(continuation)

    def plain_ids(self, text: str) -> tuple[int, ...]:
        """The token ids of a text by itself."""
        return tuple(self._tokenizer.encode(text, add_special_tokens=False))

    def text(self, ids: tuple[int, ...]) -> str:
        """The ids as text, special tokens included; bytes that are no UTF-8 become U+FFFD."""
        decoded = self._tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return str(decoded)

    def end_of_turn(self) -> int | None:
        """The special token the template writes right after an answer, such as ``<end_of_turn>``; None if none."""
        try:
            closed = self._apply((("user", "U"), ("assistant", MARK)), add_generation_prompt=False, tokenize=False)
        except Exception:
            return None
        tail = closed.rpartition(MARK)[2].strip()
        ids = self._tokenizer.encode(tail, add_special_tokens=False) if tail else []
        special = {key for key, token in self._tokenizer.added_tokens_decoder.items() if token.special}
        return int(ids[0]) if ids and ids[0] in special else None

    def _detect_system_role(self) -> bool:
        """Whether the template keeps a system message. Some raise an error, some leave it out without a word."""
        try:
            rendered = self._apply((("system", MARK), ("user", "U")), add_generation_prompt=True, tokenize=False)
        except Exception:
            return False
        return MARK in rendered

    def _apply(self, messages: Conversation, **options: Any) -> Any:
        return self._tokenizer.apply_chat_template(
            [{"role": role, "content": content} for role, content in messages],
            chat_template=self._template,
            return_dict=False,
            **options,
        )


def _dated(template: str, shown: str) -> str:
    """The template with every question for today's date answered. transformers lets no caller answer it."""
    dated = ASKS_DATE.sub(lambda found: f"'{TODAY.strftime(found['format'])}'", template)
    if "strftime_now(" in dated:
        raise EngineError(
            f"The chat template of {shown!r} asks for the date in a way that cannot be fixed, so its prompts would "
            "change from day to day. Write the format into strftime_now('...') in chat_template.jinja."
        )
    return dated


def _in_user_turn(messages: Conversation) -> Conversation:
    """The leading system text put in front of the first user turn, a blank line between."""
    if not messages or messages[0][0] != "system":
        return messages
    system, rest = messages[0][1], messages[1:]
    for index, (role, content) in enumerate(rest):
        if role == "user":
            return (*rest[:index], ("user", f"{system}\n\n{content}"), *rest[index + 1 :])
    return (("user", system), *rest)
