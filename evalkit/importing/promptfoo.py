"""Tests of a promptfoo configuration: prompts × tests with their variables and assertions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from evalkit.errors import Problem, UnreadableFile
from evalkit.importing.drafts import Draft, Drafts, Place
from evalkit.importing.promptfoo_assertions import expectation_of
from evalkit.importing.promptfoo_files import PromptFile, default_of, prompts_of, tests_of
from evalkit.importing.promptfoo_prompts import conversation, filled
from evalkit.importing.rows import text_of

JUDGE = "behaviour"
_CONFIG_KEYS = {"prompts", "tests", "defaultTest", "description", "providers", "targets"}
_TEST_KEYS = {"vars", "assert", "description", "metadata"}
_NO_LIST = "expected a list of assertions. Write each as an item: - type: …"
_MAX_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class _Test:
    """One test under the defaults of its file; ``number`` counts from 1."""

    place: Place
    number: int
    plain: Mapping[str, Any]
    values: Mapping[str, Any]
    assertions: list[Any]


def read_promptfoo(files: Sequence[Path]) -> Drafts:
    """A draft of every prompt with every test; tests of one file that share their variables are one cluster.

    Raises:
        UnreadableFile: a file is no YAML or JSON, or no configuration.
    """
    drafts = Drafts()
    for file in files:
        config = _config(file)
        drafts.unknown.update(key for key in config if key not in _CONFIG_KEYS)
        prompts = prompts_of(config.get("prompts"), file, drafts)
        for test in _tests(config, file, drafts):
            for values in _combinations(test.values):
                for number, prompt in enumerate(prompts, start=1):
                    _add(drafts, test, prompt, values, f"p{number}" if len(prompts) > 1 else "")
    return drafts


def _config(file: Path) -> dict[str, Any]:
    text = text_of(file)
    if len(text) > _MAX_BYTES:
        raise UnreadableFile([Problem(str(file), f"found {len(text):,} characters; at most {_MAX_BYTES:,} are read.")])
    try:
        config = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise UnreadableFile([Problem(str(file), "not valid YAML. Correct it.", line)]) from None
    if not isinstance(config, dict) or not config.keys() & {"prompts", "tests"}:
        raise UnreadableFile([Problem(str(file), "expected a promptfoo configuration, with prompts: and tests:.", 1)])
    return config


def _tests(config: Mapping[str, Any], file: Path, drafts: Drafts) -> Iterator[_Test]:
    default = default_of(config.get("defaultTest"), file, drafts)
    drafts.unknown.update(f"defaultTest.{key}" for key in default if key not in _TEST_KEYS)
    shared = default.get("assert")
    if not _is_list(shared):
        drafts.leave_out(Place(str(file), path="$.defaultTest.assert"), _NO_LIST)
        shared = None
    for number, (place, plain) in enumerate(tests_of(config.get("tests"), file, drafts), start=1):
        drafts.unknown.update(f"tests.{key}" for key in plain if key not in _TEST_KEYS)
        own = plain.get("assert")
        if not _is_list(own):
            drafts.leave_out(place, f"assert: {_NO_LIST}")
            continue
        values = {**_mapping(default.get("vars")), **_mapping(plain.get("vars"))}
        yield _Test(place, number, plain, values, [*(shared or ()), *(own or ())])


def _combinations(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Variables with a list of values stand for each of them in turn."""
    lists = [value if isinstance(value, list) else [value] for value in values.values()]
    for chosen in itertools.product(*lists):
        yield dict(zip(values, chosen, strict=True))


def _add(drafts: Drafts, test: _Test, prompt: PromptFile, values: Mapping[str, Any], suffix: str) -> None:
    try:
        keys = conversation(prompt, values)
        found = expectation_of(filled(test.assertions, values))
    except ValueError as error:
        drafts.leave_out(test.place, str(error))
        return
    for kind in found.unsupported:
        drafts.unknown[f"assert {kind}"] += 1
    for kind in found.stricter:
        drafts.remark(f"assert {kind} is read as json here: the answer, or its only fenced block, is the document")
    description = test.plain.get("description")
    metadata = _mapping(test.plain.get("metadata"))
    if isinstance(description, str) and description.strip():
        keys["why"] = description
    if suffix or len(values) < sum(len(value) if isinstance(value, list) else 1 for value in test.values.values()):
        keys["cluster"] = f"test-{test.number}"
    if found.expect:
        keys["expect"] = found.expect
    if found.rubrics or "recommendation" in found.expect:
        keys["judges"] = [JUDGE]
    category = metadata.get("category")
    drafts.probes.append(
        Draft(
            test.place, "-".join(filter(None, (str(description or f"test-{test.number}"), suffix))),
            str(category) if category else None, keys,
            tuple(f"not imported: assert {kind}" for kind in found.unsupported),
        )
    )  # fmt: skip


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_list(assertions: Any) -> bool:
    return assertions is None or isinstance(assertions, list)
