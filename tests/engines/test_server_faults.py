"""What becomes of a request whatever the server does: one reply, a bounded number of attempts, the exact cost."""

from __future__ import annotations

import threading
import time
from email.utils import formatdate
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from evalkit.engines.servers.asking import backoff_s
from evalkit.engines.servers.engine import STEP_S
from evalkit.generation import Failure, Generation

if TYPE_CHECKING:
    from conftest import Asker

TRIES = (
    "Run the same command again later: what was answered is kept. More attempts: attempts, fewer at once: concurrency, "
    "a longer wait: timeout_s of the engine in fixtures/targets.yaml."
)
START = (
    "Start it, or correct base_url of the engine in fixtures/targets.yaml, and run the same command again: what was "
    "answered is kept."
)
LOST = (
    "A reply of grader was lost, or came without its usage, and may have been billed. The cost shown leaves such "
    "replies out; --eval-max-usd counts them as dear as can be."
)
PASSING = {
    "too many": lambda api: api.failing(429, "slow down"),
    "too many, pause": lambda api: api.failing(429, retry_after="7"),
    "internal": lambda api: api.failing(500, "oops"),
    "bad gateway": lambda api: api.failing(502),
    "unavailable": lambda api: api.failing(503),
    "overloaded": lambda api: api.failing(529, "Overloaded"),
    "dropped": lambda api: api.dropped(),
    "truncated": lambda api: api.truncated(),
    "truncated, billed": lambda api: api.truncated(usage_first=True),
    "no JSON": lambda api: api.malformed(),
    "other JSON": lambda api: api.malformed('{"hello": [1, 2]}'),
    "no object": lambda api: api.malformed("[]"),
}


@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_fault_is_asked_again(asker: Asker, api: ModuleType, fault: str) -> None:
    """Two faults, then an answer: it is that answer, after three attempts, and every known bill is in its cost."""
    make = PASSING[fault]
    asker.server.script(make(api), make(api), api.ok("Good."))

    (reply,) = asker.ask()

    assert (reply.text, reply.finish, reply.attempts) == ("Good.", "stop", 3)
    assert len(asker.server.posts) == 3
    assert reply.cost_usd == asker.server.known_usd
    assert float(asker.budget.spent_usd) == asker.server.known_usd


@pytest.mark.parametrize("fault", PASSING)
def test_a_lasting_fault_is_one_failure(asker: Asker, api: ModuleType, fault: str) -> None:
    """Asked as often as set and no more; no answer is made up, and what was billed is said."""
    asker.server.always = lambda received: PASSING[fault](api)

    (reply,) = asker.ask(attempts=4)

    assert isinstance(reply, Failure)
    assert reply.kind == "broken"
    assert reply.reason.startswith(f"Server 'srv' ({asker.base_url}) gave no answer in 4 attempts; the last: ")
    assert reply.reason.endswith(TRIES)
    assert len(asker.server.posts) == 4
    assert reply.cost_usd == asker.server.known_usd


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("too many", "HTTP 429 (too many requests): slow down."),
        ("internal", "HTTP 500: oops."),
        ("bad gateway", "HTTP 502."),
        ("overloaded", "HTTP 529 (overloaded): Overloaded."),
        ("no JSON", "a reply that cannot be read (it is no JSON, or cut short)."),
        ("no object", "a reply that cannot be read (it is no JSON object)."),
    ],
)
def test_a_failure_says_what_the_server_said(asker: Asker, api: ModuleType, fault: str, said: str) -> None:
    """The server, how often, the last status, what to do."""
    asker.server.script(PASSING[fault](api))

    (reply,) = asker.ask(attempts=1)

    assert reply.reason == f"Server 'srv' ({asker.base_url}) gave no answer in 1 attempt; the last: {said} {TRIES}"


def test_a_server_that_does_not_reply_is_given_up(asker: Asker, api: ModuleType) -> None:
    """The client's own timeout ends each attempt; it may have been billed, which is said once."""
    asker.server.script(api.hanging(), api.hanging())

    (reply,) = asker.ask(attempts=2, timeout_s=0.1)

    assert reply.reason == (
        f"Server 'srv' ({asker.base_url}) gave no answer in 2 attempts; the last: no reply within 0.1 s. {TRIES}"
    )
    assert asker.budget.sentences() == [LOST]


