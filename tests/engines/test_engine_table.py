"""Engines are made by kind, and what is missing is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.engines import table
from evalkit.engines.replay import ReplayEngine
from evalkit.errors import EngineError, MissingPackage
from evalkit.target import Engine


def quiet(new_tokens: int) -> bool:
    return False


def test_each_kind_is_made(tmp_path: Path) -> None:
    """The name is the user's, the kind decides."""
    assert isinstance(table.create(Engine("tape", "replay"), quiet, tmp_path), ReplayEngine)
    assert table.create(Engine(), quiet, tmp_path).capabilities == {"adapters", "logit_bias", "score"}


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("vllm", "Engine 'x': unknown kind 'vllm'; known are anthropic, local, openai, replay."),
        (
            "reply",
            "Engine 'x': unknown kind 'reply'; known are anthropic, local, openai, replay. Did you mean 'replay'?",
        ),
    ],
)
def test_an_unknown_kind_lists_the_known(kind: str, sentence: str, tmp_path: Path) -> None:
    """A typo gets the near name."""
    with pytest.raises(EngineError) as caught:
        table.create(Engine("x", kind), quiet, tmp_path)

    assert str(caught.value) == sentence


@pytest.mark.parametrize("package", ["torch", "transformers"])
def test_a_missing_package_is_named(package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without torch or transformers the local engine says what to install."""
    monkeypatch.setattr(table, "find_spec", lambda name: None if name == package else object())

    with pytest.raises(MissingPackage) as caught:
        table.create(Engine(), quiet, tmp_path)
    assert str(caught.value) == (
        f"Engine 'local' needs the package '{package}'. Install it with: pip install 'pytest-evalkit[local]'"
    )
