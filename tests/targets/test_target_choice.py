"""What each combination of target options selects."""

import subprocess
import sys
from dataclasses import replace

import pytest

from evalkit.errors import UsageError


def test_without_options_the_default_runs(demo):
    """Roles are those of the file, and parts left out are bf16, naked and greedy unless written."""
    targets = demo.resolve()

    assert [(target.label, target.role) for target in targets] == [
        ("demo:nf4:naked:greedy", "subject"),
        ("demo+steady:nf4:naked:greedy", "subject"),
        ("demo+looping:nf4:naked:greedy", "reference"),
    ]
    assert all(target.model.is_demo for target in targets)


def test_a_quantisation_replaces_that_axis_of_every_default_target(demo):
    """Several values cross, in the order of the targets, then of the values."""
    assert demo.labels(quantisations=("int8", "bf16")) == [
        "demo:int8:naked:greedy",
        "demo:bf16:naked:greedy",
        "demo+steady:int8:naked:greedy",
        "demo+steady:bf16:naked:greedy",
        "demo+looping:int8:naked:greedy",
        "demo+looping:bf16:naked:greedy",
    ]


def test_conditions_and_decodings_cross(demo):
    """A condition from a file and an inline decoding are named after what was written."""
    demo.write("kernel.txt", "Be brief.\n\n")

    targets = demo.resolve(
        targets=("demo",), conditions=("naked", "k=kernel.txt"), decodings=("greedy", "top_p=0.9,temperature=0.8")
    )

    assert [target.label for target in targets] == [
        "demo:nf4:naked:greedy",
        "demo:nf4:naked:t0.8-p0.9",
        "demo:nf4:k:greedy",
        "demo:nf4:k:t0.8-p0.9",
    ]
    assert targets[2].condition.system == "Be brief."
    assert (targets[1].decoding.temperature, targets[1].decoding.top_p) == (0.8, 0.9)


def test_a_glob_stands_for_the_declared_names_that_it_matches(demo):
    """A sweep in one option; a name is not taken twice, and a glob that matches nothing is told as it was written."""
    assert demo.labels(targets=("demo",), conditions=("nak*", "naked"), decodings=("gre*",)) == [
        "demo:nf4:naked:greedy"
    ]
    with pytest.raises(UsageError, match=r"^--eval-decoding: no decoding is named 'x\*'. Known: greedy.$"):
        demo.labels(decodings=("x*",))


def test_an_adapter_of_the_default_model_replaces_the_adapters(demo):
    """The four default targets become one, and its role is what the file says of that adapter."""
    assert [(t.label, t.role) for t in demo.resolve(adapters=("looping",))] == [
        ("demo+looping:nf4:naked:greedy", "reference")
    ]


def test_none_is_the_base_alone(demo):
    """The default targets without adapters are one target."""
    assert demo.labels(adapters=("none",)) == ["demo:nf4:naked:greedy"]


def test_none_beside_an_adapter_runs_on_the_base_it_brings(demo):
    """The base of the adapter is run alone and with the adapter."""
    demo.adapter("out/checkpoint-300", "google/gemma-2-9b-it")

    assert demo.labels(adapters=("none", "./out/checkpoint-300")) == [
        "gemma:bf16:naked:greedy",
        "gemma+checkpoint-300:bf16:naked:greedy",
    ]


def test_an_undeclared_adapter_alone_brings_its_base_and_revision(demo):
    """A base that nothing declares is named after its hub id; the demo's nf4 is not taken over."""
    demo.adapter("out/checkpoint-300", "google/gemma-2-2b-it", revision="r1")

    (target,) = demo.resolve(adapters=("./out/checkpoint-300",))

    assert target.label == "gemma-2-2b-it+checkpoint-300:bf16:naked:greedy"
    assert (target.model.location, target.model.revision, target.model.is_local) == (
        "google/gemma-2-2b-it",
        "r1",
        False,
    )
    assert dict(target.adapters[0].facts) == {
        "base_model_name_or_path": "google/gemma-2-2b-it",
        "lora_alpha": 16,
        "peft_type": "LORA",
        "r": 8,
        "revision": "r1",
        "step": 300,
        "target_modules": ("q_proj", "v_proj"),
    }


