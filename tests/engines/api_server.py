"""A real HTTP server that plays the Anthropic and the OpenAI API as a script says, and keeps a ledger of its own."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-test-0123456789"
CUT = 0.6
"""How much of a body is sent before it is cut or the connection dropped."""


@dataclass(frozen=True)
class Behaviour:
    """What becomes of one request; made by the functions below."""

    kind: str
    text: str = ""
    answer: Any = None
    tool: str = "answer"
    thinking: str = ""
    stop: str | None = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    usage_first: bool = False
    tells_usage: bool = True
    changes: Any = field(default_factory=dict)


def ok(
    text: str = "Fine.", *, answer: Any = None, thinking: str = "", stop: str | None = None, tells_usage: bool = True,
    changes: Any = None,
) -> Behaviour:  # fmt: skip
    """A good reply; ``answer`` goes where the request wants an object: the forced tool, or JSON as the text.

    ``stop`` is the vendor's own stop reason; ``changes`` are fields of the reply as this server has them.
    """
    return Behaviour("ok", text, answer, thinking=thinking, stop=stop, tells_usage=tells_usage, changes=changes or {})


def twice(text: str = "Fine.") -> Behaviour:
    """A good reply, sent two times over the same connection."""
    return Behaviour("twice", text)


def dripping(text: str = "Slow words.") -> Behaviour:
    """A reply that comes byte by byte, twenty in a second."""
    return Behaviour("dripping", text)


def failing(status: int, message: str = "", *, body: Any = None, **headers: str) -> Behaviour:
    """An HTTP error; ``retry_after="2"`` becomes the header retry-after; ``body`` is in place of the vendor's own."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Behaviour("failing", message, status=status, headers=named, changes=body)


def hanging() -> Behaviour:
    """No reply at all until the server is closed; nothing is billed."""
    return Behaviour("hanging")


def dropped(text: str = "Lost words.") -> Behaviour:
    """A reply whose connection breaks in the middle of the body; billed, and nobody can know."""
    return Behaviour("dropped", text)


def truncated(text: str = "Cut words.", *, usage_first: bool = False) -> Behaviour:
    """JSON that ends in the middle, as a complete HTTP reply; billed, known only with ``usage_first``."""
    return Behaviour("truncated", text, usage_first=usage_first)


def malformed(body: str = "<html>gateway</html>") -> Behaviour:
    """Something else than the API's JSON with status 200; nothing is billed."""
    return Behaviour("malformed", body)


def refusing(text: str = "I will not.") -> Behaviour:
    return Behaviour("refusing", text)


def empty() -> Behaviour:
    """A good reply that says nothing."""
    return Behaviour("ok")


def wrong_tool(text: str = "", answer: Any = None) -> Behaviour:
    """A call to a tool that nobody offered."""
    return Behaviour("ok", text, answer or {"q": "x"}, tool="search")


@dataclass(frozen=True)
class Bill:
    """What one reply cost by the server's own reckoning; ``is_known`` when the client could read it."""

    usd: Decimal
    is_known: bool


@dataclass
class Received:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    behaviour: str = ""

    @property
    def prompt(self) -> str:
        """The last message's text, or that of a text to go on with."""
        if "prompt" in self.body:
            return str(self.body["prompt"])
        content = self.body["messages"][-1]["content"]
        return content if isinstance(content, str) else content[-1]["text"]


