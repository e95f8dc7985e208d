"""Several adapters on one target, beside the base or merged into it, and patterns of checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import UnreadableFile, UsageError
from evalkit.reading.checkpoints import expanded
from evalkit.reading.places import Place


def test_a_chain_and_its_merged_twin_are_two_targets(demo: Any) -> None:
    """The order of the command line is the order of application; ``+merged`` merges, and the label says so."""
    chosen = ("steady+looping", "looping+steady", "steady+looping+merged", "steady+merged")

    targets = demo.resolve(targets=("demo:nf4",), adapters=chosen)

    assert [(target.label, target.merged) for target in targets] == [
        ("demo+steady+looping:nf4:naked:greedy", False),
        ("demo+looping+steady:nf4:naked:greedy", False),
        ("demo+steady+looping+merged:nf4:naked:greedy", True),
        ("demo+steady+merged:nf4:naked:greedy", True),
    ]
    assert [[adapter.name for adapter in target.adapters] for target in targets] == [
        ["steady", "looping"], ["looping", "steady"], ["steady", "looping"], ["steady"],
    ]  # fmt: skip


def test_a_file_says_merged_in_both_forms(scratch: Any) -> None:
    """``merged: true`` and the short form mean the same target; roles belong to adapters, merged or not."""
    scratch.model("models/own")
    for name in ("a", "b"):
        scratch.adapter(f"adapters/{name}", "models/own")
    scratch.declare(
        """
models: {own: {path: models/own}}
adapters: {a: {path: adapters/a}, b: {path: adapters/b}}
default:
  - {model: own, adapter: [a, b], merged: true, role: reference}
targets:
  short: own+a+b+merged
"""
    )

    (written,) = scratch.resolve()
    (short,) = scratch.resolve(targets=("short",))
    (beside,) = scratch.resolve(adapters=("a+b",))

    assert written.label == short.label == "own+a+b+merged:bf16:naked:greedy"
    assert (written.merged, short.merged, beside.merged) == (True, True, False)
    assert (written.role, beside.role) == ("reference", "reference")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "default:\n  - {model: own, merged: true}\n",
            "fixtures/targets.yaml:2: $.default[0]: merged: true needs an adapter to merge. Add adapter:, or take "
            "merged out.",
        ),
        (
            "default:\n  - own+merged\n",
            "fixtures/targets.yaml:2: $.default[0]: expected an adapter in front of +merged, found 'own+merged'.",
        ),
        (
            "adapters:\n  merged: {path: x}\n",
            "fixtures/targets.yaml:2: $.adapters.merged: 'merged' is built in and cannot be declared. Choose another "
            "name.",
        ),
    ],
)
def test_a_mistake_with_merged_is_shown_at_its_line(text: str, message: str, scratch: Any) -> None:
    """Nothing to merge, and an adapter of that name, are refused where they are written."""
    scratch.declare(text)

    with pytest.raises(UnreadableFile) as caught:
        scratch.resolve()
    assert str(caught.value) == message


def test_merging_nothing_on_the_command_line_is_refused(demo: Any) -> None:
    """The short form on the command line has the same sentence."""
    with pytest.raises(UsageError) as caught:
        demo.resolve(targets=("own+merged",))

    assert str(caught.value) == "--eval-target: expected an adapter in front of +merged, found 'own+merged'."


def test_a_folder_called_merged_takes_in_the_folder_above(demo: Any) -> None:
    """Its label cannot be taken for that of a merged target."""
    demo.adapter("out/merged", "models/own")

    assert demo.labels(adapters=("out/merged",)) == ["own+out-merged:bf16:naked:greedy"]


def test_a_target_knows_the_step_of_its_last_checkpoint(demo: Any) -> None:
    """From the folder's name; adapters of unknown step do not count, and a target without any has none."""
    for step in (2, 10):
        demo.adapter(f"runs/x/checkpoint-{step}", "models/own")
    adapters = ("none", "runs/x/checkpoint-2", "runs/x/checkpoint-2+runs/x/checkpoint-10+mine")

    assert [target.step for target in demo.resolve(models=("own",), adapters=adapters)] == [None, 2, 10]


PLACE = Place("--eval-adapter")


def test_a_pattern_expands_by_training_step(scratch: Any) -> None:
    """checkpoint-2 stands before checkpoint-10, other steps where trainer_state.json says, unknown ones last."""
    for name in ("checkpoint-10", "checkpoint-2", "best", "checkpoint-100", "last2", "last10"):
        scratch.adapter(f"runs/x/{name}", "models/own")
    scratch.write("runs/x/best/trainer_state.json", '{"global_step": 50}')
    scratch.write("runs/x/log/train.txt", "loss")

    assert expanded("runs/x/*", (scratch.root,), PLACE) == (
        "runs/x/checkpoint-2", "runs/x/checkpoint-10", "runs/x/best", "runs/x/checkpoint-100", "runs/x/last2",
        "runs/x/last10",
    )  # fmt: skip


def test_patterns_stand_in_chains_and_are_absolute_too(scratch: Any) -> None:
    """Each match makes a chain of its own; what is no pattern is left as it is, a folder with brackets too."""
    for step in (10, 2):
        scratch.adapter(f"runs/x/checkpoint-{step}", "models/own")
    scratch.adapter("odd[1]", "models/own")
    roots = (Path("/nowhere"), scratch.root)

    assert expanded("mine+runs/x/checkpoint-*+merged", roots, PLACE) == (
        "mine+runs/x/checkpoint-2+merged", "mine+runs/x/checkpoint-10+merged",
    )  # fmt: skip
    assert expanded(f"{scratch.root}/runs/x/checkpoint-?", roots, PLACE) == (f"{scratch.root}/runs/x/checkpoint-2",)
    assert expanded("odd[1]", roots, PLACE) == ("odd[1]",)
    assert expanded("a+b", roots, PLACE) == ("a+b",)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (
            "runs/y/*",
            "--eval-adapter: no folder matches runs/y/*. Patterns start at the current folder or the workspace's.",
        ),
        (
            "logs/*",
            "--eval-adapter: logs/* matches 2 places, and none holds adapter_config.json. Name adapter folders.",
        ),
    ],
)
def test_a_pattern_without_adapters_is_said(pattern: str, message: str, scratch: Any) -> None:
    """A run on no adapter at all would look like one on the base."""
    scratch.write("logs/a/train.txt", "loss")
    scratch.write("logs/b.txt", "loss")

    with pytest.raises(UsageError) as caught:
        expanded(pattern, (scratch.root,), PLACE)
    assert str(caught.value) == message