def test_an_adapter_whose_base_is_declared_uses_the_declared_model(demo):
    """The declared name and the revision it pins are used."""
    demo.adapter("out/a", "google/gemma-2-9b-it")

    (target,) = demo.resolve(adapters=("out/a",), quantisations=("nf4", "nf4"))

    assert target.label == "gemma+a:nf4:naked:greedy"
    assert target.model.revision == "abc"


def test_an_adapter_trained_on_another_revision_brings_that_revision(demo):
    """A declared model of the same hub id pinned elsewhere is another model, and keeps its name."""
    demo.adapter("out/a", "google/gemma-2-9b-it", revision="older")
    demo.declare(demo.root.joinpath("fixtures/targets.yaml").read_text().replace("  gemma:", "  gemma-2-9b-it:"))

    (target,) = demo.resolve(adapters=("out/a",))

    assert target.label == "google-gemma-2-9b-it+a:bf16:naked:greedy"
    assert target.model.revision == "older"


@pytest.mark.parametrize("base", ["../../models/own", "models/own", "{root}/models/own"])
def test_a_base_may_be_a_path_from_anywhere(demo, base):
    """Relative to the workspace, to the adapter's folder, or absolute: the declared model is found by its real path."""
    demo.adapter("out/a", base.format(root=demo.root))

    assert demo.labels(adapters=("out/a",)) == ["own+a:bf16:naked:greedy"]


def test_a_demo_adapter_with_own_defaults_is_a_plain_target(own):
    """The user's targets are not mixed with a demo model."""
    assert own.labels(adapters=("steady",)) == ["demo+steady:bf16:naked:greedy"]


def test_an_adapter_keeps_the_other_axes_of_own_defaults(own):
    """The conditions and quantisations of the default stay; the model becomes the adapter's base."""
    own.adapter("out/a", "google/gemma-2-9b-it")

    assert own.labels(adapters=("out/a",)) == ["gemma+a:nf4:naked:greedy", "gemma+a:nf4:kernel:greedy"]


def test_a_model_alone_drops_the_demo(demo):
    """Neither the demo's adapters nor its nf4 go with another model."""
    assert demo.labels(models=("own",)) == ["own:bf16:naked:greedy"]
    assert demo.labels(models=("own", "google/gemma-2-2b-it@r2")) == [
        "own:bf16:naked:greedy",
        "gemma-2-2b-it:bf16:naked:greedy",
    ]


def test_the_demo_model_named_keeps_the_demo_targets(demo):
    """The model axis is replaced by what it was."""
    assert demo.labels(models=("demo",)) == [
        "demo:nf4:naked:greedy",
        "demo+steady:nf4:naked:greedy",
        "demo+looping:nf4:naked:greedy",
    ]


def test_a_model_and_an_adapter(demo):
    """Both axes are replaced, and one plain target is left."""
    assert demo.labels(models=("models/own",), adapters=("none", "mine")) == [
        "own:bf16:naked:greedy",
        "own+mine:bf16:naked:greedy",
    ]


def test_a_model_replaces_that_axis_of_own_defaults(own):
    """With the adapters taken off, both conditions stay."""
    assert own.labels(models=("gemma",), adapters=("none",)) == ["gemma:nf4:naked:greedy", "gemma:nf4:kernel:greedy"]


def test_adapters_joined_by_plus_are_applied_in_order(demo):
    """A chain is one target."""
    assert demo.labels(adapters=("looping+steady",)) == ["demo+looping+steady:nf4:naked:greedy"]


