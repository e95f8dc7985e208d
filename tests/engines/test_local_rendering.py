"""Conversations become prompts through the tokenizer's own chat template, and nothing else is put in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.engines.local.rendering import CannotRender, Renderer
from evalkit.errors import EngineError

ONE_TURN = "{% if messages|length > 1 %}{{ raise_exception('one turn only') }}{% endif %}{{ messages[0]['content'] }}"


@pytest.fixture(scope="module")
def tokenizer_with(models: dict[str, Path]) -> Callable[[str], Any]:
    from transformers import AutoTokenizer

    def load(chat_template: str) -> Any:
        tokenizer = AutoTokenizer.from_pretrained(models["llama"])
        tokenizer.chat_template = chat_template
        return tokenizer

    return load


def shown(renderer: Renderer, *messages: tuple[str, str]) -> str:
    return renderer.text(renderer.prompt_ids(messages))


def test_the_template_alone_writes_bos(tokenizer_with: Callable[[str], Any], chat_templates: dict[str, str]) -> None:
    """One BOS where the template writes it, none where it does not."""
    one = Renderer(tokenizer_with(chat_templates["with_system"]), "m")
    none = Renderer(tokenizer_with(chat_templates["turns"]), "m")

    expected = "<start_of_turn>user\nhi<end_of_turn>\n<start_of_turn>assistant\n"
    assert shown(one, ("user", "hi")) == "<bos>" + expected
    assert shown(none, ("user", "hi")) == expected


def test_system_text_goes_before_the_first_user_turn_without_a_system_role(
    tokenizer_with: Callable[[str], Any], chat_templates: dict[str, str]
) -> None:
    """A template that refuses the role, and one that leaves it out silently, both get the text in the user turn."""
    written = "{% if m['role'] != 'system' %}{{ m['role'] + ':' + m['content'] + ';' }}{% endif %}"
    silent = "{% for m in messages %}" + written + "{% endfor %}"
    refusing = Renderer(tokenizer_with(chat_templates["without_system"]), "m")
    leaving_out = Renderer(tokenizer_with(silent), "m")
    messages = (("system", "Be brief."), ("user", "hi"), ("assistant", "yes"), ("user", "why"))

    assert "user\nBe brief.\n\nhi<end_of_turn>" in shown(refusing, *messages)
    assert shown(leaving_out, *messages) == "user:Be brief.\n\nhi;assistant:yes;user:why;"
    assert (refusing.has_system_role, leaving_out.has_system_role) == (False, False)
    assert refusing.placement(messages) == leaving_out.placement(messages) == "user_turn"
    assert refusing.placement(messages[1:]) == "none"
    assert "user\nBe brief.<end" in shown(refusing, ("system", "Be brief."))


def test_system_text_stays_in_the_system_role_where_there_is_one(
    tokenizer_with: Callable[[str], Any], chat_templates: dict[str, str]
) -> None:
    """A template with a system role keeps it, and the placement says so."""
    renderer = Renderer(tokenizer_with(chat_templates["with_system"]), "m")
    messages = (("system", "Be brief."), ("user", "hi"))

    assert "<start_of_turn>system\nBe brief.<end_of_turn>" in shown(renderer, *messages)
    assert renderer.placement(messages) == "system_role"


def test_the_end_of_turn_is_found_in_the_template(
    tokenizer_with: Callable[[str], Any], chat_templates: dict[str, str]
) -> None:
    """The special token after an answer ends a turn; plain text after it does not."""
    assert Renderer(tokenizer_with(chat_templates["turns"]), "m").end_of_turn() == 4
    plain = "{% for m in messages %}{{ m['content'] + ' over ' }}{% endfor %}"
    assert Renderer(tokenizer_with(plain), "m").end_of_turn() is None
    assert Renderer(tokenizer_with("{{ messages[0]['content'] }}"), "m").end_of_turn() is None
    only_user = (
        "{% if messages|length > 1 %}{{ raise_exception('one turn only') }}{% endif %}{{ messages[0]['content'] }}"
    )
    assert Renderer(tokenizer_with(only_user), "m").end_of_turn() is None


def test_a_template_that_asks_for_the_date_gets_a_fixed_one(tokenizer_with: Callable[[str], Any]) -> None:
    """The same request is the same prompt tomorrow."""
    ask = "{%- if strftime_now is defined %}{%- set day = strftime_now( '%d %b %Y' ) %}{%- endif %}"
    renderer = Renderer(tokenizer_with(ask + "{{ day }} {{ strftime_now(\"%H\") }} {{ messages[0]['content'] }}"), "m")

    assert shown(renderer, ("user", "hi")) == "01 Jan 2025 00 hi"


def test_a_template_whose_date_cannot_be_fixed_is_refused(tokenizer_with: Callable[[str], Any]) -> None:
    """A format that is computed would leave the prompt to the calendar."""
    with pytest.raises(EngineError) as caught:
        Renderer(tokenizer_with("{% set f = '%Y' %}{{ strftime_now(f) }}"), "m")

    assert str(caught.value) == (
        "The chat template of 'm' asks for the date in a way that cannot be fixed, so its prompts would change from "
        "day to day. Write the format into strftime_now('...') in chat_template.jinja."
    )


def test_of_several_templates_the_default_is_used(tokenizer_with: Callable[[str], Any]) -> None:
    """A tokenizer may carry templates by name; without a default it has none."""
    named = tokenizer_with("x")
    named.chat_template = {"default": "D {{ messages[0]['content'] }}", "tool_use": "T"}
    assert shown(Renderer(named, "m"), ("user", "hi")) == "D hi"

    named.chat_template = {"tool_use": "T"}
    with pytest.raises(EngineError, match=r"^Model 'm' has no chat template, so a conversation cannot be put to it"):
        Renderer(named, "m")


def test_a_refused_conversation_names_the_reason(tokenizer_with: Callable[[str], Any]) -> None:
    """The template's own complaint is kept in the sentence."""
    template = (
        "{% if messages|length > 1 %}{{ raise_exception('one turn only') }}{% endif %}{{ messages[0]['content'] }}"
    )
    renderer = Renderer(tokenizer_with(template), "demo")

    with pytest.raises(CannotRender) as caught:
        renderer.prompt_ids((("user", "a"), ("assistant", "b"), ("user", "c")))
    assert str(caught.value) == "The chat template of 'demo' refuses the conversation: one turn only"


def test_broken_bytes_become_replacement_characters(
    tokenizer_with: Callable[[str], Any], chat_templates: dict[str, str]
) -> None:
    """Half a character decodes to U+FFFD, never to a lone surrogate that would kill an xdist worker."""
    tokenizer = tokenizer_with(chat_templates["turns"])
    renderer = Renderer(tokenizer, "m")
    half = tokenizer.encode("é", add_special_tokens=False)[:1]

    text = renderer.text(tuple(half))

    assert text == "\ufffd"
    text.encode("utf-8")
