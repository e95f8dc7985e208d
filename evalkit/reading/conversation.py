"""Whether turns make a conversation that a target can take part in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

ANSWERS = ("assistant", "generate")


def conversation_mistakes(kinds: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The place of each wrong turn and what to do; ``kinds`` are system, user, assistant or generate.

    User turns and answers alternate, because chat templates accept nothing else.
    """
    before: str | None = None
    for index, kind in enumerate(kinds):
        if kind == "system":
            if index > 0:
                yield index, "system can only be the first turn. Move it there."
                continue
        elif kind == "user":
            if before == "user":
                yield index, "two user turns in a row. Join them, or put generate or assistant between them."
        elif before not in (*ANSWERS, "user"):
            yield index, f"{kind} has no user turn before it. Start with a user turn."
        elif before != "user":
            yield index, f"{kind} follows {before}. Put a user turn between them."
        before = kind
    if kinds and kinds[-1] != "generate":
        yield len(kinds) - 1, f"the last turn must be generate, found {kinds[-1]}. Add - generate at the end."