def test_a_default_without_entries_takes_a_model(scratch):
    """A workspace that declares nothing can still be asked for a model by its path."""
    scratch.declare("models: {}\n")
    scratch.model("out/final")

    assert scratch.labels(models=("./out/final",)) == ["final:bf16:naked:greedy"]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("demo", ["demo:nf4:naked:greedy"]),
        ("demo+looping:nf4", ["demo+looping:nf4:naked:greedy"]),
        ("demo+*", ["demo+steady:nf4:naked:greedy", "demo+looping:nf4:naked:greedy"]),
        ("demo+looping:int8", ["demo+looping:int8:naked:greedy"]),
        ("own+mine", ["own+mine:bf16:naked:greedy"]),
        ("google/gemma-2-2b-it@r2:fp16", ["gemma-2-2b-it:fp16:naked:greedy"]),
        ("own+none:nf4", ["own:nf4:naked:greedy"]),
    ],
)
def test_a_target_is_named_by_label_short_form_or_glob(demo, text, labels):
    """A label's first parts choose every known target that starts so; otherwise the short form is read."""
    assert demo.labels(targets=(text,)) == labels


def test_a_short_form_of_known_weights_takes_their_role(demo):
    """An adapter expected to misbehave is so in every quantisation."""
    assert [target.role for target in demo.resolve(targets=("demo+looping:int8", "demo+steady:int8"))] == [
        "reference",
        "subject",
    ]


def test_axes_replace_those_of_the_chosen_targets(demo):
    """--eval-target narrows first, then each axis given replaces."""
    assert demo.labels(targets=("demo",), adapters=("steady",), quantisations=("fp32",)) == [
        "demo+steady:fp32:naked:greedy"
    ]
    assert demo.labels(targets=("demo",), models=("own",)) == ["own:nf4:naked:greedy"]


def test_the_same_target_asked_for_twice_runs_once(demo):
    """Equal targets under one label are one target, however they were written."""
    spellings = ("./adapters/steady", "steady", str(demo.root / "adapters/steady"))

    assert demo.labels(adapters=spellings) == ["demo+steady:nf4:naked:greedy"]


def test_one_undeclared_place_written_twice_is_one_target(demo):
    """The first spelling is the one shown."""
    demo.adapter("out/a", "models/own")

    (target,) = demo.resolve(adapters=("out/a", "./out/a"))

    assert target.adapters[0].shown == "out/a"


def test_two_places_of_one_name_are_told_apart_by_the_folder_above(demo):
    """Names that clash take in the parent, both of them."""
    demo.adapter("out/a/checkpoint-300", "models/own")
    demo.adapter("out/b/checkpoint-300", "models/own")

    assert demo.labels(adapters=("out/a/checkpoint-300", "out/b/checkpoint-300")) == [
        "own+a-checkpoint-300:bf16:naked:greedy",
        "own+b-checkpoint-300:bf16:naked:greedy",
    ]


def test_an_undeclared_place_never_takes_a_declared_name(demo):
    """Another adapter in a folder called steady is widened, so that the label steady stays the declared one's."""
    demo.adapter("out/steady", "models/demo")

    assert demo.labels(adapters=("out/steady",)) == ["demo+out-steady:nf4:naked:greedy"]


def test_two_revisions_of_one_hub_id_are_told_apart(demo):
    """Where folders cannot tell, the revision does."""
    assert demo.labels(models=("a/m@one", "a/m@two")) == ["a-m-one:bf16:naked:greedy", "a-m-two:bf16:naked:greedy"]


def test_names_in_labels_hold_only_letters_that_labels_may_hold(demo):
    """Blanks, colons and plus signs would break a label or -k."""
    demo.model("out/my model+x")

    assert demo.labels(models=("out/my model+x",)) == ["my-model-x:bf16:naked:greedy"]


def test_an_engine_replaces_that_of_every_target(demo):
    """A replayed target needs no weights on this machine."""
    demo.write("fixtures/recordings/gold.jsonl")
    for folder in ("models", "adapters"):
        (demo.root / folder).rename(demo.root / f"{folder}-gone")

    targets = demo.resolve(engine="replay=fixtures/recordings/gold.jsonl")

    assert len(targets) == 3
    assert {target.engine.kind for target in targets} == {"replay"}
    assert targets[0].engine.setting("recordings") == ("gold.jsonl",)
    assert demo.labels(engine="replay=gold.jsonl") == demo.labels(engine="replay")


