"""What a server's API cannot do, said before it is asked."""

from __future__ import annotations

from urllib.parse import urlsplit

from evalkit.engines.servers.settings import BASE_URLS, ServerSettings
from evalkit.generation import Failure, Request
from evalkit.identity import conversation
from evalkit.target import Decoding, Engine, Target

_OFF = Decoding()
_LOCAL = ("min_p", "repetition_penalty", "min_new_tokens", "no_repeat_ngram", "banned", "stop_on_cycle")
_NEVER = {
    "anthropic": (*_LOCAL, "presence_penalty", "frequency_penalty", "logit_bias"),
    "openai": ("top_k", *_LOCAL),
}
TAKEABLE = ("top_k", "min_p", "repetition_penalty", "min_new_tokens")
"""What servers of kind openai may take all the same, each under a name of its own."""
OPENAI_STOPS = 4


def unsupported(target: Target, decoding: Decoding) -> str | None:
    """Why this decoding cannot be asked of the target's server, None where it can: nothing is dropped silently."""
    engine, model = target.engine, target.model
    taken = dict(engine.setting("takes", ()))
    for name in _NEVER[engine.kind]:
        if name not in taken and getattr(decoding, name) != getattr(_OFF, name):
            hint = "Take it out."
            if engine.kind == "openai" and name in TAKEABLE:
                hint = f"Take it out, or, where the server knows it, add it to takes: of the engine {engine.name}."
            return f"{name}: engines of kind {engine.kind} cannot set it, found {getattr(decoding, name)}. {hint}"
    named = [name for name, _ in decoding.logit_bias if not isinstance(name, int)]
    if named:
        return f"logit_bias: a server wants tokens by their ids, found {named[0]!r}. Write the token's id."
    blank = [text for text in decoding.stop if not text.strip()]
    if engine.kind == "anthropic" and blank:
        return f"stop: engines of kind anthropic take no stop text of blanks alone, found {blank[0]!r}. Take it out."
    if is_openai_itself(engine) and len(decoding.stop) > OPENAI_STOPS:
        return f"stop: OpenAI takes at most {OPENAI_STOPS} stop texts, found {len(decoding.stop)}. Take some out."
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


def is_openai_itself(engine: Engine) -> bool:
    """Whether the server is the vendor's own."""
    url = engine.setting("base_url", BASE_URLS["openai"])
    return engine.kind == "openai" and urlsplit(url).hostname == urlsplit(BASE_URLS["openai"]).hostname


def refusal(request: Request) -> Failure | None:
    """Why a request cannot be asked of any server of its kind, None where it can."""
    engine, name = request.target.engine, request.target.model.name
    if request.kind == "score" and not ServerSettings.of(engine).can_score:
        return Failure(
            f"Engine {engine.name!r} cannot score: only servers of kind openai give log-probabilities of a text, and "
            "they need api: completions and logprobs: true in fixtures/targets.yaml."
        )
    problem = unsupported(request.target, request.decoding)
    if problem is not None:
        return Failure(f"The model {name} cannot be asked: {problem}")
    roles = [role for role, _ in conversation(request)]
    if engine.kind == "anthropic" and "system" in roles[1:]:
        return Failure(f"The model {name} cannot be asked: its API takes a system message only at the start.")
    return None
