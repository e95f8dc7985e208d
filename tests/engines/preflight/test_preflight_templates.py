"""Chat templates, what ends an answer, system texts: planted faults and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evalkit.preflight import Finding
from evalkit.target import Adapter, Decoding


def test_no_chat_template(clinic: Any, base: Path, tuned: Adapter, chat_templates: dict[str, str]) -> None:
    """What to do depends on whether the adapter ships one."""
    (base / "chat_template.jinja").unlink()
    alone = clinic.found(clinic.target(base, tuned))
    (Path(tuned.location) / "chat_template.jinja").write_text(chat_templates["with_system"])

    told = "The model 'sound' has no chat template, so a conversation cannot be put to it."
    assert clinic.failed(alone) == {
        "template": f"{told} Add chat_template.jinja to its folder, or use the instruction-tuned model."
    }
    assert alone["ends"].sentence == alone["system"].sentence == "There is no chat template to look at."
    assert clinic.failed(clinic.found(clinic.target(base, tuned))) == {
        "template": f"{told} The folder of adapter 'red' has one: copy its chat_template.jinja to the model's folder."
    }


def test_another_chat_template(clinic: Any, base: Path, tuned: Adapter, chat_templates: dict[str, str]) -> None:
    """The first line that comes out otherwise is shown; one that writes the same in other words is the same."""
    config = Path(tuned.location) / "tokenizer_config.json"
    clinic.edit(config, chat_template=chat_templates["with_system"].replace("'role']", "'role'] "))
    same = clinic.found(clinic.target(base, tuned))
    clinic.edit(config, chat_template=chat_templates["turns"].replace("start_of_turn", "turn"))
    other = clinic.found(clinic.target(base, tuned))
    clinic.edit(config, chat_template=chat_templates["without_system"])

    remedy = (
        " Copy its chat_template.jinja into the model's folder, or take it out of the adapter's if it was not trained "
        "with it."
    )
    told = "The model 'sound' has a chat template, and that of adapter 'red' writes the same."
    assert same["template"] == Finding("template", "pass", told)
    assert clinic.failed(other) == {
        "template": "The adapter 'red' ships another chat template than 'sound' has: line 1 is "
        "'<bos><start_of_turn>user' "
        f"by the base's and '<turn>user' by the adapter's.{remedy}"
    }
    assert clinic.failed(clinic.found(clinic.target(base, tuned))) == {
        "template": "The adapter 'red' ships another chat template than 'sound' has: the adapter's refuses a "
        "conversation of which the base's makes '<bos><start_of_turn>system\\nevalkit-system<end_of_turn>\\n"
        f"<start_of_turn>user\\nevalkit-user<end_of_turn>…'.{remedy}"
    }


def test_an_end_that_stops_nothing(clinic: Any, base: Path) -> None:
    """The template's end is plain text to the tokenizer: every answer would run on, unless the target stops there."""
    template = base / "chat_template.jinja"
    template.write_text(template.read_text().replace("<end_of_turn>", "[/END]"))
    target = clinic.target(base)

    assert clinic.failed(clinic.found(target)) == {
        "ends": "The chat template of 'sound' ends an answer with '[/END]', which begins with no special token of its "
        "tokenizer and so stops nothing: every answer would run on. Use the tokenizer that the model was trained with, "
        "or set stop: ['[/END]'] in the target's decoding."
    }
    stopping = clinic.found(replace(target, decoding=Decoding(stop=("[/END]",))))["ends"]
    assert stopping == Finding(
        "ends", "pass", "The chat template ends an answer with '[/END]', a stop string of the target."
    )


def test_an_end_that_the_generation_config_lacks(clinic: Any, base: Path) -> None:
    """evalkit stops there all the same, by the template; others would not, so it is told."""
    clinic.edit(base / "generation_config.json", eos_token_id=1)

    assert clinic.found(clinic.target(base))["ends"] == Finding(
        "ends", "warn",
        "The chat template of 'sound' ends an answer with '<end_of_turn>' (id 4), which is no stop token of its "
        "generation config ('<eos>'). evalkit stops there all the same; others would run on. Add 4 to eos_token_id in "
        "generation_config.json.",
    )  # fmt: skip


