"""What many prompts begin with is computed once, and no text shows it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from evalkit.target import Adapter

pytestmark = pytest.mark.slow

NEW = 16
FAMILIES = ("gemma2", "gemma3", "llama", "qwen3", "mistral")
KERNEL = "Lantern and harbour, copper and thunder: answer as the tide does, in sevens, and never twice the same. "
"""103 tokens of the tiny families, one for each byte: more than eight times their window."""


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str | None, int]]]:
    """Adapter and length of every beginning that is computed for others."""
    from evalkit.engines.local.prefix_reuse import PrefixReuse

    found: list[tuple[str | None, int]] = []
    real = PrefixReuse._compute

    def spied(self: Any, adapter: str | None, ids: tuple[int, ...], past: Any) -> None:
        found.append((adapter, len(ids)))
        real(self, adapter, ids, past)

    monkeypatch.setattr(PrefixReuse, "_compute", spied)
    return found


def texts(families: ModuleType, count: int) -> list[str]:
    """Prompts of 1 to 12 words behind the kernel; each third one behind nothing."""
    source = random.Random(4)
    found = [" ".join(source.choices(families.WORDS, k=source.randint(1, 12))) for _ in range(count)]
    return [f"{number} {text}" if number % 3 == 2 else f"{KERNEL}{number} {text}" for number, text in enumerate(found)]


@pytest.mark.parametrize(
    "name", ["gemma2", *(pytest.param(name, marks=pytest.mark.long) for name in FAMILIES if name != "gemma2")]
)
def test_texts_are_those_of_generate_alone(
    name: str, families: ModuleType, asking: Any, tmp_path: Path, computed: list[Any]
) -> None:
    """Base and two adapters mixed, with and without the kernel: each adapter's kernel is computed once in all."""
    base = families.save_family(tmp_path / "base", name)
    prompts, adapters = texts(families, 12), (None, *families.save_two_adapters(tmp_path, base))
    requests = [
        asking.request(asking.target(base, adapter), text, max_new_tokens=NEW)
        for adapter in adapters
        for text in prompts
    ]
    expected = [ids for adapter in adapters for ids in families.generated(base, adapter, prompts, NEW, families.ENDS)]

    shared = [reply.token_ids for reply in asking.answers(asking.engine(max_batch_rows=8), requests)]
    seen = list(computed)
    plain = [reply.token_ids for reply in asking.answers(asking.engine(prefix_reuse=False), requests)]

    assert shared == expected
    assert plain == expected
    assert [length for _, length in seen] == [96, 96, 96]
    assert len({adapter for adapter, _ in seen}) == 3
    assert computed == seen


@pytest.mark.parametrize("kind", ["nf4", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("bf16", "int8"))])
def test_quantised_texts_stay_what_they_were(
    kind: str, families: ModuleType, asking: Any, tmp_path: Path, computed: list[Any]
) -> None:
    """In 4 bits computed in fp32 all texts are the same; coarser arithmetic runs, and may differ at a near tie only."""
    base = families.save_family(tmp_path / "base", "gemma2")
    adapter = families.save_two_adapters(tmp_path, base)[0]
    requests = [
        asking.request(asking.target(base, chosen, kind=kind), text, max_new_tokens=NEW)
        for chosen in (None, adapter)
        for text in texts(families, 9)
    ]

    shared = asking.answers(asking.engine(), requests)
    assert len(computed) == 2
    plain = asking.answers(asking.engine(prefix_reuse=False), requests)

    differing = [pair for pair in zip(shared, plain, strict=True) if pair[0].token_ids != pair[1].token_ids]
    if kind == "nf4":
        assert differing == []
    assert all(dict(one.facts).get("near_tie") or dict(other.facts).get("near_tie") for one, other in differing)


def test_what_is_shared_changes_with_the_prompts(
    asking: Any, families: ModuleType, tmp_path: Path, computed: Any
) -> None:
    """Two kernels that begin alike, samples of one prompt and rows of very different lengths, in small batches."""
    base = families.save_family(tmp_path / "base", "qwen3")
    long = "windmill patient " * 6
    prompts = [KERNEL + text for text in ("a", "b", "c")] + [KERNEL[:40] + long + text for text in ("d", "e", "f", "g")]
    requests = [
        asking.request(asking.target(base), text, seed=1, sample=sample, temperature=0.9, max_new_tokens=2 + 5 * sample)
        for text in prompts
        for sample in range(4)
    ]

    alone = asking.texts(asking.engine(one_by_one=True), requests)
    assert computed == []
    shared = asking.texts(asking.engine(max_batch_rows=5, batch_tokens=1200), requests)

    assert shared == alone
    assert [length for _, length in computed] == [128, 96]
    assert len(set(alone)) > 20