@dataclass
class ApiServer:
    """``url`` is the Anthropic base URL, ``url + "/v1"`` the OpenAI one.

    Requests take the next behaviour of ``script``, then of the first ``when`` whose words are in the last message,
    then ``always``. ``rates`` are US dollars for a million tokens; a token is a word.
    """

    rates: dict[str, str] = field(
        default_factory=lambda: {"input": "1", "output": "5", "cache_read": "0.1", "cache_write": "1.25"}
    )
    always: Callable[[Received], Behaviour] = field(default=lambda received: ok())
    received: list[Received] = field(default_factory=list)
    bills: list[Bill] = field(default_factory=list)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    polls_until_ended: int = 1
    batches_are_delayed: bool = False
    batches_are_refused: int = 0
    results_break: int = 0
    most_at_once: int = 0
    inside: int = 0
    port: int = 0
    models: list[str] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        self._script: deque[Behaviour] = deque()
        self._when: list[tuple[str, deque[Behaviour]]] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._cached: set[str] = set()
        self._address: socket.socket | None = None
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.api = self
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def script(self, *behaviours: Behaviour) -> None:
        """What the next requests get, in the order of their arrival."""
        self._script.extend(behaviours)

    def when(self, words: str, *behaviours: Behaviour) -> None:
        """What requests with these words in their last message get, one after the other; the last one stays."""
        self._when.append((words, deque(behaviours)))

    @property
    def known_usd(self) -> float:
        """What the client can know it was billed."""
        return float(sum((bill.usd for bill in self.bills if bill.is_known), Decimal(0)))

    @property
    def billed_usd(self) -> float:
        """What it was billed."""
        return float(sum((bill.usd for bill in self.bills), Decimal(0)))

    @property
    def posts(self) -> list[Received]:
        return [one for one in self.received if one.method == "POST"]

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if self._address is not None:
            self._address.close()

    def go_away(self) -> None:
        """Closes, and keeps the address until ``close``: nobody is there, and no other server may come to be there."""
        self.close()
        self._address = socket.socket()
        self._address.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._address.bind(self._server.server_address[:2])

    def take(self, received: Received) -> Behaviour:
        with self._lock:
            self.inside += 1
            self.received.append(received)
            self.most_at_once = max(self.most_at_once, self.inside)
            behaviour = self._next(received)
            received.behaviour = behaviour.kind
        return behaviour

    def leave(self) -> None:
        with self._lock:
            self.inside -= 1

    def note(self, received: Received) -> None:
        """A request that generates nothing."""
        with self._lock:
            self.received.append(received)

    def wait_until_closed(self) -> None:
        self._closing.wait()

    def is_closing(self, after_s: float) -> bool:
        return self._closing.wait(after_s)

    def usage(self, body: Any, behaviour: Behaviour) -> dict[str, int]:
        """Tokens by kind; a system text with a cache breakpoint is written once and read from then on."""
        system = body.get("system") or []
        written = "".join(block["text"] for block in system if block.get("cache_control"))
        rest = " ".join(str(message["content"]) for message in body.get("messages", [])) or str(body.get("prompt", ""))
        with self._lock:
            known = bool(written) and written in self._cached
            self._cached.add(written)
        size = len(written.split())
        said = behaviour.text if behaviour.answer is None else f"{behaviour.text} {json.dumps(behaviour.answer)}"
        return {
            "input": len(rest.split()), "output": len(f"{said} {behaviour.thinking}".split()),
            "cache_read": size if known else 0, "cache_write": 0 if known else size,
        }  # fmt: skip

    def bill(self, usage: dict[str, int], *, is_known: bool, factor: str = "1") -> None:
        total = sum((Decimal(self.rates[kind]) * count for kind, count in usage.items()), Decimal(0))
        with self._lock:
            self.bills.append(Bill(total * Decimal(factor) / 1_000_000, is_known))

    def _next(self, received: Received) -> Behaviour:
        if self._script:
            return self._script.popleft()
        for words, behaviours in self._when:
            if words in received.prompt:
                return behaviours.popleft() if len(behaviours) > 1 else behaviours[0]
        return self.always(received)