def test_a_server_that_is_not_there(asker: Asker) -> None:
    """Nothing can have been billed where nobody listens."""
    asker.server.go_away()

    (reply,) = asker.ask(attempts=2)

    assert "gave no answer in 2 attempts; the last: could not be reached (" in reply.reason
    assert reply.reason.endswith(f") {START}") or reply.reason.endswith(f"). {START}")
    assert (asker.budget.sentences(), reply.cost_usd) == ([], 0.0)


def test_nobody_waits_long_for_a_server_that_is_not_there(asker: Asker) -> None:
    """Five seconds for the first request, however many attempts it has; the other forty are tried once each."""
    asker.server.go_away()

    replies = asker.ask(*[asker.request(f"Number {number}") for number in range(40)], attempts=1_000, concurrency=1)

    assert asker.time.now_s == pytest.approx(5.0)
    assert all(isinstance(reply, Failure) for reply in replies)
    assert {reply.reason.split(" attempt")[0][-4:] for reply in replies[1:]} == {"in 1"}


def test_a_server_that_fails_all_is_asked_once_each(asker: Asker, api: ModuleType) -> None:
    """After one request has had all its attempts in vain; the first answer brings the patience back."""
    asker.server.always = lambda received: api.failing(500, "the engine is dead")
    requests = [asker.request(f"Number {number}.") for number in range(20)]

    replies = asker.ask(*requests, attempts=3, concurrency=1)

    assert all(isinstance(reply, Failure) for reply in replies)
    assert len(asker.server.posts) == 3 + 19


def test_one_answer_brings_the_patience_back(asker: Asker, api: ModuleType) -> None:
    """What fails after it is asked again as often as ever."""
    asker.server.when("Number 1.", api.ok("Alive."))
    asker.server.always = lambda received: api.failing(500)

    replies = asker.ask(*[asker.request(f"Number {number}.") for number in range(4)], attempts=3, concurrency=1)

    assert [isinstance(reply, Failure) for reply in replies] == [True, False, True, True]
    assert len(asker.server.posts) == 3 + 1 + 3 + 1


def test_a_busy_server_is_not_down(asker: Asker, api: ModuleType) -> None:
    """Too many requests is an answer to all of them but not for ever."""
    asker.server.always = lambda received: api.failing(429)

    asker.ask(*[asker.request(f"Number {number}.") for number in range(3)], attempts=3, concurrency=1)

    assert len(asker.server.posts) == 9


def test_a_reply_that_drips_is_given_up(asker: Asker, api: ModuleType) -> None:
    """Each byte comes in time, the whole does not."""
    asker.server.script(api.dripping("Slow. " * 50))

    (reply,) = asker.ask(attempts=1, timeout_s=0.5)

    assert "the last: no reply within 0.5 s. " in reply.reason


def test_a_reply_sent_twice_is_nobody_elses(asker: Asker, api: ModuleType) -> None:
    """The second copy is not taken for the reply to the next request."""
    for number in range(6):
        asker.server.when(f"Number {number}.", api.twice(f"Answer {number}."))

    replies = asker.ask(*[asker.request(f"Number {number}.") for number in range(6)], concurrency=1)

    assert [reply.text for reply in replies] == [f"Answer {number}." for number in range(6)]


def test_the_same_reply_to_every_request(asker: Asker, api: ModuleType) -> None:
    """A server that mixes up its replies cannot be told from one that says the same: each request has its own copy."""
    asker.server.always = lambda received: api.ok("As ever.")

    replies = asker.ask(*[asker.request(f"Number {number}.") for number in range(5)])

    assert [reply.text for reply in replies] == ["As ever."] * 5


REFUSED = [
    (400, "top_q?", "HTTP 400: top_q? Change what it names: the model grader, its decoding, or its sampling, thinking, "
     "structured."),
    (401, "bad key", "HTTP 401: bad key. Check the key in {variable}."),
    (402, "", "HTTP 402. The account has no credit left: add some at the provider."),
    (403, "", "HTTP 403. The key in {variable} may not use 'judge-1': ask for access, or choose another model."),
    (404, "model: judge-1", "HTTP 404: model: judge-1. Check the id 'judge-1' of the model grader and the engine's "
     "base_url."),
    (413, "", "HTTP 413. The conversation is too long for the server."),
    (422, "", "HTTP 422. Change what it names: the model grader, its decoding, or its sampling, thinking, structured."),
]  # fmt: skip


