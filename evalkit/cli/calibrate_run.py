"""The labels of a review as what judges are measured on."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalkit.cli.review_sheets import run_of
from evalkit.errors import UsageError
from evalkit.probe import JudgeUse
from evalkit.reading.answer_rows import AnswerRow
from evalkit.reading.label_rows import LabelRow
from evalkit.review import Label
from evalkit.reviewed import Conversations, reviewed, text_of
from evalkit.reviewing import Settled, settled
from evalkit.store.generations import GenerationStore
from evalkit.store.runs import as_of
from evalkit.transcripts import ProbesOfToday, transcript_of
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.probe import Probe
    from evalkit.record import TrialRecord
    from evalkit.rejudging import StoredTrial


@dataclass(frozen=True, slots=True)
class LabelledTrial:
    """One trial of the run whose text has a label that decides."""

    record: TrialRecord
    probe: Probe
    stored: Conversations
    row: LabelRow

    def trial(self, use: JudgeUse) -> StoredTrial:
        """Its conversation as it happened, for this judge alone."""
        answers = [self.stored[name] for name in self.record.generations]
        return transcript_of(self.record, self.probe, answers, (use,))[0]


def labelled_trials(workspace: Workspace, wanted: str) -> tuple[str, list[LabelledTrial]]:
    """The run's name, and one trial for each of its texts with a label that decides.

    Raises:
        UsageError: there is no such run, or its labels say nothing of the answers that nobody read.
    """
    name, records = run_of(workspace, wanted)
    state = reviewed(workspace.store_file, name, records)
    if not state.labels:
        raise UsageError(f"Run {name}: nobody labelled any of its answers. Begin with: evalkit review {name}")
    why_not = state.why_no_shares()
    if why_not:
        raise UsageError(
            f"Run {name}: {why_not}, so no judge can be measured on its labels. "
            f"Have passes and failures drawn: evalkit review {name} --budget N"
        )
    said = settled(state.labels)
    shares = state.shares()
    texts = {trial.trial: trial.text_hash for trial in state.population}
    return name, _found(workspace, name, records, texts, said, shares)


def _found(
    workspace: Workspace, run: str, records: Sequence[TrialRecord], texts: dict[str, str],
    said: dict[str, Settled], shares: dict[str, float],
) -> list[LabelledTrial]:  # fmt: skip
    found: dict[str, LabelledTrial] = {}
    without: Counter[str] = Counter()
    today, then = ProbesOfToday(workspace), as_of(workspace.store_file, run)
    with closing(GenerationStore.open(workspace.store_file)) as store:
        for record in records:
            text = texts.get(record.trial, "")
            if text not in shares or text in found:
                continue
            probe, stored = today.probe(record), store.conversations(record.generations, then)
            now = text_of(record, stored)
            if probe is None:
                without["its probe is gone"] += 1
            elif now is None:
                without["its answer is gone from the store"] += 1
            elif now.text_hash != text:
                without["its answer is another one now"] += 1
            else:
                row = _row(record, probe, stored, said[text], shares[text])
                found[text] = LabelledTrial(record, probe, stored, row)
    for why, count in without.items():
        print(f"left out: {count} of {len(shares)} labelled answers, each because {why}", file=sys.stderr)
    return list(found.values())


def _row(record: TrialRecord, probe: Probe, stored: Conversations, said: Settled, share: float) -> LabelRow:
    last = stored[record.generations[-1]][1]
    counting: list[Label] = [label for label in said.labels if label.truth is said.truth]
    blind = {label.blind for label in counting}
    return LabelRow(
        AnswerRow(probe, last.text, last.finish, {}), said.truth, ", ".join(label.reviewer for label in counting),
        blind.pop() if len(blind) == 1 else None, share, True, record.suite,
    )  # fmt: skip
