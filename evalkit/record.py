"""One finished trial as it is stored, exported and summarised."""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Literal

from evalkit.pickled import Pickled

TrialOutcome = Literal["pass", "fail", "unscored", "error"]


@dataclass(frozen=True, slots=True)
class TrialRecord(Pickled):
    """One finished trial. Plain values only (it crosses xdist and becomes a line of results.jsonl).

    ``expected`` says in words what the probe expects. ``verdicts`` are dicts of the fields of ``Verdict`` and of
    ``asked``: what the judge asked of models, in order, each ``{target, model, identity, cost_usd, attempts, stored,
    failed}``. ``cost_usd`` is None where no price is known, and not spent again where ``stored``; ``failed`` is why
    there is no reply (broken, no_key, no_money), else None. In an error, which has no verdict, ``asked`` holds these,
    each with its ``judge``. A verdict has ``every_answer`` where all answers were judged: ``answer`` of its spans
    counts them; else only the last was. Records may share an equal verdict, so nobody changes one.
    ``generations`` are the identities of the target's answers in order. ``new_tokens`` and ``prompt_tokens`` sum over
    its answers; ``generation_s`` likewise, in seconds.
    ``probe_hash`` covers what of the probe can change answer or verdict, ``""`` where an older evalkit wrote it;
    ``formerly`` are the probe's earlier ids. ``words`` are those of the last answer without its thinking.
    ``step`` is the training step of the target's last adapter of which one is known. ``perturbation`` are the fields of
    the probe's ``Perturbation`` where noise made it; ``of`` in it is the probe of the same file it was made of.
    ``stored`` is true when every answer came from the store; ``stored_age_s`` is the oldest of those.
    """

    trial: str
    suite: str
    file: str
    line: int
    probe: str
    category: str
    target: str
    outcome: TrialOutcome
    reason: str
    sample: int = 0
    subcategory: str | None = None
    cluster: str | None = None
    tags: tuple[str, ...] = ()
    language: str | None = None
    expected: str = ""
    role: str = "subject"
    is_demo: bool = False
    score: float | None = None
    flags: tuple[str, ...] = ()
    verdicts: tuple[dict[str, Any], ...] = ()
    asked: tuple[dict[str, Any], ...] = ()
    generations: tuple[str, ...] = ()
    finishes: tuple[str, ...] = ()
    prompt_tokens: int = 0
    new_tokens: int = 0
    system_placement: str = "none"
    stored: bool = False
    stored_age_s: float | None = None
    generation_s: float | None = None
    worker: str = "main"
    probe_hash: str = ""
    formerly: tuple[str, ...] = ()
    words: int | None = None
    step: int | None = None
    perturbation: dict[str, Any] | None = None

    @property
    def is_collapsed(self) -> bool:
        return "collapsed" in self.flags

    @property
    def questions(self) -> tuple[dict[str, Any], ...]:
        """Everything that judges asked of models for this trial."""
        own = [question for verdict in self.verdicts if (asked := verdict.get("asked")) for question in asked]
        return (*own, *self.asked)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and dicts, ready for JSON, and the caller's own."""
        return {name: _copied(value) for name, value in self.values().items()}

    def values(self) -> dict[str, Any]:
        """The fields by name, not copied: to be read and let go."""
        return dict(zip(_NAMES, _values(self), strict=True))

    def readable(self) -> TrialRecord:
        """The same without lone surrogates, which no file takes and of which one in a report kills an xdist run."""
        if _SURROGATE not in repr(self):
            return self
        return TrialRecord.from_dict({name: _utf8_safe(value) for name, value in self.values().items()})

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TrialRecord:
        """The inverse of ``to_dict``; lists become tuples, unknown keys are ignored."""
        plain: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items() if key in _FIELDS
        }
        return cls(**plain)


_NAMES = tuple(item.name for item in fields(TrialRecord))
_FIELDS = frozenset(_NAMES)
_values = attrgetter(*_NAMES)
_SURROGATE = "\\ud"
"""Is in the ``repr`` of every text that has one, because none can be printed; looking for it in one go is fast."""


def _copied(value: Any) -> Any:
    """The same of ``dataclasses.asdict`` for what is plain already, at a tenth of its cost."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return type(value)(map(_copied, value)) if isinstance(value, (tuple, list)) else value


def _utf8_safe(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_utf8_safe(key): _utf8_safe(item) for key, item in value.items()}
    return [_utf8_safe(item) for item in value] if isinstance(value, (list, tuple)) else value
