"""What a server's API cannot do, said before it is asked."""

from __future__ import annotations

from evalkit.generation import Failure, Request
from evalkit.identity import conversation
from evalkit.target import Decoding, Target

_OFF = Decoding()
_NEVER = {"anthropic": ("min_p", "repetition_penalty"), "openai": ("top_k", "min_p", "repetition_penalty")}


def unsupported(target: Target, decoding: Decoding) -> str | None:
    """Why this decoding cannot be asked of the target's server, None where it can: nothing is dropped silently."""
    engine, model = target.engine, target.model
    for name in _NEVER[engine.kind]:
        if getattr(decoding, name) != getattr(_OFF, name):
            return f"{name}: engines of kind {engine.kind} cannot set it, found {getattr(decoding, name)}. Take it out."
    if decoding.is_greedy:
        return None
    if model.served is not None and not model.served.sampling:
        return (
            f"temperature: the model {model.name} takes none (sampling: false), found {decoding.temperature:g}. "
            "Use a greedy decoding; the server then samples as it always does."
        )
    if engine.kind == "anthropic" and decoding.temperature > 1:
        return f"temperature: engines of kind anthropic take at most 1, found {decoding.temperature:g}. Lower it."
    if engine.kind == "anthropic" and decoding.seed is not None:
        return "seed: engines of kind anthropic have none. Take it out; samples differ from run to run."
    return None


def refusal(request: Request) -> Failure | None:
    """Why a request cannot be asked of any server of its kind, None where it can."""
    engine, name = request.target.engine, request.target.model.name
    if request.kind == "score":
        return Failure(f"Engine {engine.name!r} cannot score: servers give no log-probabilities of a text.")
    problem = unsupported(request.target, request.decoding)
    if problem is not None:
        return Failure(f"The model {name} cannot be asked: {problem}")
    roles = [role for role, _ in conversation(request)]
    if engine.kind == "anthropic" and "system" in roles[1:]:
        return Failure(f"The model {name} cannot be asked: its API takes a system message only at the start.")
    return None
