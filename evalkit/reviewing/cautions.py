"""What a reader must know of corrected rates before quoting them."""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.reviewing.cells import Cell
from evalkit.reviewing.design import Design
from evalkit.reviewing.population import PopulationTrial, Settled
from evalkit.reviewing.refusals import NAMES, count_of, draw, read_of, unqueued_of, unread, unread_outcomes, why_no_rate


def words_of_caution(design: Design, said: Sequence[Settled], run: str) -> tuple[str, ...]:
    """Whole sentences, the gravest first; ``said`` are the labels of these trials, all of them."""
    about = (_one_sided(design.trials, design.cells, run), _about_gaps(design.trials, design.cells, run))
    queues = (*_about_unread(design, said, run), *_about_queues(design, run))
    return (*about[0], *about[1], *queues, *_about_labels(said, run))


def _one_sided(trials: Sequence[PopulationTrial], cells: Sequence[Cell], run: str) -> list[str]:
    if not any(cell.truths for cell in cells):
        return []
    found = []
    for outcome in unread_outcomes(trials, cells):
        because = unread(trials, cells, outcome)
        so = f"the labels could only {NAMES[outcome][2]} the reviewed rate"
        if read_of(cells, outcome):
            so = "nothing says what the others are"
        found.append(f"{because[0].upper()}{because[1:]}, so {so}. Have passes and failures drawn: {draw(run)}")
    return found


def _about_gaps(trials: Sequence[PopulationTrial], cells: Sequence[Cell], run: str) -> list[str]:
    found = []
    unscored = count_of(trials, "unscored")
    if unscored and not any(cell.outcome == "unscored" for cell in cells):
        was = "trial was not reviewed and is" if unscored == 1 else "trials were not reviewed and are"
        found.append(f"{unscored} unscored {was} in no rate. Have some read: {draw(run)}")
    if not why_no_rate(trials, cells):
        found += _about_unspoken(cells, run)
    return found


def _about_unspoken(cells: Sequence[Cell], run: str) -> list[str]:
    """Of trials for which nothing speaks, where they are few enough for a rate."""
    unqueued = unqueued_of(cells)
    blank = sum(len(cell.trials) for cell in cells if not cell.truths) - unqueued
    where = ((unqueued, "in no queue that labels come from"), (blank, "in strata of which nobody read any"))
    return [
        f"{count} {'trial is' if count == 1 else 'trials are'} {what}: the interval holds whatever "
        f"{'it is' if count == 1 else 'they are'}. Have answers of the whole run drawn: {draw(run)}"
        for count, what in where
        if count
    ]


def _about_unread(design: Design, said: Sequence[Settled], run: str) -> list[str]:
    """Of texts that were drawn and not read, where others speak for them."""
    cells = [cell for cell in design.cells if cell.truths]
    chosen = {trial.text_hash for cell in cells for trial in cell.trials if trial.inclusion is not None}
    left = chosen - {text for cell in cells for text in cell.truths}
    if not left:
        return []
    have, queues = "has" if len(left) == 1 else "have", "queues" if design.queues > 1 else "queue"
    # What has labels already is settled otherwise, and told with them.
    mend = "" if left <= {one.text_hash for one in said} else f". Have the rest read: {draw(run)}"
    return [
        f"{len(left)} of {_texts(len(chosen))} in the {queues} {have} no label that decides; "
        f"the others are taken to speak for them{mend}"
    ]


def _about_queues(design: Design, run: str) -> list[str]:
    if design.earlier or design.later:
        return [_about_change(design)]
    if design.is_split:
        return [
            f"Labels come from {design.queues} queues that were drawn apart: what all of them treated alike speaks for "
            f"its own kind, and the interval is the wider for it. One queue over the whole run: {draw(run)}"
        ]
    if design.left_out:
        are = "label of another queue is" if design.left_out == 1 else "labels of other queues are"
        return [f"The corrected rate is from one queue, all of which was read; {design.left_out} {are} not in it"]
    return []


def _about_change(design: Design) -> str:
    earlier = "1 label speaks" if design.earlier == 1 else f"{design.earlier} labels speak"
    later = "1 later label is" if design.later == 1 else f"{design.later} later labels are"
    so = (
        f"the corrected rate is from the labels before that, and {later} not in it"
        if design.later
        else f"{earlier} for no other answers, those of later queues for the rest"
    )
    return f"The judges were changed between queues, perhaps by what labels said: {so}"


def _about_labels(said: Sequence[Settled], run: str) -> list[str]:
    again, decide = f"evalkit review {run} --again", f"evalkit review disputes {run} --open"
    found = []
    undecided = sum(one.truth is None and not one.is_open for one in said)
    if undecided:
        count = "as an unread one" if undecided == 1 else "as unread ones"
        found.append(
            f"{_texts(undecided)} labelled borderline or unsure {_counts(undecided)} {count}. "
            f"Have somebody else decide: {again}"
        )
    tied = sum(one.is_open for one in said)
    if tied:
        has = "has" if tied == 1 else "have"
        found.append(f"{_texts(tied)} {has} as many labels for as against; one more reviewer has to decide: {decide}")
    seen = sum(label.blind is False for one in said for label in one.labels)
    total = sum(len(one.labels) for one in said)
    if seen:
        was = "was" if seen == 1 else "were"
        found.append(
            f"{seen} of {total} labels {was} given with the verdict in sight. Have somebody judge blind: {again}"
        )
    unknown = sum(label.blind is None for one in said for label in one.labels)
    if unknown:
        do = "does" if unknown == 1 else "do"
        found.append(
            f"{unknown} of {total} labels {do} not say whether the verdict was in sight. "
            f"Have somebody judge blind: {again}"
        )
    return found


def _texts(count: int) -> str:
    return "1 text" if count == 1 else f"{count} texts"


def _counts(count: int) -> str:
    return "counts" if count == 1 else "count"
