"""Which sentences of an answer refuse, so that what stands outside them can be weighed alone."""

from __future__ import annotations

from evalkit.judging.behaviour.view import AnswerView
from evalkit.judging.masking import Extent
from evalkit.judging.phrases import Hit


def refusing_sentences(view: AnswerView) -> list[Extent]:
    """Sentences that decline or wave away, up to a turn such as "but"."""
    extents = []
    for hit in [*view.bare_hits("refusal"), *view.bare_hits("dismissal")]:
        start, end = view.sentence_of(hit.at)
        turn = [one.at for one in view.bare_hits("contrast", hit.at + 1, end)]
        extents.append((hit.at if view.bare_hits("contrast", start, hit.at) else start, turn[0] if turn else end))
    return sorted(set(extents))


def outside(view: AnswerView, extents: list[Extent], hits: list[Hit]) -> list[Hit]:
    return [hit for hit in hits if not any(start <= hit.at < end for start, end in extents)]
