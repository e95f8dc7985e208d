"""Several adapters on one row, beside the base or merged into it: the text that plain peft gives, and no other."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.engines.local.weights import with_whole_int8, without_packing
from evalkit.generation import Failure
from evalkit.target import Adapter

pytestmark = pytest.mark.slow

PROMPT = "the rain in Spain"
KINDS: dict[str, dict[str, Any]] = {
    "rs": {"use_rslora": True},
    "dora": {"use_dora": True},
    "tokens": {"trainable_token_indices": [70, 71, 72, 80]},
    "embeddings": {"target_modules": ["embed_tokens", "q_proj"]},
    "experts": {"target_modules": ["o_proj"], "rank_pattern": {"o_proj": 2}},
}
QUANTISED: dict[str, dict[str, Any]] = {
    "nf4": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
    "fp4": {"load_in_4bit": True, "bnb_4bit_quant_type": "fp4"},
    "int8": {"load_in_8bit": True, "llm_int8_threshold": 0.0},
}


@pytest.fixture(scope="module")
def kinds(
    adapters: dict[str, Adapter],
    models: dict[str, Path],
    build_adapter: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Adapter]:
    """Adapters of every kind of LoRA, those of the session and some more, each with weights of its own."""
    folder = tmp_path_factory.mktemp("kinds")
    made = dict(adapters)
    for seed, (name, changes) in enumerate(KINDS.items()):
        place = build_adapter(folder / name, models["llama"], 40 + seed, **changes)
        made[name] = Adapter(name, str(place), True, name)
    return made


def by_peft(folder: Path, adapters: tuple[Adapter, ...], prompt: tuple[int, ...], kind: str, merged: bool) -> list[int]:
    """Greedy tokens of a model that nothing but transformers and peft has touched."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig, GenerationConfig

    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    options: dict[str, Any] = {"dtype": {"bf16": torch.bfloat16}.get(kind, torch.float32)}
    if kind in QUANTISED:
        compute = {"bnb_4bit_compute_dtype": torch.float32} if kind != "int8" else {}
        config = BitsAndBytesConfig(**QUANTISED[kind], **compute)
        options = {**options, "quantization_config": config, "device_map": {"": "cpu"}}
    names = [adapter.name for adapter in adapters]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        base = AutoModelForCausalLM.from_pretrained(folder, **options)
        without_packing(base)
        with_whole_int8(base)
        first, *rest = sorted(adapters, key=lambda adapter: adapter.name == "tokens")  # peft loads none after it
        tuned = PeftModel.from_pretrained(base, first.location, first.name)
        for adapter in rest:
            tuned.load_adapter(adapter.location, adapter.name)
        tuned.base_model.set_adapter(names)
        network = tuned.eval()
        if merged:
            network = tuned.merge_and_unload(adapter_names=names)
        ids = torch.tensor([prompt])
        config = GenerationConfig(do_sample=False, max_new_tokens=12, eos_token_id=[1, 4], pad_token_id=0)
        # The wrapper's own generate wants one active adapter; the model below it has them all.
        model = network if merged else network.get_base_model()
        model.generation_config = GenerationConfig()
        output = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)
    return list(output[0, len(prompt) :].tolist())


def prompt_ids(engine: Any, target: Any) -> tuple[int, ...]:
    engine.load(target, ())
    return tuple(engine._loaded[target.weights].weights.renderer.prompt_ids((("user", PROMPT),)))


@pytest.mark.parametrize("merged", [False, True], ids=["beside", "merged"])
@pytest.mark.parametrize(
    "names",
    ["red", "red blue", "blue red", "dora red", "red dora", "dora head", "head blue", "tokens red", "red rs blue"],
)
def test_several_adapters_answer_as_plain_peft_does(
    names: str, merged: bool, asking: Any, kinds: dict[str, Adapter]
) -> None:
    """In fp32, applied in order or merged in order, one, two and three adapters give peft's own tokens.

    peft 0.21.2 cannot merge trained tokens beside another adapter (KeyError), so those are compared unmerged.
    """
    chosen = tuple(kinds[name] for name in names.split())
    target = asking.target(adapter=chosen, merged=merged)
    engine = asking.engine()

    (reply,) = asking.answers(engine, [asking.request(target, PROMPT)])

    prompt, is_merged = prompt_ids(engine, target), merged and "tokens" not in names
    assert list(reply.token_ids) == by_peft(asking.models["llama"], chosen, prompt, "fp32", is_merged)


