"""A row that spoils its pass or its place takes no other row with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evalkit.generation import Failure

pytestmark = pytest.mark.slow


def test_rows_whose_choice_fails_as_they_join_are_answered_once(
    asking: Any, prompts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are in the arena by then; all rows of it run again, and none runs on beside its second self."""
    from evalkit.engines.local import generating

    requests = [
        asking.request(asking.target(), text, max_new_tokens=3 + 4 * (index % 4)) for index, text in enumerate(prompts)
    ]
    expected = asking.texts(asking.engine(), requests)
    real, answer = generating.choose, generating.Loop._answer
    joined: list[int] = []
    answered: list[str] = []

    def fails(logits: Any, drafts: Any, noise: float) -> Any:
        if not any(draft.ids for draft in drafts):
            joined.append(len(drafts))
            if len(joined) == 2:
                raise RuntimeError("a planted error")
        return real(logits, drafts, noise)

    def spied(self: Any, row: Any, reply: Any) -> None:
        answered.append(row.request_id)
        answer(self, row, reply)

    monkeypatch.setattr(generating, "choose", fails)
    monkeypatch.setattr(generating.Loop, "_answer", spied)

    assert asking.texts(asking.engine(max_batch_rows=8), requests) == expected
    assert len(joined) > 2
    assert sorted(answered) == sorted(str(index) for index in range(len(requests)))


def test_a_row_whose_logits_are_no_numbers_spoils_none_after_it(asking: Any, families: Any, tmp_path: Path) -> None:
    """One token's embedding is NaN: rows with it fail, and those that take their places do not."""
    from safetensors.torch import load_file, save_file

    base = families.save_family(tmp_path / "base", "llama")
    weights = load_file(base / "model.safetensors")
    weights["model.embed_tokens.weight"][families.tokenizer().convert_tokens_to_ids("~")] = float("nan")
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})
    texts = [("~" if index % 5 == 0 else "") + text for index, text in enumerate(families.prompts(24))]
    requests = [
        asking.request(asking.target(base), text, max_new_tokens=(3, 8, 20)[index % 3])
        for index, text in enumerate(texts)
    ]

    alone = asking.answers(asking.engine(one_by_one=True), requests)
    together = asking.answers(asking.engine(max_batch_rows=5), requests)

    def said(replies: list[Any]) -> list[Any]:
        return [reply.reason if isinstance(reply, Failure) else reply.token_ids for reply in replies]

    assert said(together) == said(alone)
    reason = "The model's logits are not numbers (NaN). Use fp32 or bf16, or check the weights."
    assert said(alone).count(reason) >= 5
