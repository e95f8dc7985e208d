"""The line that says what the host is doing."""

from __future__ import annotations

import pytest

from evalkit.host.messages import Status
from evalkit.status_line import status_text


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (Status("loading", "demo:nf4:naked", total=384), "evalkit: loading demo:nf4:naked  0/384 answers"),
        (
            Status("generating", "demo:nf4:naked:greedy", 214, 384, stored=56, rate=811.6, left_s=72.9),
            "evalkit: generating demo:nf4:naked:greedy  214/384 answers (56 stored)  812 tok/s  1:12 left",
        ),
        (Status("generating", "m", 0, 8), "evalkit: generating m  0/8 answers  0 tok/s"),
        (
            Status("generating", "m", 5, 8, judged=1, questions=3, rate=2.0),
            "evalkit: generating m  5/8 answers  1/3 questions  2 tok/s",
        ),
        (
            Status("judging", "grader:served:naked:greedy", 96, 96, judged=40, questions=96, usd=0.0312),
            "evalkit: judging grader:served:naked:greedy  40/96 questions  $0.03",
        ),
        (Status("judging", "m", questions=4, usd=0.002), "evalkit: judging m  0/4 questions  under $0.01"),
        (
            Status("judging", "m", questions=4, most_usd=0.114),
            "evalkit: judging m  0/4 questions  $0.00 of up to $0.11",
        ),
        (Status("starting"), "evalkit: starting  0/0 answers"),
    ],
)
def test_status_reads_like_this(status: Status, text: str) -> None:
    """Phase, target, how much is done, what came from the store, rate and time left where they are known."""
    assert status_text(status) == text


def test_a_silent_host_is_said_first() -> None:
    """With the log's path where it is known, and without the speed of its last words."""
    status = Status("generating", "demo:nf4", 3, 9, stored=1, rate=80.0, left_s=4.0, silent_s=40.5)

    said = "no sign of life for 0:40"
    rest = "generating demo:nf4  3/9 answers (1 stored)"
    assert status_text(status, ".evalkit/host-1.log") == f"evalkit: {said}, see .evalkit/host-1.log  {rest}"
    assert status_text(status) == f"evalkit: {said}  {rest}"


def test_a_run_that_waits_says_for_whom() -> None:
    """The host puts the sentence together."""
    status = Status("waiting", "for run 2026-a1 (process 7) on cuda  0:42", 0, 9)

    assert status_text(status) == "evalkit: waiting for run 2026-a1 (process 7) on cuda  0:42  0/9 answers"
