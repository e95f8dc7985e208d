"""Whether there is a chat template, whether the adapter was trained with the same, what it does to a system message."""

from __future__ import annotations

from itertools import zip_longest

from evalkit.engines.local.preflight.adapter_file import AdapterFile
from evalkit.engines.local.preflight.outline import Outline
from evalkit.engines.local.preflight.written import FIRST, SECOND, SYSTEM, TOLD, USER, adapter_template, written
from evalkit.preflight import Finding

WITHOUT = "There is no chat template to look at."
SHOWN = 100
"""How much of a line is quoted."""


def check_template(outline: Outline, adapters: tuple[AdapterFile, ...]) -> Finding:
    """Two templates are the same if they write the same; how they are written themselves does not matter."""
    if outline.template is None:
        return Finding("template", "fail", _absent(outline, adapters))
    alike = []
    for adapter in adapters:
        own = adapter_template(adapter.folder)
        if own is None:
            continue
        for messages in (FIRST, SECOND, TOLD):
            here = written(outline.tokenizer, outline.template, messages, is_open=True)
            there = written(outline.tokenizer, own, messages, is_open=True)
            if here != there:
                return Finding("template", "fail", _difference(outline, adapter, here, there))
        alike.append(adapter.what)
    beside = f", and that of {' and '.join(alike)} writes the same" if alike else ""
    return Finding("template", "pass", f"The {_named(outline)} has a chat template{beside}.")


def check_system(outline: Outline) -> Finding:
    """Where a system text ends up: in a turn of its own, in the user's, nowhere, or refused."""
    if outline.template is None:
        return Finding("system", "skip", WITHOUT)
    told = written(outline.tokenizer, outline.template, TOLD, is_open=True)
    moved = written(
        outline.tokenizer, outline.template, (("user", f"{SYSTEM}\n\n{USER}"),), is_open=True
    )  # fmt: skip
    name = f"The chat template of {outline.shown!r}"
    if told is not None and SYSTEM in told:
        is_moved = told == moved or not told.partition(SYSTEM)[2].partition(USER)[0].strip()
        where = "in front of the first user turn itself" if is_moved else "in a turn of its own"
        return Finding("system", "pass", f"{name} puts a system text {where}.")
    if moved is None or SYSTEM not in moved:
        return Finding(
            "system", "fail",
            f"{name} leaves a system text out, also from the user turn, so a condition would never reach the model. "
            "Mend chat_template.jinja.",
        )  # fmt: skip
    if told is None:
        return Finding(
            "system", "pass", f"{name} refuses a system role, so evalkit puts the text in front of the first user turn."
        )
    return Finding(
        "system", "warn",
        f"{name} drops a system message without a word, so evalkit puts the text in front of the first user turn. "
        "Make sure that this is how the model was trained to be told.",
    )  # fmt: skip


def _absent(outline: Outline, adapters: tuple[AdapterFile, ...]) -> str:
    told = f"The {_named(outline)} has no chat template, so a conversation cannot be put to it."
    for adapter in adapters:
        if adapter_template(adapter.folder) is not None:
            return f"{told} The folder of {adapter.what} has one: copy its chat_template.jinja to the model's folder."
    return f"{told} Add chat_template.jinja to its folder, or use the instruction-tuned model."


def _difference(outline: Outline, adapter: AdapterFile, here: str | None, there: str | None) -> str:
    """The first line in which two renderings differ; None stands for a refusal."""
    if here is None or there is None:
        taker, refuser = ("adapter's", "base's") if here is None else ("base's", "adapter's")
        what = f"the {refuser} refuses a conversation of which the {taker} makes {_quoted(there or here or '')}"
    else:
        lines = zip_longest(here.split("\n"), there.split("\n"), fillvalue="")
        number, (mine, yours) = next((number, pair) for number, pair in enumerate(lines, 1) if pair[0] != pair[1])
        what = f"line {number} is {_quoted(mine)} by the base's and {_quoted(yours)} by the adapter's"
    return (
        f"The {adapter.what} ships another chat template than {outline.shown!r} has: {what}. Copy its "
        "chat_template.jinja into the model's folder, or take it out of the adapter's if it was not trained with it."
    )


def _named(outline: Outline) -> str:
    return f"model {outline.shown!r}"


def _quoted(line: str) -> str:
    return repr(line if len(line) <= SHOWN else f"{line[:SHOWN]}…")
