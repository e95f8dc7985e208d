"""Loads one base model in one quantisation on one device."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, GenerationConfig
from transformers.utils import logging as transformers_logging

from evalkit.engines.local.batches import Batch
from evalkit.engines.local.facts import FOUR_BIT, QUANTISED, compute_dtype
from evalkit.engines.local.memory import Memory, device_map, gpu_totals
from evalkit.engines.local.rendering import Renderer
from evalkit.errors import EngineError, MissingPackage
from evalkit.target import Model, Quantisation, Target

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(slots=True)
class Weights:
    """A base model in memory. ``ends`` are the tokens that end an answer; ``longest`` bounds prompt and answer."""

    model: Any
    renderer: Renderer
    ends: tuple[int, ...]
    pad: int
    longest: int | None
    device: str
    dtype: str
    attention: str
    memory: Memory

    def check_room(self, rows: Batch, held_tokens: int = 0) -> None:
        """Whether the cache of these rows fits beside the weights and the keys and values of so many tokens.

        Raises:
            MemoryError: it cannot.
        """
        self.memory.check_batch(len(rows), max(row.padded_tokens for row in rows), held_tokens)


def load_weights(target: Target, folder: Path, device: str, memory: Memory, tick: Callable[[], None]) -> Weights:
    """The target's base model, ready to generate. ``tick`` is called between the stages.

    Raises:
        EngineError: the files cannot be loaded as this model.
        MissingPackage: the quantisation needs a package that is not installed.
    """
    _quieten()
    model, quantisation = target.model, target.quantisation
    what = f"Model {model.shown!r}"
    _need_packages(target, device)
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": model.trust_remote_code}
    with _translated(what):
        config = AutoConfig.from_pretrained(folder, **options)
        tokenizer = AutoTokenizer.from_pretrained(folder, **options)
    renderer = Renderer(tokenizer, model.shown)
    tick()
    if quantisation.kind in QUANTISED or device == "cuda":
        totals = gpu_totals() if device == "cuda" else ()
        options = {**options, "device_map": device_map(device, memory.weights, totals)}
    network = _load_network(model, quantisation, folder, device, config, options)
    tick()
    if device == "cpu":
        without_packing(network)
        with_whole_int8(network)
    defaults, network.generation_config = network.generation_config, GenerationConfig()
    ends = _ends(tokenizer, config, defaults, renderer)
    if not ends:
        raise EngineError(f"{what} has no end token: neither its tokenizer nor generation_config.json names one.")
    return Weights(
        model=network,
        renderer=renderer,
        ends=ends,
        pad=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else ends[0],
        longest=getattr(config.get_text_config(), "max_position_embeddings", None),
        device=device,
        dtype=compute_dtype(quantisation, device),
        attention=str(network.config._attn_implementation),
        memory=memory,
    )


def _load_network(
    model: Model, quantisation: Quantisation, folder: Path, device: str, config: Any, options: dict[str, Any]
) -> Any:
    what = f"Model {model.shown!r}"
    if getattr(config.get_text_config(), "attn_logit_softcapping", None) is not None:
        options = {**options, "attn_implementation": "eager"}  # the other kernels drop soft-capping without a word
    with _translated(what):
        network, report = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=DTYPES[compute_dtype(quantisation, device)],
            quantization_config=_bitsandbytes(quantisation, device),
            use_safetensors=True,
            output_loading_info=True,
            **options,
        )
    absent = sorted({*report["missing_keys"], *(str(item[0]) for item in report["mismatched_keys"])})
    if absent:
        raise EngineError(
            f"{what}: the files lack {len(absent)} of its tensors (first: {absent[0]}), which would be random numbers. "
            "Download or copy them again."
        )
    return network.eval().requires_grad_(False)


def _bitsandbytes(quantisation: Quantisation, device: str) -> Any:
    if quantisation.kind in FOUR_BIT:
        return BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type=quantisation.kind,
            bnb_4bit_compute_dtype=DTYPES[compute_dtype(quantisation, device)],
            bnb_4bit_use_double_quant=quantisation.double_quant,
        )
    if quantisation.kind == "int8":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_threshold=quantisation.int8_threshold)
    return None


def _ends(tokenizer: Any, config: Any, defaults: Any, renderer: Renderer) -> tuple[int, ...]:
    """Every token that ends an answer: of the generation config, the config, the tokenizer and the chat template."""
    found: set[int] = set()
    text_config = config.get_text_config()
    for value in (
        getattr(defaults, "eos_token_id", None), getattr(text_config, "eos_token_id", None),
        tokenizer.eos_token_id, renderer.end_of_turn(),
    ):  # fmt: skip
        if value is not None:
            found.update(value if isinstance(value, (list, tuple)) else (value,))
    return tuple(sorted(found))


def without_packing(network: Any) -> None:
    """Keep bitsandbytes from repacking 4-bit weights for CPUs with avx512_bf16.

    Its kernel there computes in bf16 whatever the compute dtype says, refuses sizes that are no multiples of 64 and 32,
    and peft reads repacked weights as if they were not, so that DoRA and merged adapters answer wrongly without a word
    (bitsandbytes 0.50.2, nn/modules.py; peft 0.21.2, utils/integrations.py). Costs speed at large batches.
    """
    for module in network.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def with_whole_int8(network: Any) -> None:
    """Keep int8 layers usable when peft has read their weights on a CPU, as DoRA does at every step.

    Reading replaces the weight by one that has values and no scales, which the layer's next call takes for new
    (peft 0.21.2, ``dequantize_module_weight``); the layer holds both already.
    """

    def mend(module: Any, args: Any) -> None:
        if module.weight.CB is not None and module.weight.SCB is None and module.state.SCB is not None:
            module.weight.CB = None

    for module in network.modules():
        if type(module).__name__ == "Linear8bitLt":
            module.register_forward_pre_hook(mend)


def _need_packages(target: Target, device: str) -> None:
    is_quantised = target.quantisation.kind in QUANTISED
    needed = ("bitsandbytes", "accelerate") if is_quantised else ("accelerate",) if device == "cuda" else ()
    for package in needed:
        if find_spec(package) is None:
            owner = f"Quantisation {target.quantisation.name!r}" if is_quantised else f"Engine {target.engine.name!r}"
            raise MissingPackage(owner, package, "local")


def _quieten() -> None:
    """No progress bars in the host's log, and not one line per int8 matrix product."""
    transformers_logging.disable_progress_bar()
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


class _translated:
    """Turns whatever a loader raises into one sentence about ``what``."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
            raise EngineError(
                f"{self._what} does not fit into memory: {error}. Use a smaller quantisation such as nf4."
            ) from error
        if isinstance(error, Exception):
            if "trust_remote_code" in str(error):
                raise EngineError(
                    f"{self._what} brings code of its own, which is not run unless its declaration in "
                    "fixtures/targets.yaml says trust_remote_code: true. Read that code first."
                ) from error
            first_line = (str(error).strip().splitlines() or ["no reason given"])[0]
            raise EngineError(f"{self._what} cannot be loaded: {type(error).__name__}: {first_line}") from error
