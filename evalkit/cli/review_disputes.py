"""``evalkit review disputes RUN``: sheets of the answers on which reviewers differ, for a further person to decide."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from evalkit.cli.places import workspace_at
from evalkit.cli.review_sheets import Sheets, run_of, write
from evalkit.reporting.phrases import counted
from evalkit.review import ReviewItem
from evalkit.reviewed import reviewed, texts_of
from evalkit.reviewing import QueueOptions, build_queue, disputes

PART = "disputes"


def run(arguments: argparse.Namespace) -> int:
    """Exit 0, also where nothing is disputed.

    Raises:
        UsageError: there is no such run, or sheets would be overwritten.
    """
    workspace = workspace_at(Path.cwd())
    name, records = run_of(workspace, arguments.run)
    state = reviewed(workspace.store_file, name, records, everyone=True)
    wanted = {
        said.text_hash
        for said in disputes(state.labels)
        if not said.is_adjudicated and (said.is_open or not arguments.open)
    }
    sheets = Sheets.of(workspace, name, arguments, part=PART, options=" --adjudicates")
    every = build_queue(
        records, texts_of(workspace.store_file, records, name), QueueOptions(everything=True), run=name
    ).items
    items: list[ReviewItem] = [item for item in every if item.text_hash in wanted]
    files = write(sheets, items) if items else []
    if arguments.json:
        print(json.dumps({"run": name, "items": len(items), "files": [str(file) for file in files]}))
    elif not items:
        print(f"run {name}: reviewers differ on no answer that is still to be decided")
    else:
        print(f"run {name}: reviewers differ on {counted(len(items), 'answer')}; labels of these sheets decide")
        sheets.say(items, files)
    return 0
