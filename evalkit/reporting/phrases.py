"""Times, sources and counts in words."""

from __future__ import annotations

from evalkit.reporting.summary import Summary, TargetSummary
from evalkit.stats import percent
from evalkit.tally import Tally


def duration(seconds: float) -> str:
    """``5 min 12 s``."""
    whole = round(seconds)
    if seconds < 10:
        return f"{seconds:.1f} s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def age(seconds: float) -> str:
    """``3 days old``; the largest unit that fits."""
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count = int(seconds // size)
        if count:
            return f"{counted(count, unit)} old"
    return "under a minute old"


def counted(count: int, noun: str) -> str:
    """``1 trial``, ``2 trials``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def token_sentence(summary: Summary) -> str:
    """How many tokens were written, how many of them in this run, and how fast."""
    run, total = summary.run, summary.total
    is_timed = run.generated_tokens > 0 and run.generating_s > 0
    speed = f" at {run.generated_tokens / run.generating_s:,.0f} a second" if is_timed else ""
    served = f", {run.served_tokens} by servers" if run.served_tokens else ""
    return f"{total.prompt_tokens} read, {total.new_tokens} written, {run.generated_tokens} in this run{speed}{served}"


def store_sentence(total: Tally) -> str:
    """How many trials were answered from the store, and how old the oldest answer is."""
    oldest = "" if total.oldest_stored_s is None else f", the oldest {age(total.oldest_stored_s)}"
    return f"{total.stored} of {counted(total.n, 'trial')} answered from it{oldest}"


def trust_notes(target: TargetSummary) -> list[str]:
    """The corrected rate of the whole target, or why there is none; whose labels the judge was measured on."""
    whole = target.trust[-1]
    if whole is None:
        return []
    source = whole.calibration.source
    people = ", ".join(source.by) or "unnamed reviewers"
    blind = {True: ", blind", False: ", not blind", None: ""}[source.blind]
    judge = f"judge {whole.calibration.judge}, measured on {counted(source.n, 'label')} by {people}{blind}"
    if whole.corrected is None:
        return [f"{judge}; no corrected rate: {whole.why_not}"]
    low, high = whole.corrected.interval.low, whole.corrected.interval.high
    rate = f"{100 * whole.corrected.rate:.1f} % ({100 * low:.1f}–{100 * high:.1f})"
    return [f"{judge}; its pass rate corrected for its errors: {rate}"]


def weighting_notes(target: TargetSummary) -> list[str]:
    """What the row ``all`` weighs by, and the mean of the categories; nothing where there is but one."""
    if len(target.categories) < 2 or not target.total.n:
        return []
    largest = max(target.categories, key=lambda tally: tally.n)
    even = all(tally.n == largest.n for tally in target.categories)
    share = "" if even else f" ({largest.name} is {percent(largest.n / target.total.n)} of them)"
    macro = target.macro_pass_rate
    mean = f"mean of the {len(target.categories)} categories {percent(macro)}"
    unknown = "a category without a scored trial leaves their mean open"
    return [f"weighting: all counts every trial the same{share}; {unknown if macro is None else mean}"]


def target_notes(tally: Tally) -> list[str]:
    """What a table of rates leaves out: the bounds of the rate, fabrications, answers that were cut."""
    notes = []
    if tally.passes.has_families:
        families = "one family" if tally.passes.families == 1 else f"{tally.passes.families} families"
        notes.append(
            f"the interval is that of {families}: samples of a probe and probes of a cluster are not as many questions"
        )
    if tally.unscored:
        low, high = tally.rate_if_unscored_failed or 0.0, tally.rate_if_unscored_passed or 0.0
        notes.append(
            f"{tally.unscored} of {tally.answered} unscored: "
            f"the rate is {100 * low:.1f} % if all of them failed, {100 * high:.1f} % if all passed"
        )
    if tally.fabricated:
        notes.append(f"{tally.fabricated} of {tally.answered} fabricated")
    if tally.over_refused:
        notes.append(f"{tally.over_refused} of {tally.answered} over-refused: refused what should have been answered")
    if tally.thought_failures:
        notes.append(
            f"knowledge-action gap: {tally.knew_better} of {counted(tally.thought_failures, 'failing answer')} "
            f"with thinking think rightly and act wrongly ({percent(tally.knew_better / tally.thought_failures)})"
        )
    if tally.length_finishes:
        notes.append(f"{counted(tally.length_finishes, 'answer')} cut at max_new_tokens (finish: length)")
    return notes
