"""CPU seconds of a long kernel that all prompts share, with and without computing it once for each adapter.

The demo model answers 100 probes under each of three adapters behind a kernel of 2,000 tokens, through the local
engine as a run uses it: one torch thread, fp32, greedy, up to 32 new tokens, batches within the engine's own bounds.
Both ways take turns, in both orders, in this process; the texts are compared.

    python benchmarks/prefix_reuse.py [--probes 100] [--kernel 2000] [--pairs 1] [--new 32]
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "fixtures" / "demo"
WORDS = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8").split()
GOAL = 0.5
"""What docs call enough: with reuse at most this share of the CPU seconds without."""


def kernel_of(tokens: int) -> str:
    """About so many tokens of the demo's tokenizer, always the same."""
    from transformers import PreTrainedTokenizerFast

    words = PreTrainedTokenizerFast.from_pretrained(DEMO / "base")
    drawn = " ".join(random.Random(3).choices(WORDS, k=tokens * 3 // 4))
    return str(words.decode(words.encode(drawn, add_special_tokens=False)[:tokens]))


def requests_of(probes: int, kernel: str, new: int) -> list[Any]:
    """The probes under each adapter."""
    from evalkit.generation import Request
    from evalkit.probe import Message
    from evalkit.target import Adapter, Condition, Decoding, Engine, Model, Quantisation, Target

    source = random.Random(0)
    texts = [" ".join(source.choices(WORDS, k=source.randint(4, 40))) for _ in range(probes)]
    folders = sorted(path for path in (DEMO / "adapters").iterdir() if path.is_dir())[:3]
    targets = [
        Target(
            Model("demo", str(DEMO / "base"), True, "demo"), Quantisation("fp32", "fp32"),
            adapters=(Adapter(folder.name, str(folder), True, folder.name),), condition=Condition("kernel", kernel),
            engine=Engine("local", "local"),
        )
        for folder in folders
    ]  # fmt: skip
    return [
        Request(target, (Message("user", text),), Decoding(max_new_tokens=new)) for target in targets for text in texts
    ]


def answers(requests: list[Any], is_reusing: bool) -> tuple[list[Any], float]:
    """The replies, and the CPU seconds from the first step to the last; loading is not counted."""
    from evalkit.engines.local.engine import LocalEngine
    from evalkit.target import Engine

    settings = (("device", "cpu"), ("prefix_reuse", is_reusing), ("threads", 1))
    engine = LocalEngine(Engine("local", "local", settings), lambda count: False, ROOT)
    engine.load(requests[0].target, tuple(dict.fromkeys(request.target.adapters for request in requests)))
    for index, request in enumerate(requests):
        engine.submit(str(index), request)
    started, found = time.process_time(), {}
    while len(found) < len(requests):
        found.update(engine.step())
    taken = time.process_time() - started
    engine.close()
    return [found[str(index)] for index in range(len(requests))], taken


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--probes", type=int, default=100, help="probes under each adapter (100)")
    parser.add_argument("--kernel", type=int, default=2000, help="tokens of the kernel (2000)")
    parser.add_argument("--pairs", type=int, default=1, help="pairs of timings (1)")
    parser.add_argument("--new", type=int, default=32, help="most new tokens of an answer (32)")
    options = parser.parse_args()
    requests = requests_of(options.probes, kernel_of(options.kernel), options.new)
    taken: dict[bool, list[float]] = {True: [], False: []}
    differ = new_tokens = 0
    for pair in range(options.pairs):
        texts = {}
        for is_reusing in sorted(taken, reverse=bool(pair % 2)):
            texts[is_reusing], seconds = answers(requests, is_reusing)
            taken[is_reusing].append(seconds)
            print(
                f"{'with' if is_reusing else 'without'} reuse: {seconds:.1f} CPU seconds", file=sys.stderr, flush=True
            )
        differ += sum(one.token_ids != other.token_ids for one, other in zip(texts[True], texts[False], strict=True))
        new_tokens = sum(reply.new_tokens for reply in texts[True])
    with_it, without = (statistics.median(taken[way]) for way in (True, False))
    prompts = [reply.prompt_tokens for reply in texts[True]]
    print(
        f"{len(requests)} prompts of {min(prompts)} to {max(prompts)} tokens, {new_tokens} new ones: {with_it:.1f} CPU "
        f"seconds with prefix reuse, {without:.1f} without: {with_it / without:.2f} of it (goal: at most {GOAL}), "
        f"{options.pairs} pairs; {differ} texts differ"
    )


if __name__ == "__main__":
    main()
