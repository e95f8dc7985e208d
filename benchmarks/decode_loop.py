"""Tokens per CPU second of the local engine's decode loop against sorted static batches of transformers' generate.

Both answer the same 300 prompts greedily on the demo model in fp32 with one torch thread and no feature in use, in
pairs and in both orders; the ratio of each pair is one observation, and the interval is the middle 95 % of bootstrapped
medians. Work 1 has 64 new tokens for every prompt; work 2 ends 70 % of them after 4 to 24 tokens and the rest after 64
to 128, and generate is told of each row's end as it comes.

    python benchmarks/decode_loop.py [--pairs 5] [--batches 16 32 64] [--model FOLDER] [--work 1|2]
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "fixtures" / "demo" / "base"
WORDS = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8").split()
PROMPTS = 300
GOALS = {1: 1.0, 2: 2.0}
"""What docs call enough, as ratios at a batch of 32: full length, and early stops."""


def conversations(seed: int = 0) -> list[str]:
    """Prompts of 4 to 60 words."""
    source = random.Random(seed)
    return [" ".join(source.choices(WORDS, k=source.randint(4, 60))) for _ in range(PROMPTS)]


def lengths(work: int, seed: int = 1) -> list[int]:
    """How many new tokens each prompt gets."""
    if work == 1:
        return [64] * PROMPTS
    source = random.Random(seed)
    return [source.randint(4, 24) if source.random() < 0.7 else source.randint(64, 128) for _ in range(PROMPTS)]


def loaded_model(folder: Path) -> Any:
    """The weights as the engine loads them, with no token that ends an answer."""
    from evalkit.engines.local.memory import memory_of
    from evalkit.engines.local.settings import LocalSettings
    from evalkit.engines.local.weights import load_weights
    from evalkit.target import Model, Quantisation, Target

    target = Target(Model("demo", str(folder), True, "demo"), Quantisation("fp32", "fp32"))
    memory = memory_of(target, folder, (), LocalSettings(device="cpu"), "cpu")
    return replace(load_weights(target, folder, "cpu", memory, lambda: None), ends=())


def by_loop(weights: Any, prompts: Sequence[tuple[int, ...]], counts: Sequence[int], rows: int) -> list[list[int]]:
    """New tokens of every prompt, by the decode loop."""
    from evalkit.engines.local.adapters import AdapterRack
    from evalkit.engines.local.batches import Row
    from evalkit.engines.local.generating import Loop
    from evalkit.engines.local.near_ties import EXACT
    from evalkit.engines.local.scheduling import Schedule
    from evalkit.generation import Generation, Request
    from evalkit.probe import Message
    from evalkit.target import Decoding, Model, Quantisation, Target

    target = Target(Model("demo", "", True, "demo"), Quantisation("fp32", "fp32"))
    loop = Loop(weights, AdapterRack(weights.model, "cpu"), Schedule(rows, 2**30), (), EXACT, is_exact=True)
    loop.add(
        [
            Row(str(index), Request(target, (Message("user", ""),), Decoding(max_new_tokens=count)), ids, "none")
            for index, (ids, count) in enumerate(zip(prompts, counts, strict=True))
        ]
    )
    found: dict[str, Any] = {}
    while not loop.is_idle:
        found.update(loop.run(lambda count: False, time.perf_counter() + 0.08)[0])
    assert all(isinstance(reply, Generation) for reply in found.values())
    return [list(found[str(index)].token_ids) for index in range(len(prompts))]


def by_generate(weights: Any, prompts: Sequence[tuple[int, ...]], counts: Sequence[int], rows: int) -> list[list[int]]:
    """New tokens of every prompt, by ``generate`` in batches of prompts sorted by length."""
    import torch
    from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

    class OwnEnds(StoppingCriteria):  # type: ignore[misc]
        """Each row ends after its own number of tokens."""

        def __init__(self, width: int, ends: list[int]) -> None:
            self.eos_token_id = None
            self._ends = torch.tensor(ends) + width

        def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
            return self._ends <= input_ids.shape[1]

    order = sorted(range(len(prompts)), key=lambda index: -len(prompts[index]))
    found: dict[int, list[int]] = {}
    for start in range(0, len(order), rows):
        batch = order[start : start + rows]
        width = max(len(prompts[index]) for index in batch)
        ids = torch.tensor([[weights.pad] * (width - len(prompts[index])) + list(prompts[index]) for index in batch])
        mask = torch.tensor([[0] * (width - len(prompts[index])) + [1] * len(prompts[index]) for index in batch])
        ends = [counts[index] for index in batch]
        config = GenerationConfig(do_sample=False, max_new_tokens=max(ends), pad_token_id=weights.pad)
        with torch.no_grad():
            output = weights.model.generate(
                input_ids=ids, attention_mask=mask, generation_config=config,
                stopping_criteria=StoppingCriteriaList([OwnEnds(width, ends)]),
            )  # fmt: skip
        for index, row in zip(batch, output.tolist(), strict=True):
            found[index] = row[width : width + counts[index]]
    return [found[index] for index in range(len(prompts))]


def cpu_seconds(run: Callable[[], object]) -> float:
    started = time.process_time()
    run()
    return time.process_time() - started


def compare(weights: Any, work: int, rows: int, pairs: int) -> None:
    """Prints both speeds and their ratio."""
    prompts = [weights.renderer.prompt_ids((("user", text),)) for text in conversations()]
    counts = lengths(work)
    ways = {
        "loop": lambda: by_loop(weights, prompts, counts, rows),
        "generate": lambda: by_generate(weights, prompts, counts, rows),
    }
    texts = {name: way() for name, way in ways.items()}
    differ = sum(one != other for one, other in zip(texts["loop"], texts["generate"], strict=True))
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(pairs):
        for name in sorted(ways, reverse=bool(number % 2)):
            taken[name].append(cpu_seconds(ways[name]))
    ratios = [slow / fast for slow, fast in zip(taken["generate"], taken["loop"], strict=True)]
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(2000))
    speeds = {name: sum(counts) / statistics.median(seconds) for name, seconds in taken.items()}
    print(
        f"work {work}, batch {rows}: loop {speeds['loop']:,.0f}, generate {speeds['generate']:,.0f} tokens per CPU "
        f"second; {statistics.median(ratios):.2f} times (95 % interval {medians[50]:.2f} to {medians[1949]:.2f}, "
        f"{pairs} pairs); {differ} of {PROMPTS} texts differ"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5, help="pairs of timings (5)")
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 32, 64], help="rows that run together")
    parser.add_argument("--work", type=int, choices=(1, 2), help="one of the two works (both)")
    parser.add_argument("--model", type=Path, default=DEMO, help="a folder with a model (the demo model)")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    weights = loaded_model(options.model)
    for work in (1, 2) if options.work is None else (options.work,):
        for rows in options.batches:
            compare(weights, work, rows, options.pairs)
    print(f"goals at a batch of 32: {GOALS[1]:.1f} times for work 1, {GOALS[2]:.1f} times for work 2")


if __name__ == "__main__":
    main()