@pytest.mark.parametrize(("status", "message", "said"), REFUSED)
def test_a_refused_request_is_not_repeated(asker: Asker, api: ModuleType, status: int, message: str, said: str) -> None:
    """It would be refused again; the sentence names the setting."""
    asker.server.script(api.failing(status, message))

    (reply,) = asker.ask()

    variable = "ANTHROPIC_API_KEY" if asker.kind == "anthropic" else "OPENAI_API_KEY"
    assert reply.reason == f"Server 'srv' ({asker.base_url}) refused: {said.format(variable=variable)}"
    assert (len(asker.server.posts), reply.cost_usd) == (1, 0.0)


def test_a_spent_quota_is_not_repeated(openai_asker: Asker, api: ModuleType) -> None:
    """OpenAI says it with 429, and waiting does not help."""
    openai_asker.server.script(api.failing(429, "you exceeded your quota"))

    (reply,) = openai_asker.ask()

    assert reply.reason == (
        f"Server 'srv' ({openai_asker.base_url}) refused: HTTP 429 (too many requests): you exceeded your quota. "
        "The account has no credit left: add some at the provider."
    )


@pytest.mark.parametrize(
    ("headers", "slept"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "2.5"}, 2.5),
        ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5),
        ({"retry_after": "0"}, None),
    ],
)
def test_the_pause_a_server_asks_for_is_kept(
    asker: Asker, api: ModuleType, headers: dict[str, str], slept: float | None
) -> None:
    """Seconds or milliseconds, exactly."""
    asker.server.script(api.failing(429, **headers))

    (reply,) = asker.ask()

    assert isinstance(reply, Generation)
    assert asker.time.slept == ([] if slept is None else [slept])


