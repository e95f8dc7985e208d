"""What ``expand:`` may hold, for editors; ``expanding.lists`` reads it with messages of its own."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from evalkit.reading.schema_fields import Entry, Line


def also_placeholders(schema: dict[str, Any]) -> None:
    """Lets every property of a JSON Schema that takes no text take a text with a placeholder, for templates."""
    for name, kind in schema["properties"].items():
        takes_text = any(one.get("type") == "string" and "enum" not in one for one in (kind, *kind.get("anyOf", ())))
        if not takes_text:
            inner = {key: value for key, value in kind.items() if key not in ("description", "default", "title")}
            outer = {key: kind[key] for key in ("description", "title") if key in kind}
            filled = {"type": "string", "pattern": r"\{\{"}
            schema["properties"][name] = {**outer, "anyOf": [inner, filled]}


class ListFile(Entry):
    """A list that a file holds."""

    file: Line = Field(description="A YAML list, or a text file with one value a line, relative to this file.")


_Scalar = str | int | float
_Values = Annotated[list[_Scalar] | list[dict[str, _Scalar]], Field(min_length=1)]
Lists = Annotated[dict[str, _Values | ListFile], Field(min_length=1)]
