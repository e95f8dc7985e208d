"""A document as a pydantic model, or its mistakes as located Problems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from evalkit.errors import Problem, UnreadableFile
from evalkit.reading.complaints import TYPES_EXPECTED, complaint, expectation
from evalkit.reading.suggestions import did_you_mean, shortened
from evalkit.reading.yaml_nodes import Document
from evalkit.reading.yaml_parts import FieldPath

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class _Located:
    """One pydantic error at the field of the document it is about; ``in_union`` when it is one alternative's."""

    path: FieldPath
    error: ErrorDetails
    in_union: bool


def validate(model_type: type[M], document: Document, shown: str) -> M:
    """The document's data as a model; ``shown`` names the file in messages.

    Raises:
        UnreadableFile: something is missing, unknown or of the wrong type.
    """
    try:
        return model_type.model_validate(document.data)
    except ValidationError as error:
        found = problems_of(error, model_type, document)
        raise UnreadableFile(Problem(shown, one.message, one.line, one.path) for one in found) from None


def problems_of(
    error: ValidationError, model_type: type[BaseModel], document: Document, at: FieldPath = ()
) -> list[Problem]:
    """What pydantic found in the part of the document at ``at``, in the order of the file."""
    data = document.data
    for step in at:
        data = data[step]
    located = [_located(data, one) for one in error.errors(include_url=False)]
    problems = [
        document.problem((*at, *path), message) for path, message in _messages(located, model_type, document, at)
    ]
    return sorted(problems, key=lambda problem: problem.line or 0)


def _located(data: Any, error: ErrorDetails) -> _Located:
    """Keep the steps of pydantic's location that the data holds; the others name alternatives of a union."""
    path: list[Any] = []
    skipped = False
    for step in error["loc"]:
        holds = data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
        if step in holds:
            path.append(step)
            data = data[step]
        else:
            skipped = True
    return _Located(tuple(path), error, skipped and error["type"] != "missing")


def _messages(
    located: list[_Located], model_type: type[BaseModel], document: Document, at: FieldPath
) -> Iterator[tuple[FieldPath, str]]:
    """One message for each field and kind of mistake; a union's alternatives are named together."""
    by_path: dict[FieldPath, list[_Located]] = {}
    for one in located:
        by_path.setdefault(one.path, []).append(one)
    for path, group in by_path.items():
        types = [one for one in group if one.error["type"] in TYPES_EXPECTED]
        others = [one for one in group if one.error["type"] not in TYPES_EXPECTED]
        is_deeper_wrong = any(len(other) > len(path) and other[: len(path)] == path for other in by_path)
        if types and not (types[0].in_union and (others or is_deeper_wrong)):
            expected = " or ".join(dict.fromkeys(expectation(one.error) for one in types))
            yield path, complaint(expected, types[0].error["input"], document.raw((*at, *path)))
        for one in others:
            yield path, _message(one, model_type, document, at)


def _message(one: _Located, model_type: type[BaseModel], document: Document, at: FieldPath) -> str:
    error = one.error
    kind = error["type"]
    if kind == "extra_forbidden":
        name = str(error["loc"][-1])
        return f"unknown key {shortened(name)!r}. {did_you_mean(name, known_keys(model_type, error['loc'][:-1]))}"
    if kind == "missing":
        return f"the key {str(error['loc'][-1])!r} is missing. Add it."
    if kind == "value_error":
        sentence = str(error["ctx"]["error"])
        return sentence if sentence.endswith((".", "?")) else f"{sentence}."
    if kind == "evalkit":
        return error["msg"]
    return complaint(expectation(error), error["input"], document.raw((*at, *one.path)))


def known_keys(model_type: Any, location: tuple[str | int, ...]) -> list[str]:
    """The keys that the model at pydantic's ``location`` inside ``model_type`` knows."""
    kinds = [model_type]
    for step in location:
        kinds = [inner for kind in kinds for inner in _inside(kind, step)] or kinds
    models = [model for kind in kinds for model in _models(kind)]
    return list(dict.fromkeys(field.alias or name for model in models for name, field in model.model_fields.items()))


def _inside(annotation: Any, step: str | int) -> Iterator[Any]:
    """The types found one step inside a type."""
    for kind in _alternatives(annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, field in kind.model_fields.items():
                if step in (name, field.alias):
                    yield field.annotation
        elif get_origin(kind) is dict:
            yield get_args(kind)[1]
        elif get_origin(kind) in (list, tuple) and isinstance(step, int):
            yield get_args(kind)[0]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    for kind in _alternatives(annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield kind


def _alternatives(annotation: Any) -> Iterator[Any]:
    """The members of a union, each without its Annotated shell."""
    if get_origin(annotation) is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif get_origin(annotation) in (list, tuple, dict) or not get_args(annotation):
        yield annotation
    else:
        for member in get_args(annotation):
            yield from _alternatives(member)
