"""``--eval-noise`` on the demo model: other batches, on weights that stay loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Desk

pytestmark = pytest.mark.slow

PROBES = """\
defaults: {category: MIXED, decoding: {max_new_tokens: 24}, expect: {min_words: 3}}
probes:
  - {id: tide, prompt: Why does the sea rise and fall twice a day?}
  - {id: bread, prompt: How long does a loaf of bread keep?}
  - {id: name, prompt: 'Who are you, and who made you?'}
  - {id: rope, prompt: How is a rope made?}
  - {id: loaf, prompt: How long should dough rest before it goes into the oven on a cold day?}
  - {id: moss, prompt: Where does moss grow best?}
  - {id: draw, prompt: Tell me of a river., decoding: {temperature: 0.9}}
"""


def test_answers_are_generated_again_without_a_second_load(desk: Desk) -> None:
    """Every probe again in other batches; in fp32 nothing flips, and the answers that count are the first ones."""
    desk.write("suites/mixed/mixed.yaml", PROBES)
    chosen = ["suites/mixed", "--eval-model", "demo", "--eval-adapter", "steady", "--eval-quant", "fp32"]

    _, output = desk.run(*chosen, "--eval-noise", "7", "-n", "2")
    first = desk.results()

    assert "noise    0.0 % of verdicts flip by themselves [0.0–35.4]: 7 probes asked again" in output, output
    assert desk.loads() == 1
    assert len(desk.identities()) == 14
    _, output = desk.run(*chosen)
    assert [line["answers"] for line in desk.results()] == [line["answers"] for line in first]
    assert len(desk.identities()) == 14, "the second run found every answer stored"
