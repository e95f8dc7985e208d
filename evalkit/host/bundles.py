"""What goes to a client in one message: the trial it wants, and those that follow it as far as they are settled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from evalkit.generation import Generation
from evalkit.host.messages import Inspected, Passed, Settled

Done = Settled | Passed | Inspected
MOST_CHARACTERS = 32_768
"""About how much text goes into one: no more than a socket takes while its reader is busy judging."""
_OF_A_RECORD = 256
"""For what a record has beside these texts, most of which is as in the one before it."""


def bundle(first: Done, following: Iterable[str], settled_of: Callable[[str], Done | None]) -> tuple[Done, ...]:
    """``first``, however long it is, and of the ``following`` all up to one that is not settled or does not fit."""
    return _fitting(first, _up_to_open(following, settled_of))


def early_bundle(trials: Iterable[str], settled_of: Callable[[str], Done | None]) -> tuple[Done, ...]:
    """Those of the trials that are settled, in their order, up to one that does not fit."""
    done = (settled for trial in trials if (settled := settled_of(trial)) is not None)
    first = next(done, None)
    return () if first is None else _fitting(first, done)


def _up_to_open(trials: Iterable[str], settled_of: Callable[[str], Done | None]) -> Iterator[Done]:
    for trial in trials:
        settled = settled_of(trial)
        if settled is None:
            return
        yield settled


def _fitting(first: Done, more: Iterable[Done]) -> tuple[Done, ...]:
    found, characters = [first], _characters(first)
    for settled in more:
        characters += _characters(settled)
        if characters > MOST_CHARACTERS:
            break
        found.append(settled)
    return tuple(found)


def _characters(done: Done) -> int:
    """Of its texts, and some for the rest of it."""
    if isinstance(done, Inspected):
        return 1
    if isinstance(done, Passed):
        return _OF_A_RECORD + _weight(done.record.reason) + _weight(done.record.expected)
    replies = (*done.replies, *(reply for _, own in done.judge_replies for reply in own))
    generations = (reply for reply in replies if isinstance(reply, Generation))
    return 1 + sum(_weight(reply.raw_text) + _weight(reply.thinking) for reply in generations)


def _weight(text: str) -> int:
    """Its characters; others than those of ASCII take several bytes, and more tokens come along with them."""
    return len(text) if text.isascii() else 3 * len(text)
