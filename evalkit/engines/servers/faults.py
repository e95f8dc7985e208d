"""What can go wrong at a server, and whether to ask again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from evalkit.engines.servers.pricing import Usage

SHOWN_CHARACTERS = 300
CONNECT_S = 8.0
"""How long making a connection may take."""
TOO_MUCH = (429, 503, 529)
BUSY = (429, 529)
RETRIED = (408, 409, 425, 429)
_NAMES = {429: "too many requests", 529: "overloaded"}


class Fault(Exception):
    """One attempt that gave no answer.

    ``usage`` is what it was billed all the same; ``is_bill_unknown`` when it may have been billed and nothing says
    how much. ``is_too_much`` asks for fewer requests at once, ``retry_after_s`` for a pause. ``is_busy``: the server
    works, only not for us now; ``is_unreachable``: nobody is at its address.
    """

    def __init__(
        self,
        reason: str,
        *,
        is_retried: bool,
        is_too_much: bool = False,
        retry_after_s: float | None = None,
        usage: Usage | None = None,
        is_bill_unknown: bool = False,
        is_busy: bool = False,
        is_unreachable: bool = False,
        advice: str = "",
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_retried = is_retried
        self.is_too_much = is_too_much
        self.retry_after_s = retry_after_s
        self.usage = usage
        self.is_bill_unknown = is_bill_unknown
        self.is_busy = is_busy
        self.is_unreachable = is_unreachable
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Where:
    """What a message about a refused request names: the engine's key variable, the model, and what its id is.

    ``optional`` are the fields of the request that the engine's setting ``leave_out`` could leave out.
    """

    model: str
    model_id: str
    api_key_env: str
    optional: tuple[str, ...] = ()


def status_fault(status: int, headers: Mapping[str, str], body: object, where: Where, today: float) -> Fault:
    """The fault of an HTTP status that is no success; ``today`` is the time in seconds since 1970."""
    said = _message(body)
    reason = f"HTTP {status}" + (f" ({_NAMES[status]})" if status in _NAMES else "") + (f": {said}" if said else "")
    if _code(body) == "insufficient_quota":
        return Fault(reason, is_retried=False, advice="The account has no credit left: add some at the provider.")
    if status in RETRIED or status >= 500:
        return Fault(
            reason, is_retried=True, is_too_much=status in TOO_MUCH, is_busy=status in BUSY,
            retry_after_s=retry_after_s(headers, today),
        )  # fmt: skip
    advice = {
        401: f"Check the key in {where.api_key_env}.",
        402: "The account has no credit left: add some at the provider.",
        403: f"The key in {where.api_key_env} may not use {where.model_id!r}: ask for access, or choose another model.",
        404: f"Check the id {where.model_id!r} of the model {where.model} and the engine's base_url.",
        413: "The conversation is too long for the server.",
    }.get(status) or _unknown_field(said, where)
    return Fault(reason, is_retried=False, advice=advice)


def _unknown_field(said: str, where: Where) -> str:
    """What to do about a request whose form the server refuses, naming the field that it names."""
    for name in where.optional:
        if re.search(rf"(?<![A-Za-z_]){re.escape(name)}(?![A-Za-z_])", said):
            return (
                f"If it does not know {name}, have it left out: leave_out: [{name}] of the engine in "
                "fixtures/targets.yaml."
            )
    return f"Change what it names: the model {where.model}, its decoding, or its sampling, thinking, structured."


def silence_fault(error: BaseException, timeout_s: float) -> Fault:
    """A package's own timeout: nobody took the call, or nobody answered it."""
    if type(error.__cause__).__name__ == "ConnectTimeout":
        return connection_fault(error)
    return timeout_fault(timeout_s)


def timeout_fault(timeout_s: float) -> Fault:
    return Fault(f"no reply within {timeout_s:g} s", is_retried=True, is_bill_unknown=True)


def connection_fault(error: BaseException) -> Fault:
    """The connection broke or never was; only one that never was cannot have been billed."""
    cause = error.__cause__ or error
    refused = type(cause).__name__ in ("ConnectError", "ConnectTimeout")
    what = "could not be reached" if refused else "dropped the connection"
    return Fault(
        f"{what} ({_short(str(cause) or type(cause).__name__)})", is_retried=True, is_bill_unknown=not refused,
        is_unreachable=refused,
    )  # fmt: skip


def malformed_fault(what: str, usage: Usage | None) -> Fault:
    """A reply with status 200 that is none."""
    return Fault(f"a reply that cannot be read ({what})", is_retried=True, usage=usage, is_bill_unknown=usage is None)


def retry_after_s(headers: Mapping[str, str], today: float) -> float | None:
    """The pause that a server asks for, from ``retry-after-ms`` or ``retry-after`` (seconds or a date)."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None:
        return max(0.0, seconds)
    try:
        return max(0.0, parsedate_to_datetime(text or "").timestamp() - today)
    except ValueError:
        return None


def usage_object(text: str) -> str | None:
    """The ``usage`` object inside a text that is no JSON as a whole, as JSON text."""
    found = re.search(r'"usage"\s*:\s*(\{(?:[^{}]|\{[^{}]*\})*\})', text)
    return found.group(1) if found else None


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and re.fullmatch(r"\s*\d+(\.\d+)?\s*", text) else None


def _message(body: object) -> str:
    error = (body.get("error") or body) if isinstance(body, dict) else body
    text = (error.get("message") or error.get("detail")) if isinstance(error, dict) else error
    if isinstance(text, list):  # FastAPI's own form: a list of what is wrong, and where
        text = "; ".join(
            f"{'.'.join(map(str, one.get('loc', ())))}: {one.get('msg')}" for one in text if isinstance(one, dict)
        )
    return _short(text) if isinstance(text, str) else ""


def _place_and_mistake(plain: dict[str, Any]) -> str:
    return f"{'.'.join(map(str, plain.get('loc', ())))}: {plain.get('msg')}"


def _code(body: object) -> Any:
    error = body.get("error", body) if isinstance(body, dict) else None
    return error.get("code") if isinstance(error, dict) else None


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= SHOWN_CHARACTERS else f"{flat[: SHOWN_CHARACTERS - 1]}…"
