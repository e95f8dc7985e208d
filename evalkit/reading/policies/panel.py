"""The schema of panels: judges/<name>.yaml of the kind ``panel``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from evalkit.judging.base import Judge
from evalkit.judging.combining import SCORE, Escalation, Member, Near, PanelJudge, Rule
from evalkit.probe import JudgeUse
from evalkit.reading.policies.base import Parts, PolicyFile, Strict


class MemberFile(Strict):
    """One member; keys beside ``use`` are its own settings."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    use: str = Field(min_length=1)

    @model_validator(mode="after")
    def _always_decides(self) -> MemberFile:
        if "required" in (self.model_extra or {}):
            raise ValueError("every member of a panel counts by its rule. Remove required")
        return self


def _member(value: Any) -> Any:
    return {"use": value} if isinstance(value, str) else value


def _several(members: list[MemberFile]) -> list[MemberFile]:
    if len(members) < 2:
        raise ValueError(f"expected two members or more, found {len(members)}")
    return members


class NearFile(Strict):
    """A verdict too close to its threshold to be trusted."""

    signal: str = SCORE
    threshold: float
    within: float = Field(ge=0)


class EscalationFile(Strict):
    """When a cascade asks its next member."""

    unscored: bool = True
    near: NearFile | None = None


class PanelFile(PolicyFile):
    """judges/<name>.yaml of the kind ``panel``."""

    code_version = PanelJudge.version
    kind: Literal["panel"]
    rule: Rule
    listed: Annotated[list[Annotated[MemberFile, BeforeValidator(_member)]], AfterValidator(_several)] = Field(
        alias="members"
    )
    escalate_when: EscalationFile | None = None
    audit: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _only_cascades_escalate(self) -> PanelFile:
        for key in ("escalate_when", "audit"):
            if self.rule != "cascade" and getattr(self, key) is not None:
                raise ValueError(f"{key} is for the rule cascade; this one is {self.rule}. Remove it")
        return self

    @property
    def members(self) -> tuple[JudgeUse, ...]:
        return tuple(
            JudgeUse(item.use, settings=tuple(sorted((item.model_extra or {}).items()))) for item in self.listed
        )

    def make(self, parts: Parts) -> Judge:
        uses = self.members
        names = [use.use for use in uses]
        members = tuple(Member(_name(names, position), parts.judge(use)) for position, use in enumerate(uses))
        return PanelJudge(self.rule, members, self._escalation())

    def _escalation(self) -> Escalation:
        when = self.escalate_when or EscalationFile()
        near = Near(when.near.signal, when.near.threshold, when.near.within) if when.near else None
        return Escalation(when.unscored, near, self.audit or 0.0)


def _name(names: list[str], position: int) -> str:
    """The judge's name; the second of one name is ``semantic#2``."""
    count = names[: position + 1].count(names[position])
    return names[position] if count == 1 else f"{names[position]}#{count}"
