"""Requests share an identity exactly when they must have the same answer."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit import identity
from evalkit.generation import Request
from evalkit.identity import conversation, covered_files, digest_folder, request_identity, seed_of
from evalkit.probe import Message
from evalkit.target import Adapter, Condition, Decoding, Engine, Model, Quantisation, Settings, Target

TARGET = Target(Model("m", "/m", True, "m"), Quantisation("nf4", "nf4"), (Adapter("a", "/a", True, "a"),))
SAMPLED = Decoding(temperature=0.7, top_p=0.9, top_k=40, min_p=0.05, repetition_penalty=1.1, stop=("END",))
FACTS: Settings = (("weights", "w1"), ("adapters", ("a1", "a2")), ("device", "cpu"), ("double_quant", False))
BASE = Request(TARGET, (Message("user", "hi"),), SAMPLED, seed=3, sample=1)

CHANGES = {
    "message": replace(BASE, messages=(Message("user", "ho"),)),
    "role": replace(BASE, messages=(Message("system", "hi"),)),
    "more messages": replace(BASE, messages=(*BASE.messages, Message("assistant", "ok"), Message("user", "hi"))),
    "condition": replace(BASE, target=replace(TARGET, condition=Condition("k", "Be brief."))),
    "engine kind": replace(BASE, target=replace(TARGET, engine=Engine("local", "replay"))),
    "seed": replace(BASE, seed=4),
    "sample": replace(BASE, sample=2),
    "kind": replace(BASE, kind="score"),
    "continuation": replace(BASE, continuation="yes"),
    **{
        name: replace(BASE, decoding=replace(SAMPLED, **{name: value}))
        for name, value in {
            "temperature": 0.8, "top_p": 0.8, "top_k": 41, "min_p": 0.06, "repetition_penalty": 1.2,
            "max_new_tokens": 5, "stop": ("STOP",), "min_new_tokens": 2, "presence_penalty": 0.5,
            "frequency_penalty": 0.5, "no_repeat_ngram": 3, "logit_bias": ((5, -1.0),), "banned": ("Paris",),
            "stop_on_cycle": True,
        }.items()
    },
}  # fmt: skip


@pytest.mark.parametrize("part", CHANGES)
def test_changing_any_part_changes_the_identity(part: str) -> None:
    """Each thing that can change the text gives another identity."""
    assert request_identity(CHANGES[part], FACTS) != request_identity(BASE, FACTS)


def test_all_changes_differ_from_each_other() -> None:
    """No two changes fall together."""
    assert len({request_identity(request, FACTS) for request in CHANGES.values()}) == len(CHANGES)


@pytest.mark.parametrize(
    "facts",
    [
        (("weights", "w2"), *FACTS[1:]),
        (FACTS[0], ("adapters", ("a2", "a1")), *FACTS[2:]),
        (FACTS[0], ("adapters", ("a1",)), *FACTS[2:]),
        FACTS[:3],
        (*FACTS, ("cpu_4bit_path", "dequantise")),
    ],
)
def test_changing_any_fact_changes_the_identity(facts: Settings) -> None:
    """Weights, adapters and their order, and every other fact of the engine count."""
    assert request_identity(BASE, facts) != request_identity(BASE, FACTS)


def test_the_engine_number_changes_every_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raising it makes every stored answer of that kind of engine stale, and of no other."""
    served = replace(BASE, target=replace(TARGET, engine=Engine("srv", "openai")))
    before, served_before = request_identity(BASE, FACTS), request_identity(served, FACTS)
    monkeypatch.setitem(identity.ENGINE_NUMBERS, "local", identity.ENGINE_NUMBERS["local"] + 1)

    assert request_identity(BASE, FACTS) != before
    assert request_identity(served, FACTS) == served_before


@given(st.integers(), st.integers(0, 99), st.floats(0.1, 1), st.integers(0, 99), st.floats(0, 1))
def test_greedy_ignores_noise_and_filters(seed: int, sample: int, top_p: float, top_k: int, min_p: float) -> None:
    """Seed, sample index and the sampling filters cannot change greedy text."""
    greedy = replace(BASE, decoding=Decoding(), seed=None, sample=0)
    other = Decoding(top_p=top_p, top_k=top_k, min_p=min_p, seed=seed)

    assert request_identity(replace(greedy, decoding=other, seed=seed, sample=sample), FACTS) == request_identity(
        greedy, FACTS
    )


@given(st.permutations(FACTS))
def test_the_order_of_facts_does_not_matter(facts: list[tuple[str, object]]) -> None:
    """Facts are a mapping, however they are listed."""
    assert request_identity(BASE, tuple(facts)) == request_identity(BASE, FACTS)


