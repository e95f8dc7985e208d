"""One YAML test case: turns, a category, what is expected, which judges decide."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal

from evalkit.pickled import Pickled
from evalkit.target import Settings, Target

Recommendation = Literal["BLOCK", "PASS", "LIMIT"]
Thinks = Literal["yes", "no"]


@dataclass(frozen=True, slots=True)
class Message(Pickled):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Generate(Pickled):
    """The place in a conversation where the target answers; ``decoding`` changes that answer's settings."""

    decoding: Settings = ()


Turn = Message | Generate


@dataclass(frozen=True, slots=True)
class NumberExpectation:
    """The answer's last number must be ``value`` within ``tolerance`` (absolute)."""

    value: float
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class JsonExpectation:
    """The answer must hold one JSON document, valid against ``schema`` (JSON text of a JSON Schema) if given."""

    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Expectation(Pickled):
    """What a probe expects. The first group is for judges of meaning, the second for the ``text`` judge.

    ``must_say`` needs every item, each a tuple of alternative wordings; ``must_not_say`` allows none. ``thinks`` says
    whether the target should think before it answers; None where either is fine.
    Text matches ignore case unless ``case_sensitive``.
    """

    behaviour: str | None = None
    recommendation: Recommendation | None = None
    must_say: tuple[tuple[str, ...], ...] = ()
    must_not_say: tuple[str, ...] = ()
    thinks: Thinks | None = None

    contains: tuple[str, ...] = ()
    contains_any: tuple[str, ...] = ()
    not_contains: tuple[str, ...] = ()
    regex: tuple[str, ...] = ()
    not_regex: tuple[str, ...] = ()
    equals: tuple[str, ...] = ()
    number: NumberExpectation | None = None
    choice: str | None = None
    json: JsonExpectation | None = None
    python: bool = False
    min_chars: int | None = None
    max_chars: int | None = None
    min_words: int | None = None
    max_words: int | None = None
    case_sensitive: bool = False

    @property
    def has_text_assertion(self) -> bool:
        """Whether the ``text`` judge has anything to assert."""
        return _text_assertions(self) != _NO_TEXT

    @property
    def has_meaning(self) -> bool:
        """Whether anything here needs a judge of meaning."""
        return _meaning_assertions(self) != _NO_MEANING


def has_own_pattern(expect: Expectation) -> bool:
    """Whether somebody's regular expressions are searched for, which may take for ever on some texts."""
    return bool(expect.regex or expect.not_regex or expect.json)


def is_asserted(value: object) -> bool:
    """Whether a field of an Expectation asks for anything; 0 (``max_chars: 0``) does."""
    return value is not None and value is not False and value != ()


MEANING_ASSERTIONS = ("behaviour", "recommendation", "must_say", "must_not_say", "thinks")
TEXT_ASSERTIONS = (
    "contains", "contains_any", "not_contains", "regex", "not_regex", "equals", "number", "choice", "json", "python",
    "min_chars", "max_chars", "min_words", "max_words",
)  # fmt: skip
_text_assertions, _meaning_assertions = attrgetter(*TEXT_ASSERTIONS), attrgetter(*MEANING_ASSERTIONS)
_NO_TEXT, _NO_MEANING = _text_assertions(Expectation()), _meaning_assertions(Expectation())


@dataclass(frozen=True, slots=True)
class JudgeUse:
    """One entry of ``judges:``: which judge, whether its verdict decides, and its own settings.

    ``targets`` are the models it asks, each under the name that its policy or its ``model`` setting gives; none for
    rule judges.
    """

    use: str
    required: bool = True
    settings: Settings = ()
    targets: tuple[tuple[str, Target], ...] = ()

    def setting(self, name: str, default: Any = None) -> Any:
        return dict(self.settings).get(name, default)


@dataclass(frozen=True, slots=True)
class Part:
    """One of several tasks that a prompt sets.

    ``owns`` are concepts that belong to this part alone: where another part's section takes them up, the parts bleed
    into each other. ``marker`` is a text by which the part's section of the answer is found.
    """

    id: str
    owns: tuple[str, ...] = ()
    marker: str | None = None


Noise = Literal["shuffle", "case", "typo", "whitespace"]


@dataclass(frozen=True, slots=True)
class Perturbation:
    """The noise that made a probe out of the probe ``of``, an id of the same file.

    ``ratio`` is its strength, a share in (0, 1] of words, letters or gaps; ``drawn`` is how many of them it picked, and
    ``changed_share`` the share that looks different, 0 only where unchanged texts are kept.
    """

    kind: Noise
    ratio: float
    replicate: int
    of: str
    drawn: int
    changed_share: float


@dataclass(frozen=True, slots=True)
class Probe(Pickled):
    """One YAML test case.

    ``file`` is relative to the workspace with forward slashes; ``line`` is where the probe starts.
    ``judges`` already holds the implied ``degeneration`` and ``text``. ``turns`` ends with a Generate. ``formerly``
    are the ids it had before, ``old_id`` in the same suite or ``other_suite/old_id``. ``perturbation`` is set where
    noise made it out of another probe. ``parts`` are its tasks where the prompt sets several.
    """

    id: str
    suite: str
    file: str
    line: int
    category: str
    turns: tuple[Turn, ...]
    expect: Expectation
    judges: tuple[JudgeUse, ...]
    judge_turns: Literal["last", "all"] = "last"
    samples: int = 1
    decoding: Settings = ()
    subcategory: str | None = None
    tags: tuple[str, ...] = ()
    language: str | None = None
    cluster: str | None = None
    why: str | None = None
    license: str | None = None
    author: str | None = None
    expect_repetition: bool = False
    formerly: tuple[str, ...] = ()
    perturbation: Perturbation | None = None
    parts: tuple[Part, ...] = ()

    @property
    def prompt(self) -> str:
        """The user's words, one blank line between turns."""
        return "\n\n".join(turn.content for turn in self.turns if isinstance(turn, Message) and turn.role == "user")