@pytest.mark.parametrize("merged", [False, True], ids=["beside", "merged"])
@pytest.mark.parametrize("names", ["red", "red blue", "dora", "dora red"])
@pytest.mark.parametrize("kind", ["bf16", "nf4", "fp4", "int8"])
def test_quantised_adapters_answer_as_plain_peft_does(
    kind: str, names: str, merged: bool, asking: Any, kinds: dict[str, Adapter]
) -> None:
    """Also after the base has answered: bitsandbytes changes weights as they are used, and peft reads them."""
    chosen = tuple(kinds[name] for name in names.split())
    options = {"int8_threshold": 0.0} if kind == "int8" else {}
    base = asking.target(kind=kind, **options)
    target = asking.target(adapter=chosen, merged=merged, kind=kind, **options)
    engine = asking.engine()
    before = asking.texts(engine, [asking.request(base, PROMPT)])

    (reply,) = asking.answers(engine, [asking.request(target, PROMPT)])

    prompt = prompt_ids(engine, target)
    assert list(reply.token_ids) == by_peft(asking.models["llama"], chosen, prompt, kind, merged)
    assert asking.texts(engine, [asking.request(base, PROMPT)]) == before


def test_merged_adapters_leave_the_base_and_the_others_alone(
    asking: Any, kinds: dict[str, Adapter], prompts: list[str]
) -> None:
    """Merged, stacked, single and bare rows in one plan give the texts of separate engines; the base keeps its bits."""
    red, blue = kinds["red"], kinds["blue"]
    targets = [
        asking.target(), asking.target(adapter=red), asking.target(adapter=red, merged=True),
        asking.target(adapter=(red, blue)), asking.target(adapter=(red, blue), merged=True),
        asking.target(adapter=(kinds["dora"], blue), merged=True),
    ]  # fmt: skip
    plan = [[asking.request(target, text) for text in prompts[:4]] for target in targets]
    engine = asking.engine()
    asking.answers(engine, plan[0][:1])
    weights = {
        name: value.clone() for name, value in engine._loaded[targets[0].weights].weights.model.state_dict().items()
    }

    mixed = asking.texts(engine, [request for group in plan for request in group])

    apart = [text for group in plan for text in asking.texts(asking.engine(), group)]
    assert mixed == apart
    assert len(set(map(tuple, (mixed[start : start + 4] for start in range(0, 24, 4))))) >= 4
    after = engine._loaded[targets[0].weights].weights.model.state_dict()
    bare = {name.replace(".base_layer.", "."): value for name, value in after.items() if ".lora_" not in name}
    assert all(value.equal(bare[name]) for name, value in weights.items())


def test_a_merged_output_layer_leaves_tied_embeddings_alone(
    asking: Any, build_model: Callable[..., Path], build_adapter: Callable[..., Path], tmp_path: Path,
    chat_templates: dict[str, str],
) -> None:  # fmt: skip
    """Merged or beside the base, the adapter changes what comes out and not what goes in; the base keeps its text."""
    folder = build_model(tmp_path / "tied", "llama", chat_templates["turns"], tie_word_embeddings=True)
    place = build_adapter(tmp_path / "out", folder, 3, target_modules=["lm_head", "q_proj"])
    adapter = Adapter("out", str(place), True, "out")
    engine = asking.engine()
    bare = asking.request(asking.target(folder), PROMPT)
    before = asking.texts(engine, [bare])

    beside, merged = (
        asking.texts(engine, [asking.request(asking.target(folder, adapter=adapter, merged=merged), PROMPT)])
        for merged in (False, True)
    )

    assert beside == merged != before
    assert asking.texts(engine, [bare]) == before


def test_every_kind_answers_in_one_plan_as_alone(asking: Any, kinds: dict[str, Adapter], prompts: list[str]) -> None:
    """Plain, rank-stabilised and embedding LoRAs are mixed, DoRA, trained modules and tokens run apart: as alone."""
    targets = [asking.target(), *(asking.target(adapter=adapter) for adapter in kinds.values())]
    plan = [[asking.request(target, text) for text in prompts[:4]] for target in targets]

    replies = asking.answers(asking.engine(max_adapters=16), [request for group in plan for request in group])

    assert [reply.reason for reply in replies if isinstance(reply, Failure)] == []
    assert [reply.raw_text for reply in replies] == [
        text for group in plan for text in asking.texts(asking.engine(), group)
    ]
    assert len({tuple(reply.raw_text for reply in replies[start : start + 4]) for start in range(0, 40, 4)}) == 10


