"""Tests of a promptfoo configuration: prompts × tests with their variables and assertions."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from evalkit.errors import Problem, UnreadableFile
from evalkit.importing.drafts import Draft, Drafts, Place
from evalkit.importing.promptfoo_assertions import expectation_of
from evalkit.importing.promptfoo_files import PromptFile, prompts_of, tests_of
from evalkit.importing.rows import text_of

JUDGE = "behaviour"
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}")
_TEMPLATING = re.compile(r"\{\{|\{%|\{#")
_CONFIG_KEYS = {"prompts", "tests", "defaultTest", "description", "providers", "targets"}
_TEST_KEYS = {"vars", "assert", "description", "metadata"}
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
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
    default = config.get("defaultTest")
    default = default if isinstance(default, dict) else {}
    drafts.unknown.update(f"defaultTest.{key}" for key in default if key not in _TEST_KEYS)
    for number, (place, plain) in enumerate(tests_of(config.get("tests"), file, drafts), start=1):
        drafts.unknown.update(f"tests.{key}" for key in plain if key not in _TEST_KEYS)
        values = {**_mapping(default.get("vars")), **_mapping(plain.get("vars"))}
        assertions = [*(default.get("assert") or ()), *(plain.get("assert") or ())]
        yield _Test(place, number, plain, values, assertions)


def _combinations(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Variables with a list of values stand for each of them in turn."""
    lists = [value if isinstance(value, list) else [value] for value in values.values()]
    for chosen in itertools.product(*lists):
        yield dict(zip(values, chosen, strict=True))


def _add(drafts: Drafts, test: _Test, prompt: PromptFile, values: Mapping[str, Any], suffix: str) -> None:
    try:
        keys = _conversation(prompt, values)
        found = expectation_of(_filled(test.assertions, values))
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


def _conversation(prompt: PromptFile, values: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ValueError where the prompt cannot be made without promptfoo."""
    text = _rendered(prompt.text, values)
    messages = _messages(text)
    if messages is None:
        return {"prompt": text}
    turns: list[Any] = []
    for message in messages:
        role = _ROLES.get(str(message.get("role")))
        content = message.get("content")
        if role is None or not isinstance(content, str):
            raise ValueError(f"the prompt {prompt.shown} holds a message that is no text of system, user or assistant.")
        turns.append({role: content})
    if len(turns) == 1 and "user" in turns[0]:
        return {"prompt": turns[0]["user"]}
    return {"turns": [*turns, "generate"]}


def _messages(text: str) -> list[dict[str, Any]] | None:
    """The messages of a prompt that is a chat in JSON or YAML, else None."""
    if not text.lstrip().startswith(("[", "- role:")):
        return None
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError):
        try:
            plain = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError):
            return None
    is_chat = isinstance(plain, list) and plain and all(isinstance(item, dict) and "role" in item for item in plain)
    return plain if is_chat else None


def _rendered(text: str, values: Mapping[str, Any]) -> str:
    """The text with its variables filled in; raises ValueError where it holds more than plain placeholders."""
    left = _PLACEHOLDER.sub("", text)
    if _TEMPLATING.search(left):
        raise ValueError("the prompt holds more templating than {{ name }}. Write it out, or use expand.")

    def value(found: re.Match[str]) -> str:
        current: Any = values
        for step in found.group(1).split("."):
            if not isinstance(current, Mapping) or step not in current:
                raise ValueError(
                    f"the prompt asks for {{{{ {found.group(1)} }}}}, and the test gives no such variable."
                )
            current = current[step]
        if isinstance(current, str) and current.startswith("file://"):
            raise ValueError(f"the variable {found.group(1)!r} comes from a file, which is not read. Write its text.")
        return current if isinstance(current, str) else json.dumps(current, ensure_ascii=False)

    return _PLACEHOLDER.sub(value, text)


def _filled(assertions: Any, values: Mapping[str, Any]) -> Any:
    """The assertions with variables filled into every text; texts with other templating stay as they are."""
    if isinstance(assertions, str) and not _TEMPLATING.search(_PLACEHOLDER.sub("", assertions)):
        return _rendered(assertions, values)
    if isinstance(assertions, list):
        return [_filled(item, values) for item in assertions]
    if isinstance(assertions, dict):
        return {key: _filled(item, values) for key, item in assertions.items()}
    return assertions


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
