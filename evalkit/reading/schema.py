"""The probe format: what a probe file and a suite.yaml may hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_validator

from evalkit.probe import Recommendation
from evalkit.reading.expand_schema import Lists, also_placeholders
from evalkit.reading.gate_schema import GateEntry
from evalkit.reading.json_schemas import why_no_schema
from evalkit.reading.part_schema import Parts
from evalkit.reading.perturb_schema import PerturbEntry
from evalkit.reading.plans import PlanEntry
from evalkit.reading.schema_fields import (
    AlsoAccepts,
    Biases,
    Category,
    Count,
    Entry,
    FormerIds,
    Identifier,
    Line,
    Regexes,
    Tag,
    Text,
    Texts,
    TokensOrTexts,
    Wordings,
    expected,
    wrong,
)
from evalkit.reading.suggestions import nearest, shortened

TURN_KINDS = ("system", "user", "assistant", "generate")
PROMPT_KEYS = ("prompt", "prompt_file", "turns")
MAX_SAMPLES = 1_000
MAX_NEW_TOKENS = 131_072


def _key(description: str, **bounds: Any) -> Any:
    """A key that may be left out; ``model_fields_set`` tells whether it was."""
    return Field(default=None, description=description, **bounds)


class DecodingEntry(Entry):
    """How tokens are chosen; what is left out is the target's decoding."""

    temperature: float = _key("0 is greedy.", ge=0, le=5)
    top_p: float = _key("Keep the smallest set of tokens with this probability; 1 is off.", gt=0, le=1)
    top_k: int = _key("Keep the k likeliest tokens; 0 is off.", ge=0)
    min_p: float = _key("Keep tokens at least this likely, relative to the likeliest; 0 is off.", ge=0, lt=1)
    repetition_penalty: float = _key("Above 1 makes repeated tokens less likely.", gt=0)
    max_new_tokens: int = _key("Tokens after which the answer is cut.", ge=1, le=MAX_NEW_TOKENS)
    stop: Texts = _key("Text that ends the answer.")
    seed: int = _key("Seed of the first sample; left out, it follows from the run's seed.", ge=0, lt=2**63)
    min_new_tokens: int = _key("Tokens before which nothing ends the answer.", ge=0, le=MAX_NEW_TOKENS)
    presence_penalty: float = _key("Above 0 makes tokens of the answer less likely to come again.", ge=-2, le=2)
    frequency_penalty: float = _key("The same, for each time that a token has come.", ge=-2, le=2)
    no_repeat_ngram: int = _key("No sequence of so many tokens comes twice; 0 is off.", ge=0)
    logit_bias: Biases = _key("Added to the logits of tokens, named by their text or as token:17.")
    banned: TokensOrTexts = _key("Texts that never stand in the answer, and ids of tokens that never come.")
    stop_on_cycle: bool = _key("End an answer whose tail repeats itself exactly.")


class NumberEntry(Entry):
    """The number that the answer must end with."""

    value: float = Field(description="The number.")
    tolerance: float = Field(default=0.0, description="Largest distance from value that still passes.", ge=0)