def test_a_template_without_an_end(clinic: Any, base: Path) -> None:
    """Then the model must have learned to write the tokenizer's own."""
    template = base / "chat_template.jinja"
    template.write_text(template.read_text().replace("<end_of_turn>", ""))

    assert clinic.found(clinic.target(base))["ends"] == Finding(
        "ends", "warn",
        "The chat template of 'sound' writes nothing after an answer, so only '<eos>', '<end_of_turn>' can end one. "
        "Make sure that the model was trained to write it.",
    )  # fmt: skip


def test_an_adapter_that_ends_otherwise(clinic: Any, base: Path, tuned: Adapter) -> None:
    """Its tokenizer's end token is known to the base and stops nothing there."""
    clinic.edit(Path(tuned.location) / "tokenizer_config.json", eos_token="<start_of_turn>")

    assert clinic.failed(clinic.found(clinic.target(base, tuned))) == {
        "ends": "The adapter 'red' was trained to end answers with '<start_of_turn>' (id 3), which is no stop token of "
        "'sound' ('<eos>', '<end_of_turn>'), so every answer would run on. Add it to eos_token_id in the model's "
        "generation_config.json."
    }


SYSTEM_FATES = {
    "refused": (
        "pass",
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no') }}{% endif %}",
        "The chat template of 'sound' refuses a system role, so evalkit puts the text in front of the first user turn.",
    ),
    "dropped": (
        "warn",
        "{% if messages[0]['role'] == 'system' %}{% set messages = messages[1:] %}{% endif %}",
        "The chat template of 'sound' drops a system message without a word, so evalkit puts the text in front of the "
        "first user turn. Make sure that this is how the model was trained to be told.",
    ),
    "moved": (
        "pass",
        "{% if messages[0]['role'] == 'system' %}"
        "{% set messages = [{'role': 'user', 'content': messages[0].content + '\n\n' + messages[1].content}] %}"
        "{% endif %}",
        "The chat template of 'sound' puts a system text in front of the first user turn itself.",
    ),
}


@pytest.mark.parametrize("fate", SYSTEM_FATES)
def test_the_fate_of_a_system_text(fate: str, clinic: Any, base: Path, chat_templates: dict[str, str]) -> None:
    """Found by rendering one."""
    level, start, sentence = SYSTEM_FATES[fate]
    (base / "chat_template.jinja").write_text(start + chat_templates["turns"])

    finding = clinic.found(clinic.target(base))["system"]

    assert (finding.level, finding.sentence) == (level, sentence)


def test_a_system_text_that_is_lost(clinic: Any, base: Path) -> None:
    """A template that writes only the last word of the user would drop every condition."""
    words = "{% for message in messages %}{{ message['content'].split()[-1] }}<end_of_turn>{% endfor %}"
    drop = "{% if messages[0]['role'] == 'system' %}{% set messages = messages[1:] %}{% endif %}"
    (base / "chat_template.jinja").write_text(drop + words)

    assert clinic.failed(clinic.found(clinic.target(base))) == {
        "system": "The chat template of 'sound' leaves a system text out, also from the user turn, so a condition "
        "would never reach the model. Mend chat_template.jinja."
    }


def test_a_check_that_breaks_is_a_warning(
    clinic: Any, base: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unusual model that a check cannot handle is asked all the same, and another run tries again."""

    def broken(outline: object) -> Finding:
        raise ZeroDivisionError("a strange model")

    monkeypatch.setattr("evalkit.engines.local.preflight.examination.check_system", broken)

    assert clinic.found(clinic.target(base))["system"] == Finding(
        "system", "warn", "This could not be looked at: ZeroDivisionError: a strange model.", is_final=False
    )
    assert "a strange model" in capsys.readouterr().err
