"""The words that say what the host is doing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.host.messages import Status
from evalkit.status_text import columns, cut, cut_middle, status_text

LABEL = "gemma2-27b+logos21:nf4:authority:greedy"
FULL = Status(
    "generating", LABEL, 214, 384, stored=56, rate=811.6, left_s=72.9, to_load=2, judged=1, questions=3, usd=0.031,
    most_usd=0.114, max_usd=5.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (Status("loading", "demo:nf4:naked", total=384), "evalkit: loading demo:nf4:naked  0/384 answers"),
        (
            Status("generating", "demo:nf4:naked:greedy", 214, 384, stored=56, rate=811.6, left_s=72.9),
            "evalkit: generating demo:nf4:naked:greedy  214/384 answers (56 stored)  812 tok/s  1:12 left",
        ),
        (Status("generating", "m", 0, 8), "evalkit: generating m  0/8 answers  - left"),
        (
            Status("generating", "m", 5, 8, judged=1, questions=3, rate=2.0),
            "evalkit: generating m  5/8 answers  1/3 questions  2 tok/s  - left",
        ),
        (
            FULL,
            f"evalkit: generating {LABEL}  214/384 answers (56 stored)  1/3 questions  812 tok/s  "
            "about 1:12 left, 2 more models to load  $0.03 (up to $0.11) of $5.00",
        ),
        (
            Status("judging", "grader:served:naked:greedy", 96, 96, judged=40, questions=96, usd=0.0312, left_s=9.0),
            "evalkit: judging grader:served:naked:greedy  40/96 questions  0:09 left  $0.03",
        ),
        (
            Status("judging", "m", questions=4, usd=0.002, max_usd=0.5),
            "evalkit: judging m  0/4 questions  - left  under $0.01 of $0.50",
        ),
        (
            Status("judging", "m", questions=4, most_usd=0.114),
            "evalkit: judging m  0/4 questions  - left  $0.00 of up to $0.11",
        ),
        (Status("starting"), "evalkit: starting"),
        (Status("starting", LABEL, 0, 4), f"evalkit: reading the files of {LABEL}  0/4 answers"),
        (
            Status("starting", LABEL, 0, 4, loading="files", loaded=0.5),
            f"evalkit: reading the files of {LABEL}  50 %  0/4 answers",
        ),
        (
            Status("loading", f"{LABEL}, about 5.1 GiB: weights 4.6 GiB (nf4)", 0, 4, loading="weights", loaded=0.437),
            f"evalkit: loading {LABEL}  43 % of weights  about 5.1 GiB: weights 4.6 GiB (nf4)  0/4 answers",
        ),
        (
            Status("loading", "m", 8, 9, loading="adapter 2 of 5", left_s=3.0, to_load=1),
            "evalkit: loading m  adapter 2 of 5  8/9 answers  about 0:03 left, 1 more model to load",
        ),
        (Status("generating", "a\x1b[31mb\u202ec", 0, 8), "evalkit: generating abc  0/8 answers  - left"),
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


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (160, "generating gemma2-27b+logos21:nf4:authority:greedy  214/384  812 tok/s  "
              "about 1:12 left, 2 more models to load  $0.03 (up to $0.11) of $5.00"),
        (120, "generating gemma2-27b+logos21:nf4:authority:greedy  214/384  about 1:12 left  "
              "$0.03 (up to $0.11) of $5.00"),
        (100, "generating gemma2-27b+logos21:nf4:authority:greedy  214/384  about 1:12 left  $0.03"),
        (80, "generating gemma2-27b+lo…hority:greedy  214/384  about 1:12 left  $0.03"),
        (66, "generating gemma2…greedy  214/384  about 1:12 left  $0.03"),
        (40, "generating gemm…edy  214/384"),
        (20, "generating…"),
    ],
)  # fmt: skip
def test_little_room(width: int, text: str) -> None:
    """What matters least goes first, then the target's name is cut in its middle; how far it is stays longest."""
    assert status_text(FULL, width=width) == f"evalkit: {text}"


def test_how_far_it_is_goes_last() -> None:
    """Time left and questions stay where the target's name has to give way."""
    generating, judging = Status("generating", LABEL, 214, 384, left_s=9.0), Status("judging", LABEL, left_s=9.0)

    assert status_text(generating, width=60) == "evalkit: generating gemma2-27b…ty:greedy  214/384  0:09 left"
    assert status_text(judging, width=56) == "evalkit: judging gemma2…greedy  0/0 questions  0:09 left"


def test_a_silent_host_in_little_room() -> None:
    """The log's path goes before the silence does."""
    status = Status("generating", LABEL, 3, 9, silent_s=40.0)

    assert status_text(status, ".evalkit/host-20261121-120301-ab12.log", 100) == (
        f"evalkit: no sign of life for 0:40  generating {LABEL}  3/9"
    )


def test_wide_characters() -> None:
    """Two columns each, and combining marks none, so that a line never wraps."""
    assert columns("模型e\u0301") == 5
    assert (cut("模型模型", 4), cut("模型模型", 8), cut("模型模型", 0)) == ("模…", "模型模型", "")
    assert cut_middle("模型-abc-模型", 8) == "模型-…型"
    assert status_text(Status("generating", "模型" * 20, 1, 2), width=50) == (
        "evalkit: generating 模型模型模型…模型模型模型  1/2"
    )


@given(
    target=st.text(max_size=60),
    width=st.integers(10, 200),
    phase=st.sampled_from(["starting", "waiting", "loading", "generating", "judging"]),
    silent_s=st.sampled_from([0.0, 99.0]),
)
def test_it_never_takes_more_columns(target: str, width: int, phase: str, silent_s: float) -> None:
    """Whatever a target is called."""
    status = Status(phase, target, 1, 2, left_s=5.0, silent_s=silent_s, usd=1.0)  # type: ignore[arg-type]

    assert columns(status_text(status, "log", width)) <= width
