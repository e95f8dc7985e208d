"""What a model will take is known before it is loaded; what cannot fit is refused with the sums."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evalkit.engines.local import memory
from evalkit.engines.local.memory import Memory, device_map, memory_of, ram_total, shown, weight_bytes
from evalkit.engines.local.settings import LocalSettings
from evalkit.errors import EngineError
from evalkit.generation import Failure, Generation
from evalkit.target import Adapter, Quantisation

MIB = 1 << 20


@pytest.mark.parametrize(
    ("kind", "options"),
    [("fp32", {}), ("bf16", {}), ("nf4", {}), ("nf4", {"double_quant": True}), ("fp4", {}), ("int8", {})],
    ids=["fp32", "bf16", "nf4", "nf4-double", "fp4", "int8"],
)
def test_the_estimate_is_what_the_weights_take(
    kind: str, options: dict[str, Any], asking: Any, build_model: Callable[..., Path], tmp_path: Path
) -> None:
    """Within 2 % of the bytes that torch holds for the loaded tensors, scales of quantised weights included."""
    sizes = {"hidden_size": 256, "intermediate_size": 512, "num_attention_heads": 4, "num_key_value_heads": 2}
    folder = build_model(tmp_path / "m", "llama", "{{ messages }}", head_dim=64, **sizes)
    target = asking.target(folder, kind=kind, **options)
    engine = asking.engine()
    engine.load(target, ())
    network = engine._loaded[target.weights].weights.model

    taken = 0
    for value in network.parameters():
        taken += value.numel() * value.element_size()
        state = getattr(value, "quant_state", None)
        if state is not None:
            scales = [state.absmax, *([state.state2.absmax] if state.nested else [])]
            taken += sum(scale.numel() * scale.element_size() for scale in scales)
        taken += 4 * value.shape[0] if getattr(value, "SCB", None) is not None else 0

    dtype = "bf16" if kind == "bf16" else "fp32"
    assert weight_bytes(folder, target.quantisation, dtype) == pytest.approx(taken, rel=0.02)


def test_what_a_token_of_cache_takes(asking: Any, models: dict[str, Path]) -> None:
    """Keys and values of every layer and head, in the compute dtype; a config that says nothing counts nothing."""
    assert memory.token_bytes(models["llama"], False, "fp32") == 2 * 2 * 2 * 32 * 4
    assert memory.token_bytes(models["llama"], False, "bf16") == 2 * 2 * 2 * 32 * 2
    assert memory.token_bytes(models["llama"] / "nowhere", False, "fp32") == 0


def test_only_adapters_held_at_once_count(asking: Any, models: dict[str, Path], adapters: dict[str, Adapter]) -> None:
    """The largest ones up to the limit, in fp32 as peft holds them."""
    folders = [Path(adapter.location) for adapter in adapters.values()]
    sizes = sorted((memory.adapter_bytes(folder) for folder in folders), reverse=True)

    found = memory_of(asking.target(), models["llama"], folders, LocalSettings(max_adapters=2), "cpu")

    assert (found.adapters, found.largest_adapter) == (sum(sizes[:2]), sizes[0])
    file = Path(adapters["red"].location) / "adapter_model.safetensors"
    assert memory.adapter_bytes(file.parent) == pytest.approx(file.stat().st_size, rel=0.2)


GEMMA = Memory(
    what="Model 'gemma2-27b'", kind="bf16", weights=54 << 30, adapters=3 << 29, largest_adapter=1 << 29,
    token=368 << 10, batch_tokens=131072, limit=24 << 30, where="on the GPU",
)  # fmt: skip


def test_the_estimate_is_a_sentence() -> None:
    """Weights, adapters and the cache of a full batch, and what there is."""
    assert GEMMA.sentence == (
        "about 101.5 GiB: weights 54.0 GiB (bf16), adapters 1.5 GiB, cache of a full batch 46.0 GiB; 24.0 GiB on the "
        "GPU"
    )
    bare = replace(GEMMA, adapters=0, limit=None, weights=5 * MIB, token=10, batch_tokens=100)
    assert bare.sentence == "about 6 MiB: weights 5 MiB (bf16), cache of a full batch 1 MiB"


def test_a_model_that_cannot_fit_is_refused_with_the_sums() -> None:
    """With what would fit, where something does; what fits is let through."""
    with pytest.raises(EngineError) as caught:
        GEMMA.check_fits(replace(GEMMA, weights=15 << 30))
    assert str(caught.value) == (
        "Model 'gemma2-27b' does not fit into memory: its weights take about 54.0 GiB as bf16 and the largest adapter "
        "512 MiB, and there are 24.0 GiB on the GPU. As nf4 its weights would take about 15.0 GiB."
    )
    with pytest.raises(EngineError) as caught:
        replace(GEMMA, largest_adapter=0).check_fits(replace(GEMMA, weights=30 << 30))
    assert str(caught.value) == (
        "Model 'gemma2-27b' does not fit into memory: its weights take about 54.0 GiB as bf16, and there are 24.0 GiB "
        "on the GPU. Use a smaller model, or a machine with more memory."
    )
    replace(GEMMA, limit=60 << 30).check_fits(None)
    replace(GEMMA, limit=None).check_fits(None)


def test_the_estimate_is_in_the_hosts_log(asking: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """Printed before the weights are loaded, once."""
    engine = asking.engine(batch_tokens=1024, memory_limit_mib=64)

    engine.load(asking.target(), ())
    engine.load(asking.target(), ())

    assert [line for line in capfd.readouterr().err.splitlines() if line.startswith("Loading llama")] == [
        "Loading llama:fp32:naked:greedy: about 2 MiB: weights 1 MiB (fp32), cache of a full batch 1 MiB; 64 MiB by "
        "memory_limit_mib"
    ]


def test_the_note_for_the_progress_line(asking: Any, adapters: dict[str, Adapter]) -> None:
    """Known before loading, and nothing once it is loaded or where the files cannot be used."""
    engine = asking.engine(batch_tokens=1024, memory_limit_mib=64)
    target = asking.target()
    red = ((adapters["red"],),)

    assert engine.load_note(target, red) == (
        "about 2 MiB: weights 1 MiB (fp32), adapters 1 MiB, cache of a full batch 1 MiB; 64 MiB by memory_limit_mib"
    )
    engine.load(target, red)
    assert engine.load_note(target, red) is None
    assert engine.load_note(asking.target(Path("/nowhere")), ()) is None


@pytest.fixture
def large(build_model: Callable[..., Path], chat_templates: dict[str, str], tmp_path: Path) -> Path:
    """About 6 MiB in fp32, with a cache of 8 KiB a token."""
    return build_model(
        tmp_path / "large", "llama", chat_templates["turns"], hidden_size=256, intermediate_size=512,
        num_attention_heads=8, num_key_value_heads=8, head_dim=64,
    )  # fmt: skip


def test_a_model_over_a_planted_limit_is_refused(asking: Any, large: Path) -> None:
    """Before anything is loaded, with the sums; in nf4 it would fit, and does."""
    engine = asking.engine(memory_limit_mib=4)
    target = asking.target(large)
    sentence = (
        "Model 'large' does not fit into memory: its weights take about 8 MiB as fp32, and there are 4 MiB by "
        "memory_limit_mib. As nf4 its weights would take about 2 MiB."
    )

    with pytest.raises(EngineError) as caught:
        engine.load(target, ())
    engine.submit("a", asking.request(target, "one"))

    assert str(caught.value) == sentence
    assert engine.step() == [("a", Failure(sentence))]
    assert asking.texts(engine, [asking.request(asking.target(large, kind="nf4"), "one", max_new_tokens=4)])


def test_a_planted_limit_halves_the_batch_and_the_plan_goes_on(asking: Any, large: Path, prompts: list[str]) -> None:
    """No batch is larger than fits beside the weights, nothing is lost, and the texts are those without a limit."""
    target = asking.target(large)
    requests = [asking.request(target, text, max_new_tokens=8) for text in prompts[:16]]
    expected = asking.texts(asking.engine(), requests)

    replies = asking.answers(asking.engine(memory_limit_mib=10), requests)

    assert [reply.raw_text for reply in replies] == expected
    assert max(dict(reply.facts)["batch_rows"] for reply in replies) in (2, 3, 4, 5, 6, 7, 8)


def test_what_cannot_fit_alone_is_a_failure_with_its_size(asking: Any, large: Path, prompts: list[str]) -> None:
    """The long row fails with its tokens; the short one beside it is answered."""
    target = asking.target(large)
    engine = asking.engine(memory_limit_mib=9)

    wanted = [asking.request(target, prompts[0], max_new_tokens=count) for count in (4, 200)]
    short, long = asking.answers(engine, wanted)

    assert isinstance(short, Generation)
    tokens = long.reason.split()[6]
    assert long == Failure(
        f"Out of memory: a prompt of {tokens} tokens with up to 200 new ones does not fit alone. Shorten the prompt, "
        "lower max_new_tokens or use a smaller quantisation."
    )


def test_where_the_layers_go() -> None:
    """One device, unless the weights fill a GPU and there are more; a CPU is never shared with them."""
    gpu = 24 << 30

    assert device_map("cpu", 60 << 30, ()) == {"": "cpu"}
    assert device_map("cuda", 20 << 30, (gpu, gpu)) == {"": "cuda"}
    assert device_map("cuda", 23 << 30, (gpu, gpu)) == "auto"
    assert device_map("cuda", 60 << 30, (gpu,)) == {"": "cuda"}


def test_all_gpus_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that is spread over them may be as large as all of them."""
    monkeypatch.setattr(memory, "gpu_totals", lambda: (24 << 30, 24 << 30))
    assert memory.limit_of(LocalSettings(), "cuda") == (48 << 30, "on 2 GPUs")
    monkeypatch.setattr(memory, "gpu_totals", lambda: (24 << 30,))
    assert memory.limit_of(LocalSettings(), "cuda") == (24 << 30, "on the GPU")
    assert memory.limit_of(LocalSettings(memory_limit_mib=3), "cuda") == (3 * MIB, "by memory_limit_mib")


