"""Answers come back from the store as they went in."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.generation import Failure, Generation, Request
from evalkit.probe import Message
from evalkit.store.database import open_database
from evalkit.store.generations import AsOf, GenerationStore, Said
from evalkit.store.requests import RequestStore
from evalkit.target import Condition, Decoding, Model, Quantisation, Target

ANY_TEXT = st.text(st.characters(exclude_categories=()))
"""Every code point: NUL and lone surrogates too."""

MODEL = Model("demo", "/demo", True, "demo")
TARGET = Target(MODEL, Quantisation("fp32", "fp32"), condition=Condition("c", "Be kind."))
ANSWER = Generation("Hello.", "Hello.<end>", (1, 2), "stop", prompt_tokens=3, new_tokens=2)

generations = st.builds(
    Generation,
    text=ANY_TEXT,
    raw_text=ANY_TEXT,
    token_ids=st.lists(st.integers(0, 2**31)).map(tuple),
    finish=st.sampled_from(["stop", "stop_string", "length"]),
    prompt_tokens=st.integers(0, 10**6),
    new_tokens=st.integers(0, 10**6),
    system_placement=st.sampled_from(["none", "system_role", "user_turn"]),
    first_token_s=st.none() | st.floats(0, 1e6),
    total_s=st.none() | st.floats(0, 1e6),
    facts=st.lists(st.tuples(ANY_TEXT, ANY_TEXT | st.integers() | st.booleans() | st.none())).map(tuple),
)


def request(*contents: str) -> Request:
    return Request(TARGET, tuple(Message("user", content) for content in contents), Decoding())


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = open_database(tmp_path / "store.sqlite3").connection
    yield opened
    opened.close()


@pytest.fixture
def store(connection: sqlite3.Connection) -> GenerationStore:
    return GenerationStore(connection)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(generation=generations, prompt=ANY_TEXT)
def test_any_generation_round_trips(store: GenerationStore, generation: Generation, prompt: str) -> None:
    """Every text comes back as it was, with lone surrogates and NUL; so does the conversation."""
    [stored] = store.put([("i", request(prompt), generation)], "run")

    found = store.find(["i"])["i"]
    messages, again = store.conversations(["i"])["i"]
    said = store.said(["i"])["i"]

    assert isinstance(stored, Generation)
    assert found == again == replace(stored, is_stored=True)
    assert replace(found, identity="", created_at=0.0, is_stored=False) == generation
    assert messages == (Message("system", "Be kind."), Message("user", prompt))
    assert said.messages == (("system", "Be kind."), ("user", prompt))
    assert said[1:] == tuple(getattr(found, name) for name in Said._fields[1:])


def test_the_newest_answer_of_an_identity_counts(store: GenerationStore) -> None:
    """Earlier ones are kept beside it, and found again by their run."""
    store.put([("i", request("a"), ANSWER)], "first")
    store.put([("i", request("a"), replace(ANSWER, text="Later.")), ("j", request("b"), ANSWER)], "second")

    assert {name: found.text for name, found in store.find(["i", "j", "k"]).items()} == {"i": "Later.", "j": "Hello."}
    assert {name: found.text for name, found in store.find(["i", "j"], only_run="first").items()} == {"i": "Hello."}
    assert store.find(["i", "j"], only_run="third") == {}
    assert store.conversations(["i", "k"])["i"][1].text == "Later."
    assert "k" not in store.conversations(["i", "k"])


def test_an_old_run_finds_what_it_saw(store: GenerationStore, connection: sqlite3.Connection) -> None:
    """Its own answer, else the newest of its time; nothing where all are newer."""
    for number, (run, said) in enumerate([("r1", "one"), ("r2", "two"), ("r3", "three"), ("r2", "two again")], 1):
        store.put([("i", request(said), replace(ANSWER, text=said))], run)
        connection.execute("UPDATE generations SET created_at = ? WHERE number = ?", (float(number), number))

    def seen(run: str, ended: float) -> set[str]:
        then = AsOf(run, ended)
        messages, answer = store.conversations(["i"], then)["i"]
        asked = RequestStore(connection).requests(["i"], then)["i"].messages[-1]
        said = store.said(["i"], then)["i"]
        assert (said.text, said.messages[-1][1]) == (answer.text, messages[-1].content)
        return {store.find(["i"], as_of=then)["i"].text, answer.text, messages[-1].content, asked.content}

    assert seen("r1", 9.0) == {"one"}
    assert seen("r2", 9.0) == {"two again"}
    assert seen("other", 3.5) == {"three"}
    assert (seen("r1", inf), seen("other", inf)) == ({"one"}, {"two again"})
    assert store.conversations(["i"], AsOf("other", 0.5)) == store.find(["i"], as_of=AsOf("other", 0.5)) == {}


def test_what_an_older_evalkit_left_out_is_as_if_nobody_had_said_it(
    store: GenerationStore, connection: sqlite3.Connection
) -> None:
    """Its rows have only what there was then, in any order."""
    store.put([("i", request("a"), ANSWER)], "run")
    old = {"facts": [["torch", "2.0"]], "new_tokens": 2, "prompt_tokens": 3, "finish": "stop", "token_ids": [1, 2]}
    old |= {"raw_text": "Hello.<end>", "text": "Hello."}
    connection.execute("UPDATE generations SET reply = ?", (json.dumps(old),))

    found = store.find(["i"])["i"]

    assert replace(found, identity="", created_at=0.0, is_stored=False) == replace(ANSWER, facts=(("torch", "2.0"),))
    assert (found.identity, found.is_stored) == ("i", True)
    assert store.conversations(["i"])["i"][1] == found
    assert store.said(["i"])["i"][1:] == ("i", "Hello.", "Hello.<end>", "stop", 2, "", (("torch", "2.0"),))


def test_more_identities_than_one_query_holds_are_found(store: GenerationStore) -> None:
    """1,300 of them, in any order."""
    names = [f"identity {number}" for number in range(1300)]
    store.put([(name, request(name), replace(ANSWER, text=name)) for name in names], "run")

    found = store.find(names[::-1])

    assert {name: generation.text for name, generation in found.items()} == {name: name for name in names}


def test_a_failure_is_kept_for_the_record_and_never_found(
    store: GenerationStore, connection: sqlite3.Connection
) -> None:
    """The next run asks again; the reason may hold any text."""
    [stored] = store.put([("i", request("a"), Failure("out of \ud800 memory"))], "run")

    assert stored == Failure("out of \ud800 memory", identity="i")
    assert store.find(["i"]) == {}
    assert connection.execute("SELECT identity, run, target, reason FROM failures").fetchall() == [
        ("i", "run", "demo:fp32:c:greedy", "out of ? memory")
    ]


def test_a_batch_is_stored_whole_or_not_at_all(store: GenerationStore) -> None:
    """A reply that cannot be stored takes the others of its batch with it, and the store goes on."""
    broken = replace(ANSWER, token_ids=(object(),))  # type: ignore[arg-type]

    with pytest.raises(TypeError):
        store.put([("i", request("a"), ANSWER), ("j", request("b"), broken)], "run")

    assert store.find(["i", "j"]) == {}
    store.put([("i", request("a"), ANSWER)], "run")
    assert list(store.find(["i", "j"])) == ["i"]


def test_facts_are_of_the_engine(store: GenerationStore) -> None:
    """What is true of one answer alone (its batch, its near ties) makes no other engine; a version does."""
    engine = (("device", "cpu"), ("torch", "2.13"))
    answers = [
        (*engine, ("batch_rows", 3)), (*engine, ("batch_rows", 1), ("near_tie", 2), ("redone_alone", True)),
        (("device", "cpu"), ("torch", "2.14")),
    ]  # fmt: skip
    for name, facts in zip("abc", answers, strict=True):
        store.put([(name, request(name), replace(ANSWER, facts=facts))], "run")

    assert store.facts(["a", "b", "c", "missing"]) == (
        {"device": "cpu", "torch": "2.13"}, {"device": "cpu", "torch": "2.14"},
    )  # fmt: skip
