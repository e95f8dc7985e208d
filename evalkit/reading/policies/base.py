"""What every policy file of a judge holds, and the texts that may stand in one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict

from evalkit.judging.base import Judge
from evalkit.judging.phrases import compile_phrases
from evalkit.probe import JudgeUse
from evalkit.target import Target


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"expected a regular expression; {error} in {text!r}") from None
    return text


def _phrase(text: str) -> str:
    try:
        compile_phrases([text])
    except re.error as error:
        raise ValueError(f"expected a phrase; {error} in {text!r}") from None
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]
Phrase = Annotated[str, AfterValidator(_phrase)]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a policy may need to become a judge: the models it named, resolved, other judges, and its own folder."""

    targets: Mapping[str, Target]
    judge: Callable[[JudgeUse], Judge]
    folder: Path


class Strict(BaseModel):
    """No unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PolicyFile(Strict):
    """What every policy file holds; ``code_version`` is raised when the judge's code may judge differently."""

    code_version: ClassVar[str]
    kind: str
    version: str = "1"

    @property
    def models(self) -> tuple[str, ...]:
        """The names of the targets that the judge asks."""
        return ()

    @property
    def files(self) -> tuple[str, ...]:
        """Files beside the policy that belong to it; the judge's hash covers them."""
        return ()

    @property
    def members(self) -> tuple[JudgeUse, ...]:
        """The other judges that it is made of."""
        return ()

    def make(self, parts: Parts) -> Judge:
        """The judge this policy makes."""
        raise NotImplementedError
