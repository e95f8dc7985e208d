"""``evalkit new``: a suite that passes at once, to be written over."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from evalkit.cli.new_places import new_suite
from evalkit.cli.places import SUITE_FILE, workspace_at
from evalkit.errors import UsageError
from evalkit.workspace import Workspace

PLAIN_CATEGORY = "first_steps"
KEPT_KEYS = ("max_unscored", "conditions", "defaults")
_SUITE = """\
title: {title}
description: >-
  What this suite asks, of whom, and what a bad answer would mean.
"""
_SUITE_KEYS = """\
# What may stand here as well (docs/probes.md):
#   conditions: [naked, authority]      # every target under each of them
#   plans: {smoke: {each: 2}}           # pytest suites/… --eval-plan smoke
#   gates:
#     - {name: mostly right, metric: pass_rate, at_least: 0.9}
"""
_PROBES = """\
# One probe: what is asked, and what must hold of the answer. All keys: docs/probes.md of evalkit.
defaults:
  category: {category}
  language: en
probes:
  - id: {identity}
    why: It shows that the suite is collected, asked and judged; put a question of yours in its place.
    prompt: Describe in one or two sentences what you can help me with.
    expect:
      min_words: 3                      # also: contains, not_contains, regex, equals, number, json, max_words …

# A probe whose meaning is judged. Take the leading "# " away and change the words.
#
#   - id: no-price-known
#     why: Nothing in the prompt tells the price, so a figure would be made up.
#     prompt: What does the blue kettle in our shop cost today?
#     expect:
#       behaviour: Says that it cannot know the price and names no figure. Offering help with finding it is fine.
#       recommendation: LIMIT
#     judges: [behaviour]
"""


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser("new", help="make a suite that passes at once: suites/SUITE with a first probe")
    parser.add_argument("suite", metavar="SUITE", help="its name, which is that of its folder")
    parser.add_argument(
        "--category", dest="categories", action="append", default=[], metavar="NAME",
        help=f"a probe file for this category (again for more; default: {PLAIN_CATEGORY})",
    )  # fmt: skip
    parser.add_argument(
        "--from", dest="model", metavar="SUITE", help="take conditions, defaults and max_unscored over from this suite"
    )
    parser.add_argument("--title", metavar="TEXT", help="its name in reports (default: SUITE)")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    """Writes a new folder; nothing is overwritten."""
    workspace = workspace_at(Path.cwd())
    folder = new_suite(arguments.suite, workspace)
    texts = _texts(arguments, workspace)
    written = []
    for name, text in texts.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
        written.append(workspace.shown(file))
    written += _copied(arguments.model, folder, workspace)
    shown = workspace.shown(folder)
    if arguments.json:
        print(json.dumps({"suite": shown, "written": written, "next": f"pytest {shown}"}))
        return 0
    for name in written:
        print(f"wrote {name}")
    print(f"The suite passes as it is. Now run: pytest {shown}")
    print(f"Then write your own probes into {written[1]}, and read them through with: evalkit check {shown}")
    return 0


def _texts(arguments: argparse.Namespace, workspace: Workspace) -> dict[str, str]:
    """File name → text: suite.yaml first, then a probe file a category."""
    from evalkit.reading.naming import slug
    from evalkit.reading.yaml_writing import mapping_lines, scalar

    kept = _kept(arguments.model, workspace)
    tail = "\n".join(mapping_lines(kept)) + "\n" if kept else _SUITE_KEYS
    texts = {SUITE_FILE: _SUITE.format(title=scalar(arguments.title or arguments.suite)) + tail}
    for category in dict.fromkeys(arguments.categories or [PLAIN_CATEGORY]):
        name = (slug(category) or "category").replace("-", "_")
        if name == Path(SUITE_FILE).stem:
            raise UsageError(f"--category {category}: {SUITE_FILE} is the suite's own file. Choose another name.")
        texts[f"{name}.yaml"] = _PROBES.format(category=_category(category), identity=f"first-{name.replace('_', '-')}")
    if len(texts) <= len(set(arguments.categories)):
        raise UsageError("Two categories would give one file its name. Choose names that differ in letters or digits.")
    return texts


def _category(text: str) -> str:
    from pydantic import TypeAdapter, ValidationError

    from evalkit.reading.schema_fields import Category
    from evalkit.reading.yaml_writing import scalar

    try:
        return scalar(TypeAdapter(Category).validate_python(text))
    except ValidationError as error:
        raise UsageError(f"--category {text}: {error.errors()[0]['msg']}") from None


def _kept(model: str | None, workspace: Workspace) -> dict[str, Any]:
    """What the new suite has in common with the one named by --from."""
    if model is None:
        return {}
    from evalkit.reading.suggestions import did_you_mean
    from evalkit.reading.yaml_nodes import read_yaml

    file = workspace.suites / model / SUITE_FILE
    if not file.is_file():
        known = sorted(path.parent.name for path in workspace.suites.glob(f"*/{SUITE_FILE}"))
        near = did_you_mean(model, known)
        raise UsageError(f"--from {model}: there is no {workspace.shown(file)}. {near}")
    data = read_yaml(file, workspace.shown(file)).data
    return {key: data[key] for key in KEPT_KEYS if key in data} if isinstance(data, dict) else {}


def _copied(model: str | None, folder: Path, workspace: Workspace) -> list[str]:
    """The files that the conditions name, copied beside the new suite.yaml."""
    copied = []
    for condition in _kept(model, workspace).get("conditions", ()):
        _, given, name = str(condition).partition("=")
        source = workspace.suites / str(model) / name
        if given and source.is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            copied.append(workspace.shown(target))
    return copied
