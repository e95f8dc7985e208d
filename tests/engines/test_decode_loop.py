"""The decode loop gives every row the tokens that ``generate`` gives it alone, whatever runs beside it."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from evalkit.engines.local.engine import SLICE_S
from evalkit.generation import Generation
from evalkit.target import Adapter

pytestmark = pytest.mark.slow
DEMO = Path(__file__).resolve().parents[2] / "fixtures" / "demo"
NEW = 24
FAMILIES = ("gemma2", "gemma3", "llama", "qwen3", "mistral")
WINDOWED = ("gemma2", "gemma3", "qwen3", "mistral")


@dataclass(frozen=True)
class Family:
    """A model, the adapters that are mixed with its base, and what ``generate`` gives for each of them alone."""

    base: Path
    adapters: tuple[Adapter | None, ...]
    prompts: list[str]
    expected: list[tuple[int, ...]]


def _demo_ends() -> list[int]:
    from transformers import AutoTokenizer

    words = AutoTokenizer.from_pretrained(DEMO / "base")
    return [words.eos_token_id, words.convert_tokens_to_ids("<end_of_turn>")]


@pytest.fixture(scope="session", params=[*FAMILIES, "demo"])
def family(request: pytest.FixtureRequest, families: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Family:
    """100 prompts for the base and each of two adapters: 300 texts."""
    name = request.param
    texts = families.prompts(100)
    if name == "demo":
        base, ends = DEMO / "base", _demo_ends()
        tuned = tuple(Adapter(one, str(DEMO / "adapters" / one), True, one) for one in ("steady", "eager"))
    else:
        folder = tmp_path_factory.mktemp(name)
        base, ends = families.save_family(folder / "base", name), families.ENDS
        tuned = families.save_two_adapters(folder, base)
    adapters = (None, *tuned)
    expected = [ids for adapter in adapters for ids in families.generated(base, adapter, texts, NEW, ends)]
    return Family(base, adapters, texts, expected)


@pytest.mark.slow
@pytest.mark.long
def test_three_hundred_greedy_texts_are_those_of_generate_alone(family: Family, asking: Any) -> None:
    """Base and two adapters mixed, at batches of 32 and 7 and in two plan orders; every set holds many tokens."""
    requests = [
        asking.request(asking.target(family.base, adapter), text, max_new_tokens=NEW)
        for adapter in family.adapters
        for text in family.prompts
    ]
    order = list(range(len(requests)))
    random.Random(1).shuffle(order)

    mixed = asking.answers(asking.engine(), requests)
    shuffled = asking.answers(asking.engine(max_batch_rows=7), [requests[index] for index in order])

    assert [reply.token_ids for reply in mixed] == family.expected
    assert [reply.token_ids for reply in shuffled] == [family.expected[index] for index in order]
    for start in (0, 100, 200):
        assert len({token for ids in family.expected[start : start + 100] for token in ids}) >= 20
    assert len({tuple(family.expected[start : start + 100]) for start in (0, 100, 200)}) == 3


def test_a_forgotten_sliding_window_is_noticed(families: ModuleType, asking: Any, tmp_path: Path) -> None:
    """With the window switched off each windowed family answers otherwise, so a loop that loses it would be caught."""
    texts = families.prompts(6)
    for name in WINDOWED:
        base = families.save_family(tmp_path / name, name)
        requests = [asking.request(asking.target(base), text, max_new_tokens=NEW) for text in texts]
        unwindowed = {"sliding_window": 4096}

        ours = [reply.token_ids for reply in asking.answers(asking.engine(), requests)]

        assert ours == families.generated(base, None, texts, NEW, families.ENDS), name
        assert ours != families.generated(base, None, texts, NEW, families.ENDS, **unwindowed), name


def test_forgotten_soft_capping_is_noticed(families: ModuleType, asking: Any, tmp_path: Path) -> None:
    """Gemma 2 without its cap answers otherwise."""
    texts = families.prompts(6)
    base = families.save_family(tmp_path / "gemma2", "gemma2")
    requests = [asking.request(asking.target(base), text, max_new_tokens=NEW) for text in texts]

    ours = [reply.token_ids for reply in asking.answers(asking.engine(), requests)]

    assert ours == families.generated(base, None, texts, NEW, families.ENDS)
    assert ours != families.generated(base, None, texts, NEW, families.ENDS, attn_logit_softcapping=None)


@pytest.mark.parametrize("name", FAMILIES)
def test_rows_that_join_and_leave_change_nothing_for_the_others(
    name: str, families: ModuleType, asking: Any, tmp_path: Path
) -> None:
    """Rows of very different lengths come and go in a small batch; each has the text it has one by one."""
    base = families.save_family(tmp_path / name, name)
    source = random.Random(2)
    requests = [
        asking.request(asking.target(base), text, max_new_tokens=source.choice((1, 2, 5, 40)))
        for text in families.prompts(24)
    ]

    alone = asking.texts(asking.engine(one_by_one=True), requests)
    together = asking.answers(asking.engine(max_batch_rows=6), requests)

    assert [reply.raw_text for reply in together] == alone
    assert max(dict(reply.facts)["batch_rows"] for reply in together) == 6


@pytest.mark.parametrize("name", FAMILIES)
def test_sampled_texts_are_the_same_at_any_batch_and_order(
    name: str, families: ModuleType, asking: Any, tmp_path: Path
) -> None:
    """Batches of 1, 8 and 32 and a shuffled plan, with every sampling filter."""
    base = families.save_family(tmp_path / name, name)
    filters: list[dict[str, float]] = [{}, {"top_k": 12}, {"top_p": 0.9}, {"min_p": 0.05}, {"top_k": 40, "top_p": 0.8}]
    requests = [
        asking.request(asking.target(base), text, seed=index, temperature=1.1, max_new_tokens=NEW, **filters[index % 5])
        for index, text in enumerate(families.prompts(40))
    ]
    order = list(range(len(requests)))
    random.Random(3).shuffle(order)

    by_size = [asking.texts(asking.engine(max_batch_rows=rows), requests) for rows in (1, 8, 32)]
    shuffled = asking.texts(asking.engine(max_batch_rows=8), [requests[index] for index in order])

    assert by_size[0] == by_size[1] == by_size[2]
    assert shuffled == [by_size[0][index] for index in order]
    assert len(set(by_size[0])) == len(requests)


@pytest.mark.parametrize("slices", [1 / 3, 2], ids=["a third of a slice", "two slices: a very slow machine"])
def test_a_step_is_a_slice_of_time(
    asking: Any, prompts: list[str], monkeypatch: pytest.MonkeyPatch, slices: float
) -> None:
    """Steps come back long before the rows are done, say what has ended, and lose nothing in between.

    On a clock that goes on by so much whenever it is looked at, so that no machine is too quick or too slow.
    """
    clock = SimpleNamespace(perf_counter=itertools.count(0, SLICE_S * slices).__next__)
    for module in ("engine", "generating"):
        monkeypatch.setattr(f"evalkit.engines.local.{module}.time", clock)
    engine = asking.engine()
    requests = [
        asking.request(asking.target(), text, max_new_tokens=3 + 2 * index) for index, text in enumerate(prompts)
    ]
    engine.load(asking.target(), ())
    for index, request in enumerate(requests):
        engine.submit(str(index), request)

    steps = []
    while sum(map(len, steps)) < len(requests):
        steps.append(engine.step())
        assert len(steps) < 10_000
    replies = dict(reply for step in steps for reply in step)

    assert len(steps) > 40
    assert len({len(step) for step in steps}) > 1
    monkeypatch.undo()
    assert [replies[str(index)].raw_text for index in range(len(requests))] == asking.texts(asking.engine(), requests)


def test_a_request_that_comes_while_others_run_is_answered(asking: Any, prompts: list[str]) -> None:
    """A later request joins, and no text changes."""
    requests = [asking.request(asking.target(), text, max_new_tokens=40) for text in prompts[:12]]
    expected = asking.texts(asking.engine(), requests)
    engine = asking.engine(max_batch_rows=4)
    engine.load(asking.target(), ())
    for index, request in enumerate(requests[:9]):
        engine.submit(str(index), request)
    first = engine.step()
    for index, request in enumerate(requests[9:], start=9):
        engine.submit(str(index), request)

    replies = dict([*first, *asking.stepped(engine, 12 - len(first))])

    assert [replies[str(index)].raw_text for index in range(12)] == expected


def test_what_is_in_flight_can_be_asked(asking: Any, prompts: list[str]) -> None:
    """The engine says how many rows are being decoded, the queue left out."""
    seen: list[int] = []
    engine = asking.engine(max_batch_rows=4, pulse=lambda count: bool(seen.append(engine.rows_in_flight)))

    asking.answers(engine, [asking.request(asking.target(), text, max_new_tokens=20) for text in prompts[:10]])

    assert max(seen) == 4
    assert engine.rows_in_flight == 0


def test_one_by_one_no_row_has_company(asking: Any, prompts: list[str], adapters: dict[str, Adapter]) -> None:
    """Every row runs as ``generate`` would run it; for coarse arithmetic, and only for it, that is another identity."""
    targets = [asking.target(), asking.target(adapter=adapters["red"])]
    requests = [asking.request(target, text) for target in targets for text in prompts[:4]]

    replies = asking.answers(asking.engine(one_by_one=True), requests)

    assert [dict(reply.facts)["batch_rows"] for reply in replies] == [1] * 8
    assert all(isinstance(reply, Generation) for reply in replies)
    plain, alone = asking.engine(), asking.engine(one_by_one=True)
    assert plain.identity_facts(asking.target()) == alone.identity_facts(asking.target())
    bf16 = asking.target(kind="bf16")
    assert alone.identity_facts(bf16) == tuple(sorted((*plain.identity_facts(bf16), ("one_by_one", True))))