def test_an_engine_declared_under_a_built_in_name_is_the_default(demo):
    """Settings for local hold without naming the engine anywhere."""
    text = demo.root.joinpath("fixtures/targets.yaml").read_text()
    demo.declare(text + "engines:\n  local: {max_batch_rows: 4, device: cpu}\n")

    engines = {target.engine for target in (*demo.resolve(), *demo.resolve(models=("own",)))}

    assert [engine.settings for engine in engines] == [(("device", "cpu"), ("max_batch_rows", 4))]


def test_a_hub_adapter_is_read_from_the_hub_cache(demo):
    """What was downloaded before gives base and facts without asking the network."""
    cache = "hf/hub/models--someone--tuned"
    demo.write(f"{cache}/refs/main", "c0ffee")
    demo.adapter(f"{cache}/snapshots/c0ffee", "google/gemma-2-9b-it", r=4)

    (target,) = demo.resolve(adapters=("someone/tuned",))

    assert target.label == "gemma+tuned:bf16:naked:greedy"
    assert dict(target.adapters[0].facts)["r"] == 4


def test_a_hub_adapter_that_is_not_here_runs_on_a_model_given(demo):
    """Its facts and its base are unknown, so nothing is claimed about them."""
    (target,) = demo.resolve(models=("gemma",), adapters=("someone/tuned@r3",))

    assert target.label == "gemma+tuned:bf16:naked:greedy"
    assert (target.adapters[0].revision, target.adapters[0].facts) == ("r3", ())


def test_a_local_copy_of_the_hub_base_is_accepted(demo):
    """A folder with the hub model's last name counts as that model; the training machine's path likewise."""
    demo.model("copies/gemma-2-2b-it")
    demo.adapter("out/a", "google/gemma-2-2b-it")
    demo.adapter("out/b", "/home/trainer/gemma-2-2b-it")

    assert demo.labels(models=("copies/gemma-2-2b-it",), adapters=("out/a", "out/b")) == [
        "gemma-2-2b-it+a:bf16:naked:greedy",
        "gemma-2-2b-it+b:bf16:naked:greedy",
    ]


def test_a_declared_base_wins_over_the_one_in_the_file(demo):
    """base: says which model an adapter belongs to where its own file names another."""
    text = demo.root.joinpath("fixtures/targets.yaml").read_text()
    demo.declare(text.replace("mine: {path: adapters/mine}", "mine: {path: adapters/mine, base: gemma}"))

    assert demo.labels(adapters=("mine",)) == ["gemma+mine:bf16:naked:greedy"]
    assert demo.labels(models=("gemma",), adapters=("mine",)) == ["gemma+mine:bf16:naked:greedy"]


def test_the_same_choice_gives_the_same_targets(demo):
    """Workers resolve on their own, so targets must be equal, order included."""
    choice = {"adapters": ("none", "steady"), "quantisations": ("nf4", "bf16")}

    assert demo.resolve(**choice) == demo.resolve(**choice)


def test_two_targets_of_one_label_that_differ_are_an_error(scratch):
    """A label must say which target is meant."""
    scratch.model("models/own")
    scratch.declare("models:\n  own: {path: models/own}\ndefault:\n  - own:bf16\n  - {model: own, role: reference}\n")

    with pytest.raises(UsageError) as raised:
        scratch.resolve()

    assert str(raised.value) == (
        "Two targets are labelled own:bf16:naked:greedy and differ in role. Give what differs another name."
    )


def test_facts_and_role_are_all_that_reading_adds(demo):
    """A target chosen by its label equals the default one."""
    default = demo.resolve()[1]

    (chosen,) = demo.resolve(targets=("demo+steady:nf4:naked:greedy",))

    assert chosen == replace(default)


def test_reading_targets_imports_no_model_package():
    """Collecting must stay fast."""
    code = "import sys, evalkit.reading.targets; print({'torch', 'transformers', 'peft'} & set(sys.modules))"

    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert output.strip() == "set()"
