"""What a report says of a run as a whole, gathered where it ends."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from evalkit import __version__
from evalkit.errors import UsageError
from evalkit.ledger import Ledger
from evalkit.reading.adapters import describe_adapter
from evalkit.record import TrialRecord
from evalkit.reporting.summary import RunFacts
from evalkit.reporting.survey_notes import survey_notes
from evalkit.reviewed import Reviewed, review_sentence
from evalkit.sampling_plan import Drawn
from evalkit.session import Session
from evalkit.target import Target
from evalkit.trial_texts import RunTexts


def run_facts(
    ledger: Ledger, session: Session, records: tuple[TrialRecord, ...], texts: RunTexts,
    targets: Sequence[Target], reviewed: Reviewed | None,
) -> RunFacts:  # fmt: skip
    """The facts of a run that ends now; ``targets`` are in plan order, ``texts`` what its trials were answered."""
    ordered = sorted(records, key=lambda record: (record.suite, record.file, record.line))
    present = {record.target for record in records}
    adapters = dict.fromkeys(adapter for target in targets if target.label in present for adapter in target.adapters)
    facts = texts.provenance
    if ledger.loads:
        facts["weight loads"] = str(ledger.loads)
    shown = ledger.workspace.shown
    return RunFacts(
        run_id=ledger.run_id, started_at=ledger.started_at, wall_s=time.time() - ledger.started_at,
        targets=tuple(target.label for target in targets),
        categories=tuple(dict.fromkeys(record.category for record in ordered)),
        is_demo=any(record.is_demo for record in records),
        provenance=tuple(sorted(facts.items())),
        footers=tuple(describe_adapter(adapter) for adapter in adapters),
        plans=tuple(drawn.sentence for drawn in drawn_of(session, records)),
        log=shown(ledger.log) if ledger.host_was_started else "",
        out=shown(ledger.out) if records else "", command=shlex.join(["pytest", *ledger.command]),
        notes=(*ledger.notes, *left_out(session, ledger, records), *survey_notes(records, texts.by_trial)),
        generated_tokens=ledger.generated_tokens, served_tokens=ledger.served_tokens,
        generating_s=ledger.generating_s, usd=ledger.usd, max_usd=ledger.max_usd,
        noise=ledger.noise.sentence if ledger.noise else "", reviewed=review_sentence(reviewed, records),
        evalkit=__version__,
    )  # fmt: skip


def left_out(session: Session, ledger: Ledger, records: tuple[TrialRecord, ...]) -> tuple[str, ...]:
    """What is said of probes that were not run, also of suites of which none was."""
    return session.leaving_out.sentences(session.suites(records, ledger.selected))


def drawn_of(session: Session, records: tuple[TrialRecord, ...]) -> tuple[Drawn, ...]:
    """What the run's sample plan drew from each suite; a suite that has no such plan ran nothing."""
    found = []
    for suite in session.suites(records):
        with suppress(UsageError):
            found.append(session.drawn(suite))
    return tuple(drawn for drawn in found if drawn is not None)


def plan_facts(drawn: Drawn) -> dict[str, Any]:
    """So that the same probes can be run again, whatever becomes of the suite."""
    return {"name": drawn.plan.name, "seed": drawn.plan.seed, "sha256": drawn.digest, "ids": list(drawn.ids)}