class _Server(ThreadingHTTPServer):
    api: ApiServer
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the play."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 20  # a reply is sent when ``do_POST`` is over: by then its request has left and is on the bill
    server: _Server

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        api = self.server.api
        api.note(Received("GET", self.path, self._headers(), None))
        if self.path == "/v1/models" and api.models:
            listed = [{"id": name, "object": "model", "created": 1, "owned_by": "us"} for name in api.models]
            return self._send(200, json.dumps({"object": "list", "data": listed}))
        _, _, rest = self.path.partition("/v1/messages/batches/")
        name, _, wants_results = rest.partition("/")
        batch = api.batches.get(name)
        if batch is None:
            self._send(404, json.dumps(_anthropic_error(404, "no such batch")))
        elif wants_results:
            text = "".join(json.dumps(line) + "\n" for line in batch["results"])
            api.results_break -= 1
            self._send(200, text, sent=int(len(text) * CUT) if api.results_break >= 0 else None)
        else:
            batch["polls"] += 1
            self._send(200, json.dumps(_batch_status(api, name, batch)))
        return None

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"null")
        api, is_openai = self.server.api, self.path.endswith("/completions")
        received = Received("POST", self.path, self._headers(), body)
        if self.path.endswith("/batches"):
            api.note(received)
            if api.batches_are_delayed:
                api.wait_until_closed()
            if api.batches_are_refused:
                return self._send(api.batches_are_refused, json.dumps(_anthropic_error(api.batches_are_refused, "no")))
            return self._send(200, json.dumps(self._new_batch(body)))
        if self.path.endswith("/cancel"):
            api.note(received)
            name = self.path.split("/")[-2]
            return self._send(200, json.dumps(_batch_status(api, name, api.batches[name])))
        behaviour = api.take(received)
        try:
            self._play(behaviour, body, is_openai)
        finally:
            api.leave()
        return None

    def _play(self, behaviour: Behaviour, body: Any, is_openai: bool) -> None:
        api = self.server.api
        if behaviour.kind == "failing":
            make = _openai_error if is_openai else _anthropic_error
            error = behaviour.changes or make(behaviour.status, behaviour.text)
            return self._send(behaviour.status, json.dumps(error), behaviour.headers)
        if behaviour.kind == "hanging":
            api.wait_until_closed()
            self.close_connection = True
            return None
        if behaviour.kind == "malformed":
            return self._send(200, behaviour.text)
        usage = api.usage(body, behaviour)
        make = completion_reply if "prompt" in body else openai_reply if is_openai else anthropic_reply
        plain = make(body, behaviour, usage)
        if not behaviour.tells_usage:
            del plain["usage"]
        text = json.dumps({**plain, **behaviour.changes})
        if behaviour.kind == "dripping":
            return self._drip(text)
        if behaviour.kind == "dropped":
            api.bill(usage, is_known=False)
            return self._send(200, text, (), sent=int(len(text) * CUT))
        if behaviour.kind == "truncated":
            api.bill(usage, is_known=behaviour.usage_first)
            whole = json.loads(text)
            ordered = {"usage": whole.pop("usage"), **whole} if behaviour.usage_first else {**whole}
            text = json.dumps(ordered)
            return self._send(200, text[: int(len(text) * 0.9)])
        api.bill(usage, is_known=behaviour.tells_usage)
        if behaviour.kind == "twice":
            self._send(200, text)
        return self._send(200, text)

    def _drip(self, text: str) -> None:
        """One byte after the other, forever slower than anybody waits."""
        self.send_response(200)
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        with suppress(OSError):
            for byte in text.encode():
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                if self.server.api.is_closing(0.05):
                    break
        self.close_connection = True

    def _new_batch(self, body: Any) -> Any:
        """Every request of a batch is answered at once, and billed at half the price, when it is made."""
        api = self.server.api
        name, results = f"msgbatch_{len(api.batches) + 1}", []
        for one in body["requests"]:
            received = Received("BATCH", self.path, {}, one["params"])
            behaviour = api.take(received)
            api.leave()
            if behaviour.kind == "failing":
                result: dict[str, Any] = {
                    "type": "errored",
                    "error": _anthropic_error(behaviour.status, behaviour.text),
                }
            elif behaviour.kind == "hanging":
                result = {"type": "expired"}
            else:
                usage = api.usage(one["params"], behaviour)
                api.bill(usage, is_known=True, factor="0.5")
                result = {"type": "succeeded", "message": anthropic_reply(one["params"], behaviour, usage)}
            results.append({"custom_id": one["custom_id"], "result": result})
        api.batches[name] = {"results": results[::-1], "polls": 0}
        return _batch_status(api, name, api.batches[name])

    def _headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _send(self, status: int, text: str, headers: tuple[tuple[str, str], ...] = (), sent: int | None = None) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data if sent is None else data[:sent])
        if sent is not None:
            self.close_connection = True