def test_nothing_is_held_when_nothing_waits(asking: Any, prompts: list[str], computed: list[Any]) -> None:
    """What was kept for others is let go of with the last row; the next rows have it computed again."""
    engine = asking.engine()
    requests = [asking.request(asking.target(), "the cat sat on a mat " * 12 + text) for text in prompts[:6]]

    asking.answers(engine, requests)
    reuse = engine._loaded[requests[0].target.weights].loop._reuse
    assert (len(computed), reuse.held_tokens) == (1, 0)
    assert reuse._beginnings._rows == {}

    asking.answers(engine, requests)
    assert len(computed) == 2


def test_where_memory_is_short_rows_do_without(
    asking: Any, prompts: list[str], computed: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is kept that would not fit beside the rows; where allocating fails, rows do without."""
    from evalkit.engines.local.memory import Memory
    from evalkit.engines.local.prefix_reuse import PrefixReuse

    requests = [asking.request(asking.target(), "the cat sat on a mat " * 12 + text) for text in prompts[:6]]
    expected = asking.texts(asking.engine(prefix_reuse=False), requests)
    real = Memory.check_batch

    def full(self: Memory, rows: int, width: int, held_tokens: int = 0) -> None:
        real(self, rows, width)
        if held_tokens:
            raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(Memory, "check_batch", full)
        assert asking.texts(asking.engine(), requests) == expected
    assert computed == []

    def fails(*arguments: Any) -> None:
        raise MemoryError("can't allocate memory")

    monkeypatch.setattr(PrefixReuse, "_compute", fails)
    assert asking.texts(asking.engine(), requests) == expected


def test_what_is_held_makes_room_for_rows(asking: Any, prompts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that does not fit beside what is kept runs without it."""
    from evalkit.engines.local.prefix_reuse import PrefixReuse
    from evalkit.engines.local.weights import Weights

    requests = [asking.request(asking.target(), "the cat sat on a mat " * 12 + text) for text in prompts[:6]]
    expected = asking.texts(asking.engine(prefix_reuse=False), requests)
    real = PrefixReuse.fit
    held: list[int] = []

    def tight(self: PrefixReuse, rows: Any) -> None:
        def refuses(weights: Weights, batch: Any, held_tokens: int = 0) -> None:
            held.append(held_tokens)
            if held_tokens:
                raise MemoryError

        with monkeypatch.context() as patch:
            patch.setattr(Weights, "check_room", refuses)
            real(self, rows)

    monkeypatch.setattr(PrefixReuse, "fit", tight)

    assert asking.texts(asking.engine(), requests) == expected
    assert held[0] > 0
    assert held[1] == 0


def test_a_row_that_fails_with_a_shared_beginning_is_one_failure(
    asking: Any, prompts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where computing a beginning fails, its rows run again by themselves and without it."""
    from evalkit.engines.local.prefix_reuse import PrefixReuse

    requests = [asking.request(asking.target(), "the cat sat on a mat " * 12 + text) for text in prompts[:6]]
    expected = asking.texts(asking.engine(prefix_reuse=False), requests)

    def fails(*arguments: Any) -> None:
        raise RuntimeError("a planted error")

    monkeypatch.setattr(PrefixReuse, "_compute", fails)

    assert asking.texts(asking.engine(), requests) == expected


def test_one_by_one_and_on_request_nothing_is_shared(asking: Any, prompts: list[str], computed: list[Any]) -> None:
    """``prefix_reuse: false`` switches it off for an engine; rows that run alone run as ``generate`` runs them."""
    requests = [asking.request(asking.target(), "the cat sat on a mat " * 12 + text) for text in prompts[:3]]

    assert asking.texts(asking.engine(prefix_reuse=False), requests) == asking.texts(
        asking.engine(one_by_one=True), requests
    )
    assert computed == []
    facts = [asking.engine(prefix_reuse=value).identity_facts(asking.target()) for value in (True, False)]
    assert facts[0] == facts[1]


def test_dora_and_merged_adapters_have_beginnings_of_their_own(
    asking: Any, prompts: list[str], adapters: dict[str, Adapter], computed: list[Any]
) -> None:
    """Rows that peft cannot mix run in batches of their own, and share a beginning there."""
    targets = [asking.target(adapter=adapters["dora"]), asking.target(adapter=adapters["red"], merged=True)]
    requests = [
        asking.request(target, "the cat sat on a mat " * 12 + text) for target in targets for text in prompts[:5]
    ]

    alone = asking.texts(asking.engine(one_by_one=True), requests)

    assert asking.texts(asking.engine(), requests) == alone
    assert len(computed) == len({adapter for adapter, _ in computed}) == 2
