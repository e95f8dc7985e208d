"""Fixtures for Python tests that ask the run's models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.errors import UsageError
from evalkit.planned import inline_probe_of, planned_trial

if TYPE_CHECKING:
    from evalkit.session import Session
    from evalkit.target import Target
    from evalkit.transcript import Answer, Case, Transcript
    from evalkit.verdict import Decision


@pytest.fixture(scope="session")
def evalkit_host(request: pytest.FixtureRequest) -> Session:
    """The run's line to the shared model host: its targets, and whatever the other fixtures are made of."""
    from evalkit.running import run_of

    return run_of(request.config).session


@pytest.fixture
def evalkit_transcript(request: pytest.FixtureRequest, evalkit_target: Target, evalkit_host: Session) -> Transcript:
    """What one target said to the prompts of the test's ``probe`` marker; the test runs once for every target."""
    return _case(request.node, evalkit_host).transcript


@pytest.fixture
def evalkit_generate(request: pytest.FixtureRequest, evalkit_host: Session) -> Callable[..., Answer]:
    """``evalkit_generate(prompt, target=None, system=None, **decoding)``: asks now and returns the answer.

    ``target`` is a label of the run (default: the test's own ``evalkit_target``, else the run's first). Prompts asked
    this way are not in the plan: prefer the ``probe`` marker where the prompt is known beforehand.
    """

    def generate(prompt: str, target: str | None = None, system: str | None = None, **decoding: Any) -> Answer:
        from evalkit.host.plan import case_of

        probe = inline_probe_of(request.node, prompt, system, decoding=tuple(sorted(decoding.items())))
        trial = evalkit_host.trial(probe, _target(request.node, evalkit_host, target))
        return case_of(trial, evalkit_host.replies(trial).replies).answers[-1]

    return generate


@pytest.fixture
def evalkit_judge(request: pytest.FixtureRequest, evalkit_host: Session) -> Callable[..., Decision]:
    """``evalkit_judge(answer, prompt="", expect={…}, judges=["text"], category="")``: what judges say of a text.

    ``answer`` is a text, an Answer or a Transcript. ``degeneration`` always judges along.
    """

    def judge(
        answer: str | Answer | Transcript,
        prompt: str = "",
        expect: dict[str, Any] | None = None,
        judges: Sequence[str] = (),
        category: str = "",
    ) -> Decision:
        from evalkit.host.plan import split_text
        from evalkit.probe import Message
        from evalkit.transcript import Answer, Case, Transcript

        probe = inline_probe_of(request.node, prompt or "(no prompt given)", None, expect, judges, category)
        if isinstance(answer, Transcript):
            return evalkit_host.decide(Case(probe, "", answer), {})
        said = answer if isinstance(answer, Answer) else split_text(answer)
        messages = (Message("user", prompt), Message("assistant", said.text))
        return evalkit_host.decide(Case(probe, "", Transcript(messages, (said,))), {})

    return judge


def _case(item: pytest.Item, session: Session) -> Case:
    from evalkit.host.plan import case_of

    trial = planned_trial(item, session)
    if trial is None:
        raise UsageError(
            f"{item.nodeid}: evalkit_transcript needs to know what to ask. "
            "Mark the test: @pytest.mark.probe(prompt='…')"
        )
    return case_of(trial, session.replies(trial).replies)


def _target(item: pytest.Item, session: Session, label: str | None) -> Target:
    if label is None:
        callspec = getattr(item, "callspec", None)
        own: Target | None = callspec.params.get("evalkit_target") if callspec is not None else None
        return own or session.targets[0]
    for target in session.targets:
        if target.label == label:
            return target
    there = ", ".join(target.label for target in session.targets)
    raise UsageError(f"{item.nodeid}: no target {label!r} in this run; it has {there}")
