"""What an answer is filed under: the weights that gave it, real processes on the demo model."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import CHECKOUT, Desk
else:
    from pathlib import Path

    CHECKOUT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.long]

DEMO = CHECKOUT / "fixtures" / "demo"
TARGETS = """\
models:
  one: {path: models/one, decoding: {max_new_tokens: 12}}
  two: {path: models/two, decoding: {max_new_tokens: 12}}
adapters:
  mine: {path: adapters/mine, base: one}
"""
PROBES = "probes:\n" + "".join(
    f"  - {{id: ask{number}, prompt: 'Why does the tide rise {number} times?', expect: {{min_words: 1}},"
    " category: TIDE}\n"
    for number in range(3)
)


def prepare(desk: Desk) -> None:
    desk.write("fixtures/targets.yaml", TARGETS)
    desk.write("suites/tides/tides.yaml", PROBES)
    shutil.copytree(DEMO / "base", desk.root / "models" / "one")


def identities(results: list[dict[str, Any]]) -> set[str]:
    return {name for line in results for name in line["generations"]}


def test_a_retrained_adapter_is_asked_again_and_nothing_else_is(desk: Desk) -> None:
    """A second run generates nothing; the same folder with other weights does, and is answered by those alone."""
    prepare(desk)
    place = desk.root / "adapters" / "mine"
    chosen = ("suites", "--eval-target", "one+mine:fp32", "--eval-target", "one:fp32")
    shutil.copytree(DEMO / "adapters" / "steady", place)

    _, output = desk.run(*chosen)
    first, kept, loads = desk.results(), desk.identities(), desk.loads()
    desk.run(*chosen)
    second, kept_again, loads_again = desk.results(), desk.identities(), desk.loads()
    shutil.copytree(DEMO / "adapters" / "looping", place, dirs_exist_ok=True)
    desk.run(*chosen)
    third = desk.results()

    assert (len(first), loads, len(kept)) == (6, 1, 6), output
    assert (identities(second), loads_again, kept_again) == (identities(first), 0, kept)
    assert desk.loads() == 1
    assert len(desk.identities()) == 9
    old, new = (
        identities([line for line in lines if line["target"] == "one+mine:fp32:naked:greedy"])
        for lines in (first, third)
    )
    assert not old & new
    assert identities(first) - old == identities(third) - new


def test_two_models_of_equal_prompts_never_share_an_answer(desk: Desk) -> None:
    """One weight changed in the last bit is another model; a copy of the same files is the same."""
    from safetensors.torch import load_file, save_file

    prepare(desk)
    shutil.copytree(DEMO / "base", desk.root / "models" / "two")
    run = ("suites", "--eval-model", "one", "--eval-model", "two", "--eval-quant", "fp32")

    desk.run(*run)
    same = desk.results()
    file = desk.root / "models" / "two" / "model.safetensors"
    tensors = load_file(file)
    tensors[min(tensors)].view(-1)[:1].mul_(1.01)
    save_file(tensors, file, metadata={"format": "pt"})
    desk.run(*run)
    other = desk.results()

    assert len(identities(same)) == 3
    one, two = (identities([line for line in other if line["target"].startswith(name)]) for name in ("one", "two"))
    assert one == identities(same)
    assert len(two) == 3
    assert not one & two
    assert len(desk.identities()) == 6