@pytest.mark.parametrize("kind", ["LoHa", "LoKr", "IA3", "OFT"])
def test_other_kinds_of_peft_share_the_base_with_loras(
    kind: str, asking: Any, kinds: dict[str, Adapter], prompts: list[str], tmp_path: Path
) -> None:
    """peft keeps one kind on a base; the engine takes one off for the other, and each answers as alone, merged too."""
    other = Adapter(kind, str(save_kind(tmp_path / kind, asking.models["llama"], kind)), True, kind)
    targets = [
        asking.target(), asking.target(adapter=other), asking.target(adapter=kinds["red"]),
        asking.target(adapter=other, merged=True),
    ]  # fmt: skip
    plan = [[asking.request(target, text) for text in prompts[:3]] for target in targets]

    mixed = asking.texts(asking.engine(), [request for group in plan for request in group])

    assert mixed == [text for group in plan for text in asking.texts(asking.engine(), group)]
    assert len({tuple(mixed[start : start + 3]) for start in (0, 3, 6)}) == 3
    assert mixed[3:6] == mixed[9:12]


def save_kind(folder: Path, base: Path, kind: str) -> Path:
    """A random adapter of a kind that is no LoRA."""
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    options: dict[str, Any] = {"target_modules": ["q_proj", "down_proj"]}
    if kind == "IA3":
        options["feedforward_modules"] = ["down_proj"]
    if kind == "OFT":
        options = {**options, "oft_block_size": 8}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = getattr(peft, f"{kind}Config")(task_type="CAUSAL_LM", **options)
        tuned = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
        noise = torch.Generator().manual_seed(3)
        for weight in tuned.parameters():
            if weight.requires_grad:
                weight.data.add_(torch.randn(weight.shape, generator=noise) * 0.3)
        tuned.save_pretrained(folder)
    return folder


def reason(asking: Any, chosen: tuple[Adapter, ...], merged: bool = False) -> str:
    base, tuned = asking.answers(
        asking.engine(),
        [asking.request(asking.target(), "one"), asking.request(asking.target(adapter=chosen, merged=merged), "one")],
    )
    assert not isinstance(base, Failure)
    assert isinstance(tuned, Failure)
    return tuned.reason


def test_what_cannot_stand_together_is_said(asking: Any, kinds: dict[str, Adapter], tmp_path: Path) -> None:
    """Two kinds, one adapter twice, and two trained copies of one module each have a sentence."""
    loha = Adapter("loha", str(save_kind(tmp_path / "loha", asking.models["llama"], "LoHa")), True, "out/loha")

    assert reason(asking, (kinds["red"], loha)) == (
        "Adapters red, out/loha are of the kinds LORA, LOHA, which peft cannot put on one base together. Merge one of "
        "them into a model of its own and name that as the target's model."
    )
    assert reason(asking, (kinds["red"], kinds["red"])) == ("Adapter 'red' is named twice on one target. Name it once.")


def test_two_trained_copies_of_one_module_are_refused(
    asking: Any, kinds: dict[str, Adapter], build_adapter: Callable[..., Path], tmp_path: Path
) -> None:
    """No one can say which of two output layers is meant, merged or not."""
    folder = build_adapter(tmp_path / "head2", asking.models["llama"], 77, modules_to_save=["lm_head"])
    both = (kinds["head"], Adapter("head2", str(folder), True, "head2"))

    assert reason(asking, both).startswith(
        "Adapters head, head2 cannot be applied together: ValueError: Only one adapter can be set at a time for "
    )
    assert reason(asking, both, merged=True).startswith(
        "Adapters head, head2 cannot be merged into this base: ValueError: Only one adapter can be set at a time for "
    )


def test_a_stack_fails_with_the_reason_of_its_part(asking: Any, kinds: dict[str, Adapter], tmp_path: Path) -> None:
    """An adapter that is not there is named, not the stack."""
    gone = Adapter("gone", str(tmp_path / "gone"), True, "gone")

    assert reason(asking, (kinds["red"], gone)) == f"Adapter 'gone': there is no folder {tmp_path / 'gone'}."


def test_order_and_merging_are_in_the_identity(asking: Any, kinds: dict[str, Adapter]) -> None:
    """Another order, or merged instead of beside, is another target with another label."""
    red, blue = kinds["red"], kinds["blue"]
    targets = [
        asking.target(adapter=(red, blue)), asking.target(adapter=(blue, red)),
        asking.target(adapter=(red, blue), merged=True), asking.target(adapter=red),
        asking.target(adapter=red, merged=True),
    ]  # fmt: skip
    engine = asking.engine()

    assert len({engine.identity_facts(target) for target in targets}) == 5
    assert [target.label for target in targets] == [
        "llama+red+blue:fp32:naked:greedy", "llama+blue+red:fp32:naked:greedy",
        "llama+red+blue+merged:fp32:naked:greedy", "llama+red:fp32:naked:greedy",
        "llama+red+merged:fp32:naked:greedy",
    ]  # fmt: skip
