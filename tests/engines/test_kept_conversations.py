"""A conversation that goes on keeps what the engine knows of it, and no text shows it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.slow

NEW = 16


@pytest.mark.parametrize("name", ["gemma2", pytest.param("llama", marks=pytest.mark.long)])
def test_a_conversation_that_goes_on_keeps_what_is_known_of_it(
    name: str, families: ModuleType, asking: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three turns of each trial, adapters mixed: the texts are those of rows alone, and little is passed twice."""
    from evalkit.engines.local import flights
    from evalkit.probe import Message

    base = families.save_family(tmp_path / "base", name)
    targets = [asking.target(base, adapter) for adapter in (None, families.save_two_adapters(tmp_path, base)[0])]
    talks = [(target, [Message("user", text[:90])]) for target in targets for text in families.prompts(5)]
    shared, alone = asking.engine(max_batch_rows=4), asking.engine(one_by_one=True)
    passed: list[int] = []
    real = flights.prefill

    def spied(passes: Any, weights: Any, prompts: Any, pasts: Any) -> Any:
        passed.extend(len(prompt) - (past.length if past else 0) for prompt, past in zip(prompts, pasts, strict=True))
        return real(passes, weights, prompts, pasts)

    for turn in range(3):
        requests = [
            replace(asking.request(target, "", max_new_tokens=NEW), messages=tuple(talk), is_followed=turn < 2)
            for target, talk in talks
        ]
        expected = asking.answers(alone, requests)
        with monkeypatch.context() as patch:
            patch.setattr(flights, "prefill", spied)
            passed.clear()
            replies = asking.answers(shared, requests)
        held = shared._loaded[targets[0].weights].loop._reuse.held_tokens

        assert [reply.token_ids for reply in replies] == [reply.token_ids for reply in expected]
        assert (held > 0) is (turn < 2)
        assert turn == 0 or sum(passed) < 0.6 * sum(reply.prompt_tokens for reply in replies)
        for (_, talk), reply in zip(talks, replies, strict=True):
            talk += [Message("assistant", reply.text), Message("user", "and then?")]


def test_a_conversation_is_kept_only_where_there_is_room(asking: Any, prompts: list[str]) -> None:
    """Not beyond the bound of a batch, and not when the engine was told to reuse nothing."""
    requests = [
        replace(asking.request(asking.target(), "the cat sat on a mat " * 12 + text), is_followed=True)
        for text in prompts[:8]
    ]
    requests += requests[:2]  # equal conversations are kept once
    for settings, is_kept in (({}, True), ({"batch_tokens": 40}, False), ({"prefix_reuse": False}, False)):
        engine = asking.engine(**settings)
        replies = asking.answers(engine, requests)
        reuse = engine._loaded[requests[0].target.weights].loop._reuse
        assert (reuse.held_tokens > 0) is is_kept
        assert reuse.held_tokens in (0, sum(reply.prompt_tokens + reply.new_tokens - 1 for reply in replies[:8]))
        asking.answers(engine, [replace(request, is_followed=False) for request in requests])
        assert reuse.held_tokens == 0


def test_a_copy_that_does_not_fit_is_done_without(
    asking: Any, prompts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is there all the same, once."""
    from evalkit.engines.local.flights import GroupFlight

    requests = [
        replace(asking.request(asking.target(), "the cat sat on a mat " * 12 + text), is_followed=True)
        for text in prompts[:4]
    ]
    expected = asking.texts(asking.engine(prefix_reuse=False), requests)

    def fails(self: GroupFlight, index: int) -> Any:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(GroupFlight, "known", fails)
    engine = asking.engine()

    assert asking.texts(engine, requests) == expected
    assert engine._loaded[requests[0].target.weights].loop._reuse.held_tokens == 0
