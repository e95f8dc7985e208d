"""What is known about an adapter from its folder, and the footer's line about it."""

import pytest

from evalkit.reading.adapters import describe_adapter, read_adapter_folder
from evalkit.reading.targets import TargetChoice, read_targets
from evalkit.target import Adapter
from evalkit.workspace import Workspace, builtin_root


def test_an_adapter_is_described_by_its_facts(demo):
    """Kind, rank, alpha, sorted modules, and where it is."""
    (target,) = demo.resolve(adapters=("steady",))

    assert describe_adapter(target.adapters[0]) == "steady: LoRA r=8 alpha=16 on q_proj, v_proj (adapters/steady)"


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ((), "a: (org/a)"),
        ((("peft_type", "LORA"), ("r", 4), ("use_dora", True)), "a: DoRA r=4 (org/a)"),
        ((("peft_type", "LOHA"), ("step", 300)), "a: LOHA at step 300 (org/a)"),
        ((("peft_type", "LORA"), ("target_modules", "all-linear")), "a: LoRA on all-linear (org/a)"),
    ],
)
def test_only_what_is_known_is_described(facts, line):
    """Missing facts leave no gap words."""
    assert describe_adapter(Adapter("a", "org/a", False, "org/a", facts=facts)) == line


def test_a_revision_is_part_of_where_an_adapter_is():
    """A hub adapter is not the same at every revision."""
    assert describe_adapter(Adapter("a", "org/a", False, "org/a", revision="v2")) == "a: (org/a@v2)"


def test_facts_are_sorted_and_leave_out_what_is_unset(scratch):
    """Provenance must be equal for equal adapters, whatever order the file has."""
    scratch.adapter("out/a", "org/base", use_dora=True, target_modules=["v", "k"], revision="r1", lora_dropout=0.1)

    found = read_adapter_folder(scratch.root / "out/a", "out/a")

    assert (found.base, found.revision) == ("org/base", "r1")
    assert found.facts == (
        ("base_model_name_or_path", "org/base"),
        ("lora_alpha", 16),
        ("peft_type", "LORA"),
        ("r", 8),
        ("revision", "r1"),
        ("target_modules", ("k", "v")),
        ("use_dora", True),
    )


@pytest.mark.parametrize(
    ("folder", "state", "step"),
    [
        ("out/checkpoint-300", None, 300),
        ("out/final", '{"global_step": 120}', 120),
        ("out/final", "not json", None),
        ("out/final", '{"global_step": "many"}', None),
        ("out/final", None, None),
    ],
)
def test_the_step_comes_from_the_folder_or_the_trainer(scratch, folder, state, step):
    """checkpoint-300 says it in its name; other folders may hold trainer_state.json."""
    scratch.adapter(folder, "org/base")
    if state is not None:
        scratch.write(f"{folder}/trainer_state.json", state)

    facts = dict(read_adapter_folder(scratch.root / folder, folder).facts)

    assert facts.get("step") == step


def test_the_demos_adapters_are_read_as_peft_saved_them():
    """The real thing, not our picture of it: folders that peft wrote, on the model they were trained on."""
    targets = read_targets(Workspace(builtin_root())).resolve(TargetChoice())

    adapters = {target.label.split(":")[0]: dict(target.adapters[0].facts) for target in targets if target.adapters}
    assert set(adapters) == {"demo+steady", "demo+eager", "demo+looping"}
    for facts in adapters.values():
        assert facts["base_model_name_or_path"] == "fixtures/demo/base"
        assert facts["peft_type"] == "LORA"
        assert {"q_proj", "v_proj"} <= set(facts["target_modules"])