def test_a_containers_bound_is_the_memory_there_is(tmp_path: Path) -> None:
    """The smaller of the machine's memory and the control group's; ``max`` bounds nothing."""
    group = tmp_path / "memory.max"
    whole = ram_total(tmp_path / "none")

    assert whole is not None
    group.write_text("1048576\n")
    assert ram_total(group) == MIB
    group.write_text("max\n")
    assert ram_total(group) == whole


@pytest.mark.parametrize(("size", "text"), [(0, "0 MiB"), (1, "1 MiB"), (MIB, "1 MiB"), (5368709120, "5.0 GiB")])
def test_sizes_are_written_for_people(size: int, text: str) -> None:
    """MiB below one GiB, and never 0 for something."""
    assert shown(size) == text


def test_weights_in_shards_count_together(models: dict[str, Path], tmp_path: Path) -> None:
    """The index is not needed: every safetensors file of the folder counts."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(models["llama"] / "model.safetensors")
    names = sorted(tensors)
    for number, part in enumerate((names[::2], names[1::2]), start=1):
        save_file({name: tensors[name] for name in part}, tmp_path / f"model-0000{number}-of-00002.safetensors")
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({}))
    fp32 = Quantisation("fp32", "fp32")

    assert weight_bytes(tmp_path, fp32, "fp32") == weight_bytes(models["llama"], fp32, "fp32")
