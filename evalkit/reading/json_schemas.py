"""Whether a mapping is a JSON Schema."""

from __future__ import annotations

from typing import Any

from evalkit.reading.suggestions import shortened


def why_no_schema(schema: dict[str, Any]) -> str | None:
    """What is wrong with it as a JSON Schema, or None."""
    from jsonschema import SchemaError  # imported here: only probes with a schema pay for it
    from jsonschema.validators import Draft202012Validator, validator_for

    if not isinstance(schema.get("$schema", ""), str):
        return "the JSON Schema is wrong at $schema: expected text."
    checker: Any = validator_for(schema, default=Draft202012Validator)
    try:
        checker.check_schema(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    except SchemaError as error:
        where = ".".join(("$", *(str(step) for step in error.absolute_path)))
        return f"the JSON Schema is wrong at {where}: {shortened(error.message, 120)}. Correct it."
    return None
