"""Whether generation stops where the chat template ends an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evalkit.engines.local.preflight.adapter_file import AdapterFile
from evalkit.engines.local.preflight.outline import Outline, read_mapping
from evalkit.engines.local.preflight.templates import WITHOUT
from evalkit.engines.local.preflight.written import ANSWER, ANSWERED, written
from evalkit.preflight import Finding


@dataclass(frozen=True, slots=True)
class _Ends:
    """``declared`` are the end tokens of generation_config.json; ``known`` those of config and tokenizer too."""

    declared: frozenset[int]
    known: frozenset[int]


def check_ends(outline: Outline, adapters: tuple[AdapterFile, ...], stop: tuple[str, ...]) -> Finding:
    """``stop`` are the strings that end the target's answers anyway."""
    if outline.template is None:
        return Finding("ends", "skip", WITHOUT)
    tokenizer = outline.tokenizer
    ends = _ends(outline)
    closed = written(tokenizer, outline.template, ANSWERED, is_open=False) or ""
    tail = closed.rpartition(ANSWER)[2].strip() if ANSWER in closed else ""
    first = _special(tokenizer, tail)
    for adapter in adapters:
        own = _end_of(adapter, tokenizer)
        if own is not None and own not in ends.known and own != first:
            return Finding(
                "ends", "fail",
                f"The {adapter.what} was trained to end answers with {_text(tokenizer, own)!r} (id {own}), which is no "
                f"stop token of {outline.shown!r} ({_texts(tokenizer, ends.known)}), so every answer would run on. "
                "Add it to eos_token_id in the model's generation_config.json.",
            )  # fmt: skip
    if not tail:
        return _without_tail(outline, ends)
    if first is None:
        return _of_text(outline, tail, stop)
    end = _text(tokenizer, first)
    if first not in (ends.declared or ends.known):
        return Finding(
            "ends", "warn",
            f"The chat template of {outline.shown!r} ends an answer with {end!r} (id {first}), which is no stop token "
            f"of its generation config ({_texts(tokenizer, ends.declared or ends.known)}). evalkit stops there all the "
            f"same; others would run on. Add {first} to eos_token_id in generation_config.json.",
        )  # fmt: skip
    return Finding("ends", "pass", f"The chat template ends an answer with {end!r} (id {first}), a stop token.")


def _of_text(outline: Outline, tail: str, stop: tuple[str, ...]) -> Finding:
    if any(text and text in tail for text in stop):
        return Finding("ends", "pass", f"The chat template ends an answer with {tail!r}, a stop string of the target.")
    return Finding(
        "ends", "fail",
        f"The chat template of {outline.shown!r} ends an answer with {tail!r}, which begins with no special token of "
        "its tokenizer and so stops nothing: every answer would run on. Use the tokenizer that the model was trained "
        f"with, or set stop: [{tail.split()[0]!r}] in the target's decoding.",
    )  # fmt: skip


def _without_tail(outline: Outline, ends: _Ends) -> Finding:
    return Finding(
        "ends", "warn",
        f"The chat template of {outline.shown!r} writes nothing after an answer, so only "
        f"{_texts(outline.tokenizer, ends.known)} can end one. Make sure that the model was trained to write it.",
    )  # fmt: skip


def _ends(outline: Outline) -> _Ends:
    declared = _ids(outline.json("generation_config.json").get("eos_token_id"))
    others = (getattr(outline.config.get_text_config(), "eos_token_id", None), outline.tokenizer.eos_token_id)
    return _Ends(declared, declared.union(*(_ids(value) for value in others)))


def _ids(value: Any) -> frozenset[int]:
    values = value if isinstance(value, (list, tuple)) else (value,)
    return frozenset(item for item in values if isinstance(item, int))


def _special(tokenizer: Any, tail: str) -> int | None:
    """The special token that a text begins with."""
    ids = tokenizer.encode(tail, add_special_tokens=False) if tail else []
    special = {key for key, token in tokenizer.added_tokens_decoder.items() if token.special}
    return int(ids[0]) if ids and ids[0] in special else None


def _end_of(adapter: AdapterFile, tokenizer: Any) -> int | None:
    """The end token of the tokenizer in an adapter's folder, by the base's numbers; None where neither is known."""
    token = read_mapping(adapter.folder / "tokenizer_config.json").get("eos_token")
    content = token.get("content") if isinstance(token, dict) else token
    number = tokenizer.get_vocab().get(content) if isinstance(content, str) else None
    return None if number is None else int(number)


def _text(tokenizer: Any, number: int) -> str:
    return str(tokenizer.convert_ids_to_tokens(number))


def _texts(tokenizer: Any, numbers: frozenset[int]) -> str:
    return ", ".join(repr(_text(tokenizer, number)) for number in sorted(numbers)) or "none at all"
