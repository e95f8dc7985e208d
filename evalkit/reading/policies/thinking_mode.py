"""The schema of judges/thinking_mode.yaml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from evalkit.judging.base import Judge
from evalkit.judging.thinking_mode import ThinkingModeJudge, ThinkingModePolicy
from evalkit.reading.policies.base import Parts, PolicyFile


class ThinkingModeFile(PolicyFile):
    """judges/thinking_mode.yaml."""

    code_version = ThinkingModeJudge.version
    kind: Literal["thinking_mode"]
    least_words: int = Field(ge=1)
    most_words: int = Field(ge=0)

    def make(self, parts: Parts) -> Judge:
        return ThinkingModeJudge(ThinkingModePolicy(self.least_words, self.most_words))
