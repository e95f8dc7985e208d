"""The JSON Schemas that let an editor complete and check probe files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evalkit.reading.gate_schema import GatesFile
from evalkit.reading.schema import ProbeFile, SuiteFile
from evalkit.reading.schema_fields import Entry

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_FILES: dict[str, type[Entry]] = {
    "probes.schema.json": ProbeFile, "suite.schema.json": SuiteFile, "gates.schema.json": GatesFile,
}  # fmt: skip


def write_schemas(folder: Path) -> list[Path]:
    """Write the schemas of probe files, suite.yaml and gates into ``folder`` (made if needed); the paths written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, model in SCHEMA_FILES.items():
        path = folder / name
        path.write_text(json.dumps(schema_of(model), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written


def schema_of(model: type[Entry]) -> dict[str, Any]:
    """The draft 2020-12 JSON Schema of a file format."""
    schema: dict[str, Any] = _without_null_defaults(model.model_json_schema())
    return {"$schema": DIALECT, **schema}


def _without_null_defaults(schema: Any) -> Any:
    """The schema without ``default: null``, which is how a key that may be left out is declared."""
    if isinstance(schema, dict):
        kept = {key: value for key, value in schema.items() if not (key == "default" and value is None)}
        return {key: _without_null_defaults(value) for key, value in kept.items()}
    if isinstance(schema, list):
        return [_without_null_defaults(item) for item in schema]
    return schema
