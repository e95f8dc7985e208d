"""What judges asked and what it cost, in a line each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evalkit.record import TrialRecord
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.markdown import summary_markdown
from evalkit.reporting.money import asked_sentence, judge_sentence, money_sentence
from evalkit.reporting.phrases import token_sentence
from evalkit.reporting.run_figures import run_figures
from evalkit.reporting.safe_text import for_markdown
from evalkit.reporting.summary import RunFacts, Summary, summarise
from evalkit.reporting.terminal import summary_lines

MakeRecord = Callable[..., TrialRecord]
MakeRun = Callable[..., RunFacts]


def markdown_of(summary: Summary) -> str:
    return summary_markdown(FinishedRun(summary), run_figures(summary))


def asked(identity: str, **changes: Any) -> dict[str, Any]:
    return {
        "target": "grader:served:naked:greedy", "model": "claude-haiku-4-5", "identity": identity, "cost_usd": 0.0125,
        "attempts": 1, "stored": False, "failed": None, **changes,
    }  # fmt: skip


def verdict(*questions: dict[str, Any], reason: str = "fine") -> dict[str, Any]:
    plain = {"judge": "kind", "outcome": "pass", "reason": reason, "required": True, "judge_hash": "h"}
    return {**plain, "asked": list(questions)}


def test_judges_that_asked(make_record: MakeRecord, make_run: MakeRun) -> None:
    """Whom, how often and what it cost; equal questions cost once, stored ones nothing, those of errors too."""
    records = [
        make_record(verdicts=(verdict(asked("a")), verdict(asked("b", stored=True)))),
        make_record(sample=1, verdicts=(verdict(asked("a")),)),
        make_record(
            sample=2,
            verdicts=(
                verdict(
                    asked("c", cost_usd=None, failed="no_money", attempts=None),
                    asked("d", cost_usd=0.005, failed="broken", attempts=None),
                    asked("e", target="other:fp32:naked:greedy", model="other", cost_usd=None),
                    reason="the judge's answer could not be read: it is empty",
                ),
            ),
        ),
        make_record(sample=3, outcome="error", asked=({"judge": "kind", **asked("f", failed="broken")},)),
    ]
    summary = summarise(records, run=make_run(usd=0.03, max_usd=5.0))

    assert judge_sentence(summary) == (
        "6 questions to grader (claude-haiku-4-5), 1 to other, 1 of them answered from the store, $0.03 of $5.00 "
        "allowed; 1 unreadable, 1 not asked for want of money, 2 without a reply"
    )
    assert money_sentence(summary) == ""
    assert f"- {for_markdown('judges: ' + judge_sentence(summary))}" in markdown_of(summary)
    shown = " ".join(" ".join(line.text for line in summary_lines(summary, (), ())).split())
    assert f"judges {judge_sentence(summary)}" in shown


def test_targets_at_servers_cost_too(make_record: MakeRecord, make_run: MakeRun) -> None:
    """Then the limit stands beside all the money, not beside the judges' part of it."""
    record = make_record(verdicts=(verdict(asked("a")),))
    summary = summarise([record], run=make_run(usd=1.5, max_usd=2.0))

    assert judge_sentence(summary) == "1 question to grader (claude-haiku-4-5), $0.01; 0 unreadable"
    assert money_sentence(summary) == "$1.50 of $2.00 allowed, for answers and for judges"


def test_nothing_was_asked(make_record: MakeRecord, make_run: MakeRun) -> None:
    """No line at all; records of older runs have no such key."""
    old = {name: value for name, value in verdict().items() if name != "asked"}
    summary = summarise([make_record(verdicts=(old,))], run=make_run())

    assert (judge_sentence(summary), money_sentence(summary)) == ("", "")


def test_models_here_cost_nothing() -> None:
    """No amount is shown where nothing has a price; what a key would enable is counted."""
    local = asked("a", target="small:fp32:naked:greedy", model="models/small", cost_usd=None)
    without_key = asked("b", cost_usd=None, attempts=None, failed="no_key")

    assert asked_sentence([local], 0, 5.0) == "1 question to small (models/small); 0 unreadable"
    assert asked_sentence([without_key], 0, 5.0) == (
        "1 question to grader (claude-haiku-4-5); 0 unreadable, 1 not asked for want of a key"
    )


def test_tokens_of_servers_stand_apart(make_record: MakeRecord, make_run: MakeRun) -> None:
    """The rate is that of the weights here."""
    run = make_run(generated_tokens=300, served_tokens=900, generating_s=10.0)
    summary = summarise([make_record(prompt_tokens=5, new_tokens=8)], run=run)

    assert token_sentence(summary) == "5 read, 8 written, 300 in this run at 30 a second, 900 by servers"