@given(st.text(st.characters(codec=None)))
def test_any_text_has_an_identity(text: str) -> None:
    """Lone surrogates and control characters included, 64 hex digits."""
    found = request_identity(replace(BASE, messages=(Message("user", text),)), FACTS)

    assert len(found) == 64
    assert int(found, 16) >= 0


def test_names_do_not_count() -> None:
    """The same weights and settings under other names are the same; so are stop strings in another order."""
    renamed = Target(
        replace(TARGET.model, name="n", shown="n"), replace(TARGET.quantisation, name="q"),
        (replace(TARGET.adapters[0], name="b"),), Condition("bare"), "warm", engine=Engine("mine", "local"),
    )  # fmt: skip
    two_stops = replace(SAMPLED, stop=("A", "B"), banned=(7, "x"), logit_bias=((1, 2.0), ("y", 3.0)))

    assert request_identity(replace(BASE, target=renamed), FACTS) == request_identity(BASE, FACTS)
    assert request_identity(replace(BASE, decoding=two_stops), FACTS) == request_identity(
        replace(
            BASE,
            decoding=replace(two_stops, stop=("B", "A", "A"), banned=("x", 7, 7), logit_bias=(("y", 3), (1, 2))),
        ),
        FACTS,
    )


def test_the_seed_is_the_requests_then_the_decodings() -> None:
    """A row's noise is keyed by the request's seed, else the decoding's, else 0."""
    assert seed_of(BASE) == 3
    assert seed_of(replace(BASE, seed=None, decoding=replace(SAMPLED, seed=9))) == 9
    assert seed_of(replace(BASE, seed=None)) == 0


def test_condition_and_own_system_message_are_joined() -> None:
    """The condition comes first, a blank line between; without a condition the messages stay as they are."""
    conditioned = replace(BASE, target=replace(TARGET, condition=Condition("k", "Be brief.")))
    own = (Message("system", "You sell tea."), Message("user", "hi"))

    assert conversation(conditioned) == (("system", "Be brief."), ("user", "hi"))
    assert conversation(replace(conditioned, messages=own)) == (
        ("system", "Be brief.\n\nYou sell tea."),
        ("user", "hi"),
    )
    assert conversation(replace(BASE, messages=own)) == (("system", "You sell tea."), ("user", "hi"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "model"
    (place / "additional_chat_templates").mkdir(parents=True)
    for name in (
        "config.json", "generation_config.json", "model.safetensors", "model.safetensors.index.json", "tokenizer.json",
        "tokenizer_config.json", "chat_template.jinja", "additional_chat_templates/tools.jinja", "adapter_config.json",
        "README.md", "training_log.json", "trainer_state.json", "optimizer.pt",
    ):  # fmt: skip
        (place / name).write_text(name)
    return place


def test_what_can_change_the_text_is_covered_and_the_rest_is_not(folder: Path) -> None:
    """Editing any weight, config, tokenizer or template file changes the digest; a README or a log does not."""
    covered = {file.relative_to(folder).as_posix() for file in covered_files(folder)}
    before = digest_folder(folder, None)

    assert len(covered) == 9
    assert not covered & {"README.md", "training_log.json", "trainer_state.json", "optimizer.pt"}
    for file in folder.rglob("*.*"):
        old = file.read_text()
        file.write_text("changed")
        assert (digest_folder(folder, None) != before) == (file.relative_to(folder).as_posix() in covered)
        file.write_text(old)


def test_renaming_and_removing_files_change_the_digest(folder: Path) -> None:
    """Names count as well as contents."""
    before = digest_folder(folder, None)
    (folder / "model.safetensors").rename(folder / "other.safetensors")
    renamed = digest_folder(folder, None)
    (folder / "other.safetensors").unlink()

    assert len({before, renamed, digest_folder(folder, None)}) == 3


def test_the_cache_saves_reading_until_the_file_changes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known files are not read again; a new size, date or file behind the name is."""
    cache: dict[str, str] = {}
    read: list[str] = []
    real = identity._read_digest
    monkeypatch.setattr(identity, "_read_digest", lambda file, heard: read.append(file.name) or real(file, heard))  # type: ignore[func-returns-value]
    before = digest_folder(folder, cache)
    read.clear()
    assert (digest_folder(folder, cache), read) == (before, [])

    os.utime(folder / "model.safetensors", ns=(1, 1))
    assert (digest_folder(folder, cache), read) == (before, ["model.safetensors"])

    digest_folder(folder, None)
    assert len(read) == 10
