"""Which target of a run the others are compared with."""

from __future__ import annotations

from evalkit.comparing.bases import bases_of

BASE, TUNED, OTHER = "m:bf16:naked:greedy", "m+a:bf16:naked:greedy", "n:bf16:naked:greedy"


def test_a_reference_is_the_base_of_what_is_like_it() -> None:
    """The most alike of several: shared parts of the label first, then the bare model."""
    assert bases_of([BASE, TUNED, OTHER], [BASE]) == {BASE: [OTHER, TUNED]}
    assert bases_of([BASE, TUNED, OTHER, "n+a:bf16:naked:greedy"], [BASE, OTHER]) == {
        BASE: [TUNED], OTHER: ["n+a:bf16:naked:greedy"],
    }  # fmt: skip


def test_without_a_reference_the_barest_is() -> None:
    """The model without adapters, without a condition; a target by itself has nothing to be compared with."""
    calm = "a:bf16:calm:greedy"
    assert bases_of([OTHER, TUNED, BASE, calm], []) == {BASE: [OTHER, calm, TUNED]}
    assert bases_of([TUNED, "m+b:bf16:naked:greedy"], []) == {TUNED: ["m+b:bf16:naked:greedy"]}
    assert bases_of([BASE, OTHER], [BASE, OTHER]) == {BASE: [OTHER]}
    assert bases_of([BASE], []) == {}