def anthropic_reply(body: Any, behaviour: Behaviour, usage: dict[str, int]) -> dict[str, Any]:
    """A message of the Messages API."""
    content: list[dict[str, Any]] = []
    if behaviour.thinking:
        content.append({"type": "thinking", "thinking": behaviour.thinking, "signature": "s"})
    wants_tool = bool(body.get("tools"))
    text = behaviour.text
    if behaviour.answer is not None and not wants_tool:
        text = json.dumps(behaviour.answer)
    if text and not (behaviour.answer is not None and wants_tool and behaviour.tool == "answer"):
        content.append({"type": "text", "text": text})
    stop = "end_turn"
    if behaviour.answer is not None and wants_tool:
        content.append({"type": "tool_use", "id": "toolu_1", "name": behaviour.tool, "input": behaviour.answer})
        stop = "tool_use"
    if behaviour.kind == "refusing":
        stop = "refusal"
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": content,
        "stop_reason": behaviour.stop or stop, "stop_sequence": None,
        "usage": {
            "input_tokens": usage["input"], "output_tokens": usage["output"],
            "cache_read_input_tokens": usage["cache_read"], "cache_creation_input_tokens": usage["cache_write"],
        },
    }  # fmt: skip


def openai_reply(body: Any, behaviour: Behaviour, usage: dict[str, int]) -> dict[str, Any]:
    """A completion of the chat completions API."""
    message: dict[str, Any] = {"role": "assistant", "content": behaviour.text}
    finish = "stop"
    if behaviour.answer is not None and body.get("tools"):
        function = {"name": behaviour.tool, "arguments": json.dumps(behaviour.answer)}
        message["content"] = behaviour.text if behaviour.tool != "answer" else None
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
        finish = "tool_calls"
    elif behaviour.answer is not None:
        message["content"] = json.dumps(behaviour.answer)
    if behaviour.thinking:
        message["reasoning_content"] = behaviour.thinking
    if behaviour.kind == "refusing":
        message = {"role": "assistant", "content": None, "refusal": behaviour.text}
    prompt = usage["input"] + usage["cache_read"] + usage["cache_write"]
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body["model"],
        "system_fingerprint": "fp_1",
        "choices": [{"index": 0, "message": message, "finish_reason": behaviour.stop or finish}],
        "usage": {
            "prompt_tokens": prompt, "completion_tokens": usage["output"], "total_tokens": prompt + usage["output"],
            "prompt_tokens_details": {"cached_tokens": usage["cache_read"]},
        },
    }  # fmt: skip


def completion_reply(body: Any, behaviour: Behaviour, usage: dict[str, int]) -> dict[str, Any]:
    """A text of the completions API; words are its tokens, each of probability 1/e, the first one's null as in vLLM."""
    text = (body["prompt"] if body.get("echo") else "") + behaviour.text
    starts = [found.start() for found in re.finditer(r" ?[^ ]+", text)]
    logprobs = {
        "text_offset": starts, "tokens": [""] * len(starts),
        "token_logprobs": [None if body.get("echo") and not start else -1.0 for start in starts],
    }  # fmt: skip
    choice = {"index": 0, "text": text, "finish_reason": behaviour.stop or "stop"}
    return {
        "id": "cmpl-1", "object": "text_completion", "created": 1, "model": body["model"],
        "choices": [choice | ({"logprobs": logprobs} if body.get("logprobs") else {})],
        "usage": {"prompt_tokens": usage["input"], "completion_tokens": usage["output"]},
    }  # fmt: skip


def _anthropic_error(status: int, message: str) -> dict[str, Any]:
    kinds = {
        400: "invalid_request_error",
        401: "authentication_error",
        429: "rate_limit_error",
        529: "overloaded_error",
    }
    return {"type": "error", "error": {"type": kinds.get(status, "api_error"), "message": message}}


def _openai_error(status: int, message: str) -> dict[str, Any]:
    code = "insufficient_quota" if "quota" in message else None
    return {"error": {"message": message, "type": "server_error", "param": None, "code": code}}


def _batch_status(api: ApiServer, name: str, batch: dict[str, Any]) -> dict[str, Any]:
    has_ended = batch["polls"] >= api.polls_until_ended
    count = len(batch["results"])
    return {
        "id": name, "type": "message_batch", "processing_status": "ended" if has_ended else "in_progress",
        "request_counts": {
            "processing": 0 if has_ended else count, "succeeded": count if has_ended else 0, "errored": 0,
            "canceled": 0, "expired": 0,
        },
        "ended_at": "2026-11-21T00:00:00Z" if has_ended else None, "created_at": "2026-11-20T00:00:00Z",
        "expires_at": "2026-11-22T00:00:00Z", "archived_at": None, "cancel_initiated_at": None,
        "results_url": f"{api.url}/v1/messages/batches/{name}/results" if has_ended else None,
    }  # fmt: skip