class JsonEntry(Entry):
    """The JSON that the answer must hold."""

    json_schema: dict[str, Any] | None = Field(
        default=None, alias="schema", description="A JSON Schema that the document must meet."
    )

    @field_validator("json_schema")
    @classmethod
    def _is_a_schema(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        reason = None if value is None else why_no_schema(value)
        if reason is not None:
            wrong(reason)
        return value


def _number(value: Any) -> Any:
    if isinstance(value, dict):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        expected("a number or {value, tolerance}")
    return {"value": value}


def _json(value: Any) -> Any:
    if value is True:
        return JsonEntry.model_construct()
    if not isinstance(value, dict) or value.get("schema", value) is None:
        expected("true or {schema: …}")
    return value


class ExpectEntry(Entry):
    """The assertions of a probe, for judges of meaning and for the text judge."""

    model_config = ConfigDict(json_schema_extra=also_placeholders)

    behaviour: Text = _key("What the answer should do, in a sentence; read by judges of meaning.")
    recommendation: Recommendation = _key("Whether to refuse (BLOCK), help (PASS) or help in part (LIMIT).")
    must_say: Wordings = _key("Each of these must be said, in these words or others; an inner list holds alternatives.")
    must_not_say: Texts = _key("None of these may be said, in these words or others.")
    thinks: bool = _key("Whether the target should think before it answers; read by the judge thinking_mode.")
    contains: Texts = _key("The answer holds every one of these texts.")
    contains_any: Texts = _key("The answer holds at least one of these texts.")
    not_contains: Texts = _key("The answer holds none of these texts.")
    regex: Regexes = _key("Every one of these Python regular expressions is found in the answer.")
    not_regex: Regexes = _key("None of these Python regular expressions is found in the answer.")
    equals: Texts = _key("The answer is one of these texts, blanks at its ends aside.")
    number: Annotated[NumberEntry, BeforeValidator(_number), AlsoAccepts(type="number")] = _key(
        "The last number of the answer."
    )
    choice: Line = _key("The option that the answer chooses, such as B.")
    json_document: Annotated[JsonEntry, BeforeValidator(_json), AlsoAccepts(const=True)] = _key(
        "The answer holds one JSON document.", alias="json"
    )
    python: bool = _key("The answer's code is Python that parses.")
    min_words: Count = _key("Fewest words.")
    max_words: Count = _key("Most words.")
    min_chars: Count = _key("Fewest characters.")
    max_chars: Count = _key("Most characters.")
    case_sensitive: bool = _key("Whether text matches tell capitals from small letters; false unless set.")


class JudgeEntry(Entry):
    """One judge of the probe; other keys are the judge's own settings."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    use: Line = Field(description="The judge's name: a built-in one, or a file in judges/.")
    required: bool = Field(default=True, description="Whether its verdict decides; false makes it a column only.")
    model: Line = _key("The target that judges, for judges that ask a model.")

    @model_validator(mode="after")
    def _own_settings_are_no_typos(self) -> JudgeEntry:
        for name in self.model_extra or {}:
            if name == "optional" or (nearest(name, ["required"]) and name.startswith("req")):
                wrong(f"unknown key {name!r}. Did you mean 'required'?")
        return self


def _judge(value: Any) -> Any:
    if isinstance(value, str):
        return {"use": value}
    if not isinstance(value, dict):
        expected("a judge's name as text or {use: …}")
    return value


class TurnEntry(Entry):
    """One turn of a conversation: exactly one of these keys."""

    system: Text = _key("What the target is told before the conversation; only as the first turn.")
    user: Text = _key("What the user says.")
    assistant: Text = _key("An earlier answer that is given, not generated.")
    generate: DecodingEntry = _key("The target answers here, with these changes to its decoding.")

    @model_validator(mode="after")
    def _has_one_key(self) -> TurnEntry:
        kinds = [kind for kind in TURN_KINDS if kind in self.model_fields_set]
        if len(kinds) != 1:
            found = " and ".join(kinds) or "none"
            wrong(f"expected one of {', '.join(TURN_KINDS)} in a turn, found {found}. Write one turn for each.")
        return self


def _turn(value: Any) -> Any:
    if value == "generate":
        return {"generate": {}}
    if isinstance(value, str) and nearest(value, ["generate"]):
        wrong(f"unknown turn {shortened(value)!r}. Did you mean 'generate'?")
    if not isinstance(value, dict):
        expected("generate or a mapping such as {user: …}")
    return value


class SharedKeys(Entry):
    """Keys that a probe and the defaults both take."""

    category: Category = _key("What kind of test it is; the file's name unless set.")
    subcategory: Line = _key("A finer kind within the category.")
    tags: list[Tag] = _key("Names to select by: pytest -m TAG.")
    language: Line = _key("Language of the prompt, such as en.")
    cluster: Line = _key("Probes that stand or fall together; statistics count a cluster as one family.")
    why: Text = _key("Why this is tested.")
    license: Line = _key("Licence of the probe's text, as an SPDX name.")
    author: Line = _key("Who wrote it.")
    expect: ExpectEntry = _key("What is expected of the answer.")
    judges: list[Annotated[JudgeEntry, BeforeValidator(_judge), AlsoAccepts(type="string", minLength=1)]] = _key(
        "Who decides. degeneration always does, text whenever expect holds something for it."
    )
    judge_turns: Literal["last", "all"] = _key("Whether the last answer is judged, or every one.")
    samples: int = _key("How many answers are asked for, each judged.", ge=1, le=MAX_SAMPLES)
    decoding: DecodingEntry = _key("Changes to the target's decoding.")
    expect_repetition: bool = _key("Whether repetition is what the prompt asks for, so that it is no collapse.")
    perturb: PerturbEntry = _key("Noise that makes further probes of this one, in its cluster.")


class DefaultsEntry(SharedKeys):
    """What holds for every probe that does not say otherwise."""


class ProbeEntry(SharedKeys):
    """One test case: one of prompt, prompt_file and turns, and something that decides."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [key]} for key in PROMPT_KEYS]})

    id: Identifier = _key("Its name in the file; a slug of the prompt unless set.")
    prompt: Text = _key("What the user says.")
    prompt_file: Line = _key("A UTF-8 text file that holds the prompt, relative to this file.")
    turns: list[Annotated[TurnEntry, BeforeValidator(_turn), AlsoAccepts(const="generate")]] = _key(
        "A conversation; its last turn is generate.", min_length=1
    )
    formerly: FormerIds = _key("Ids it had before, old_id or other_suite/old_id: its history is compared on.")
    parts: Parts = _key("The tasks that the prompt sets, and the concepts that each of them owns.")
    expand: Lists = _key("Named lists; the entry is a template that makes a probe of every combination of values.")


class ProbeFile(Entry):
    """A file of probes."""

    defaults: DefaultsEntry = _key("For every probe below.")
    probes: list[ProbeEntry] = Field(description="The test cases.", min_length=1)


class ProbeFileShape(Entry):
    """A file of probes whose probes are read one by one."""

    defaults: Any = None
    probes: list[Any] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _is_no_bare_list(cls, value: Any) -> Any:
        if isinstance(value, list):
            wrong("expected a mapping, found a list. Write probes: above it.")
        return value


class SuiteFile(Entry):
    """suite.yaml: what holds for a whole suite."""

    title: Line = _key("Its name in reports.")
    description: Text = _key("What it tests.")
    max_unscored: float = _key("Largest share of unscored trials; 0.2 unless set.", ge=0, le=1)
    conditions: list[Line] = _key(
        "Conditions that every target runs under unless --eval-condition says others: NAME, or NAME=FILE with a text "
        "file relative to suite.yaml.",
        min_length=1,
    )
    plans: dict[Identifier, PlanEntry] = _key("Seeded samples of the probes, by name; --eval-plan NAME runs one.")
    exclusions: Line = _key("A list of probes that are not run, as evalkit check --exclude writes it; relative.")
    gates: list[GateEntry] = _key("Rules that decide the exit status.")
    defaults: DefaultsEntry = _key("For every probe of the suite; a probe file's own defaults win.")


class SuiteFileShape(SuiteFile):
    """suite.yaml whose defaults and gates are read apart."""

    defaults: Any = None
    gates: list[Any] = _key("Read one by one.")
