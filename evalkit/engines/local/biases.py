"""What a decoding adds to the logits of single tokens, with texts turned into the tokens they stand for."""

from __future__ import annotations

import math

from evalkit.engines.local.rendering import Renderer
from evalkit.generation import Failure
from evalkit.target import Decoding

Bias = tuple[tuple[int, float], ...]


def biases(decoding: Decoding, renderer: Renderer, vocabulary: int) -> Bias | Failure:
    """Each token's bias, minus infinity for banned ids; or why a name stands for no token.

    ``vocabulary`` is how many logits the model has. A text stands for the tokens that are exactly it, at the start of
    a text and after a space. Banned texts are not here: they are looked for in the answer.
    """
    found: dict[int, float] = {}
    for name, value in decoding.logit_bias:
        tokens = {name} if isinstance(name, int) else _tokens(name, renderer)
        if not tokens:
            count = len(renderer.plain_ids(str(name)))
            return Failure(
                f"logit_bias: {name!r} is {count} tokens of this model and must be one. Name token ids, or use banned."
            )
        for token in tokens:
            found[token] = found.get(token, 0.0) + value
    found.update((token, -math.inf) for token in decoding.banned if isinstance(token, int))
    unknown = [token for token in found if not 0 <= token < vocabulary]
    if unknown:
        return Failure(f"There is no token {unknown[0]}: this model's ids end at {vocabulary - 1}.")
    return tuple(sorted(found.items()))


def _tokens(text: str, renderer: Renderer) -> set[int]:
    forms = (renderer.plain_ids(text), renderer.plain_ids(f" {text}"))
    return {form[0] for form in forms if len(form) == 1}
