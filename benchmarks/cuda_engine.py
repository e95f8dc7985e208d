"""On a CUDA device: the local engine against three uses of transformers, on a random-weight Gemma 2 in bf16.

64 prompts of 128 tokens, 128 new tokens each, greedily: one at a time (8 of them), batches sorted by length, continuous
batching (without the soft capping of attention, which it drops: so its model has none), and the engine's own loop. The
floor is what reading the weights once a step, and the cache as it grows, takes at the bandwidth that a copy on the
device reaches; every speed is printed as a share of it.

    python benchmarks/cuda_engine.py [--layers 26] [--hidden 2304] [--batch 64]

The defaults are the shape of Gemma 2 2B; ``--layers 42 --hidden 3584`` is that of 9B. Without a device it says so.
``--device cpu --layers 2 --hidden 64 --prompts 8`` only tries whether the script runs.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

PROMPT_TOKENS, NEW_TOKENS, ALONE = 128, 128, 8
ROUNDS = 3


def gemma(layers: int, hidden: int, device: str, *, capped: bool) -> Any:
    """The model on the device; its heads and its feed-forward layer are those of the 2B or the 9B model."""
    import torch
    from transformers import Gemma2Config, Gemma2ForCausalLM

    is_small = hidden < 3000
    config = Gemma2Config(
        hidden_size=hidden, num_hidden_layers=layers, intermediate_size=4 * hidden, head_dim=256,
        num_attention_heads=8 if is_small else 16, num_key_value_heads=4 if is_small else 8,
        attn_logit_softcapping=50.0 if capped else None, attn_implementation="eager",
    )  # fmt: skip
    torch.manual_seed(0)
    with torch.device(device):
        torch.set_default_dtype(torch.bfloat16)
        try:
            return Gemma2ForCausalLM(config).eval()
        finally:
            torch.set_default_dtype(torch.float32)


def bandwidth(device: str) -> float:
    """Bytes a second that a copy of 2 GiB reads and writes, the best of five."""
    import torch

    source = torch.empty(2**31 if device == "cuda" else 2**26, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return max(2 * source.numel() / seconds(lambda: target.copy_(source)) for _ in range(5))


def seconds(work: Callable[[], object]) -> float:
    """Of one run, until the device is done."""
    import torch

    wait = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    wait()
    begun = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - begun


def by_generate(model: Any, prompts: list[list[int]], batch: int) -> None:
    """Batches of prompts, all of one length here."""
    import torch

    for start in range(0, len(prompts), batch):
        ids = torch.tensor(prompts[start : start + batch], device=model.device)
        with torch.inference_mode():
            model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=NEW_TOKENS,
                min_new_tokens=NEW_TOKENS, pad_token_id=0,
            )  # fmt: skip


def by_continuous_batching(model: Any, prompts: list[list[int]]) -> None:
    from transformers import GenerationConfig

    config = GenerationConfig(do_sample=False, max_new_tokens=NEW_TOKENS, eos_token_id=-1, pad_token_id=0)
    model.generate_batch(prompts, generation_config=config)


def by_loop(model: Any, prompts: list[list[int]], batch: int) -> None:
    """The engine's own loop, as benchmarks/decode_loop.py drives it."""
    from types import SimpleNamespace

    from decode_loop import by_loop as loop

    weights = SimpleNamespace(
        model=model, ends=(), pad=0, longest=8192, renderer=SimpleNamespace(text=lambda ids: ""),
        device=model.device.type, check_room=lambda *_: None,
    )  # fmt: skip
    loop(weights, [tuple(ids) for ids in prompts], [NEW_TOKENS] * len(prompts), batch)


def floor_tokens_per_s(model: Any, batch: int) -> float:
    """New tokens a second if a step read the weights once and every row's cache, and nothing took time but that."""
    config = model.config
    weights = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    a_token = 2 * 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim
    cache = batch * a_token * (PROMPT_TOKENS + NEW_TOKENS / 2)
    return batch * bandwidth(model.device.type) / (weights + cache)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--layers", type=int, default=26)
    parser.add_argument("--hidden", type=int, default=2304)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args()
    import torch

    if options.device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device")
        return
    source = torch.Generator().manual_seed(1)
    prompts = torch.randint(5, 250_000, (options.prompts, PROMPT_TOKENS), generator=source).tolist()
    shape = options.layers, options.hidden, options.device
    model, bare = gemma(*shape, capped=True), gemma(*shape, capped=False)
    ways: dict[str, tuple[int, Callable[[], object]]] = {
        "generate, one at a time": (ALONE, lambda: by_generate(model, prompts[:ALONE], 1)),
        f"generate, batches of {options.batch}": (options.prompts, lambda: by_generate(model, prompts, options.batch)),
        "continuous batching, no soft capping": (options.prompts, lambda: by_continuous_batching(bare, prompts)),
        "evalkit's loop": (options.prompts, lambda: by_loop(model, prompts, options.batch)),
    }
    if options.device != "cuda":
        del ways["continuous batching, no soft capping"]  # it sizes itself by all memory there is
    parameters = sum(parameter.numel() for parameter in model.parameters())
    floor = floor_tokens_per_s(model, options.batch)
    name = torch.cuda.get_device_name() if options.device == "cuda" else options.device
    print(f"{name}, {parameters / 1e9:.1f} B parameters in bf16; floor {floor:,.0f} tokens/s")
    for way, (number, work) in ways.items():
        try:
            work()
            runs = [seconds(work) for _ in range(ROUNDS)]
        except Exception as error:
            print(f"{way}: {type(error).__name__}: {error}")
            continue
        speed = number * NEW_TOKENS / statistics.median(runs)
        singly = ", ".join(f"{run:.2f}" for run in runs)
        print(f"{way}: {speed:,.0f} tokens/s, {speed / floor:.0%} of the floor (runs of {singly} s)")


if __name__ == "__main__":
    main()