def test_the_pause_may_be_a_date(asker: Asker, api: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is what is left until then."""
    noon = SimpleNamespace(time=lambda: 1_800_000_000.0)
    for module in ("anthropic_api", "openai_compatible"):
        monkeypatch.setattr(f"evalkit.engines.servers.{module}.time", noon)
    asker.server.script(api.failing(503, retry_after=formatdate(noon.time() + 60, usegmt=True)))

    asker.ask()

    assert asker.time.slept == [60.0]


def test_a_pause_that_is_too_long_is_a_failure(asker: Asker, api: ModuleType) -> None:
    """Nobody waits for an hour in silence."""
    asker.server.script(api.failing(429, retry_after="3600"))

    (reply,) = asker.ask(max_wait_s=100.0)

    assert reply.reason == (
        f"Server 'srv' ({asker.base_url}) asked for a pause of 3600 s after 1 attempt and 0 s of waiting, more than "
        "max_wait_s 100 allows. Run the same command again later: what was answered is kept."
    )
    assert asker.time.slept == []


def test_without_a_header_the_pauses_grow_and_repeat_themselves(asker: Asker, api: ModuleType) -> None:
    """Full jitter under a bound that doubles; the same request pauses alike in every run."""
    asker.server.script(*[api.failing(529)] * 5)

    asker.ask()

    assert asker.time.slept == [backoff_s("r0", attempt) for attempt in range(1, 6)]
    assert all(0 <= pause <= 0.5 * 2**attempt for attempt, pause in enumerate(asker.time.slept, start=1))
    assert backoff_s("r0", 60) <= 30


def test_a_storm_loses_nothing(asker: Asker, api: ModuleType) -> None:
    """Forty requests, of whose first attempts most fail in all ways: forty answers, each its own, the cost exact."""
    faults = [make(api) for make in PASSING.values()]
    for number in range(40):
        asker.server.when(f"number {number}.", faults[number % len(faults)], api.ok(f"Answer {number}."))

    replies = asker.ask(*[asker.request(f"This is number {number}.") for number in range(40)])

    assert [reply.text for reply in replies] == [f"Answer {number}." for number in range(40)]
    assert {reply.attempts for reply in replies} == {2}
    assert sum(reply.cost_usd for reply in replies) == pytest.approx(asker.server.known_usd, abs=1e-12)
    assert float(asker.budget.spent_usd) == asker.server.known_usd


def test_too_many_halves_how_many_are_asked_at_once(asker: Asker, api: ModuleType) -> None:
    """A burst of refusals counts once."""
    engine = asker.engine(concurrency=8)
    asker.server.script(*[api.failing(429)] * 4)
    for number in range(4):
        engine.submit(f"r{number}", asker.request(f"Number {number}"))

    replies = asker.all_replies(engine, 4)

    assert all(isinstance(reply, Generation) for reply in replies)
    assert 1 <= engine._gate.allowed <= 6
    assert asker.server.most_at_once <= 4


def test_no_more_at_once_than_set(asker: Asker) -> None:
    """The setting ``concurrency`` is a bound."""
    asker.ask(*[asker.request(f"Number {number}") for number in range(12)], concurrency=2)

    assert asker.server.most_at_once <= 2


def test_a_cancelled_request_gets_no_reply(asker: Asker, api: ModuleType) -> None:
    """Neither one that waits nor one that is under way."""
    engine = asker.engine(attempts=1, concurrency=1)
    asker.server.when("One", api.hanging())
    engine.submit("a", asker.request("One"))
    engine.submit("b", asker.request("Two"))
    while not asker.server.posts:
        engine.step()

    engine.cancel("b")
    engine.cancel("a")
    engine.submit("r0", asker.request("Three"))

    assert [reply.text for reply in asker.all_replies(engine, 1)] == ["Fine."]
    assert "Two" not in [received.prompt for received in asker.server.posts]


def test_a_cancelled_call_is_broken_off(asker: Asker, api: ModuleType) -> None:
    """It does not keep the one place until its timeout; it may have been billed, which is said."""
    engine = asker.engine(timeout_s=600.0, concurrency=1)
    asker.server.when("One", api.hanging())
    engine.submit("a", asker.request("One"))
    while not asker.server.posts:
        engine.step()

    engine.cancel("a")
    engine.submit("r0", asker.request("Two"))

    assert [reply.text for reply in asker.all_replies(engine, 1)] == ["Fine."]
    assert asker.budget.sentences() == [LOST]


def test_polling_does_not_wait(asker: Asker, api: ModuleType) -> None:
    """A thousand polls of a server that hangs take no time: as steps that wait they would take 50 seconds."""
    engine = asker.engine(timeout_s=600.0)
    asker.server.script(api.hanging())
    engine.submit("a", asker.request())

    began = time.monotonic()
    polled = [engine.poll() for _ in range(1000)]

    assert polled == [[]] * 1000
    assert time.monotonic() - began < 1000 * STEP_S
    assert engine.rows_in_flight <= 1


def test_all_engines_share_one_loop(anthropic_asker: Asker, openai_asker: Asker) -> None:
    """One thread asks all servers, however many requests are under way, and is gone when nobody asks."""
    before = set(threading.enumerate())
    engines = [asker.engine(concurrency=16) for asker in (anthropic_asker, openai_asker)]
    for asker, engine in zip((anthropic_asker, openai_asker), engines, strict=True):
        for number in range(16):
            engine.submit(f"r{number}", asker.request(f"Number {number}"))
        asker.all_replies(engine, 16)

    names = [thread.name for thread in set(threading.enumerate()) - before]

    assert names.count("evalkit-servers") == 1
    for engine in engines:
        engine.close()
    assert "evalkit-servers" not in [thread.name for thread in threading.enumerate()]


def test_closing_twice_is_safe_and_quick(asker: Asker, api: ModuleType) -> None:
    """Also while a request is under way: the server has not said anything yet when it is over."""
    engine = asker.engine(timeout_s=600.0)
    asker.server.script(api.hanging())
    engine.submit("a", asker.request())
    while not asker.server.posts:
        engine.step()

    engine.close()
    engine.close()

    assert engine.step() == []
    assert asker.server.inside == 1


def test_a_step_is_short(asker: Asker, api: ModuleType) -> None:
    """The host serves its clients between steps, whatever the server does: ten steps while it hangs."""
    engine = asker.engine(timeout_s=60.0, attempts=1)
    asker.server.script(api.hanging())
    engine.submit("r0", asker.request())

    steps = [engine.step() for _ in range(10)]

    assert steps == [[]] * 10
