"""The JSON Schemas for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from evalkit.reading.schema_files import write_schemas
from evalkit.reading.yaml_nodes import parse_yaml

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Both schemas as written, by file name."""
    paths = write_schemas(tmp_path_factory.mktemp("schemas") / "new")
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def is_valid(schema: Any, text: str) -> bool:
    return Draft202012Validator(schema).is_valid(parse_yaml(text.encode(), "f.yaml").data)


def test_both_are_schemas_of_the_dialect_they_name(schemas: dict[str, Any]) -> None:
    """Each file is valid draft 2020-12."""
    assert list(schemas) == ["probes.schema.json", "suite.schema.json", "gates.schema.json"]
    for schema in schemas.values():
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        Draft202012Validator.check_schema(schema)


def test_every_key_is_described(schemas: dict[str, Any]) -> None:
    """An editor can say of each key what it is for."""
    for schema in schemas.values():
        for model in (schema, *schema["$defs"].values()):
            assert [name for name, key in model.get("properties", {}).items() if "description" not in key] == []


def test_normative_file_is_valid(schemas: dict[str, Any]) -> None:
    """What the reader reads, the editor accepts."""
    text = (HERE / "good" / "normative.yaml").read_text(encoding="utf-8")

    assert is_valid(schemas["probes.schema.json"], text)


@pytest.mark.parametrize(
    "probe",
    [
        "{prompt: Who?, expect: {must_say: [a, [b, c]], must_not_say: a, number: 4, json: true, choice: B}}",
        "{prompt: Who?, expect: {number: {value: 4}, json: {schema: {type: object}}, regex: a}}",
        "{prompt: Who?, judges: [x, {use: y, z: 1}]}",
        "{turns: [user: Who?, generate: {stop: [a]}], decoding: {stop: a, temperature: 0}}",
        "{prompt: '{{ a }} {{ b.q }} {{ c }}', expand: {a: [x, 1, 2.5], b: [{q: x, n: 1}], c: {file: _data/c.txt}}}",
        "{prompt: Who?, perturb: {shuffle: 0.5, case: [0, 0.5], typo: {ratios: 1, replicates: 5, roles: [user]}}}",
        "{prompt: Who?, perturb: {}}",
        "{prompt: '{{ a }}', expand: {a: [1]}, expect: {number: '{{ a }}', min_words: '{{ a }}', python: '{{ a }}'}}",
    ],
)
def test_short_and_full_forms_are_valid(probe: str, schemas: dict[str, Any]) -> None:
    """The schema knows every form that the reader knows."""
    assert is_valid(schemas["probes.schema.json"], f"probes: [{probe}]")


@pytest.mark.parametrize(
    "name",
    [
        "unknown_key", "unknown_key_far", "unknown_top_level", "bare_no", "no_probes", "empty_probes", "list_at_top",
        "two_prompts", "turn_shapes", "wrong_literal", "decoding_bounds", "wrong_types", "wrong_number", "perturb",
        "perturb_settings", "expand_lists", "expand_values",
    ],
)  # fmt: skip
def test_broken_files_are_invalid(name: str, schemas: dict[str, Any]) -> None:
    """Mistakes that a schema can see are marked in the editor already."""
    assert not is_valid(schemas["probes.schema.json"], (HERE / "broken" / f"{name}.yaml").read_text(encoding="utf-8"))


def test_suite_file_is_valid(schemas: dict[str, Any]) -> None:
    """The keys of suite.yaml are known, others are not."""
    gate = "{name: x, metric: pass_rate, at_least: 0.9}"

    assert is_valid(
        schemas["suite.schema.json"], f"{{title: T, max_unscored: 0, gates: [{gate}], defaults: {{why: w}}}}"
    )
    assert not is_valid(schemas["suite.schema.json"], "{titel: T}")


def test_gates_file_is_valid(schemas: dict[str, Any]) -> None:
    """Every key of a gate, published figures as numbers and as text; the suite is needed in a file of gates."""
    gate = "name: x, suite: s, metric: mean_score, equals: {}, judge: v2, against: baseline, undecided: warn"

    for figure in ("3.8", "3.8 ± 0.05"):
        assert is_valid(schemas["gates.schema.json"], f"gates: [{{{gate.format(figure)}}}]")
    assert is_valid(
        schemas["gates.schema.json"],
        "gates: [{name: x, suite: s, metric: count, signal: degeneration, from: 0.5, at_most: 0, end: estimate}]",
    )
    assert not is_valid(schemas["gates.schema.json"], "gates: [{name: x, metric: pass_rate, at_least: 1}]")
    assert not is_valid(schemas["gates.schema.json"], "gates: [{name: x, suite: s, metric: pass_rate, at_least: a}]")
