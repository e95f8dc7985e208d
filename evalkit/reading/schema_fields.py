"""The kinds of value that the probe format is made of."""

from __future__ import annotations

import re
import warnings
from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from evalkit.reading.naming import slug
from evalkit.reading.suggestions import shortened
from evalkit.reading.token_names import biases_of

# Markers of pytest and its widespread plugins, and the words of -k and -m expressions.
RESERVED_TAGS = frozenset(
    {
        "and", "or", "not", "True", "False", "None", "skip", "skipif", "xfail", "parametrize", "usefixtures",
        "filterwarnings", "tryfirst", "trylast", "probe", "timeout", "flaky", "xdist_group", "asyncio", "anyio", "trio",
        "django_db", "order", "dependency", "benchmark", "repeat", "no_cover",
    }
)  # fmt: skip
MAX_ID_CHARS = 100
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")  # pytest refuses a marker that starts with _


class Entry(BaseModel):
    """A mapping of a file: no unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AlsoAccepts:
    """Tells the JSON Schema of a short form that the field takes besides its full one."""

    def __init__(self, **short_form: Any) -> None:
        self.short_form = short_form

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [self.short_form, handler(core)]}


def wrong(message: str) -> NoReturn:
    """Refuse the value with a sentence of our own, which is shown as it is."""
    raise PydanticCustomError("evalkit", "{message}", {"message": message})


def expected(what: str) -> NoReturn:
    """Refuse the value for its type; the message adds what was found and how YAML read it."""
    raise PydanticCustomError("expected", "expected {expected}", {"expected": what})


def _not_blank(text: str) -> str:
    if not text.strip():
        wrong("expected text, found only blanks. Write some, or remove the key.")
    return text


def _one_line(text: str) -> str:
    if len(text.splitlines()) > 1:
        wrong("expected one line of text, found several. Join them.")
    return _not_blank(text)


def _identifier(text: str) -> str:
    if _ID.match(text) and len(text) <= MAX_ID_CHARS:
        return text
    meant = slug(text)
    remedy = f"Did you mean {meant!r}?" if meant else "Write a short name."
    wrong(f"expected an id of letters, digits, '.', '_' and '-', found {shortened(text)!r}. {remedy}")


def _former_id(text: str) -> str:
    """``old_id`` or ``other_suite/old_id``."""
    suite, _, old = text.rpartition("/")
    if _ID.match(old) and len(old) <= MAX_ID_CHARS and (suite or "/" not in text):
        return text
    wrong(f"expected an id as old_id or other_suite/old_id, found {shortened(text)!r}. Write the id that it had.")


def not_reserved(name: str, what: str) -> str:
    """``name``, unless pytest would take it for one of its own markers."""
    if name in RESERVED_TAGS:
        wrong(f"the {what} {name!r} is reserved: it has a meaning of its own for pytest. Choose another name.")
    return name


def _category(name: str) -> str:
    if name.startswith("_"):
        wrong(f"expected a category that starts with a letter, found {shortened(name)!r}. Choose another name.")
    return not_reserved(name, "category")


def _tag(text: str) -> str:
    if not _TAG.match(text):
        meant = re.sub(r"\W+", "_", text.strip(), flags=re.ASCII).strip("_")
        remedy = f"Did you mean {meant!r}?" if _TAG.match(meant) else "Start it with a letter."
        wrong(f"expected a tag of letters, digits and '_', found {shortened(text)!r}. {remedy}")
    return not_reserved(text, "tag")


def _regex(pattern: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except re.error as error:
        where = "" if error.pos is None else f" at character {error.pos + 1}"
        wrong(f"the regular expression {shortened(pattern)!r} is wrong{where}: {error.msg}. Correct it.")
    except (RecursionError, OverflowError):
        wrong(f"the regular expression {shortened(pattern)!r} is too large. Make it simpler.")
    return pattern


def _text_as_list(value: Any) -> Any:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        expected("text or a list of text")
    return value


def _value_as_list(value: Any) -> Any:
    return [value] if isinstance(value, (str, int)) else value


_NonEmpty = Annotated[str, Field(min_length=1)]
_one_text = AlsoAccepts(type="string", minLength=1)

Text = Annotated[str, AfterValidator(_not_blank), Field(min_length=1)]
Line = Annotated[str, AfterValidator(_one_line), Field(min_length=1)]
Identifier = Annotated[str, AfterValidator(_identifier), Field(min_length=1)]
FormerIds = Annotated[
    list[Annotated[str, AfterValidator(_former_id), Field(min_length=1)]],
    Field(min_length=1), BeforeValidator(_text_as_list), _one_text,
]  # fmt: skip
Category = Annotated[Line, AfterValidator(_category)]
Tag = Annotated[str, AfterValidator(_tag), Field(min_length=1)]
Texts = Annotated[list[_NonEmpty], Field(min_length=1), BeforeValidator(_text_as_list), _one_text]
Regexes = Annotated[
    list[Annotated[_NonEmpty, AfterValidator(_regex)]], Field(min_length=1), BeforeValidator(_text_as_list), _one_text
]
Wordings = Annotated[list[Texts], Field(min_length=1), BeforeValidator(_text_as_list), _one_text]
Count = Annotated[int, Field(ge=0)]
TokensOrTexts = Annotated[
    list[_NonEmpty | Count],
    Field(min_length=1),
    BeforeValidator(_value_as_list),
    AlsoAccepts(type=["string", "integer"]),
]
Biases = Annotated[
    dict[_NonEmpty | Count, Annotated[float, Field(ge=-1000, le=1000)]], Field(min_length=1), AfterValidator(biases_of)
]
