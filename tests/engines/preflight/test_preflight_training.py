"""Whether an adapter was trained and moves the logits: planted faults and what is said of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evalkit.target import Adapter


@pytest.mark.parametrize("changes", [{"use_dora": True}, {"modules_to_save": ["lm_head"]}], ids=["dora", "head"])
def test_zero_lora_b_beside_something_else_that_was_trained(
    changes: dict[str, Any], clinic: Any, base: Path, build_adapter: Callable[..., Path], tmp_path: Path
) -> None:
    """DoRA's magnitudes or a whole trained module may change a text by themselves: the logits decide."""
    other = clinic.adapter(build_adapter(tmp_path / "other", base, 1, scale=0.0, **changes))

    finding = clinic.found(clinic.target(base, other))["lora_b"]

    assert (finding.level, finding.sentence) == (
        "warn",
        "Every lora_B of adapter 'other' is zero, so only what was trained beside them can change a text. Make sure "
        "that it was saved after training.",
    )


def test_other_kinds_have_their_own_start(clinic: Any, base: Path, tmp_path: Path) -> None:
    """IA3 starts at one, LoHa at zero; of LoKr nothing is known and its logits decide."""
    from peft import IA3Config, LoHaConfig, LoKrConfig

    modules = {"target_modules": ["q_proj", "v_proj"]}
    scaled = IA3Config(**modules, feedforward_modules=[])
    idle = clinic.save_kind(tmp_path / "ia3", base, scaled)
    used = clinic.save_kind(tmp_path / "used", base, scaled, lambda name: "ia3_l" in name)
    loha = clinic.save_kind(tmp_path / "loha", base, LoHaConfig(**modules, r=2))
    lokr = clinic.save_kind(tmp_path / "lokr", base, LoKrConfig(**modules, r=2))

    assert clinic.failed(clinic.found(clinic.target(base, idle))) == {
        "lora_b": "The adapter 'ia3' was never trained: every ia3_l (4) is one, so its answers would be the base's. "
        "Name a checkpoint that was saved after training."
    }
    assert clinic.found(clinic.target(base, used))["lora_b"].sentence == "None of the 4 ia3_l of adapter 'used' is one."
    assert clinic.failed(clinic.found(clinic.target(base, loha))) == {
        "lora_b": "The adapter 'loha' was never trained: every hada_w2_b (4) is zero, so its answers would be the "
        "base's. Name a checkpoint that was saved after training."
    }
    kept = clinic.found(clinic.target(base, lokr), loaded=True)
    assert (kept["lora_b"].level, kept["lora_b"].sentence) == (
        "skip", "What an untrained adapter of kind LOKR holds is not known here; its logits decide.",
    )  # fmt: skip
    assert clinic.failed(kept)["logits"].startswith(
        "The adapter 'lokr' changes nothing: with and without, the logits of "
    )


def test_an_adapter_that_moves_nothing(clinic: Any, base: Path, tuned: Adapter) -> None:
    """Its lora_B are not zero, its lora_A are: only the logits show it."""
    clinic.scale(tuned, "lora_A", 0.0)

    findings = clinic.found(clinic.target(base, tuned), loaded=True)

    assert clinic.failed(findings) == {
        "logits": "The adapter 'red' changes nothing: with and without, the logits of 51 tokens are the same. Leave it "
        "out, or name a checkpoint that learned something."
    }
    assert findings["lora_b"].level == "pass"


def test_an_adapter_that_moves_no_more_than_rounding(clinic: Any, base: Path, tuned: Adapter) -> None:
    """A trace of training is told and goes on; where rounding ends differs between processors, so it is looked for."""
    clinic.scale(tuned, "lora_B", 1e-4)
    finding = clinic.found(clinic.target(base, tuned), loaded=True)["logits"]
    assert finding.level == "pass"

    while finding.level == "pass":
        clinic.scale(tuned, "lora_B", 0.25)
        finding = clinic.found(clinic.target(base, tuned), loaded=True)["logits"]

    assert finding.level == "warn"
    assert finding.sentence.startswith("The adapter 'red' moves the logits by ")
    assert finding.sentence.endswith(
        " at most, which is no more than rounding does. Make sure that training did anything."
    )


def test_of_several_adapters_the_one_that_does_nothing_is_told(
    clinic: Any, base: Path, tuned: Adapter, build_adapter: Callable[..., Path], tmp_path: Path
) -> None:
    """Together they move the logits, which must not hide that one of them does not."""
    other = clinic.adapter(build_adapter(tmp_path / "blue", base, 2))
    both = clinic.found(clinic.target(base, (tuned, other)), loaded=True)
    clinic.scale(other, "lora_A", 0.0)

    one = clinic.found(clinic.target(base, (tuned, other)), loaded=True)

    assert both["logits"].level == "pass"
    assert clinic.failed(one)["logits"].startswith("The adapter 'blue' changes nothing: ")


def test_merged_adapters_are_looked_at_as_they_are_merged(
    clinic: Any, base: Path, tuned: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alone and merged: what moves the logits beside the base may be lost when it is rounded into it."""
    from evalkit.engines.local.preflight import movement

    target = replace(clinic.target(base, tuned, "nf4"), merged=True)
    fine = clinic.found(target, loaded=True)
    real = movement._logits

    def lost(ids: Any, weights: Any, rack: Any, name: str | None) -> Any:
        return real(ids, weights, rack, None if name == rack.name_of((tuned,), True) else name)

    monkeypatch.setattr(movement, "_logits", lost)

    assert fine["logits"].level == "pass"
    assert clinic.failed(clinic.found(target, loaded=True)) == {
        "logits": "The adapter 'red', merged, changes nothing: with and without, the logits of 51 tokens are the same. "
        "Leave it out, or name a checkpoint that learned something."
    }
