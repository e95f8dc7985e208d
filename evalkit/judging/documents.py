"""Text assertions on an answer that is a document: JSON valid against a schema, or Python that parses."""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import Any, NoReturn

from evalkit.errors import JudgeError
from evalkit.judging.masking import Extent, fenced_blocks
from evalkit.judging.wording import Finding
from evalkit.probe import JsonExpectation

_PYTHON = ("python", "py", "python3")
_JSON = ("json", "jsonc", "json5")


def json_finding(expect: JsonExpectation, answer: str) -> Finding:
    """The whole answer, or its only fenced block, is one JSON document, valid against the schema if there is one."""
    extent = _document(answer, _JSON)
    if extent is None:
        return Finding(False, "json: expected one JSON document; found several fenced blocks")
    try:
        value = json.loads(answer[extent[0] : extent[1]], parse_constant=_refuse_constant)
    except RecursionError:
        return Finding(False, "json: the document is nested too deep to read", (extent,))
    except ValueError as error:
        return Finding(False, f"json: expected one JSON document; found none ({error})", (extent,))
    problem = None if expect.schema is None else _schema_problem(json.loads(expect.schema), value)
    if problem is not None:
        return Finding(False, f"json: {problem}", (extent,))
    return Finding(True, "json: one valid document", (extent,))


def python_finding(answer: str) -> Finding:
    """The whole answer, or its only fenced block, parses as Python. Nothing is run."""
    extent = _document(answer, _PYTHON)
    if extent is None:
        return Finding(False, "python: expected one program; found several fenced blocks")
    source = answer[extent[0] : extent[1]]
    if not source.strip():
        return Finding(False, "python: expected a program; found nothing")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except SyntaxError as error:
        return Finding(False, f"python: line {error.lineno}: {error.msg}", (extent,))
    except (ValueError, RecursionError, MemoryError, UnicodeError) as error:
        return Finding(False, f"python: it cannot be parsed ({type(error).__name__})", (extent,))
    return Finding(True, "python: it parses", (extent,))


def _document(answer: str, languages: tuple[str, ...]) -> Extent | None:
    """Where the document is: inside the only fence (of that language, where several differ), else the whole answer."""
    blocks, _ = fenced_blocks(answer)
    if not blocks:
        return 0, len(answer)
    named = [block for block in blocks if _language(answer, block) in languages]
    chosen = named if named else blocks
    if len(chosen) > 1:
        return None
    start, end = chosen[0]
    lines = answer[start:end].splitlines(keepends=True)
    return start + len(lines[0]), end - len(lines[-1])


def _language(answer: str, block: Extent) -> str:
    first_line = answer[block[0] : block[1]].split("\n", 1)[0]
    return re.sub(r"[`~\s]", "", first_line).lower()


def _schema_problem(schema: Any, value: Any) -> str | None:
    """The most telling way in which the value breaks the schema; schemas are never fetched from anywhere."""
    from jsonschema import exceptions, validators
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    kind = validators.validator_for(schema, default=validators.validator_for(True))
    try:
        kind.check_schema(schema)
        worst = exceptions.best_match(kind(schema, registry=Registry()).iter_errors(value))
    except exceptions.SchemaError as error:
        raise JudgeError(f"the schema of expect.json is not a JSON Schema: {error.message}.") from error
    except Unresolvable as error:
        raise JudgeError(f"the schema of expect.json refers to {error.ref!r}, which is not inside it.") from error
    return None if worst is None else f"{worst.json_path}: {worst.message[:200]}"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
